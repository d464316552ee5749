"""Outcomes as they are loaded, and as they are told to others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trackrecord.outcomes.label_many import HOWS, OUTCOMES
from trackrecord.outcomes.model import Outcome
from trackrecord.outcomes.waiting import Judgement
from trackrecord.times import NEVER

OUR_EXIT: Final = "barrier"
"""The ``exit_id`` of exits that follow from bars."""

RECORD: Final = {"strategy": pl.String, "known_at": pl.Int64, "return": pl.Float64}
"""The outcomes of a strategy, as the table answers; times in microseconds since 1970 UTC."""


class Scored(NamedTuple):
    """An outcome that has changed in the batch; numbers are fractions of the entry price."""

    position: int
    """The message of the batch that it is owed to."""
    signal_id: str
    strategy: str
    symbol: str
    revision: int
    outcome: Outcome

    label: int | None
    returned: float | None
    mae: float | None
    mfe: float | None
    bars_held: int | None
    exit_price: str | None
    """All its digits."""
    ambiguous: bool
    feature_set: str | None
    features: Sequence[float | None] | None
    """As they were stored at the emission."""


class OwnExit(NamedTuple):
    """The exit of a signal that nobody manages; prices with all their digits."""

    signal_id: str
    price: str
    closed_at: datetime
    reason: str
    entry_price: str | None
    """Where the signal was entered at the next open."""


def outcome_rows(
    judged: Judgement, positions: NDArray[np.int64], *, all_: bool = False
) -> pl.DataFrame:
    """What has changed, or has ended, as it is loaded.

    Args:
        judged: Signals.
        positions: The message of the batch that each is owed to.
        all_: Whether what is as before is written too.
    """
    told = np.flatnonzero(judged.changed | (judged.ends_at > NEVER) | all_)
    now = judged.now.take(told)
    label = np.array([None, 1, -1, 0, None], object)[now.outcome]
    numbers = {
        "return": now.returned,
        "mae": np.minimum(now.mae, 0),
        "mfe": np.maximum(now.mfe, 0),
    }
    return pl.DataFrame(
        {
            "position": positions[told],
            "signal_id": judged.signals.signal_id[told].tolist(),
            "outcome": [OUTCOMES[code] for code in now.outcome],
            "label": pl.Series(label.tolist(), dtype=pl.Int64),
            **{name: pl.Series(values).fill_nan(None) for name, values in numbers.items()},
            "bars_held": now.bars_held,
            "how": pl.Series([HOWS[code] if code else None for code in now.how], dtype=pl.String),
            "ambiguous": now.ambiguous,
            "delisted": now.delisted,
            "exit_opened_at": now.exit_opened_at,
            "exit_at": judged.exit_at[told],
            "known_at": now.known_at,
            "ends_at": judged.ends_at[told],
            "changed": judged.changed[told],
        },
        schema_overrides={"signal_id": pl.String, "outcome": pl.String},
    )


def void_rows(signal_ids: Sequence[str], positions: dict[str, int]) -> pl.DataFrame:
    """Signals of which nothing can be said: a level on the wrong side of the entry."""
    rows: list[dict[str, Any]] = [
        {"position": positions[each], "signal_id": each, "outcome": "void"} for each in signal_ids
    ]
    return pl.DataFrame(
        rows, schema={"position": pl.Int64, "signal_id": pl.String, "outcome": pl.String}
    ).with_columns(
        pl.lit(value=False).alias("ambiguous"),
        pl.lit(value=False).alias("delisted"),
        pl.lit(value=True).alias("changed"),
    )

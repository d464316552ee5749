"""From columns as they were read to columns as they are loaded and judged, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trackrecord.outcomes.label_many import HOWS, OUTCOMES
from trackrecord.outcomes.waiting import Judgement
from trackrecord.runtime.sql_times import wire_micros
from trackrecord.times import NEVER

OUR_EXIT: Final = "barrier"
"""The ``exit_id`` of exits that follow from bars."""

_KEY: Final = ("symbol", "timeframe", "opened_us", "source")
SIGNAL_COLUMNS: Final = (
    "position", "appended_at", "signal_id", "revision", "strategy", "symbol", "timeframe", "side",
    "price", "target_price", "stop_loss", "horizon_bars", "entry", "exits", "confidence",
    "emitted_at",
)  # fmt: skip
"""What is loaded of signals."""


def as_bars(frame: pl.DataFrame) -> pl.DataFrame:
    """Bars as they are loaded, with their times as numbers too."""
    return frame.with_columns(
        wire_micros("opened_at").alias("opened_us"),
        wire_micros("closed_at").alias("closed_us"),
    )


def repeats(bars: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of bars that a batch names more than once, the highest revision, and of that the first.

    Returns:
        One row per bar, in the order of the key; and the other rows that might contradict one:
        those that come before any higher revision.
    """
    ordered = bars.sort(*_KEY, -pl.col("revision"), "position")
    kept = ordered.unique(_KEY, keep="first", maintain_order=True)
    if kept.height == bars.height:
        return kept, bars.clear()
    in_turn = bars.sort(*_KEY, "position")
    highest = pl.col("revision").cum_max().over(_KEY)
    others = in_turn.filter(pl.col("revision") == highest)
    return kept, others.join(kept.select("position"), on="position", how="anti")


def as_signals(frame: pl.DataFrame, default_horizon: int) -> pl.DataFrame:
    """Signals, each once, as they are loaded and as numbers."""
    return (
        frame.sort("signal_id", -pl.col("revision"), "position")
        .unique("signal_id", keep="first", maintain_order=True)
        .with_columns(
            wire_micros("emitted_at").alias("emitted_us"),
            pl.when(pl.col("side") == "BUY").then(1).otherwise(-1).alias("direction"),
            pl.col("horizon_bars").fill_null(default_horizon).alias("horizon_"),
            pl.col("price").cast(pl.Float64).alias("price_"),
            pl.col("target_price").cast(pl.Float64).alias("target_"),
            pl.col("stop_loss").cast(pl.Float64).alias("stop_"),
        )
    )


def as_closes(frame: pl.DataFrame) -> pl.DataFrame:
    """Exits of others that close a whole signal."""
    return frame.filter((pl.col("exit_id") != OUR_EXIT) & pl.col("quantity").is_null()).select(
        "signal_id", "closed_at", "reason"
    )


def as_waiting(signals: pl.DataFrame) -> pl.DataFrame:
    """New signals with their ``slot``, as :func:`store.read_signals` would give them."""
    nothing = {
        **dict.fromkeys(("outcome", "how", "ambiguous", "delisted"), pl.String),
        **dict.fromkeys(("exit_opened_at", "bars_held", "known_at"), pl.Int64),
        **dict.fromkeys(("return", "mae", "mfe"), pl.Float64),
    }
    return signals.select(
        "signal_id",
        "direction",
        pl.col("slot").alias("number"),
        pl.col("price_").alias("price"),
        pl.col("target_").alias("target_price"),
        pl.col("stop_").alias("stop_loss"),
        pl.col("horizon_").alias("horizon_bars"),
        pl.col("emitted_us").alias("emitted_at"),
        pl.when(pl.col("entry") == "next_open")
        .then(pl.lit("t"))
        .otherwise(pl.lit("f"))
        .alias("next_open"),
        *(pl.lit(None, dtype).alias(name) for name, dtype in nothing.items()),
    )


def session_rows(
    bars: pl.DataFrame, moved: NDArray[np.float64], above: NDArray[np.float64]
) -> pl.DataFrame:
    """What bars say of the market as a whole, summed by close and partition."""
    values = bars.select("timeframe", "closed_us", "partition").with_columns(
        pl.Series("moved", moved).fill_nan(None), pl.Series("above", above).fill_nan(None)
    )
    return values.group_by("timeframe", pl.col("closed_us").alias("closed_at"), "partition").agg(
        pl.col("moved").sum(),
        pl.col("moved").count().alias("movers"),
        pl.col("above").sum().cast(pl.Int64),
        pl.col("above").count().alias("compared"),
    )


def assessment_rows(
    signal_id: pl.Series,
    features: NDArray[np.float64],
    probability: NDArray[np.float64] | None,
    verdicts: Sequence[str],
    qualities: Sequence[str],
) -> pl.DataFrame:
    """Assessments as they are loaded; nulls where no model is live."""
    nothing = [None] * len(signal_id)
    judged = probability is not None
    return pl.DataFrame(
        {
            "signal_id": signal_id,
            "features": [_array(row) for row in features.tolist()],
            "probability": probability if judged else nothing,
            "verdict": verdicts if judged else nothing,
            "quality": qualities if judged else nothing,
        },
        schema_overrides={
            "probability": pl.Float64, "verdict": pl.String, "quality": pl.String
        },
    )  # fmt: skip


def _array(values: Sequence[float]) -> str:
    """An array as Postgres reads it."""
    return "{" + ",".join(repr(each) if each == each else "NULL" for each in values) + "}"  # noqa: PLR0124 - NaN


def outcome_rows(
    judged: Judgement, positions: NDArray[np.int64], *, all_: bool = False
) -> pl.DataFrame:
    """What has changed, or has ended, as it is loaded.

    Args:
        judged: Signals.
        positions: The message of the batch that each is owed to.
        all_: Whether what is as before is told too.
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

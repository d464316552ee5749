"""What the outcome_scorer recorded, as rows to learn from; it is only read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np

from services.trainer.rows import features
from trackrecord.learning.data import Data
from trackrecord.learning.probabilities import Floats
from trackrecord.learning.splits import Span, longest_horizon
from trackrecord.learning.triggers import Live
from trackrecord.outcomes.label_many import won
from trackrecord.runtime.database import Cursor, rows
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.sql_times import micros

_RECENT: Final = 1_000
"""Signals of late whose features are held against those that were learnt from."""

_REFERENCE: Final = 20_000
"""Signals at most that stand for those that were learnt from."""

# Until the whole horizon has elapsed an outcome is not used, even if it is known: fast outcomes
# would be counted more than slow ones.
_SETTLED: Final = """
    FROM outcomes o JOIN assessments a USING (signal_id)
    WHERE o.policy = %(policy)s AND o.outcome IN ('target', 'stop', 'expired')
      AND o."return" IS NOT NULL AND o.ends_at <= %(cut_off)s
"""

_ROWS: Final = f"""
    SELECT {micros("a.emitted_at")}, {micros("o.ends_at")},
           o."return", a.symbol, a.feature_set, array_to_string(a.features, ' ', 'NaN')
    {_SETTLED} ORDER BY a.emitted_at, a.signal_id
"""

_LIVE: Final = f"""
    SELECT {micros("a.emitted_at")}, {micros("o.ends_at")},
           o."return", a.probability, a.verdict <> 'SKIP'
    {_SETTLED} AND a.model_version = %(version)s AND a.probability IS NOT NULL
    ORDER BY a.emitted_at, a.signal_id
"""


def settled(cursor: Cursor, settings: Settings, cut_off: datetime) -> int:
    """How many outcomes can be learnt from at a moment."""
    found = rows(cursor, f"SELECT count(*) {_SETTLED}", _asked(settings, cut_off))
    return int(found[0][0])


def training_rows(cursor: Cursor, settings: Settings, cut_off: datetime) -> Data:
    """Everything that can be learnt from at a moment, in the order of emission.

    Features are as they were stored at the emission. The newest set of features says which
    columns there are; what an older set did not have is unknown.
    """
    found = rows(cursor, _ROWS, _asked(settings, cut_off))
    emitted_at, ends_at, returned, symbol, kind, texts = (
        zip(*found, strict=True) if found else ((),) * 6
    )
    gain = np.array(returned, np.float64)
    sets = _feature_sets(cursor)
    names = sets[kind[-1]] if kind else ()
    _, number = np.unique(np.array(symbol, str), return_inverse=True)
    return Data(
        features(kind, texts, sets, names),
        tuple(names),
        _success(gain, settings),
        gain,
        number.astype(np.int64),
        Span(np.array(emitted_at, np.int64), np.array(ends_at, np.int64)),
    )


def live_record(
    cursor: Cursor, settings: Settings, cut_off: datetime, version: str, report: dict[str, Any]
) -> Live | None:
    """What a model said of signals whose outcome is known by now; None where nothing is."""
    found = rows(cursor, _LIVE, {**_asked(settings, cut_off), "version": version})
    brier = report["metrics"]["brier"]
    if not found or brier is None:
        return None
    emitted_at, ends_at, returned, probability, taken = (
        np.array(column) for column in zip(*found, strict=True)
    )
    bought = report["metrics"]["bought"] or 0.0
    average = report["metrics"]["average_return_of_bought"] or 0.0
    return Live(
        emitted_at=emitted_at,
        probability=probability.astype(np.float64),
        success=_success(returned, settings),
        returned=returned.astype(np.float64),
        taken=taken.astype(bool),
        longest_horizon=longest_horizon(Span(emitted_at, ends_at)),
        judged_brier=brier,
        judged_profit=average * bought / report["judged_on"],
    )


def features_then_and_now(
    cursor: Cursor, names: Sequence[str], learnt_until: datetime
) -> tuple[Floats, Floats]:
    """Features of signals from the time that was learnt from, and of the latest ones since."""
    sets = _feature_sets(cursor)
    read = "SELECT feature_set, array_to_string(features, ' ', 'NaN') FROM assessments WHERE "
    order = " ORDER BY emitted_at DESC, signal_id LIMIT %s"
    then = rows(cursor, f"{read} emitted_at <= %s {order}", (learnt_until, _REFERENCE))
    now = rows(cursor, f"{read} emitted_at > %s {order}", (learnt_until, _RECENT))
    both = [
        features([kind for kind, _ in found], [text for _, text in found], sets, names)
        for found in (then, now)
    ]
    return both[0], both[1]


def _success(returned: Floats, settings: Settings) -> Floats:
    cost, threshold = settings.trainer_cost, settings.trainer_success
    return won(returned, cost=cost, threshold=threshold).astype(np.float64)


def _asked(settings: Settings, cut_off: datetime) -> dict[str, Any]:
    return {"policy": settings.outcome_policy, "cut_off": cut_off}


def _feature_sets(cursor: Cursor) -> dict[str, list[str]]:
    return {
        str(kind): list(names)
        for kind, names in rows(cursor, "SELECT feature_set, names FROM feature_sets")
    }

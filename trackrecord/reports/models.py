"""Reading what came of a training, and of what a model has said since."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl

from trackrecord.learning.calibration import Said, calibration, with_intervals
from trackrecord.outcomes.label_many import won
from trackrecord.reports.hidden import NOTHING, Hidden, as_parameter, visible
from trackrecord.runtime.champion import champion
from trackrecord.runtime.database import Cursor, read_columns, rows, session
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.sql_times import micros

_TRAINING: Final = """
    SELECT l.outcome, l.version, l.promoted, l.reason, l.error, l.data_points, m.report
    FROM ml_training_log l LEFT JOIN models m USING (version) WHERE l.training_id = %s
"""

_NEWEST: Final = """
    SELECT version FROM models WHERE model = %s ORDER BY created_at DESC, version LIMIT 1
"""

_ABOUT: Final = """
    SELECT m.learnt_until, m.report, l.promoted, l.reason,
           (SELECT min(live_from) FROM champions c WHERE c.version = m.version)
    FROM models m LEFT JOIN ml_training_log l USING (version)
    WHERE m.model = %s AND m.version = %s
"""

# As it is learnt from: only once the whole horizon has elapsed, or fast outcomes would be
# counted more than slow ones.
_SAID: Final = f"""
    SELECT {micros("a.emitted_at")} AS emitted_at, {micros("o.ends_at")} AS ends_at,
           a.probability, o."return" AS returned, a.verdict, a.strategy,
           a.emitted_at <= %(learnt_until)s AS learnt,
           o.outcome = 'void' AS void
    FROM assessments a
    LEFT JOIN outcomes o ON o.signal_id = a.signal_id AND o.policy = %(policy)s
    WHERE a.model_version = %(version)s AND a.probability IS NOT NULL
      AND (%(strategy)s::text IS NULL OR a.strategy = %(strategy)s) AND {visible("a.strategy")}
    ORDER BY a.emitted_at, a.signal_id
"""

_COLUMNS: Final = {
    "emitted_at": pl.Int64,
    "ends_at": pl.Int64,
    "probability": pl.Float64,
    "returned": pl.Float64,
    "verdict": pl.String,
    "strategy": pl.String,
    "learnt": pl.String,
    "void": pl.String,
}


def read_training(settings: Settings, training_id: str) -> dict[str, Any] | None:
    """How a run ended, with all that its model's report tells; None while it has not.

    Raises:
        PassingError: The database does not answer.
    """
    with session(settings, application="trackrecord models", snapshot=True) as cursor:
        found = rows(cursor, _TRAINING, (training_id,))
    if not found:
        return None
    outcome, version, promoted, reason, error, points, report = found[0]
    report = report or {}
    if shares := report.get("feature_importances"):
        # The database keeps no order of names; what counts most comes first.
        order = sorted(shares.items(), key=lambda each: (-each[1], each[0]))
        report["feature_importances"] = dict(order)
    return {
        **report,
        "status": "completed" if outcome == "completed" else "failed",
        "promoted": promoted,
        "reason": reason or error,
        "version": version,
        "data_points": points,
    }


def read_calibration(
    settings: Settings, version: str | None = None, strategy: str | None = None
) -> dict[str, Any] | None:
    """What a version of the model said, when it was judged and since, and what happened.

    Args:
        settings: Where the database is, what a success is, and whose versions are meant.
        version: The version; None: the one that serves, else the newest.
        strategy: Of whose signals since; None: of all.

    Returns:
        ``version``, ``promoted``, ``reason``, ``live_from``, ``judged`` (on the unseen outcomes of
        its training) and ``since`` (:func:`trackrecord.learning.calibration.calibration`, and how
        many signals are ``waiting`` for their outcome, are ``void``, or are of the time ``learnt``
        from and prove nothing). None where there is no such version.

    Raises:
        PassingError: The database does not answer.
    """
    with session(settings, application="trackrecord models", snapshot=True) as cursor:
        return calibration_of(cursor, settings, version, strategy)


def calibration_of(
    cursor: Cursor,
    settings: Settings,
    version: str | None = None,
    strategy: str | None = None,
    hidden: Hidden = NOTHING,
) -> dict[str, Any] | None:
    """The same, inside a transaction, and without the signals of strategies that are hidden."""
    named = version or champion(cursor, settings.model) or newest(cursor, settings.model)
    found = rows(cursor, _ABOUT, (settings.model, named))
    if not found:
        return None
    learnt_until, report, promoted, reason, live_from = found[0]
    asked = {
        "version": named,
        "learnt_until": learnt_until,
        "policy": settings.outcome_policy,
        "strategy": strategy,
        "hidden": as_parameter(hidden),
    }
    frame = read_columns(cursor, _SAID, asked, _COLUMNS)
    return {
        "model": settings.model,
        "version": named,
        "promoted": promoted,
        "reason": reason,
        "learnt_until": learnt_until.isoformat(),
        "live_from": live_from and live_from.isoformat(),
        "judged": {
            "signals": report["judged_on"],
            "blocks": report["blocks"],
            "auc": report["metrics"]["auc"],
            "brier": report["metrics"]["brier"],
            "brier_of_base_rate": report["baseline"]["brier"],
            "gain": report["gain"],
            "bins": with_intervals(report["reliability"]),
        },
        "since": _since(frame, settings),
    }


def _since(frame: pl.DataFrame, settings: Settings) -> dict[str, Any]:
    learnt = pl.col("learnt") == "t"
    void = ~learnt & (pl.col("void") == "t").fill_null(value=False)
    told = ~learnt & ~void & pl.col("ends_at").is_not_null() & pl.col("returned").is_not_null()
    kept = frame.filter(told)
    returned = kept["returned"].to_numpy()
    success = won(returned, cost=settings.trainer_cost, threshold=settings.trainer_success)
    said = Said(
        kept["emitted_at"].to_numpy(),
        kept["ends_at"].to_numpy(),
        kept["probability"].to_numpy(),
        success.astype(np.float64),
        returned,
        np.array(kept["verdict"].to_list(), str),
        np.array(kept["strategy"].to_list(), str),
    )
    return {
        **calibration(said),
        "waiting": frame.filter(~learnt & ~void & ~told).height,
        "void": frame.filter(void).height,
        "learnt": frame.filter(learnt).height,
    }


def newest(cursor: Cursor, model: str) -> str | None:
    """The version that was trained last; None where none was."""
    found = rows(cursor, _NEWEST, (model,))
    return found[0][0] if found else None

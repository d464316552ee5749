"""Reading which models there are, which of them serves, and the runs that trained them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from trackrecord.runtime.database import Cursor, rows

_MODEL: Final = (
    "version", "model", "training_id", "created_at", "learnt_until", "promoted", "reason",
    "live_from", "live_until", "serves", "metrics",
)  # fmt: skip
_MODELS: Final = """
    SELECT m.version, m.model, m.training_id, m.created_at, m.learnt_until, l.promoted, l.reason,
           c.live_from, c.live_until, c.serves, m.metrics
    FROM models AS m LEFT JOIN ml_training_log AS l USING (training_id)
    LEFT JOIN LATERAL (
        SELECT min(live_from) AS live_from, bool_or(live_until IS NULL) AS serves,
               CASE WHEN bool_and(live_until IS NOT NULL) THEN max(live_until) END AS live_until
        FROM champions WHERE champions.version = m.version) AS c ON true
    WHERE %(at)s::timestamptz IS NULL OR (m.created_at, m.version) < (%(at)s, %(id)s)
    ORDER BY m.created_at DESC, m.version DESC LIMIT %(limit)s
"""

_RUN: Final = (
    "training_id", "model", "outcome", "trigger", "version", "promoted", "champion_version",
    "started_at", "finished_at", "duration_seconds", "data_points", "metrics", "reason", "error",
)  # fmt: skip
_LOG: Final = f"""
    SELECT {", ".join(_RUN)} FROM ml_training_log
    WHERE (%(model)s::text IS NULL OR model = %(model)s)
      AND (%(at)s::timestamptz IS NULL OR (finished_at, training_id) < (%(at)s, %(id)s))
    ORDER BY finished_at DESC, training_id DESC LIMIT %(limit)s
"""

_LAST: Final = """
    SELECT DISTINCT ON (model) model, outcome, finished_at, metrics->>'accuracy',
           EXISTS (SELECT FROM training_jobs AS j
                   WHERE j.model = l.model AND j.status IN ('queued', 'running'))
    FROM ml_training_log AS l ORDER BY model, finished_at DESC, training_id
"""


def read_models(
    cursor: Cursor, after: tuple[datetime, str] | None, limit: int
) -> list[dict[str, Any]]:
    """One page of the models that were trained, the newest first.

    Args:
        cursor: Inside a transaction.
        after: Time and version of the last one of the page before.
        limit: How many at most.

    Returns:
        Each with when it served (``live_from``, ``live_until``), whether it does, and its metrics
        on unseen outcomes.
    """
    found = rows(cursor, _MODELS, _after(after) | {"limit": limit})
    models = [dict(zip(_MODEL, row, strict=True)) for row in found]
    for each in models:
        each["serves"] = bool(each["serves"])
    return models


def read_training_log(
    cursor: Cursor, model: str | None, after: tuple[datetime, str] | None, limit: int
) -> list[dict[str, Any]]:
    """One page of the training runs that ended, the latest first."""
    found = rows(cursor, _LOG, _after(after) | {"model": model, "limit": limit})
    return [dict(zip(_RUN, row, strict=True)) for row in found]


def read_last_trainings(cursor: Cursor) -> dict[str, dict[str, Any]]:
    """Of each model: ``status``, ``last_training`` and ``model_accuracy``, a fraction or null.

    The status is ``training`` while a run waits or works, else how the last one ended.
    """
    return {
        model: {
            "status": "training" if busy else outcome,
            "last_training": finished_at,
            "model_accuracy": None if accuracy is None else float(accuracy),
        }
        for model, outcome, finished_at, accuracy, busy in rows(cursor, _LAST)
    }


def _after(after: tuple[datetime, str] | None) -> dict[str, Any]:
    at, name = after or (None, None)
    return {"at": at, "id": name}

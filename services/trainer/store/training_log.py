"""The log of runs that ended."""

from __future__ import annotations

import json
from datetime import datetime

from services.trainer.rows import Ended, Job, Logged, Runs
from trackrecord.events import ModelTrained
from trackrecord.runtime.database import Cursor, rows


def ended(cursor: Cursor, model: str) -> Runs:
    """How the runs of a model ended so far."""
    [found] = rows(
        cursor,
        "SELECT count(*) FILTER (WHERE outcome = 'completed'),"
        " count(*) FILTER (WHERE outcome = 'refused'),"
        " count(*) FILTER (WHERE outcome = 'failed'),"
        " count(*) FILTER (WHERE outcome = 'failed' AND since_then = 0)"
        " FROM (SELECT outcome, count(*) FILTER (WHERE outcome <> 'failed')"
        " OVER (ORDER BY finished_at DESC, training_id) AS since_then"
        " FROM ml_training_log WHERE model = %s) AS l",
        (model,),
    )
    return Runs(*found)


def of_run(cursor: Cursor, training_id: str) -> Logged | None:
    """How a run ended; None where it has not."""
    found = rows(
        cursor,
        "SELECT outcome, promoted, duration_seconds, reason, error FROM ml_training_log"
        " WHERE training_id = %s",
        (training_id,),
    )
    return Logged(*found[0]) if found else None


def write(
    cursor: Cursor, job: Job, ended: Ended, event: ModelTrained, finished_at: datetime
) -> None:
    """Log the end of a run.

    Args:
        cursor: Inside a transaction.
        job: The run.
        ended: How it ended.
        event: What is published of it.
        finished_at: When it ended.
    """
    cursor.execute(
        "INSERT INTO ml_training_log (training_id, model, outcome, trigger, version, promoted,"
        " champion_version, started_at, finished_at, duration_seconds, data_points, metrics,"
        " reason, error) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (job.training_id, job.model, ended.outcome, job.trigger, event.version, event.promoted,
         event.champion_version, job.started_at, finished_at, event.duration_seconds,
         ended.data_points, json.dumps(event.metrics), event.reason, event.error),
    )  # fmt: skip

"""Runs, from their request to their end."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.trainer.rows import Ended, Job, Last, Made
from trackrecord.errors import TrackrecordError
from trackrecord.runtime.database import Cursor, rows


class SupersededError(TrackrecordError):
    """Somebody else has taken the run up; what was worked out is dropped."""


def now(cursor: Cursor) -> datetime:
    """The time of the transaction, by the database's clock."""
    [(found,)] = rows(cursor, "SELECT now()")
    moment: datetime = found
    return moment


def request(
    cursor: Cursor, model: str, trigger: str, reason: str, options: Mapping[str, Any]
) -> str | None:
    """Queue a run; None where one is queued or running already."""
    found = rows(
        cursor,
        "INSERT INTO training_jobs (training_id, model, status, trigger, reason, options,"
        " requested_at) VALUES (%s, %s, 'queued', %s, %s, %s, now())"
        " ON CONFLICT DO NOTHING RETURNING training_id",
        (str(uuid.uuid4()), model, trigger, reason, json.dumps(dict(options))),
    )
    return str(found[0][0]) if found else None


def claim(
    cursor: Cursor, model: str, owner: str, *, stale_seconds: float, outcomes: int
) -> Job | None:
    """Take up the run that is queued, or whose owner gave no sign of life; None if there is none.

    A run that is begun again keeps its cut-off.
    """
    found = rows(
        cursor,
        "UPDATE training_jobs SET status = 'running', owner = %s, epoch = epoch + 1,"
        " attempts = attempts + 1, started_at = coalesce(started_at, now()), heartbeat_at = now(),"
        " cut_off = coalesce(cut_off, now()), outcomes = coalesce(outcomes, %s)"
        " WHERE training_id = (SELECT training_id FROM training_jobs WHERE model = %s"
        " AND (status = 'queued' OR status = 'running'"
        " AND heartbeat_at < now() - make_interval(secs => %s)) FOR UPDATE SKIP LOCKED)"
        " RETURNING training_id, model, trigger, options, cut_off, started_at, epoch, attempts",
        (owner, outcomes, model, stale_seconds),
    )
    return Job(*found[0]) if found else None


def running(cursor: Cursor, training_id: str, epoch: int) -> Job | None:
    """A run, if it is still in the hands of who took it up at an epoch."""
    found = rows(
        cursor,
        "SELECT training_id, model, trigger, options, cut_off, started_at, epoch, attempts"
        " FROM training_jobs WHERE training_id = %s AND epoch = %s AND status = 'running'",
        (training_id, epoch),
    )
    return Job(*found[0]) if found else None


def beat(cursor: Cursor, job: Job) -> bool:
    """Give a sign of life; False where somebody else has taken the run up."""
    cursor.execute(
        "UPDATE training_jobs SET heartbeat_at = now()"
        " WHERE training_id = %s AND epoch = %s AND status = 'running'",
        (job.training_id, job.epoch),
    )
    return cursor.rowcount == 1


def release(cursor: Cursor, job: Job, *, counts: bool) -> bool:
    """Give a run back to the queue.

    Args:
        cursor: Inside a transaction.
        job: The run.
        counts: Whether the attempt counts: not where the process was asked to end.

    Returns:
        Whether it was still ours.
    """
    cursor.execute(
        "UPDATE training_jobs SET status = 'queued', owner = NULL, attempts = attempts - %s"
        " WHERE training_id = %s AND epoch = %s AND status = 'running'",
        (0 if counts else 1, job.training_id, job.epoch),
    )
    return cursor.rowcount == 1


def has_ended(cursor: Cursor, job: Job) -> bool:
    """Whether the end of a run was written by whoever took it up at this epoch."""
    return bool(
        rows(
            cursor,
            "SELECT 1 FROM training_jobs WHERE training_id = %s AND epoch = %s"
            " AND finished_at IS NOT NULL",
            (job.training_id, job.epoch),
        )
    )


def end(cursor: Cursor, job: Job, ended: Ended) -> datetime:
    """Write that a run has ended, and return when.

    Raises:
        SupersededError: The run is in other hands; nothing may be committed.
    """
    found = rows(
        cursor,
        "UPDATE training_jobs SET status = %s, finished_at = clock_timestamp(), error = %s"
        " WHERE training_id = %s AND epoch = %s AND status = 'running' RETURNING finished_at",
        (ended.outcome, ended.error or (None if ended.made else ended.reason), job.training_id,
         job.epoch),
    )  # fmt: skip
    if not found:
        raise SupersededError(f"run {job.training_id} was taken up by another process")
    moment: datetime = found[0][0]
    return moment


def note_model(cursor: Cursor, job: Job, made: Made, *, promoted: bool) -> None:
    """Write which model a run made, and what it was judged by."""
    cursor.execute(
        "UPDATE training_jobs SET judged_against = %s, unseen_from = %s, decided_until = %s,"
        " version = %s, promoted = %s WHERE training_id = %s",
        (made.judged_against, made.unseen_from, made.decided_until, made.version, promoted,
         job.training_id),
    )  # fmt: skip


def last(cursor: Cursor, model: str) -> Last:
    """How earlier runs of a model stand."""
    [found] = rows(
        cursor,
        "SELECT coalesce(bool_or(status IN ('queued', 'running')), false),"
        " coalesce((array_agg(coalesce(outcomes, 0) ORDER BY requested_at DESC))[1], 0),"
        " extract(epoch FROM now() - max(requested_at))::double precision"
        " FROM training_jobs WHERE model = %s",
        (model,),
    )
    return Last(*found)


def decided_until(cursor: Cursor, model: str) -> datetime | None:
    """The last emission that any decision on a model has looked at."""
    found: datetime | None = rows(
        cursor, "SELECT max(decided_until) FROM training_jobs WHERE model = %s", (model,)
    )[0][0]
    return found

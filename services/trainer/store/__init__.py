"""The tables of the trainer; nobody else writes them.

A run is a state machine: queued, running, then completed, refused or failed. Every change says
which epoch of the run it follows, in the transaction that writes what came of it. So a process
that was thought dead and comes back changes nothing.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from trackrecord.events import ModelTrained
from trackrecord.events.codec import encode, headers
from trackrecord.learning.targets import against_target, retraining_success
from trackrecord.runtime.champion import champion
from trackrecord.runtime.database import Cursor, connect, rows
from trackrecord.runtime.decoding.batch import Partition
from trackrecord.runtime.errors import TrackrecordError
from trackrecord.runtime.outbox import Row, insert
from trackrecord.runtime.settings import Settings

STAGE = "trainer"

SOURCE: Partition = ("training_jobs", 0)
"""What its outbox rows come from: no partition of a topic, as other stages' do."""


class SupersededError(TrackrecordError):
    """Somebody else has taken the run up; what was worked out is dropped."""


class Job(NamedTuple):
    """A run that was taken up."""

    training_id: str
    model: str
    trigger: str
    options: dict[str, Any]
    cut_off: datetime
    started_at: datetime
    epoch: int
    attempts: int


@dataclass(frozen=True)
class Made:
    """A model that a run made.

    Attributes:
        version: Of the model.
        files: Contents by name.
        manifest: As JSON values.
        learnt_until: The last moment that any label it learnt from looked at.
        report: All that is told of it.
        promoted: Whether it was better than the champion on unseen outcomes.
        judged_against: That champion's version; None for the base rate.
        unseen_from: From which emission on outcomes were kept for the decision.
        decided_until: The last emission that the decision looked at.
    """

    version: str
    files: Mapping[str, bytes] = field(repr=False)
    manifest: Mapping[str, Any]
    learnt_until: datetime
    report: Mapping[str, Any]
    promoted: bool
    judged_against: str | None
    unseen_from: datetime
    decided_until: datetime


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        outcome: ``refused``: there was not enough to learn from or to decide by.
        data_points: Outcomes that there were.
        reason: Why the model was promoted or not, or why the run was refused.
        error: What went wrong, where it failed.
        made: The model, where it was completed.
    """

    outcome: Literal["completed", "refused", "failed"]
    data_points: int
    reason: str | None = None
    error: str | None = None
    made: Made | None = None


@contextmanager
def session(settings: Settings, application: str) -> Iterator[Cursor]:
    """A connection for one transaction, which is committed unless something is raised.

    Raises:
        PassingError: The database does not answer.
    """
    connection = connect(settings, application=application)
    with closing(connection), connection, connection.cursor() as cursor:
        yield cursor


# -- runs -------------------------------------------------------------------------------------


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


class Last(NamedTuple):
    """What earlier runs leave for the next."""

    open: bool
    """Whether one is queued or running."""
    outcomes: int
    """That there were at the last run."""
    seconds_since: float | None
    """The last run was asked for."""


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


# -- models -----------------------------------------------------------------------------------


class Runs(NamedTuple):
    """How the runs of a model ended, as the log has it."""

    completed: int
    refused: int
    failed: int
    failed_in_a_row: int
    """The latest that failed, since the last that did not."""

    @property
    def success(self) -> float | None:
        """See :func:`retraining_success`."""
        return retraining_success(self.completed, self.refused, self.failed)


def runs(cursor: Cursor, model: str) -> Runs:
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


class About(NamedTuple):
    """What is stored of a model."""

    learnt_until: datetime
    report: dict[str, Any]


def about(cursor: Cursor, version: str) -> About:
    """What is stored of a model that there is."""
    [found] = rows(cursor, "SELECT learnt_until, report FROM models WHERE version = %s", (version,))
    return About(*found)


def lock_champion(cursor: Cursor, model: str) -> None:
    """Until the end of the transaction nobody else changes which version serves."""
    cursor.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(current_schema || ' champion ' || %s, 0))",
        (model,),
    )


def change_champion(
    cursor: Cursor, model: str, version: str | None, reason: str, training_id: str | None
) -> None:
    """Have a version serve from now on; the lock must be held."""
    # A clock that was set back must not make one version end before it began.
    [(now,)] = rows(
        cursor,
        "SELECT greatest(clock_timestamp(), max(live_from) + interval '1 microsecond')"
        " FROM champions WHERE model = %s",
        (model,),
    )
    cursor.execute(
        "UPDATE champions SET live_until = %s WHERE model = %s AND live_until IS NULL",
        (now, model),
    )
    cursor.execute(
        "INSERT INTO champions (model, live_from, version, reason, training_id)"
        " VALUES (%s, %s, %s, %s, %s)",
        (model, now, version, reason, training_id),
    )


# -- the end of a run -------------------------------------------------------------------------


def finish(cursor: Cursor, settings: Settings, job: Job, ended: Ended) -> None:
    """Write all that came of a run and the event that tells of it, in one transaction, once.

    Raises:
        SupersededError: The run is in other hands; nothing may be committed.
    """
    made = ended.made
    cursor.execute(
        "UPDATE training_jobs SET status = %s, finished_at = clock_timestamp(), error = %s"
        " WHERE training_id = %s AND epoch = %s AND status = 'running'",
        (ended.outcome, ended.error or (None if made else ended.reason), job.training_id,
         job.epoch),
    )  # fmt: skip
    if cursor.rowcount != 1:
        raise SupersededError(f"run {job.training_id} was taken up by another process")
    lock_champion(cursor, job.model)
    promoted, reason = False, ended.reason
    if made is not None:
        promoted = made.promoted
        if promoted and champion(cursor, job.model) != made.judged_against:
            promoted, reason = False, "another model serves than the one it was judged against"
        _store(cursor, job, made, promoted)
        if promoted:
            change_champion(cursor, job.model, made.version, str(reason), job.training_id)
    _tell(cursor, settings, job, ended, promoted, reason)


def _store(cursor: Cursor, job: Job, made: Made, promoted: bool) -> None:
    logged = runs(cursor, job.model)
    # This run has ended well, and is logged in this transaction.
    success = logged._replace(completed=logged.completed + 1).success
    targets = made.report["targets"] | {
        "retraining_success": against_target("retraining_success", success)
    }
    cursor.execute(
        "INSERT INTO models (version, model, training_id, created_at, learnt_until, manifest,"
        " metrics, report) VALUES (%s, %s, %s, clock_timestamp(), %s, %s, %s, %s)",
        (made.version, job.model, job.training_id, made.learnt_until,
         json.dumps(dict(made.manifest)), json.dumps(made.report["metrics"]),
         json.dumps({**made.report, "targets": targets})),
    )  # fmt: skip
    for name, content in made.files.items():
        cursor.execute("INSERT INTO model_files VALUES (%s, %s, %s)", (made.version, name, content))
    cursor.execute(
        "UPDATE training_jobs SET judged_against = %s, unseen_from = %s, decided_until = %s,"
        " version = %s, promoted = %s WHERE training_id = %s",
        (made.judged_against, made.unseen_from, made.decided_until, made.version, promoted,
         job.training_id),
    )  # fmt: skip


def _tell(
    cursor: Cursor, settings: Settings, job: Job, ended: Ended, promoted: bool, reason: str | None
) -> None:
    """The row of the log, and the event."""
    made = ended.made
    [(finished_at,)] = rows(
        cursor, "SELECT finished_at FROM training_jobs WHERE training_id = %s", (job.training_id,)
    )
    event = ModelTrained(
        training_id=job.training_id,
        model=job.model,
        version=made.version if made else None,
        status="completed" if made else "failed",
        promoted=promoted,
        trained_at=finished_at,
        duration_seconds=(finished_at - job.started_at).total_seconds(),
        data_points=ended.data_points,
        metrics=made.report["metrics"] if made else {},
        feature_importances=made.report["feature_importances"] if made else {},
        champion_version=champion(cursor, job.model),
        reason=reason,
        error=None if made else ended.error or ended.reason,
    )
    cursor.execute(
        "INSERT INTO ml_training_log (training_id, model, outcome, trigger, version, promoted,"
        " champion_version, started_at, finished_at, duration_seconds, data_points, metrics,"
        " reason, error) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (job.training_id, job.model, ended.outcome, job.trigger, event.version, promoted,
         event.champion_version, job.started_at, finished_at, event.duration_seconds,
         ended.data_points, json.dumps(event.metrics), reason, event.error),
    )  # fmt: skip
    insert(
        cursor,
        STAGE,
        [
            Row(
                settings.topic(event.event_type),
                event.key.encode(),
                encode(event),
                headers(event, source=f"/{STAGE}", time=finished_at),
                SOURCE,
            )
        ],
    )

"""``trackrecord train`` without files: one run now, on the outcomes in the database."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from trackrecord.cli.common import InputError, notes
from trackrecord.runtime import logs
from trackrecord.runtime.errors import (
    ConfigurationError,
    PassingError,
    UnreachableError,
)

if TYPE_CHECKING:
    from services.trainer.rows import Job
    from trackrecord.runtime.database import Connection, Cursor
    from trackrecord.runtime.settings import Settings

_ACKNOWLEDGED_WITHIN = 5.0
_APPLICATION = "trackrecord train"


def request(settings: Settings, options: dict[str, Any]) -> dict[str, Any]:
    """Leave a run to the trainer.

    Raises:
        InputError: One is queued or running already.
        TrackrecordError: There is no database, or no checkout.
    """
    runs = _runs()
    with _session(settings) as cursor:
        training_id = runs.request(cursor, settings.model, "request", "asked for", options)
    if training_id is None:
        raise InputError(f"a training of {settings.model} is queued or running already")
    return {
        "status": "queued",
        "promoted": False,
        "reason": "the trainer takes it up",
        "version": None,
        "training_id": training_id,
    }


def train(settings: Settings, options: dict[str, Any]) -> dict[str, Any]:
    """Do a run here and now; the answer is as from files.

    Raises:
        InputError: One is running already.
        TrackrecordError: There is no database, or no checkout.
    """
    logs.configure("trainer", level="warning")
    job = _begin(settings, options)
    from services.trainer.handler import training

    notes.print(f"training {job.training_id} of {job.model}", markup=False)
    ended = training.run(settings, job, lambda words: notes.print(words, markup=False))
    with _session(settings) as cursor:
        answer = _answer(cursor, job, ended)
    # Not one transaction: what is sent is taken from the outbox bit by bit.
    with closing(_connect(settings)) as connection:
        _publish(settings, connection)
    return answer


def _begin(settings: Settings, options: dict[str, Any]) -> Job:
    runs = _runs()
    from services.trainer.store import read_outcomes

    with _session(settings) as cursor:
        runs.request(cursor, settings.model, "request", "asked for", options)
        now = runs.now(cursor)
        job: Job | None = runs.claim(
            cursor,
            settings.model,
            f"{socket.gethostname()}:{os.getpid()}",
            stale_seconds=settings.trainer_stale_seconds,
            outcomes=read_outcomes.settled(cursor, settings, now),
        )
    if job is None:
        raise InputError(f"a training of {settings.model} is running already")
    return job


def _answer(cursor: Cursor, job: Job, ended: Any) -> dict[str, Any]:
    from trackrecord.runtime.database import rows

    [(promoted, reason, error, serves, report)] = rows(
        cursor,
        "SELECT promoted, l.reason, l.error, champion_version, m.report FROM ml_training_log l"
        " LEFT JOIN models m USING (version) WHERE l.training_id = %s",
        (job.training_id,),
    )
    answer = {
        "status": "completed" if ended.made else "failed",
        "promoted": promoted,
        "reason": reason or error,
        "version": None,
        "data_points": ended.data_points,
        "training_id": job.training_id,
        "champion_version": serves,
    }
    if ended.made is None:
        return answer
    return {**report, **answer, "version": ended.made.version}


def _publish(settings: Settings, connection: Connection) -> None:
    """Send the event, unless a trainer does; where no broker answers it waits for one."""
    from services.trainer.store.outbox import OUTBOX
    from trackrecord.runtime import kafka
    from trackrecord.runtime.outbox import Outbox

    config = {**kafka.client_config(settings, "cli"), "error_cb": lambda _error: None}
    if not OUTBOX.publish(Outbox("trainer", config), connection, _ACKNOWLEDGED_WITHIN):
        notes.print("the event is not sent yet: a trainer that runs will send it")


@contextmanager
def _session(settings: Settings) -> Iterator[Cursor]:
    from trackrecord.runtime.database import session

    try:
        with session(settings, application=_APPLICATION) as cursor:
            yield cursor
    except PassingError as error:
        raise UnreachableError(str(error)) from None


def _connect(settings: Settings) -> Connection:
    from trackrecord.runtime.database import connect

    try:
        return connect(settings, application=_APPLICATION)
    except PassingError as error:
        raise UnreachableError(str(error)) from None


def _runs() -> Any:
    try:
        from services.trainer.store import runs
    except ModuleNotFoundError as error:
        if error.name != "services":
            raise
        raise ConfigurationError(
            "training from the database runs from the checkout or the image; the installed "
            "package trains from files: give --signals and --bars"
        ) from None
    return runs

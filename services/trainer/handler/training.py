"""One run, from its row to its end: ``python -m services.trainer.handler.training ID EPOCH``.

The stage runs it in a process of its own, so that a training that needs too much memory ends
alone; `trackrecord train` runs it in its own process.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg2

from services.trainer import store
from services.trainer.rows import Ended, Job, Made
from services.trainer.store import endings, models, read_outcomes, runs
from trackrecord.clock import SYSTEM_CLOCK, backoff
from trackrecord.errors import TrackrecordError
from trackrecord.learning.champion import Serving, unseen_from
from trackrecord.learning.data import Data, TooFewError
from trackrecord.learning.files import TamperedError, pack, unpack, version_of
from trackrecord.learning.search import OBJECTIVES, Budget
from trackrecord.learning.train import train
from trackrecord.runtime import champion, logs
from trackrecord.runtime.dask_cluster import fitter_at
from trackrecord.runtime.database import Cursor, session
from trackrecord.runtime.errors import (
    EXIT_COULD_NOT,
    ConfigurationError,
    PassingError,
    UnreachableError,
)
from trackrecord.runtime.jobs import describe
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.settings import Settings
from trackrecord.times import microseconds, moment

_log = get_logger(__name__)

_BEATS: Final = 5
"""Signs of life within the time after which there is none."""

_PATIENCE: Final = 300.0
"""Seconds in which to write what came of a run, before it is left to a later attempt. While the
database is away nobody else can take it up."""


@dataclass(frozen=True)
class _Asked:
    """What a run is to do, as its row says."""

    objective: Any
    budget: Budget
    seed: int

    @classmethod
    def of(cls, settings: Settings, options: dict[str, Any]) -> _Asked:
        objective = options.get("objective", OBJECTIVES[0])
        seconds = options.get("budget_seconds", settings.trainer_budget_seconds)
        trials = options.get("trials", settings.trainer_trials)
        return cls(
            objective,
            Budget(seconds or None, trials or None),
            int(options.get("seed", 0)),
        )


@dataclass(frozen=True)
class _World:
    """All that a run starts from, read at one moment."""

    data: Data
    version: str | None
    champion: Serving | None
    decided_until: int | None


def run(
    settings: Settings,
    job: Job,
    progress: Callable[[str], None] = lambda _: None,
) -> Ended:
    """Do a run that was taken up, and write what came of it.

    Whatever goes wrong in it is an end of the run, and is written too. Whether the model serves is
    in the log: while it was trained another may have been put in the champion's place.

    Raises:
        SupersededError: Somebody else took it up meanwhile; nothing was written.
        PassingError: The database is away; a later attempt must do it again.
    """
    with _alive(settings, job):
        ended = _try(settings, job, progress)
        _write(settings, job, ended)
    return ended


def _try(settings: Settings, job: Job, progress: Callable[[str], None]) -> Ended:
    found: list[_World] = []
    try:
        with session(settings, application="trainer reads") as cursor:
            found.append(_read(cursor, settings, job))
        return _train(settings, job, found[0], progress)
    except TooFewError as error:
        return Ended("refused", _points(found), reason=str(error))
    except (PassingError, psycopg2.OperationalError):
        raise
    except TamperedError as error:
        words = f"the champion was tampered with, and nothing can be judged against it: {error}"
        return Ended("failed", _points(found), error=words)
    except (ConfigurationError, UnreachableError) as error:
        # No attempt is made again: it waits for a person, and the champion serves meanwhile.
        return Ended("failed", _points(found), error=str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, the run has failed of it
        _log.exception("training failed")
        return Ended("failed", _points(found), error=describe(error))


def _points(found: list[_World]) -> int:
    return len(found[0].data.success) if found else 0


def _read(cursor: Cursor, settings: Settings, job: Job) -> _World:
    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    version = champion.champion(cursor, job.model)
    serving = None
    if version is not None:
        ensemble, _ = unpack(champion.model_files(cursor, version))
        learnt_until = models.about(cursor, version).learnt_until
        serving = Serving(ensemble, microseconds(learnt_until))
    until = runs.decided_until(cursor, job.model)
    return _World(
        read_outcomes.training_rows(cursor, settings, job.cut_off),
        version,
        serving,
        None if until is None else microseconds(until),
    )


def _train(settings: Settings, job: Job, world: _World, progress: Callable[[str], None]) -> Ended:
    asked = _Asked.of(settings, job.options)
    data, champion = world.data, world.champion
    begin = unseen_from(data, champion.learnt_until if champion else 0, world.decided_until)
    with fitter_at(settings.trainer_dask, progress) as fitter:
        trained = train(
            data,
            champion=champion,
            objective=asked.objective,
            budget=asked.budget,
            unseen_from=begin,
            cost=settings.trainer_cost,
            seed=asked.seed,
            progress=progress,
            fitter=fitter,
            clock=SYSTEM_CLOCK.monotonic,
        )
    report = trained.report
    files = pack(
        trained.ensemble,
        {"training_id": job.training_id, "learnt_until": trained.learnt_until, "seed": asked.seed},
    )
    _, manifest = unpack(files)
    emitted_at = data.span.emitted_at
    made = Made(
        version=version_of(files),
        files=files,
        manifest=manifest,
        learnt_until=moment(trained.learnt_until),
        report=report,
        promoted=trained.verdict.promoted,
        judged_against=world.version,
        unseen_from=moment(begin),
        decided_until=moment(int(emitted_at[-1])),
    )
    return Ended("completed", len(data.success), reason=report["reason"], made=made)


def _write(settings: Settings, job: Job, ended: Ended) -> None:
    """Write the end of a run; where the answer to a commit is lost, look whether it was done."""
    waits, until = backoff(), SYSTEM_CLOCK.monotonic() + _PATIENCE
    has_failed = False
    while True:
        try:
            with session(settings, application="trainer writes") as cursor:
                if not (has_failed and runs.has_ended(cursor, job)):
                    endings.finish(cursor, settings, job, ended)
        except (PassingError, psycopg2.OperationalError) as error:
            if SYSTEM_CLOCK.monotonic() > until:
                raise PassingError(str(error)) from error
            _log.warning("will try again to write what came of it", reason=describe(error))
            has_failed = True
            threading.Event().wait(next(waits))
        else:
            return


@contextmanager
def _alive(settings: Settings, job: Job) -> Iterator[None]:
    """Signs of life from a thread of its own."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(settings.trainer_stale_seconds / _BEATS):
            try:
                with session(settings, application="trainer lives") as cursor:
                    ours = runs.beat(cursor, job)
            except (TrackrecordError, psycopg2.Error) as error:
                _log.warning("no sign of life", reason=describe(error))
                continue
            if not ours:
                return

    thread = threading.Thread(target=beat, name="alive", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def main() -> int:
    """The child of the stage: settings in the first line of its input, which is its lifeline."""
    training_id, epoch = sys.argv[1], int(sys.argv[2])
    settings = Settings.model_validate_json(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, name="lifeline", daemon=True).start()
    logs.configure(store.STAGE, level=settings.log_level, style=settings.log_format)
    try:
        with session(settings, application="trainer starts") as cursor:
            job = runs.running(cursor, training_id, epoch)
        if job is None:
            raise runs.SupersededError(f"run {training_id} is in other hands")
        run(settings, job, lambda words: _log.info("training", doing=words, id=training_id))
    except (TrackrecordError, psycopg2.Error) as error:
        _log.warning("a training was given up", id=training_id, reason=describe(error))
        return EXIT_COULD_NOT
    return 0


def _end_with_parent() -> None:
    # The other end is held by the stage alone, and closes however that ends.
    while sys.stdin.read(1):
        pass
    os._exit(EXIT_COULD_NOT)


if __name__ == "__main__":
    sys.exit(main())

"""What the trainer does when it looks: end what was left, begin what is due, publish the end."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any, Final

import numpy as np

from services.trainer import store
from services.trainer.metrics import (
    CHAMPION_BRIER,
    DRIFTED_FEATURES,
    FAILED_RUNS_IN_A_ROW,
    METRICS,
    NEW_OUTCOMES,
    PROMOTIONS,
    RETRAINING_SUCCESS_RATIO,
    TRAINING_KILLED,
    TRAINING_RUNNING,
    TRAINING_RUNS,
    TRAINING_SECONDS,
)
from services.trainer.rows import About, Ended, Job, Runs
from services.trainer.store import endings, models, read_outcomes, runs, training_log
from services.trainer.store.outbox import OUTBOX
from trackrecord.learning.triggers import (
    FEWEST_NEW,
    Live,
    Rules,
    State,
    Trigger,
    fired,
    stability_index,
)
from trackrecord.runtime import champion, kafka
from trackrecord.runtime.database import Connection, Cursor, connect
from trackrecord.runtime.jobs import Jobs
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.metrics import OUTBOX_PENDING_MESSAGES, Metrics
from trackrecord.runtime.outbox import Outbox
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context

_log = get_logger(__name__)

_TRAINING: Final = "services.trainer.handler.training"
"""What trains. It is named and not imported: what it learns with takes seconds to load, and memory
that the stage has no use for."""

_GLANCE: Final = 0.2
"""Seconds between two looks at whether a run has ended or the process is to stop."""


class Trainer(Jobs):
    """Keeps nothing that the tables do not say, but for what it is training."""

    def __init__(self, context: Context, metrics: Metrics) -> None:
        """Register the metrics."""
        self._settings = context.settings
        self._runtime = metrics
        self._metrics = Metrics(context.registry, store.STAGE, METRICS)
        self._stopping = threading.Event()
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        self._training: Job | None = None
        self._outbox = Outbox(store.STAGE, kafka.client_config(self._settings, store.STAGE))
        self._rules = Rules(
            new_outcomes=self._settings.trainer_new_outcomes,
            every_seconds=self._settings.trainer_every_seconds or None,
            decay=self._settings.trainer_decay,
            drift=self._settings.trainer_drift or None,
        )

    def stop(self) -> None:
        """Give the run that is on back to the queue, and end."""
        self._stopping.set()

    @property
    def busy(self) -> bool:
        """Whether it trains."""
        return self._training is not None

    @property
    def status(self) -> dict[str, Any]:
        """What it is training."""
        job = self._training
        return {"training": job and {"training_id": job.training_id, "trigger": job.trigger}}

    def turn(self) -> bool:
        """See :class:`Jobs`."""
        with self._connected() as connection:
            self._publish(connection)
            with connection, connection.cursor() as cursor:
                job = self.next_job(cursor)
            if job is None or self._stopping.is_set():
                if job is not None:
                    self._give_back(job, counts=False)
                return False
        # No connection waits for hours while a model is trained.
        if job.attempts > self._settings.trainer_attempts:
            self._give_up(job)
        else:
            self._train(job)
        with self._connected() as connection:
            self._publish(connection)
        return not self._stopping.is_set()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with closing(connect(self._settings, application=store.STAGE)) as connection:
            yield connection

    # -- what is due --------------------------------------------------------------------------

    def next_job(self, cursor: Cursor) -> Job | None:
        """The run to do now: one that was left or asked for, else one that a rule asks for."""
        model = self._settings.model
        now = runs.now(cursor)
        outcomes = read_outcomes.settled(cursor, self._settings, now)
        last = runs.last(cursor, model)
        new = outcomes - last.outcomes
        self._metrics.set(NEW_OUTCOMES, max(new, 0))
        self._show_runs(training_log.ended(cursor, model))
        if not last.open:
            trigger = self._due(cursor, now, max(new, 0), last.seconds_since)
            if trigger is None or not runs.request(cursor, model, trigger.kind, trigger.reason, {}):
                return None
            _log.info("training is due", trigger=trigger.kind, reason=trigger.reason)
        return runs.claim(
            cursor,
            model,
            self._owner,
            stale_seconds=self._settings.trainer_stale_seconds,
            outcomes=outcomes,
        )

    def _due(
        self, cursor: Cursor, now: datetime, new: int, seconds_since: float | None
    ) -> Trigger | None:
        state = State(new, seconds_since)
        version = champion.champion(cursor, self._settings.model)
        if version is not None and new >= FEWEST_NEW:
            about = models.about(cursor, version)
            live = read_outcomes.live_record(cursor, self._settings, now, version, about.report)
            state = State(new, seconds_since, live, self._drift(cursor, about))
            self._show(live, state)
        return fired(self._rules, state)

    def _drift(self, cursor: Cursor, about: About) -> dict[str, float]:
        if self._rules.drift is None:
            return {}
        names = list(about.report["feature_importances"])
        then, now = read_outcomes.features_then_and_now(cursor, names, about.learnt_until)
        return stability_index(then, now, names)

    def _show(self, live: Live | None, state: State) -> None:
        if live is not None:
            self._metrics.set(CHAMPION_BRIER, live.judged_brier, when="judged")
            brier = float(np.mean((live.probability - live.success) ** 2))
            self._metrics.set(CHAMPION_BRIER, brier, when="live")
        limit = self._rules.drift
        if limit is not None:
            drifted = sum(value > limit for value in state.drifted.values())
            self._metrics.set(DRIFTED_FEATURES, drifted)

    def _show_runs(self, ended: Runs) -> None:
        self._metrics.set(FAILED_RUNS_IN_A_ROW, ended.failed_in_a_row)
        if ended.success is not None:
            model = self._settings.model
            self._metrics.set(RETRAINING_SUCCESS_RATIO, ended.success, model=model)

    # -- a run --------------------------------------------------------------------------------

    def _train(self, job: Job) -> None:
        """Have a process of its own do it, and look after that."""
        _log.info("training", id=job.training_id, trigger=job.trigger, attempt=job.attempts)
        self._training = job
        self._metrics.set(TRAINING_RUNNING, 1)
        child = subprocess.Popen(
            [sys.executable, "-m", _TRAINING, job.training_id, str(job.epoch)],
            stdin=subprocess.PIPE,
            # A signal from the terminal is for the stage, which ends the run in good order.
            start_new_session=True,
        )
        try:
            if child.stdin is not None:
                # Not in its arguments, where everybody could read the password.
                child.stdin.write(handed_over(self._settings))
                child.stdin.flush()
            while child.poll() is None and not self._stopping.wait(_GLANCE):
                pass
        except BrokenPipeError:
            child.wait()
        finally:
            asked_to_end = child.poll() is None
            if asked_to_end:
                child.kill()
            child.communicate()
            self._training = None
            self._metrics.set(TRAINING_RUNNING, 0)
        if asked_to_end:
            self._give_back(job, counts=False)
        elif child.returncode != 0:
            self._metrics.count(TRAINING_KILLED)
            _log.warning("a training was killed", id=job.training_id, code=child.returncode)
            self._give_back(job, counts=True)
        self._count(job)

    def _give_back(self, job: Job, *, counts: bool) -> None:
        with self._connected() as connection, connection, connection.cursor() as cursor:
            runs.release(cursor, job, counts=counts)

    def _give_up(self, job: Job) -> None:
        words = f"its process was killed in each of {job.attempts - 1} attempts"
        with self._connected() as connection, connection, connection.cursor() as cursor:
            endings.finish(cursor, self._settings, job, Ended("failed", 0, error=words))
        self._count(job)

    def _count(self, job: Job) -> None:
        """Take into the metrics what came of a run, if it has ended."""
        with self._connected() as connection, connection, connection.cursor() as cursor:
            logged = training_log.of_run(cursor, job.training_id)
        if logged is None:
            return
        count = self._metrics.count
        count(TRAINING_RUNS, outcome=logged.outcome, trigger=job.trigger)
        count(PROMOTIONS, int(logged.promoted))
        self._metrics.observe(TRAINING_SECONDS, logged.duration_seconds)
        _log.info(
            "trained", id=job.training_id, outcome=logged.outcome, promoted=logged.promoted,
            seconds=round(logged.duration_seconds, 1), reason=logged.reason, error=logged.error,
        )  # fmt: skip

    # -- the outbox ---------------------------------------------------------------------------

    def _publish(self, connection: Connection) -> None:
        OUTBOX.publish(self._outbox, connection)
        with connection, connection.cursor() as cursor:
            left = OUTBOX.pending(cursor)
        self._runtime.set(OUTBOX_PENDING_MESSAGES, left)


def handed_over(settings: Settings) -> bytes:
    """Settings as the process that trains reads them, by the names of their variables."""
    values = settings.model_dump(mode="json")
    named = {str(field.validation_alias): values[name]
             for name, field in Settings.model_fields.items()}  # fmt: skip
    return json.dumps(named).encode() + b"\n"

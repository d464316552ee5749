"""Stages of the job plane: few events, long work, and a row for each job's state.

What is to be done follows from the database alone. Events are hints that it may be time to look,
read with Faust; a broker that is away delays nothing but the hint, and shows in readiness. Events
that ask for something are kept in the database first (:mod:`trackrecord.runtime.keeping`).
"""

from __future__ import annotations

import asyncio
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import psycopg2

from trackrecord.clock import SYSTEM_CLOCK, Clock, backoff
from trackrecord.errors import TrackrecordError
from trackrecord.events import Event
from trackrecord.redaction import hide_secrets
from trackrecord.runtime import hints
from trackrecord.runtime.database import classify
from trackrecord.runtime.errors import EXIT_COULD_NOT, ConfigurationError, FatalError, PassingError
from trackrecord.runtime.health import Health
from trackrecord.runtime.keeping import Keeping, Kept
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.metrics import (
    DEAD_LETTERS,
    MESSAGES,
    OUTBOX_PENDING_MESSAGES,
    READY,
    RETRIES,
    Metric,
    Metrics,
)
from trackrecord.runtime.process.startup import start
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context

_log = get_logger(__name__)

METRICS: Final[tuple[Metric, ...]] = (
    *hints.METRICS,
    MESSAGES,
    RETRIES,
    READY,
    OUTBOX_PENDING_MESSAGES,
)
"""What every stage of the job plane exports; partitions and lag mean nothing to it."""

_MOST_HINTS: Final = 10
"""Turns between two regular ones, however many hints come."""

_TELL_SECONDS: Final = 0.2


class Jobs(ABC):
    """What a stage of the job plane does."""

    @abstractmethod
    def turn(self) -> bool:
        """Look for work and do it, in a thread of its own, however long it takes.

        Everything must be in the database when it returns, and whatever is half done when the
        process is killed must be found and ended by a later turn, here or elsewhere.

        Returns:
            Whether to look again at once.

        Raises:
            PassingError: To be tried again.
            FatalError: The process cannot go on.
        """

    @abstractmethod
    def stop(self) -> None:
        """Have a turn end soon; called from another thread, must not wait."""

    @property
    @abstractmethod
    def busy(self) -> bool:
        """Whether long work is on: then the database was reached for it."""

    @property
    def status(self) -> dict[str, Any]:
        """What /status shows besides."""
        return {}

    def woken_by(self, wake: Callable[[], None]) -> None:  # noqa: B027 - most need no waking
        """Be handed what makes a turn begin at once; it may be called from any thread."""

    def close(self) -> None:  # noqa: B027 - most do nothing beside their turns
        """End what still goes on beside the turns, within seconds: the process is to end."""


@dataclass(frozen=True)
class RecordedTable:
    """A table of decisions: recorded once, never worked out again by replay."""

    name: str


@dataclass(frozen=True)
class JobStage:
    """A stage of the job plane.

    Attributes:
        name: Its name, which is also its consumer group's and its folder's.
        consumes: The event types that are hints.
        produces: The event types it publishes, through the outbox.
        jobs: Makes what it does.
        tables: The tables it alone writes.
        look_every: Seconds between two turns without a hint, by the settings.
        kept: Those of its events that are no hints, and what keeps them; None: all are.
        others_write: Who else writes its tables, in words; empty: nobody.
    """

    name: str
    consumes: tuple[type[Event], ...]
    produces: tuple[type[Event], ...]
    jobs: Callable[[Context, Metrics], Jobs]
    tables: tuple[RecordedTable, ...]
    look_every: Callable[[Settings], float]
    kept: Kept | None = None
    others_write: str = ""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the runtime keeps for it."""
        return METRICS if self.kept is None else (*METRICS, DEAD_LETTERS)


def run(stage: JobStage, settings: Settings, clock: Clock = SYSTEM_CLOCK) -> int:
    """Run a stage in the foreground until SIGTERM or SIGINT.

    Returns:
        The exit code: 0 stopped in good order, 2 could not go on.
    """
    started = start(stage.name, stage.metrics, settings, clock)
    if started is None:
        return EXIT_COULD_NOT
    registry, metrics, health, port = started
    try:
        worker = _Worker(stage, Context(settings, registry, clock), metrics, health)
        _log.info("started", metrics_port=port, broker=settings.kafka_bootstrap_servers)
        asyncio.run(worker.run())
    except (FatalError, ConfigurationError) as error:
        _log.error("cannot go on", reason=str(error))
        return EXIT_COULD_NOT
    _log.info("stopped")
    return 0


class _Worker:
    """Turns in a thread, hints and signals in the event loop."""

    def __init__(
        self,
        stage: JobStage,
        context: Context,
        metrics: Metrics,
        health: Health,
    ) -> None:
        self._stage = stage
        self._settings = context.settings
        self._metrics = metrics
        self._health = health
        self._jobs = stage.jobs(context, metrics)
        self._problem: str | None = "starting"
        self._hinted, self._stopping = asyncio.Event(), asyncio.Event()
        self._asked = asyncio.Event()
        keeping = None
        if stage.kept is not None:
            keeping = Keeping(stage.name, stage.kept, context.settings, metrics, context.clock)
        self._hints = hints.Hints(
            context.settings.topic(stage.name),
            [context.settings.topic(event.event_type) for event in stage.consumes],
            context.settings,
            metrics,
            self._hinted.set,
            keeping,
            self._wake,
        )

    def _wake(self) -> None:
        """Have a turn begin at once: something was asked for."""
        self._asked.set()
        self._hinted.set()

    async def run(self) -> None:
        """Until a signal comes or a turn fails for good."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop has ended, and nothing waits for a turn
                loop.call_soon_threadsafe(self._wake)

        self._jobs.woken_by(wake)

        def stop(number: signal.Signals) -> None:
            _log.info("stopping", signal=number.name)
            self._jobs.stop()
            self._stopping.set()
            self._wake()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop, number)
        beside = [asyncio.create_task(self._hints.listen()), asyncio.create_task(self._live())]
        try:
            await self._turn()
        finally:
            await asyncio.to_thread(self._jobs.close)
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _turn(self) -> None:
        """Turn after turn; what passes is tried again."""
        seconds = self._stage.look_every(self._settings)
        waits = backoff()
        while not self._stopping.is_set():
            self._hinted.clear()
            self._asked.clear()
            try:
                again = await asyncio.to_thread(self._once)
            except PassingError as error:
                _log.warning("will try again", reason=str(error))
                self._problem = str(error)
                self._metrics.count(RETRIES)
                await self._rest(next(waits))
                continue
            waits = backoff()
            self._problem = None
            if not again:
                # Hints may come by the thousand; what is asked for is not kept waiting.
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._asked.wait(), seconds / _MOST_HINTS)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hinted.wait(), seconds)

    def _once(self) -> bool:
        try:
            return self._jobs.turn()
        except psycopg2.Error as error:
            raise classify(error) from error

    def _tell(self) -> None:
        """Ready is who reaches the database and hears events; deaf, it looks by the clock only."""
        if self._jobs.busy:
            self._problem = None
        reason = self._problem or self._hints.problem
        self._health.ready, self._health.reason = reason is None, reason or ""
        self._metrics.set(READY, float(reason is None))
        self._health.status = {"listening": self._hints.problem is None, **self._jobs.status}

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _live(self) -> None:
        """Say that the loop comes round, also while a turn takes long."""
        while True:
            self._health.turned()
            self._tell()
            await asyncio.sleep(_TELL_SECONDS)


def describe(error: BaseException) -> str:
    """An error in one line for a table: its words, and its kind where they do not say it."""
    words = " ".join(hide_secrets(str(error)).split()) or type(error).__name__
    if isinstance(error, TrackrecordError | ValueError):
        return words[:2000]
    return f"{type(error).__name__}: {words}"[:2000]

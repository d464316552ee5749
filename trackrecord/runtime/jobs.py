"""Stages of the job plane: few events, long work, and a row for each job's state.

What is to be done follows from the database alone. Events are hints that it may be time to look,
read with Faust; a broker that is away delays nothing but the hint.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import psycopg2

from trackrecord.clock import SYSTEM_CLOCK, Clock, backoff
from trackrecord.errors import TrackrecordError
from trackrecord.events import Event
from trackrecord.runtime.database import classify
from trackrecord.runtime.errors import EXIT_COULD_NOT, ConfigurationError, FatalError, PassingError
from trackrecord.runtime.health import Health
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.metrics import (
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

METRICS: Final[tuple[Metric, ...]] = (MESSAGES, RETRIES, READY, OUTBOX_PENDING_MESSAGES)
"""What every stage of the job plane exports; partitions and lag mean nothing to it."""

_MOST_HINTS: Final = 10
"""Turns between two regular ones, however many hints come."""


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
        """Whether long work is on: the database was reached for it, and the process is ready."""

    @property
    def status(self) -> dict[str, Any]:
        """What /status shows besides."""
        return {}


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
    """

    name: str
    consumes: tuple[type[Event], ...]
    produces: tuple[type[Event], ...]
    jobs: Callable[[Context, Metrics], Jobs]
    tables: tuple[RecordedTable, ...]
    look_every: Callable[[Settings], float]


def run(stage: JobStage, settings: Settings, clock: Clock = SYSTEM_CLOCK) -> int:
    """Run a stage in the foreground until SIGTERM or SIGINT.

    Returns:
        The exit code: 0 stopped in good order, 2 could not go on.
    """
    started = start(stage.name, METRICS, settings, clock)
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
        self._listening = False
        self._credentials = _credentials(context.settings)

    async def run(self) -> None:
        """Until a signal comes or a turn fails for good."""
        loop = asyncio.get_running_loop()
        self._hinted, self._stopping = asyncio.Event(), asyncio.Event()

        def stop(number: signal.Signals) -> None:
            _log.info("stopping", signal=number.name)
            self._jobs.stop()
            self._stopping.set()
            self._hinted.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop, number)
        _log_warnings("faust", "mode", "aiokafka")
        beside = [asyncio.create_task(self._listen()), asyncio.create_task(self._live())]
        try:
            await self._turn()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _turn(self) -> None:
        """Turn after turn; what passes is tried again."""
        seconds = self._stage.look_every(self._settings)
        waits = backoff()
        while not self._stopping.is_set():
            self._hinted.clear()
            try:
                again = await asyncio.to_thread(self._once)
            except PassingError as error:
                _log.warning("will try again", reason=str(error))
                self._ready(str(error))
                self._metrics.count(RETRIES)
                await self._rest(next(waits))
                continue
            waits = backoff()
            self._ready(None)
            if not again:
                await self._rest(seconds / _MOST_HINTS)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hinted.wait(), seconds)

    def _once(self) -> bool:
        try:
            return self._jobs.turn()
        except psycopg2.Error as error:
            raise classify(error) from error

    def _ready(self, reason: str | None) -> None:
        self._health.ready, self._health.reason = reason is None, reason or ""
        self._metrics.set(READY, float(reason is None))

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _live(self) -> None:
        """Say that the loop comes round, also while a turn takes long."""
        while True:
            self._health.turned()
            if self._jobs.busy:
                self._ready(None)
            self._health.status = {"listening": self._listening, **self._jobs.status}
            await asyncio.sleep(0.5)

    # -- hints --------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Read hints; whatever happens to the client, begin anew."""
        waits = backoff(0.5, 30.0)
        while True:
            app = self._app()
            try:
                await app.start()
                self._listening = True
                waits = backoff(0.5, 30.0)
                await app.wait_until_stopped()
                _log.warning("no hints for a while", reason=str(app.crash_reason))
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - a hint that is missed costs nothing
                _log.warning("no hints for a while", reason=f"{type(error).__name__}: {error}")
            finally:
                self._listening = False
                with suppress(Exception):
                    await asyncio.wait_for(app.stop(), 10)
            await asyncio.sleep(next(waits))

    def _app(self) -> Any:
        # Faust takes a moment to import, and commands that only ask what a stage is need it not.
        import faust  # noqa: PLC0415

        servers = self._settings.kafka_bootstrap_servers.split(",")
        app = faust.App(
            self._settings.topic(self._stage.name),
            broker=";".join(f"kafka://{server.strip()}" for server in servers),
            broker_credentials=self._credentials,
            loop=asyncio.get_running_loop(),
            store="memory://",
            web_enabled=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            # What happened before is in the database.
            consumer_auto_offset_reset="latest",
            broker_session_timeout=self._settings.session_timeout_ms / 1000,
            broker_heartbeat_interval=max(self._settings.session_timeout_ms / 4000, 0.1),
            broker_max_poll_interval=3600.0,
        )
        names = [self._settings.topic(event.event_type) for event in self._stage.consumes]

        async def hint(stream: Any) -> AsyncIterator[None]:
            async for event in stream.events():
                name = event.message.topic
                self._metrics.count(MESSAGES, topic=name)
                self._hinted.set()
                yield

        app.agent(app.topic(*names, value_type=bytes, value_serializer="raw"), name="hint")(hint)
        app.finalize()
        return app


def _credentials(settings: Settings) -> Any:
    """The client settings of the other stages, as Faust's client takes them.

    Raises:
        ConfigurationError: It has no such protocol or mechanism.
    """
    given = settings.kafka
    protocol = given.get("security.protocol", "PLAINTEXT").upper()
    if protocol == "PLAINTEXT":
        return None
    import faust  # noqa: PLC0415

    context = None
    if protocol.endswith("SSL"):
        context = ssl.create_default_context(cafile=given.get("ssl.ca.location"))
        if "ssl.certificate.location" in given:
            context.load_cert_chain(
                given["ssl.certificate.location"],
                given.get("ssl.key.location"),
                given.get("ssl.key.password"),
            )
    if protocol == "SSL":
        return faust.SSLCredentials(context)
    mechanism = given.get("sasl.mechanism", given.get("sasl.mechanisms", "PLAIN")).upper()
    if protocol not in {"SASL_PLAINTEXT", "SASL_SSL"} or mechanism not in {
        "PLAIN",
        "SCRAM-SHA-256",
        "SCRAM-SHA-512",
    }:
        raise ConfigurationError(
            f"this stage reaches a broker by PLAINTEXT, SSL, or SASL with PLAIN or SCRAM, and not "
            f"by {protocol} with {mechanism}"
        )
    return faust.SASLCredentials(
        mechanism=mechanism,
        username=given.get("sasl.username"),
        password=given.get("sasl.password"),
        ssl_context=context,
    )


class _Warnings(logging.Handler):
    """What a library has to say, as lines of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.warning("kafka client", error=record.getMessage()[:500])


def _log_warnings(*names: str) -> None:
    handler = _Warnings(logging.WARNING)
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.WARNING)


def describe(error: BaseException) -> str:
    """An error in one line for a table: its words, and its kind where they do not say it."""
    words = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, TrackrecordError | ValueError):
        return words[:2000]
    return f"{type(error).__name__}: {words}"[:2000]

"""Reading the events that tell a stage of the job plane to look, and saying whether it hears them.

A hint that is missed costs nothing: what is due follows from the database. So no position is kept;
the reader begins at the end of the topics, and whoever has begun to listen looks once. But a stage
that hears nothing at all is deaf, and must not look well: :attr:`Hints.problem` says why.

A stage that is asked for things over Kafka misses nothing: its reader begins at the oldest message,
and acknowledges each one once it is kept (:mod:`trackrecord.runtime.keeping`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from tempfile import TemporaryDirectory
from typing import Any, Final

from trackrecord.clock import backoff
from trackrecord.errors import TrackrecordError
from trackrecord.redaction import hide_secrets
from trackrecord.runtime.hint_connection import credentials, unused
from trackrecord.runtime.keeping import Keeping, Received
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.metrics import MESSAGES, Counter, Gauge, Metric, Metrics
from trackrecord.runtime.settings import Settings

_log = get_logger(__name__)

LISTENING: Final = Gauge(
    "trackrecord_listening",
    "1 while the stage receives the events that tell it to look for work, else 0.",
    "0 for minutes: /readyz says why. Meanwhile it looks at fixed intervals only.",
)

LISTENING_FAILURES: Final = Counter(
    "trackrecord_listening_failures_total",
    "How often reading those events broke off: at an unreadable message, or without a broker.",
    "Growing while the broker is well: a publisher sends unreadable messages; see its log.",
)

METRICS: Final[tuple[Metric, ...]] = (LISTENING, LISTENING_FAILURES)

_LIBRARIES: Final = ("faust", "mode", "aiokafka")
_BEGINS_SECONDS: Final = 2.0
_COMMITS_SECONDS: Final = 1.0
_LONGEST: Final = 500
"""Characters of a library's complaint that are kept."""


class Hints:
    """Listens to topics for as long as its process runs."""

    def __init__(
        self,
        name: str,
        topics: Sequence[str],
        settings: Settings,
        metrics: Metrics,
        heard: Callable[[], None],
        keeping: Keeping | None = None,
        kept: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare; nothing is reached before :meth:`listen`.

        Args:
            name: The consumer group's.
            topics: What to listen to.
            settings: Of the process.
            metrics: Which hold those of this module.
            heard: Called in the event loop when it is time to look.
            keeping: Keeps the messages of its topics, which then are not only hints.
            kept: Called in the event loop when it has kept one.

        Raises:
            ConfigurationError: The broker cannot be reached by these settings.
        """
        self._name = name
        self._topics = topics
        self._settings = settings
        self._metrics = metrics
        self._heard = heard
        self._keeping = keeping
        self._was_kept = kept
        self._credentials = credentials(settings.kafka)
        self._complaints = _Complaints()
        self._ending = asyncio.Event()
        self.problem: str | None = "it does not listen to events yet"
        """Why no events are heard; None while they are."""
        if left_out := unused(settings.kafka):
            _log.warning("settings that the reader of events does not use", variables=left_out)

    async def listen(self) -> None:
        """Listen; whatever happens to the client, begin anew."""
        for name in _LIBRARIES:
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = [self._complaints], False
            logger.setLevel(logging.WARNING)
        # Faust makes folders before it starts, by default in the working folder, which may be
        # somebody's own or read-only. Nothing is ever written to them.
        with TemporaryDirectory(prefix="trackrecord-listening-") as folder:
            await self._listen(folder)

    async def _listen(self, folder: str) -> None:
        waits = backoff(0.5, 30.0)
        while True:
            self._complaints.last = ""
            self._ending = asyncio.Event()
            app = self._app(folder)
            try:
                await app.start()
                await app.wait_until_stopped()
                why = app.crash_reason
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the stage goes on
                why = error
            finally:
                was_heard = self.problem is None
                # The client waits for its agents, and one may wait for the database.
                self._ending.set()
                with suppress(Exception):
                    await asyncio.wait_for(app.stop(), 10)
            if was_heard:
                waits = backoff(0.5, 30.0)
            self._fails(why)
            await asyncio.sleep(next(waits))

    def _fails(self, why: BaseException | None) -> None:
        words = f"{type(why).__name__}: {why}" if why is not None else "the client has ended"
        # That no broker was reached is the client's last word; why not, it has only logged.
        if "onnect" in type(why).__name__ and self._complaints.last:
            words = self._complaints.last
        self._say(hide_secrets(f"it does not hear events: {words}"[:_LONGEST]))
        self._metrics.count(LISTENING_FAILURES)
        _log.warning("no events are heard for a while", reason=self.problem)

    def _say(self, problem: str | None) -> None:
        self.problem = problem
        self._metrics.set(LISTENING, float(problem is None))

    def _app(self, folder: str) -> Any:
        # Faust takes a moment to import, and commands that only ask what a stage is need it not.
        import faust  # noqa: PLC0415

        servers = self._settings.kafka_bootstrap_servers.split(",")
        app = faust.App(
            self._name,
            broker=";".join(f"kafka://{server.strip()}" for server in servers),
            broker_credentials=self._credentials,
            loop=asyncio.get_running_loop(),
            store="memory://",
            datadir=folder,
            web_enabled=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            # Of hints, what happened before is in the database.
            consumer_auto_offset_reset="latest" if self._keeping is None else "earliest",
            broker_commit_interval=_COMMITS_SECONDS,
            # What is not kept yet comes again, here or elsewhere: nobody waits for it.
            stream_wait_empty=False,
            broker_session_timeout=self._settings.session_timeout_ms / 1000,
            broker_heartbeat_interval=max(self._settings.session_timeout_ms / 4000, 0.1),
            broker_max_poll_interval=3600.0,
        )

        async def assigned(*_arguments: Any, **_named: Any) -> None:
            self._say(None)
            # What was published before is not heard any more, nor what is in the next moment:
            # only then does the client ask where the topics end.
            self._heard()
            asyncio.get_running_loop().call_later(_BEGINS_SECONDS, self._heard)

        async def revoked(*_arguments: Any, **_named: Any) -> None:
            self._say("its share of the topics is being given out anew")

        async def hint(stream: Any) -> AsyncIterator[None]:
            async for event in stream.events():
                self._metrics.count(MESSAGES, topic=event.message.topic)
                self._heard()
                yield

        app.on_partitions_assigned.connect(assigned)
        app.on_partitions_revoked.connect(revoked)

        async def keep(stream: Any) -> AsyncIterator[None]:
            # Left to the client, a message counts as done also where the agent is ended in its
            # middle.
            async for event in stream.noack().events():
                await self._keep(event.message)
                event.ack()
                self._metrics.count(MESSAGES, topic=event.message.topic)
                yield

        topics = set(self._topics)
        if self._keeping is not None:
            kept = self._keeping.topics
            topics -= set(kept)
            topic = app.topic(*kept, value_type=bytes, value_serializer="raw", acks=True)
            app.agent(topic, name="keep")(keep)
        # Without acknowledgements no offsets are committed: a message that cannot be read ends
        # the client, and would end the next one too. Beside messages that are kept, hints are
        # acknowledged, or each start would hear all that there ever were.
        acks = self._keeping is not None
        if topics:
            topic = app.topic(*sorted(topics), value_type=bytes, value_serializer="raw", acks=acks)
            app.agent(topic, name="hint")(hint)
        app.finalize()
        return app

    async def _keep(self, message: Any) -> None:
        """Until it is kept, however long the database is away."""
        received = Received(
            message.topic, message.partition, message.offset, round(message.timestamp * 1000),
            _pairs(message.headers), message.key, message.value,
        )  # fmt: skip
        assert self._keeping is not None  # noqa: S101 - only then is there an agent that keeps
        waits, ending = backoff(0.2, 10.0), self._ending
        while True:
            try:
                await asyncio.to_thread(self._keeping.take, received)
            except TrackrecordError as error:
                _log.warning("a message cannot be kept yet", reason=str(error))
                with suppress(TimeoutError):
                    await asyncio.wait_for(ending.wait(), next(waits))
                if ending.is_set():
                    raise asyncio.CancelledError from None
            else:
                self._was_kept()
                return


def _pairs(headers: Any) -> list[tuple[str, bytes | None]]:
    """Headers as they lay on the topic, whichever of its two forms the client gives them."""
    if headers is None:
        return []
    found = headers.items() if hasattr(headers, "items") else headers
    return [(str(name), value) for name, value in found]


class _Complaints(logging.Handler):
    """What the client's libraries have to say, as lines of ours.

    Attributes:
        last: The last of them.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()[:_LONGEST]
        _log.warning("kafka client", error=self.last)

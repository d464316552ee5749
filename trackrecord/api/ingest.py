"""The way in for events: checked, sent, and answered for once the broker has all of them.

One client of the broker serves all requests. A request gives its events to it in a thread, and
then waits for the acknowledgements without one, so that a broker that is away holds up nobody who
only reads.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from trackrecord.clock import Clock
from trackrecord.events import EVENTS
from trackrecord.events.codec import CONTENT_TYPE
from trackrecord.events.types import wire_time
from trackrecord.kafka.acknowledgements import Acknowledged
from trackrecord.kafka.producer import producer_config
from trackrecord.publishing.lines import Message as Outgoing
from trackrecord.redaction import hide_secrets
from trackrecord.runtime import kafka
from trackrecord.runtime.errors import UnreachableError
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.settings import Settings

_log = get_logger(__name__)

SOURCE: Final = b"/api"
"""The CloudEvents source of what comes in here."""

GIVES_UP_SECONDS: Final = 5.0
"""How long an event waits for its acknowledgement."""

_LOOK_SECONDS: Final = 3.0
_POLL_SECONDS: Final = 0.1
_QUEUED: Final = 200_000
_QUEUED_KILOBYTES: Final = 65_536
_FULL_SECONDS: Final = 0.01


class _Delivery:
    """The acknowledgements that one request waits for."""

    def __init__(self, count: int, loop: asyncio.AbstractEventLoop) -> None:
        self._left = count
        self._loop = loop
        self._lock = threading.Lock()
        self._problem: KafkaError | None = None
        self.told: asyncio.Future[KafkaError | None] = loop.create_future()

    def acknowledged(self, problem: KafkaError | None) -> None:
        """Take in what became of one event; the first problem is told at once."""
        with self._lock:
            self._left -= 1
            first = problem is not None and self._problem is None
            self._problem = self._problem or problem
            done = first or (not self._left and self._problem is None)
        if done:
            self._loop.call_soon_threadsafe(self._tell, problem)

    def _tell(self, problem: KafkaError | None) -> None:
        if not self.told.done():
            self.told.set_result(problem)


class _Client:
    """One client of the broker, and the thread that takes in what it is told."""

    def __init__(self, settings: Settings) -> None:
        self.is_doubtful = False
        """Whether it has lost count of what it sent: another one must go on."""
        self._told = Acknowledged()
        self._ended = threading.Event()
        self.producer = Producer(
            producer_config(
                kafka.client_config(settings, "api"),
                gives_up_after_ms=int(GIVES_UP_SECONDS * 1000),
                compression_type="lz4",
                linger_ms=5,
                queue_buffering_max_messages=_QUEUED,
                queue_buffering_max_kbytes=_QUEUED_KILOBYTES,
            )
        )
        threading.Thread(target=self._poll, name="acknowledgements", daemon=True).start()

    def problem(self, error: KafkaError | None, message: Message) -> KafkaError | None:
        """Why an event is not on its topic; None if it is."""
        problem = self._told.problem(error, message)
        if problem is not None and (error is None or error.fatal()):
            self.is_doubtful = True
        return problem

    def end(self) -> None:
        """Stop once all that is on its way has been answered for."""
        self._ended.set()

    def _poll(self) -> None:
        while not self._ended.is_set() or len(self.producer):
            self.producer.poll(_POLL_SECONDS)


class Ingest:
    """Publishes what requests bring."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Reach no broker yet."""
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._client: _Client | None = None
        self._known: set[str] = set()
        # To check is work for the processor: more threads than this would only wait for another.
        self._workers = asyncio.Semaphore(2)

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Send events of one type, and wait until the broker has acknowledged all of them.

        Args:
            messages: Checked, one at least.

        Raises:
            UnreachableError: The broker does not answer, or did not take all. To send them again
                is harmless, as their ids are the same.
        """
        delivery = _Delivery(len(messages), asyncio.get_running_loop())
        async with self._workers:
            await asyncio.to_thread(self._send, messages, delivery)
        try:
            # The client itself gives up before; this is for one that does not even do that.
            problem = await asyncio.wait_for(delivery.told, 2 * GIVES_UP_SECONDS)
        except TimeoutError:
            problem = KafkaError(KafkaError._MSG_TIMED_OUT)  # noqa: SLF001 - its name
        if problem is not None:
            raise UnreachableError(
                f"the broker did not acknowledge all of {len(messages)} event(s): "
                f"{hide_secrets(problem.str())}. Send all of them again: those that are on the "
                "topic already are not counted twice"
            )

    def close(self) -> None:
        """Send nothing any more."""
        with self._lock:
            if self._client is not None:
                self._client.end()

    def _send(self, messages: Sequence[Outgoing], delivery: _Delivery) -> None:
        client = self._current()
        event_type = messages[0][0]
        topic = self._topic(client.producer, event_type)
        kind = EVENTS[event_type].ce_type().encode()
        time = wire_time(self._clock.now()).encode()

        def delivered(error: KafkaError | None, message: Message) -> None:
            delivery.acknowledged(client.problem(error, message))

        until = self._clock.monotonic() + GIVES_UP_SECONDS
        for _, key, event_id, value in messages:
            headers = [
                ("ce_specversion", b"1.0"),
                ("ce_id", event_id.encode()),
                ("ce_type", kind),
                ("ce_source", SOURCE),
                ("ce_time", time),
                ("content-type", CONTENT_TYPE),
            ]
            while True:
                try:
                    client.producer.produce(
                        topic,
                        value,
                        key,
                        headers=headers,  # type: ignore[arg-type]
                        on_delivery=delivered,
                    )
                    break
                except BufferError:
                    if self._clock.monotonic() > until:
                        raise UnreachableError(
                            "more events wait for the broker than may: send them again in a moment"
                        ) from None
                    self._clock.sleep(_FULL_SECONDS)
                except KafkaException as error:
                    raise UnreachableError(f"the broker: {error.args[0].str()}") from None

    def _current(self) -> _Client:
        with self._lock:
            if self._client is not None and self._client.is_doubtful:
                _log.warning("a client of the broker lost count: another one goes on")
                self._client.end()
                self._client = None
            if self._client is None:
                self._client = _Client(self._settings)
            return self._client

    def _topic(self, producer: Producer, event_type: str) -> str:
        """The topic of a type, which is asked for once: where it is missing, nothing is taken."""
        topic = self._settings.topic(event_type)
        if topic not in self._known:
            try:
                known = producer.list_topics(timeout=_LOOK_SECONDS).topics
            except KafkaException as error:
                raise UnreachableError(
                    f"no broker at {self._settings.kafka_bootstrap_servers}: "
                    f"{error.args[0].str()}; nothing was sent"
                ) from None
            if topic not in known:
                raise UnreachableError(
                    f"the broker has no topic {topic}: make it with `trackrecord topics`"
                )
            self._known.update(known)
        return topic

"""Publishing a given list of events, and waiting until the broker has them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from rich.console import Console
from rich.progress import Progress

from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.events import EVENTS, Event
from trackrecord.events.codec import CONTENT_TYPE, Headers
from trackrecord.events.types import wire_time
from trackrecord.kafka.acknowledgements import Acknowledged
from trackrecord.kafka.producer import producer_config
from trackrecord.publishing.outgoing import Outgoing
from trackrecord.runtime import kafka
from trackrecord.runtime.errors import UnreachableError
from trackrecord.runtime.settings import Settings

_SECONDS_WITHOUT_PROGRESS = 30.0
_SECONDS_TO_ANSWER = 10.0
_SECONDS_TO_END = 2.0
_QUEUED: Final = 20_000
_QUEUED_KILOBYTES: Final = 16_384
"""What waits in the client's queue: enough for the broker's pace, and little memory."""
_GLANCE = 200
"""Every so many events, acknowledgements are taken in and the bar is moved."""


def send(
    settings: Settings,
    events: Sequence[tuple[Event, str | None]],
    *,
    source: str,
    progress: bool = False,
) -> int:
    """Publish events in order and wait for every acknowledgement.

    Args:
        settings: Where to.
        events: Each with the id that its publisher chose, if it did.
        source: The CloudEvents source.
        progress: Whether to show a bar on stderr, if that is a terminal.

    Returns:
        How many were acknowledged: all of them.

    Raises:
        KeyboardInterrupt: It was stopped; a note says how many were acknowledged.
        UnreachableError: The broker does not answer, or does not take them. Those that it took stay
            published; sending everything again is harmless, the ids are the same.
    """
    return send_messages(
        settings,
        (Outgoing.of(event, event_id) for event, event_id in events),
        len(events),
        {event.event_type for event, _ in events},
        source=source,
        progress=progress,
    )


def send_messages(
    settings: Settings,
    messages: Iterable[Outgoing],
    total: int,
    types: set[str],
    *,
    source: str,
    progress: bool = False,
) -> int:
    """The same of events that were checked before, which are taken one at a time.

    Args:
        settings: Where to.
        messages: In order.
        total: How many there are.
        types: Of which event types.
        source: The CloudEvents source.
        progress: Whether to show a bar on stderr, if that is a terminal.

    Returns:
        How many were acknowledged: all of them.

    Raises:
        KeyboardInterrupt: As :func:`send`.
        UnreachableError: As :func:`send`.
    """
    producer = Producer(
        producer_config(
            {**kafka.client_config(settings, "cli"), "error_cb": lambda _error: None},
            gives_up_after_ms=int(_SECONDS_WITHOUT_PROGRESS * 1000),
            compression_type="lz4",
            linger_ms=5,
            queue_buffering_max_messages=_QUEUED,
            queue_buffering_max_kbytes=_QUEUED_KILOBYTES,
        )
    )
    _check_topics(producer, settings, types)
    done = 0
    told = Acknowledged()
    failed: list[KafkaError] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        nonlocal done
        problem = told.problem(error, message)
        if problem is None:
            done += 1
        else:
            failed.append(problem)

    console = Console(stderr=True)
    # Where no terminal reads, a bar would leave an empty line and nothing else.
    shown = progress and console.is_terminal
    bars = Progress(console=console, transient=True, disable=not shown)

    def so_far() -> str:
        producer.purge()
        producer.flush(_SECONDS_TO_END)
        return (
            f"{done:,} of {total:,} events were sent; publish all of them again: those that "
            "are on the topics already are not counted twice"
        )

    kinds = {name: _Kind(settings.topic(name), EVENTS[name].ce_type().encode()) for name in types}
    with bars as bar, _told_if_stopped(so_far):
        task = bar.add_task("publishing", total=total)
        time = b""
        for number, message in enumerate(messages):
            if number % _GLANCE == 0:
                producer.poll(0)
                bar.update(task, completed=done)
                time = wire_time(SYSTEM_CLOCK.now()).encode()
            kind = kinds[message.event_type]
            said = _headers(kind, message, source.encode(), time)
            while not _queued(producer, kind.topic, message, said, delivered):
                producer.poll(0.1)
            if failed:
                break
        while len(producer) and not failed:
            producer.poll(0.1)
            bar.update(task, completed=done)
    if failed:
        producer.purge()
        raise UnreachableError(
            f"the broker at {settings.kafka_bootstrap_servers} acknowledged {done} of "
            f"{total} events: {failed[0].str()}. Publishing all of them again is harmless"
        )
    return done


class _Kind(NamedTuple):
    """What the messages of an event type share."""

    topic: str
    ce_type: bytes


def _headers(kind: _Kind, message: Outgoing, source: bytes, time: bytes) -> Headers:
    """As :func:`trackrecord.events.codec.headers`, of an event that is written already."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", message.event_id.encode()),
        ("ce_type", kind.ce_type),
        ("ce_source", source),
        ("ce_time", time),
        ("content-type", CONTENT_TYPE),
    ]


def _queued(
    producer: Producer,
    topic: str,
    message: Outgoing,
    said: Headers,
    delivered: Callable[[KafkaError | None, Message], None],
) -> bool:
    """Hand an event to the client; False while its queue is full."""
    try:
        producer.produce(
            topic,
            message.value,
            message.key,
            headers=said,  # type: ignore[arg-type]
            on_delivery=delivered,
        )
    except BufferError:
        return False
    return True


@contextmanager
def _told_if_stopped(words: Callable[[], str]) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as stopped:
        stopped.add_note(words())
        raise


def _check_topics(producer: Producer, settings: Settings, types: set[str]) -> None:
    """Fail early, and by name, where nothing could be delivered."""
    try:
        known = producer.list_topics(timeout=_SECONDS_TO_ANSWER).topics
    except KafkaException as error:
        raise UnreachableError(
            f"no broker at {settings.kafka_bootstrap_servers}: {error.args[0].str()}; start one "
            "with `trackrecord up`, or name yours in TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"
        ) from None
    missing = sorted(settings.topic(name) for name in types if settings.topic(name) not in known)
    if missing:
        raise UnreachableError(
            f"the broker has no topic {', '.join(missing)}: make it with `trackrecord topics`"
        )

"""Messages as they stand on the topics: sent quickly, and read back whole."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from trackrecord.events import Event
from trackrecord.events.codec import headers
from trackrecord.runtime.settings import Settings

Place = tuple[str, int, int]
"""Topic, partition and offset."""

Headers = Sequence[tuple[str, bytes | None]]

_NOT_LED_YET = {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE}


@dataclass(frozen=True)
class Parcel:
    """A message to send, or one that was read; the topic is in full."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None
    offset: int | None = field(default=None, compare=False)
    appended_at: datetime | None = field(default=None, compare=False)
    """When the broker got it, of one that was read."""

    @property
    def place(self) -> Place:
        """Where it lies."""
        return (self.topic, self.partition or 0, self.offset or 0)

    def header(self, name: str) -> str | None:
        """The text of a header."""
        found = [value for key, value in self.headers if key == name]
        return found[0].decode() if found and found[0] is not None else None


def parcel(settings: Settings, event: Event, partition: int | None = None) -> Parcel:
    """An event as the SDK sends it."""
    return Parcel(
        settings.topic(event.event_type),
        event.key.encode(),
        event.to_json(),
        headers(event, source="/tests", time=datetime.now(UTC)),
        partition,
    )


def producer_of(settings: Settings, seconds: float = 60) -> Producer:
    """A producer for :func:`send`, whose messages give up after so many seconds."""
    return Producer(
        {
            "bootstrap.servers": settings.kafka_bootstrap_servers,
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "message.timeout.ms": int(seconds * 1000),
            "linger.ms": 5,
            "reconnect.backoff.max.ms": 500,
            "message.max.bytes": 1_000_000,
        }
    )


def send(
    settings: Settings,
    parcels: Iterable[Parcel],
    *,
    seconds: float = 60,
    producer: Producer | None = None,
) -> list[Place]:
    """Send in order, and wait until the broker has acknowledged all.

    Args:
        settings: Where the broker is.
        parcels: What to send.
        seconds: How long to wait for it.
        producer: One that is used again; by default one for this call.

    Returns:
        Where each landed.

    Raises:
        AssertionError: The broker did not acknowledge something.
    """
    producer = producer or producer_of(settings, seconds)
    places: dict[int, Place] = {}
    failed: list[KafkaError] = []
    count = 0
    for index, each in enumerate(parcels):

        def delivered(error: KafkaError | None, message: Message, index: int = index) -> None:
            if error is not None:
                failed.append(error)
            else:
                places[index] = (
                    message.topic() or "",
                    message.partition() or 0,
                    message.offset() or 0,
                )

        while True:
            try:
                producer.produce(
                    each.topic,
                    each.value,
                    each.key,
                    headers=list(each.headers),
                    partition=-1 if each.partition is None else each.partition,
                    on_delivery=delivered,
                )
            except BufferError:
                producer.poll(0.05)
            else:
                break
        producer.poll(0)
        count = index + 1
    left = producer.flush(seconds)
    assert not failed, failed[0].str()
    assert left == 0, f"{left} of {count} messages were not acknowledged"
    return [places[index] for index in range(count)]


def offsets(consumer: Consumer, part: TopicPartition) -> tuple[int, int]:
    """The first offset of a partition and the one behind its last.

    Asked again while the broker has just made the topic and does not lead it yet.
    """
    ends = time.monotonic() + 10
    while True:
        try:
            return consumer.get_watermark_offsets(part, timeout=10)
        except KafkaException as error:
            if error.args[0].code() not in _NOT_LED_YET or time.monotonic() > ends:
                raise
            time.sleep(0.1)


def read(settings: Settings, topic: str) -> list[Parcel]:
    """All that a topic (named in full) holds now, partition by partition in order."""
    servers = settings.kafka_bootstrap_servers
    known = AdminClient({"bootstrap.servers": servers}).list_topics(timeout=10).topics
    if topic not in known:
        return []
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "tests",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    try:
        parts = [TopicPartition(topic, n, OFFSET_BEGINNING) for n in known[topic].partitions]
        left = {}
        count = 0
        for part in parts:
            first, end = offsets(consumer, part)
            if end > first:
                left[part.partition] = end
                count += end - first
        consumer.assign(parts)
        found: list[Parcel] = []
        while left:
            # For no more than there are: it would wait for others.
            for message in consumer.consume(max(1, min(count - len(found), 5000)), timeout=0.2):
                assert message.error() is None, message.error()
                number, offset = message.partition() or 0, message.offset() or 0
                found.append(
                    Parcel(
                        topic,
                        message.key(),
                        message.value(),
                        message.headers() or [],  # type: ignore[arg-type]
                        number,
                        offset,
                        datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC),
                    )
                )
                if offset >= left.get(number, offset) - 1:
                    left.pop(number, None)
    finally:
        consumer.close()
    return found

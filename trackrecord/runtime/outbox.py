"""The outbox: events that a transaction decided to publish, and their way to the broker.

Rows are written in the transaction of the effects, published byte for byte
after its commit, and deleted once the broker has acknowledged them. Whatever
is still there when a partition is assigned is sent again. So the topics may
hold a duplicate, never a gap, and never an event that no row explains.

Where an acknowledgement cannot be true (:mod:`trackrecord.kafka.acknowledgements`),
all that waits for one is sent again by a new client, which counts anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.events.codec import Headers
from trackrecord.events.topics import MAX_DEAD_LETTER_BYTES
from trackrecord.kafka.acknowledgements import Acknowledged
from trackrecord.kafka.producer import producer_config
from trackrecord.runtime.database import Connection, Cursor, insert_records, rows
from trackrecord.runtime.decoding.batch import Partition
from trackrecord.runtime.errors import FatalError
from trackrecord.runtime.logs import get_logger

_log = get_logger(__name__)


_INSERT = """
INSERT INTO outbox (stage, source_topic, source_partition, topic, key, value, headers)
SELECT stage, source_topic, source_partition, topic, decode(key, 'base64'),
       decode(value, 'base64'), headers
FROM json_to_recordset(%s) AS message (
    stage text, source_topic text, source_partition integer, topic text, key text, value text,
    headers jsonb)
RETURNING id
"""


@dataclass(frozen=True)
class Row:
    """A message to publish: its topic in full, and the input partition that caused it."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    source: Partition


def insert(cursor: Cursor, stage: str, messages: Sequence[Row]) -> list[tuple[int, Row]]:
    """Write a stage's rows in the transaction of the effects; returns them with their ids."""
    ids = insert_records(
        cursor,
        _INSERT,
        [
            {
                "stage": stage,
                "source_topic": row.source[0],
                "source_partition": row.source[1],
                "topic": row.topic,
                "key": row.key,
                "value": row.value,
                "headers": [[name, value.hex()] for name, value in row.headers],
            }
            for row in messages
        ],
    )
    return [(row_id, row) for (row_id,), row in zip(ids, messages, strict=True)]


class Outbox:
    """Sends a stage's outbox, and remembers what was acknowledged until it is deleted."""

    def __init__(self, stage: str, client: Mapping[str, Any], clock: Clock = SYSTEM_CLOCK) -> None:
        """Make the producer; it connects in the background.

        Args:
            stage: Whose events these are.
            client: As :func:`trackrecord.runtime.kafka.client_config` gives it.
            clock: Says when waiting ends.
        """
        self._stage = stage
        self._clock = clock
        self._config = producer_config(
            client,
            compression_type="lz4",
            linger_ms=5,
            # A dead letter is an event of any size that the broker took, and its headers.
            message_max_bytes=MAX_DEAD_LETTER_BYTES,
            queue_buffering_max_messages=200_000,
        )
        self._pending: dict[int, Row] = {}
        self._acknowledged: list[int] = []
        self._failed: KafkaError | None = None
        self._start_client()

    def _start_client(self) -> None:
        self._producer = Producer(self._config)
        self._told = Acknowledged()
        self._doubted = False

    @property
    def acknowledged(self) -> int:
        """Rows that the broker has acknowledged and the database still holds."""
        return len(self._acknowledged)

    @property
    def backlog(self) -> int:
        """Messages that the broker has not acknowledged."""
        return len(self._pending)

    def insert(self, cursor: Cursor, messages: Sequence[Row]) -> list[tuple[int, Row]]:
        """Write rows in the transaction of the effects; returns them with their ids."""
        return insert(cursor, self._stage, messages)

    def note_acknowledged(self, row_id: int) -> None:
        """Remember that a row can be deleted: the broker has its message."""
        self._acknowledged.append(row_id)

    def delete_acknowledged(self, cursor: Cursor) -> Callable[[], None]:
        """Delete what the broker has acknowledged, in any transaction.

        Returns:
            To be called when that transaction is committed.
        """
        done = list(self._acknowledged)
        if done:
            cursor.execute("DELETE FROM outbox WHERE id = ANY(%s)", (done,))

        def forget() -> None:
            del self._acknowledged[: len(done)]

        return forget

    def tidy(self, connection: Connection) -> None:
        """Delete what the broker has acknowledged, in a transaction of its own."""
        if self._acknowledged:
            with connection, connection.cursor() as cursor:
                forget = self.delete_acknowledged(cursor)
            forget()

    def send(self, messages: Iterable[tuple[int, Row]]) -> None:
        """Hand rows of a committed transaction to the producer, in order."""
        for row_id, row in messages:
            if row_id in self._pending:
                continue
            self._pending[row_id] = row
            self._produce(row_id, row)
        self.serve()

    def _produce(self, row_id: int, row: Row) -> None:
        delivered = self._on_delivery(row_id, self._producer)
        while True:
            try:
                self._producer.produce(
                    row.topic,
                    row.value,
                    row.key,
                    headers=list(row.headers),
                    on_delivery=delivered,
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def resend(self, connection: Connection, places: Iterable[Partition]) -> int:
        """Send what is left of partitions that were just taken up; returns how many."""
        wanted = tuple(places)
        if not wanted:
            return 0
        with connection, connection.cursor() as cursor:
            left = rows(
                cursor,
                "SELECT id, topic, key, value, headers, source_topic, source_partition"
                " FROM outbox WHERE stage = %s AND (source_topic, source_partition) IN %s"
                " ORDER BY id",
                (self._stage, wanted),
            )
        known = self._pending.keys() | set(self._acknowledged)
        left = [row for row in left if row[0] not in known]
        self.send(
            (
                row_id,
                Row(
                    topic,
                    None if key is None else bytes(key),
                    None if value is None else bytes(value),
                    [(name, bytes.fromhex(text)) for name, text in headers],
                    (source_topic, source_partition),
                ),
            )
            for row_id, topic, key, value, headers, source_topic, source_partition in left
        )
        if left:
            _log.info("sent the outbox again", messages=len(left))
        return len(left)

    def serve(self) -> None:
        """Take in acknowledgements.

        Raises:
            FatalError: The broker refuses for good.
        """
        self._poll(0)
        if self._failed is not None:
            raise FatalError(f"the broker refuses an outgoing event: {self._failed.str()}")

    def drain(self, timeout: float) -> int:
        """Wait for acknowledgements; returns how many are still missing."""
        until = self._clock.monotonic() + timeout
        while self._pending and self._clock.monotonic() < until:
            self._poll(0.05)
        return len(self._pending)

    def _poll(self, seconds: float) -> None:
        self._producer.poll(seconds)
        if self._doubted:
            _log.warning(
                "an acknowledgement cannot be true: sending again by a new client",
                messages=len(self._pending),
            )
            self._producer.purge(blocking=False)
            self._start_client()
            for row_id, row in list(self._pending.items()):
                self._produce(row_id, row)

    def _on_delivery(
        self, row_id: int, client: Producer
    ) -> Callable[[KafkaError | None, Message], None]:
        def delivered(error: KafkaError | None, message: Message) -> None:
            if client is not self._producer or row_id not in self._pending:
                return  # it was sent again by another
            if error is not None:
                del self._pending[row_id]
                self._failed = error
                return
            if not self._told.is_true(message):
                self._doubted = True
                return
            del self._pending[row_id]
            self.note_acknowledged(row_id)

        return delivered

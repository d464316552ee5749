"""Events that carry work for a stage of the job plane: each is kept before its place is given up.

A hint may be missed; a request may not. So the stage stores what it is asked for, in a transaction
that writes a dead letter instead where the message cannot be read, contradicts another one or is
refused by the database; only after that transaction is its offset committed. A message may come
twice, and storing it twice changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import psycopg2
from confluent_kafka import Message

from trackrecord.clock import Clock
from trackrecord.events import Event
from trackrecord.events.codec import decode
from trackrecord.events.topics import dead_letter_topic
from trackrecord.runtime import dead_letters
from trackrecord.runtime.database import Connection, Cursor, classify, connect, rows
from trackrecord.runtime.dead_letters import DeadLetter
from trackrecord.runtime.decoding.decoder import Decoder, Refusal
from trackrecord.runtime.errors import BadContentError
from trackrecord.runtime.job_outbox import JobOutbox
from trackrecord.runtime.metrics import DEAD_LETTERS, Metrics
from trackrecord.runtime.outbox import Row
from trackrecord.runtime.settings import Settings

Keep = Callable[[Cursor, Any, datetime], str | None]
"""Stores an event, in the transaction of a cursor, at a time; answers why it contradicts what is
stored already, or None."""


@dataclass(frozen=True)
class Kept:
    """Events of a stage that carry work.

    Attributes:
        outbox: Where the dead letters of messages wait that could not be kept.
        keep: By event type: what stores it.
    """

    outbox: JobOutbox
    keep: Mapping[type[Event], Keep]


@dataclass(frozen=True)
class Received:
    """A message as it lay on its topic; it has the methods of the other client's messages."""

    topic_name: str
    partition_number: int
    place: int
    milliseconds: int
    raw_headers: Sequence[tuple[str, bytes | None]]
    raw_key: bytes | None
    raw_value: bytes | None

    def topic(self) -> str:
        """The topic, in full."""
        return self.topic_name

    def partition(self) -> int:
        """The partition."""
        return self.partition_number

    def offset(self) -> int:
        """Its offset."""
        return self.place

    def timestamp(self) -> tuple[int, int]:
        """What kind of time it bears (of no use here), and milliseconds since 1970."""
        return 0, self.milliseconds

    def headers(self) -> list[tuple[str, bytes | None]]:
        """Pairs, in order."""
        return list(self.raw_headers)

    def key(self) -> bytes | None:
        """The key's bytes."""
        return self.raw_key

    def value(self) -> bytes | None:
        """The value's bytes."""
        return self.raw_value


class Keeping:
    """Keeps messages, one at a time, over one connection."""

    def __init__(
        self, stage: str, kept: Kept, settings: Settings, metrics: Metrics, clock: Clock
    ) -> None:
        """Prepare; nothing is reached yet."""
        self._stage = stage
        self._kept = kept
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._decoders = {
            settings.topic(event.event_type): (event, Decoder(event)) for event in kept.keep
        }
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    @property
    def topics(self) -> list[str]:
        """What is kept."""
        return list(self._decoders)

    def take(self, received: Received) -> None:
        """Keep a message, or a dead letter that says why it cannot be.

        Raises:
            PassingError: The database does not answer; to be tried again.
            FatalError: It refuses.
        """
        # One that was given up may still be at it.
        with self._lock:
            try:
                letter = self._keep(received)
            except BadContentError as error:
                letter = self._refuse(received, Refusal(0, "refused", str(error)))
        if letter is not None:
            self._metrics.count(DEAD_LETTERS, topic=letter.topic, error_class=letter.error_class)
            dead_letters.log([letter])

    def _keep(self, received: Received) -> DeadLetter | None:
        model, decoder = self._decoders[received.topic_name]
        # It asks only for what both clients' messages have.
        read = decoder.read_by_model(cast("Message", received), 0)
        if isinstance(read, Refusal):
            return self._refuse(received, read)
        event = decode(model, received.raw_value)
        with self._transaction() as cursor:
            contradicts = self._kept.keep[model](cursor, event, self._clock.now())
        if contradicts is None:
            return None
        return self._refuse(received, Refusal(0, "conflict", contradicts))

    def _refuse(self, received: Received, refusal: Refusal) -> DeadLetter | None:
        """Write a dead letter; None where it is there already."""
        letter = dead_letters.make(
            self._stage, cast("Message", received), refusal, self._clock.now()
        )
        with self._transaction() as cursor:
            if rows(cursor, "SELECT FROM dead_letters WHERE id = %s", (letter.id,)):
                return None
            dead_letters.insert(cursor, [letter])
            told = Row(
                dead_letter_topic(letter.topic),
                letter.key,
                letter.value,
                letter.outgoing_headers(),
                self._kept.outbox.source,
            )
            self._kept.outbox.insert(cursor, [told])
        return letter

    @contextmanager
    def _transaction(self) -> Iterator[Cursor]:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._settings, application=f"{self._stage} keeps")
        connection = self._connection
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        except psycopg2.Error as error:
            found = classify(error)
            if not isinstance(found, BadContentError):
                # Whatever it was, the next one begins with a new connection.
                self._connection = None
                with suppress(psycopg2.Error):
                    connection.close()
            raise found from error

"""What a stage is: a handler, the topics it reads, the tables it writes.

To add a stage, copy a folder of ``services/``: ``handler.py`` subclasses
:class:`Handler`, ``service.py`` names everything in a :class:`Stage`. The
runtime owns the loop, the offsets, the transaction, the outbox, retries and
dead letters; a handler only says what a batch means.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar

from confluent_kafka import Message
from prometheus_client import CollectorRegistry

from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.events import Event
from trackrecord.events.base import EventType
from trackrecord.events.codec import Headers, encode, header, headers
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.decoding.batch import Batch
from trackrecord.runtime.decoding.decoder import Refusal, headers_of
from trackrecord.runtime.settings import Settings


@dataclass(frozen=True)
class Outgoing:
    """An event to publish once the batch's transaction is committed.

    Attributes:
        event_type: Names its topic.
        key: The Kafka key.
        value: The value, byte for byte.
        headers: The headers.
        position: The message of the batch that caused it.
    """

    event_type: EventType
    key: bytes
    value: bytes
    headers: Headers
    position: int

    @classmethod
    def of(
        cls,
        event: Event,
        *,
        source: str,
        position: int,
        cause: Message,
        now: datetime,
    ) -> Outgoing:
        """An event that a message of the batch causes, in the trace of that message.

        Args:
            event: What is published.
            source: Who publishes it, as in :func:`trackrecord.events.codec.headers`.
            position: Of the message in the batch.
            cause: The message.
            now: When it is published.
        """
        trace = header(headers_of(cause), "traceparent")
        return cls(
            event.event_type,
            event.key.encode(),
            encode(event),
            headers(event, source=source, time=now, traceparent=trace),
            position,
        )


@dataclass(frozen=True)
class Effects:
    """What a handler made of a batch, besides what it wrote.

    Attributes:
        refused: Messages that break a rule which only the tables could tell.
        outgoing: Events to publish, in order.
        after_commit: Called when the transaction is committed: the place for metrics.
    """

    refused: list[Refusal] = field(default_factory=list)
    outgoing: list[Outgoing] = field(default_factory=list)
    after_commit: Callable[[], None] | None = None


class Handler(ABC):
    """What a stage does with a batch, inside a transaction that the runtime owns.

    All verbs must give the same result when they are called again after a
    rollback, with the same batch or with the same messages in other batches.

    Attributes:
        temporary: Statements that make the temporary tables of a session, to be emptied at
            every commit.
        turn_seconds: For which one of the process's threads keeps the interpreter while
            another waits for it.
    """

    temporary: ClassVar[str] = ""
    turn_seconds: ClassVar[float] = 0.0005

    def prepare(self, batch: Batch) -> Any:  # noqa: B027 - many need nothing of the kind
        """Do what needs no database; the result becomes ``batch.prepared``.

        Another thread calls this while the batch before is still worked on: it must
        touch nothing that :meth:`load` and :meth:`apply` change.
        """

    @abstractmethod
    def load(self, batch: Batch, cursor: Cursor) -> None:
        """COPY the batch into temporary tables.

        No shared row may be locked here: a process that freezes inside a COPY
        keeps its locks until somebody ends its session.
        """

    @abstractmethod
    def apply(self, batch: Batch, cursor: Cursor) -> Effects:
        """Turn what was loaded into rows; set-based, keyed by business id and revision."""

    def forget(self) -> None:  # noqa: B027 - most handlers keep nothing
        """Drop what is kept in memory: the partitions or the truth may have changed."""


@dataclass(frozen=True)
class DerivedTable:
    """A table that replay rebuilds, and the part of it that must come out the same.

    Attributes:
        name: The table.
        content: A SELECT of what follows from the topics alone: no wall clock,
            no row order, decimals in one form (``trim_scale``), sums over lanes.
        key: The columns of it that tell its rows apart.
        setting: A column, and the setting whose value stands there in all rows that are made
            with it. Replay makes and compares the rows of the present setting; those that an
            earlier one has made stay beside them.
    """

    name: str
    content: str
    key: tuple[str, ...]
    setting: tuple[str, str] | None = None

    def within(self, settings: Settings) -> str:
        """SQL: which rows of the table replay makes under these settings."""
        if self.setting is None:
            return "true"
        column, name = self.setting
        value = str(getattr(settings, name)).replace("'", "''")
        return f"{column} = '{value}'"

    def under(self, settings: Settings) -> DerivedTable:
        """The part that replay makes under these settings."""
        if self.setting is None:
            return self
        content = f"SELECT * FROM ({self.content}) AS every WHERE {self.within(settings)}"
        return replace(self, content=content)


@dataclass(frozen=True)
class Context:
    """What a handler is made with.

    Attributes:
        settings: Of the process.
        registry: Where its metrics go.
        clock: What tells it the time.
    """

    settings: Settings
    registry: CollectorRegistry
    clock: Clock = SYSTEM_CLOCK


@dataclass(frozen=True)
class Stage:
    """A stage of the pipeline.

    Attributes:
        name: Its name, which is also its consumer group's and its folder's.
        consumes: The event types it reads; first the one that the others refer to, as
            after an absence what piled up there is read first.
        produces: The event types it publishes.
        handler: Makes its handler.
        tables: The tables it alone writes.
    """

    name: str
    consumes: tuple[type[Event], ...]
    produces: tuple[type[Event], ...]
    handler: Callable[[Context], Handler]
    tables: tuple[DerivedTable, ...]

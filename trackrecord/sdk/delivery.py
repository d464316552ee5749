"""What happened to an event, and the counts of a publisher."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Delivery:
    """The final word on one event that this publisher was given."""

    event_id: str
    """Its id (``ce_id``)."""
    topic: str
    """Where it went, or should have gone."""
    key: str
    """Its Kafka key."""
    status: Literal["delivered", "rejected", "refused"]
    """``delivered``: the brokers have it. ``rejected``: they will never take it, and it was
    written to ``rejected.jsonl`` in the spool. ``refused``: memory and spool were full, it was
    not taken and is gone."""
    partition: int | None = None
    """Where it lies, if it was delivered."""
    offset: int | None = None
    """Where it lies, if it was delivered."""
    error: str | None = None
    """Why it was not delivered."""


DeliveryCallback = Callable[[Delivery], None]


@dataclass(frozen=True, slots=True)
class Stats:
    """Counters of one publisher, at one moment."""

    accepted: int
    """Events that :meth:`~trackrecord.sdk.Publisher.publish` took."""
    delivered: int
    """Of these, what the brokers acknowledged."""
    rejected: int
    """Of these, what the brokers will never take."""
    refused: int
    """Events not taken, since memory and spool were full: lost."""
    waiting: int
    """Accepted or adopted events that the brokers have not acknowledged yet."""
    in_memory: int
    """Of these, how many are held in memory (and most of them on disk, too)."""
    unwritten: int
    """Of these, how many are in memory only: what a kill of the process would lose."""
    adopted: int
    """Events found in the spools of ended processes."""
    spool_bytes: int
    """Size of this publisher's own spool files, in bytes."""
    last_error: str | None
    """The latest trouble with brokers or disk."""

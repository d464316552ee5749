"""Reading one batch ahead: the next one is decoded while the database works on this one.

The database's answer is waited for without the interpreter's lock, so a thread
can decode meanwhile. What was fetched is believed only as long as the partitions
stay ours and their positions are not in doubt; after that it is fetched again.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from confluent_kafka import Message

from trackrecord.runtime.batch import Batch, Reader
from trackrecord.runtime.membership import Membership
from trackrecord.runtime.settings import Settings


@dataclass(frozen=True)
class Fetched:
    """Messages of a poll, and their batch as soon as it is read.

    Attributes:
        messages: In the order of each partition.
        reading: The batch, or the reading of it.
        era: The time, by :attr:`Membership.era`, in which they were fetched.
    """

    messages: Sequence[Message]
    reading: Future[Batch] | Batch
    era: int = 0

    @classmethod
    def of(cls, messages: Sequence[Message], reader: Reader) -> Fetched:
        """Messages, read here and now."""
        return cls(messages, reader.read(messages))

    @property
    def batch(self) -> Batch:
        """The batch; waits until it is read."""
        return self.reading.result() if isinstance(self.reading, Future) else self.reading


class Ahead:
    """Fetches and reads batches, one ahead of the one that is worked on."""

    def __init__(self, reader: Reader, member: Membership, settings: Settings) -> None:
        """Fetch nothing yet."""
        self._reader = reader
        self._member = member
        self._most = settings.batch_size
        self._wait = settings.batch_wait_ms / 1000
        self._thread = ThreadPoolExecutor(1, "read")
        self._next: Fetched | None = None

    def next(self) -> Fetched | None:
        """The batch to work on now; another is fetched already if there is one.

        Raises:
            HaltedError: What comes next is not on the topic any more.
            PassingError: The broker says that something is wrong for now.
        """
        waiting, self._next = self._next, None
        if waiting is None or waiting.era != self._member.era:
            waiting = self._fetch(self._wait)
        if waiting is not None:
            # Without waiting: what is here goes on at once when traffic is low.
            self._next = self._fetch(0)
            if waiting.era != self._member.era:
                return None  # that poll took our partitions away
        return waiting

    def close(self) -> None:
        """End the thread; what was fetched and not worked on is fetched by the next owner."""
        self._next = None
        self._thread.shutdown(cancel_futures=True)

    def _fetch(self, seconds: float) -> Fetched | None:
        messages = self._member.poll(self._most, seconds)
        if not messages:
            return None
        return Fetched(messages, self._thread.submit(self._reader.read, messages), self._member.era)

"""Reading one batch ahead: while much piles up, the next one is polled and read beside this one.

The database's answer is waited for without the interpreter's lock, so a thread
can poll and decode meanwhile. What was fetched is believed only as long as the
partitions stay ours and their positions are not in doubt; after that it is
fetched again.

A poll may find that partitions come or go. What is to be done then changes what
the loop works with, so it waits until the loop has finished its batch.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from confluent_kafka import Message

from trackrecord.runtime.decoding.batch import Batch, Reader
from trackrecord.runtime.loop.membership import Membership
from trackrecord.runtime.settings import Settings


@dataclass(frozen=True)
class Fetched:
    """Messages of a poll, and their batch.

    Attributes:
        messages: In the order of each partition; at least one.
        batch: What they say.
        era: The time, by :attr:`Membership.era`, in which they were fetched.
    """

    messages: Sequence[Message]
    batch: Batch
    era: int = 0

    @classmethod
    def of(cls, messages: Sequence[Message], reader: Reader, era: int = 0) -> Fetched:
        """Messages, read here and now."""
        return cls(messages, reader.read(messages), era)


class Ahead:
    """Fetches and reads batches, one ahead of the one that is worked on."""

    def __init__(self, reader: Reader, member: Membership, settings: Settings) -> None:
        """Fetch nothing yet."""
        self._reader = reader
        self._member = member
        self._most = settings.batch_size
        self._wait = settings.batch_wait_ms / 1000
        self._thread = ThreadPoolExecutor(1, "read", self._note_thread)
        self._thread_id: int | None = None
        self._poll: Future[tuple[Sequence[Message], int]] | None = None
        self._reading: Future[Fetched | None] | None = None
        self._between_batches = threading.Event()
        member.wait_for_turn = self._wait_for_turn

    def arrive(self) -> None:
        """Have the poll beside a batch end, with all that partitions coming or going asks for.

        To be called when the batch is done, well or not, and before the client is asked for
        anything: the client lets one thread wait for the other, which waits here.
        """
        if self._poll is not None:
            self._between_batches.set()
            wait([self._poll])
            self._between_batches.clear()

    def next(self) -> Fetched | None:
        """The batch to work on now; where much has piled up, another is on its way already.

        Raises:
            HaltedError: What comes next is not on the topic any more.
            PassingError: The broker says that something is wrong for now.
        """
        reading, self._poll, self._reading = self._reading, None, None
        fetched = reading.result() if reading is not None else None
        if fetched is None or fetched.era != self._member.era:
            messages = self._member.poll(self._most, self._wait)
            if not messages:
                return None
            fetched = Fetched.of(messages, self._reader, self._member.era)
        # Whoever has kept up polls when this batch is done: then everything that has come
        # meanwhile goes on at once, not the little that has come by now and the rest after it.
        if len(fetched.messages) >= self._most // 2:
            self._poll = self._thread.submit(self._fetch)
            self._reading = self._thread.submit(self._read, self._poll)
        return fetched

    def forget(self) -> None:
        """Drop what was fetched and not worked on; it is fetched again."""
        self._poll = self._reading = None

    def close(self) -> None:
        """End the thread; what was fetched and not worked on is fetched by the next owner."""
        self._thread.shutdown(cancel_futures=True)

    def _fetch(self) -> tuple[Sequence[Message], int]:
        return self._member.poll(self._most, 0), self._member.era

    def _read(self, poll: Future[tuple[Sequence[Message], int]]) -> Fetched | None:
        messages, era = poll.result()
        return Fetched.of(messages, self._reader, era) if messages else None

    def _wait_for_turn(self) -> None:
        if threading.get_ident() == self._thread_id:
            self._between_batches.wait()

    def _note_thread(self) -> None:
        self._thread_id = threading.get_ident()

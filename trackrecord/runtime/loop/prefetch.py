"""Reading one batch ahead: while much piles up, the next one is polled and read beside this one.

The database's answer is waited for without the interpreter's lock, so a thread
can poll and decode meanwhile. What was fetched is believed only as long as the
partitions stay ours and their positions are not in doubt; after that it is
fetched again.

A poll that finds that partitions come or go waits for the batch's end (:mod:`.turn`).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from confluent_kafka import Message

from trackrecord.runtime.decoding.batch import Batch, Reader
from trackrecord.runtime.loop.membership import Membership
from trackrecord.runtime.loop.turn import BetweenBatches
from trackrecord.runtime.settings import Settings


@dataclass(frozen=True)
class Fetched:
    """The batch of a poll.

    Attributes:
        batch: At least one message.
        era: The time, by :attr:`Membership.era`, in which it was fetched.
    """

    batch: Batch
    era: int


class Prefetch:
    """Fetches and reads batches, one ahead of the one that is worked on."""

    def __init__(
        self, reader: Reader, member: Membership, turn: BetweenBatches, settings: Settings
    ) -> None:
        """Fetch nothing yet.

        Args:
            reader: Reads messages into batches.
            member: Polls for them.
            turn: The same that the member waits for when partitions come or go.
            settings: Of the process.
        """
        self._reader = reader
        self._member = member
        self._turn = turn
        self._limit = settings.batch_size
        self._most = settings.batch_size
        self._wait = settings.batch_wait_ms / 1000
        self._thread = ThreadPoolExecutor(1, "read", turn.read_from_here)
        self._poll: Future[tuple[Sequence[Message], int]] | None = None
        self._reading: Future[Fetched | None] | None = None

    def arrive(self) -> None:
        """Have the poll beside a batch end, with all that partitions coming or going asks for.

        To be called when the batch is done, well or not, and before the client is asked for
        anything: the client lets one thread wait for the other, which waits here.
        """
        if self._poll is not None:
            with self._turn.opened():
                wait([self._poll])

    def fit(self, asked: int, taken: int) -> None:
        """Fetch as many messages as the database takes at once.

        Args:
            asked: How many the last batch had.
            taken: How many of them it took at once. If all, a few more are fetched next time, up
                to the setting: what made statements too long may be over.
        """
        if taken < asked:
            self._most = max(min(self._most, taken), 1)
        else:
            self._most = min(self._limit, self._most + 1 + self._most // 100)

    def next(self) -> Batch | None:
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
            fetched = Fetched(self._reader.read(messages), self._member.era)
        # Whoever has kept up polls when this batch is done: then everything that has come
        # meanwhile goes on at once, not the little that has come by now and the rest after it.
        if len(fetched.batch.messages) >= self._most // 2:
            self._poll = self._thread.submit(self._fetch)
            self._reading = self._thread.submit(self._read, self._poll)
        return fetched.batch

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
        return Fetched(self._reader.read(messages), era) if messages else None

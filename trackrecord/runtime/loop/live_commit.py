"""What a running stage commits with its effects: its offsets, its refusals and its outgoing events.

What is decided in the transaction (:mod:`trackrecord.runtime.loop.transaction`) is kept in a
:class:`LiveCommit` and believed once it is committed: an aborted batch leaves nothing behind here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from trackrecord.clock import Clock
from trackrecord.events import Event
from trackrecord.events.topics import dead_letter_topic
from trackrecord.runtime import dead_letters
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.dead_letters import DeadLetter, Limit
from trackrecord.runtime.decoding.batch import Batch, Reach, place_of, places_of
from trackrecord.runtime.decoding.decoder import Refusal
from trackrecord.runtime.loop.membership import Membership
from trackrecord.runtime.loop.transaction import CommitHooks
from trackrecord.runtime.loop.unread_messages import Unread
from trackrecord.runtime.metrics import (
    BATCH_SECONDS,
    BATCHES,
    DEAD_LETTERS,
    LAST_COMMIT_TIMESTAMP_SECONDS,
    MESSAGES,
    Metrics,
)
from trackrecord.runtime.outbox import Outbox, Row
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Effects


class LiveCommits:
    """Makes the hooks of each transaction of a running stage, and keeps what was committed."""

    def __init__(
        self,
        settings: Settings,
        member: Membership,
        outbox: Outbox,
        unread: Unread,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        """Begin with nothing refused.

        Args:
            settings: Of the process.
            member: Whose offsets move.
            outbox: Where events go that are to be published.
            unread: Says whether a topic was read to its end.
            metrics: Where batches are counted.
            clock: Says how long a batch takes.
        """
        self.settings = settings
        self.member = member
        self.outbox = outbox
        self.unread = unread
        self.metrics = metrics
        self.clock = clock
        self.limit = Limit(
            settings.dead_letters_in_a_row,
            settings.dead_letters_window,
            settings.dead_letters_share,
        )

    def begin(self, batch: Batch) -> LiveCommit:
        """Before the transaction of a batch: where its offsets move, if its messages are in order.

        Raises:
            PassingError: A message lies before our position.
        """
        return LiveCommit(self, batch)


class LiveCommit(CommitHooks):
    """The hooks of one transaction."""

    def __init__(self, every: LiveCommits, batch: Batch) -> None:
        """See where the offsets move, and ask whether the topics are still the same."""
        self._every = every
        self._messages = batch.messages
        self._started = every.clock.monotonic()
        self._moves = every.member.moves(batch.spans)
        # The answer comes while the database works; see confirm.
        every.member.identity.ask()

    def fence(self, cursor: Cursor, batch: Batch) -> Batch:
        """Move the offsets, which nobody can do to whom they do not belong any more."""
        member = self._every.member
        member.advance(cursor, self._moves)
        return replace(batch, reach=self._reach(cursor), lane=member.lane)

    def _reach(self, cursor: Cursor) -> Reach:
        every = self._every

        def topic(event: type[Event]) -> str:
            return every.settings.topic(event.event_type)

        return Reach(
            lambda *events: every.member.has_read_all(
                self._moves, [topic(event) for event in events]
            ),
            lambda event: not every.unread.any(cursor, topic(event)),
        )

    def write(
        self,
        cursor: Cursor,
        effects: Effects,
        refused: Sequence[Refusal],
        letters: Sequence[DeadLetter],
    ) -> None:
        """Write the outbox, and delete from it what the broker has acknowledged.

        Raises:
            HaltedError: Too much is refused.
        """
        outbox = self._every.outbox
        self._limit = self._every.limit.check(
            len(self._messages), [refusal.position for refusal in refused]
        )
        self._outgoing = outbox.insert(cursor, self._rows(effects, letters))
        self._forget_acknowledged = outbox.delete_acknowledged(cursor)

    def _rows(self, effects: Effects, letters: Sequence[DeadLetter]) -> list[Row]:
        outgoing = [
            Row(
                self._every.settings.topic(event.event_type),
                event.key,
                event.value,
                event.headers,
                place_of(self._messages[event.position]),
            )
            for event in effects.outgoing
        ]
        letters_out = [
            Row(
                dead_letter_topic(letter.topic),
                letter.key,
                letter.value,
                letter.outgoing_headers(),
                (letter.topic, letter.partition),
            )
            for letter in letters
        ]
        return outgoing + letters_out

    def confirm(self) -> None:
        """See that the topics are still those whose offsets these are.

        Raises:
            HaltedError: A topic was made anew.
            PassingError: A topic is away, or the broker does not answer.
        """
        self._every.member.identity.confirm()

    def committed(self, effects: Effects, letters: Sequence[DeadLetter]) -> None:
        """Believe it, publish what was committed, and count it."""
        every = self._every
        every.limit = self._limit
        every.member.advanced(self._moves)
        self._forget_acknowledged()
        every.outbox.send(self._outgoing)
        self._count(letters)
        dead_letters.log(letters)
        if effects.after_commit is not None:
            effects.after_commit()

    def _count(self, letters: Sequence[DeadLetter]) -> None:
        metrics, clock = self._every.metrics, self._every.clock
        topics = Counter(topic for topic, _ in places_of(self._messages))
        for topic, count in topics.items():
            metrics.count(MESSAGES, count, topic=topic)
        for letter in letters:
            metrics.count(DEAD_LETTERS, topic=letter.topic, error_class=letter.error_class)
        metrics.count(BATCHES)
        metrics.observe(BATCH_SECONDS, clock.monotonic() - self._started)
        metrics.set(LAST_COMMIT_TIMESTAMP_SECONDS, clock.now().timestamp())

"""One batch, one transaction: what every batch goes through, live or in a replay.

1. load: the handler COPYs the columns into temporary tables, locking nothing shared;
2. fence: a live stage moves its offsets here, if they are still its own;
3. apply: the handler turns what was loaded into rows, and says what to publish;
4. dead letters and outgoing events are written;
5. commit: 2 to 4 become true together, or not at all.

Where the database refuses a value, the batch is cut in halves, until the one message that it
refuses is found; that one becomes a dead letter, and all others have their effects. Where it ends a
statement for its length, the batch is done in halves, too, until it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import psycopg2
from confluent_kafka import Message

from trackrecord.clock import Clock
from trackrecord.runtime import database, dead_letters
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.dead_letters import DeadLetter
from trackrecord.runtime.decoding.batch import Batch, Reader
from trackrecord.runtime.decoding.decoder import Refusal
from trackrecord.runtime.errors import BadContentError, FatalError, TooSlowError
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.loop.session import Session
from trackrecord.runtime.stage import Effects, Handler

_log = get_logger(__name__)


class CommitHooks:
    """What one transaction does besides the handler's effects; in a replay, nothing.

    A live stage's are :class:`~trackrecord.runtime.loop.live_commit.LiveCommit`.
    """

    def fence(self, _cursor: Cursor, batch: Batch) -> Batch:
        """Before the handler applies the batch: see that it may, and say where the batch lies."""
        return batch

    def write(
        self,
        cursor: Cursor,
        effects: Effects,
        refused: Sequence[Refusal],
        letters: Sequence[DeadLetter],
    ) -> None:
        """Write what belongs to the same transaction, or raise to have all of it undone."""

    def confirm(self) -> None:
        """Just before the commit: raise to have all of it undone."""

    def committed(self, effects: Effects, letters: Sequence[DeadLetter]) -> None:
        """After the commit."""


class Transactions:
    """Gives batches of a stage their effects, each once."""

    def __init__(
        self,
        stage: str,
        handler: Handler,
        reader: Reader,
        session: Session,
        begin: Callable[[Batch], CommitHooks],
        clock: Clock,
    ) -> None:
        """Prepare.

        Args:
            stage: The stage's name, for its dead letters.
            handler: What it does with a batch.
            reader: Reads the parts of a batch again.
            session: Where its tables are.
            begin: Called with each batch before its transaction is begun.
            clock: Says when a dead letter was first seen.
        """
        self._stage = stage
        self._handler = handler
        self._reader = reader
        self._session = session
        self._begin = begin
        self._clock = clock

    def apply(self, batch: Batch) -> int:
        """Commit a batch; messages that the database refuses are found and refused alone.

        Returns:
            How many messages it took at once before a statement became too long for it; all, where
            none did.

        Raises:
            PassingError: To be tried again, from where the offsets stand.
            FencedError: The offsets are not ours any more.
            FatalError: The database refuses, and not for one message.
        """
        try:
            self._commit(batch)
        except TooSlowError as error:
            return self._halve(batch.messages, error)
        except BadContentError as error:
            self._undo()
            self._search(batch.messages, error)
        return len(batch.messages)

    def _halve(self, messages: Sequence[Message], error: TooSlowError) -> int:
        """Do in two what the database does not do at once; one message alone is tried again."""
        if len(messages) == 1:
            raise error
        self._undo()
        _log.warning("halving the batch", messages=len(messages), reason=str(error))
        middle = len(messages) // 2
        halves = (messages[:middle], messages[middle:])
        return min([self.apply(self._reader.read(half)) for half in halves])

    def _search(self, messages: Sequence[Message], error: BadContentError) -> None:
        """Find the message that the database refuses, and give all others their effects."""
        if len(messages) == 1:
            self._refuse(messages, f"the database refuses it: {error}")
            return
        middle = len(messages) // 2
        for half in (messages[:middle], messages[middle:]):
            self.apply(self._reader.read(half))

    def _refuse(self, messages: Sequence[Message], reason: str) -> None:
        try:
            self._commit(self._reader.unread(messages), Refusal(0, "refused", reason))
        except BadContentError as error:
            raise FatalError(f"the database refuses even a dead letter: {error}") from error

    def _commit(self, batch: Batch, refusal: Refusal | None = None) -> None:
        """Do all of it once; with a refusal, the batch has no other effect."""
        hooks = self._begin(batch)
        connection = self._session.connection()
        try:
            with connection.cursor() as cursor:
                if refusal is None:
                    self._handler.load(batch, cursor)
                placed = hooks.fence(cursor, batch)
                effects = Effects() if refusal else self._handler.apply(placed, cursor)
                refused = [refusal] if refusal else [*batch.refused, *effects.refused]
                letters = self._letters(batch.messages, refused)
                hooks.write(cursor, effects, refused, letters)
                dead_letters.insert(cursor, letters)
            hooks.confirm()
            connection.commit()
        except psycopg2.Error as error:
            raise database.classify(error) from error
        hooks.committed(effects, letters)

    def _undo(self) -> None:
        self._session.rollback()
        self._handler.forget()

    def _letters(self, messages: Sequence[Message], refused: Sequence[Refusal]) -> list[DeadLetter]:
        now = self._clock.now()
        return [
            dead_letters.make(self._stage, messages[each.position], each, now)
            for each in sorted(refused, key=lambda each: each.position)
        ]

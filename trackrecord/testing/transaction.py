"""A stage's member as the runtime has it: one handler, one session, one transaction a batch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from confluent_kafka import Message
from prometheus_client import CollectorRegistry

from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.runtime import database
from trackrecord.runtime.database import Connection, Cursor
from trackrecord.runtime.dead_letters import DeadLetter
from trackrecord.runtime.decoding.batch import Batch, Reader
from trackrecord.runtime.decoding.decoder import Refusal
from trackrecord.runtime.errors import PassingError
from trackrecord.runtime.loop.session import Session
from trackrecord.runtime.loop.transaction import CommitHooks, Transactions
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context, Effects, Outgoing, Stage

_TRIES = 50
"""How often a batch is tried again that another member stood in the way of."""


class _Crash(Exception):  # noqa: N818 - an end, not an error
    """The member ends between what it has written and its commit."""


class Member:
    """One member of a stage's consumer group, whose batches the test hands to it."""

    def __init__(
        self, stage: Stage, settings: Settings, lane: int = 0, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        """Make its handler; its session is opened with the first batch.

        Args:
            stage: The stage.
            settings: Where its tables are.
            lane: Which rows of sums it adds to.
            clock: Tells it the time.
        """
        self._stage = stage
        self._settings = settings
        self._lane = lane
        self._clock = clock
        self._crash = False
        self.outgoing: list[Outgoing] = []
        """What it has published, in order."""
        self._begin()

    def _begin(self) -> None:
        self.handler = self._stage.handler(
            Context(self._settings, CollectorRegistry(), self._clock)
        )
        self._session = Session(
            partial(
                database.connect,
                self._settings,
                application="test",
                batches=self.handler.temporary,
            )
        )
        # Its messages are of no broker: the topics' names are without prefix.
        self._reader = Reader(self._stage.consumes, prepare=self.handler.prepare)
        self._transactions = Transactions(
            self._stage.name,
            self.handler,
            self._reader,
            self._session,
            lambda batch: _Hooks(self, batch),
            self._clock,
        )

    @property
    def connection(self) -> Connection:
        """Its session with the database."""
        return self._session.connection()

    def apply(self, messages: Sequence[Message]) -> list[Refusal]:
        """Give messages their effects, as the loop does: again where another was in the way.

        Returns:
            What was refused, by its place among the messages, or in the part of them that was
            applied alone because the database refuses one.

        Raises:
            PassingError: Another was in the way for too long.
            FatalError: The database refuses the stage's statements.
        """
        for tried in range(1, _TRIES + 1):
            self._refused: list[Refusal] = []
            try:
                self._transactions.apply(self._reader.read(messages))
            except PassingError:
                self._session.rollback()
                self.handler.forget()
                if tried == _TRIES:
                    raise
            else:
                break
        return self._refused

    def crash(self, messages: Sequence[Message]) -> None:
        """End just before the commit of these messages, and begin anew with an empty memory."""
        self._crash = True
        try:
            with suppress(_Crash):
                self.apply(messages)
        finally:
            self._crash = False
        self.close()
        self._begin()

    def close(self) -> None:
        """Close the session."""
        self._session.close()

    # -- called by its hooks ------------------------------------------------------------------

    def place(self, batch: Batch) -> Batch:
        """The batch, for this member's lane."""
        return replace(batch, lane=self._lane)

    def before_commit(self) -> None:
        """End here, if that is wanted."""
        if self._crash:
            raise _Crash

    def note(self, effects: Effects, refused: Sequence[Refusal]) -> None:
        """Keep what a committed batch came to."""
        self._refused += refused
        self.outgoing += effects.outgoing
        if effects.after_commit is not None:
            effects.after_commit()


class _Hooks(CommitHooks):
    """What a live stage does around a batch, as far as it shows in tables and outgoing events."""

    def __init__(self, member: Member, batch: Batch) -> None:
        self._member = member
        self._batch = batch
        self._refused: Sequence[Refusal] = ()

    def fence(self, _cursor: Cursor, batch: Batch) -> Batch:
        return self._member.place(batch)

    def write(
        self,
        cursor: Cursor,
        effects: Effects,
        refused: Sequence[Refusal],
        letters: Sequence[DeadLetter],
    ) -> None:
        super().write(cursor, effects, refused, letters)
        self._refused = refused

    def confirm(self) -> None:
        self._member.before_commit()

    def committed(self, effects: Effects, letters: Sequence[DeadLetter]) -> None:
        super().committed(effects, letters)
        self._member.note(effects, self._refused)

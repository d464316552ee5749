"""A stage's member as the runtime has it: one handler, one session, one transaction a batch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psycopg2
from confluent_kafka import Message
from prometheus_client import CollectorRegistry

from trackrecord.runtime import database
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.decoding.batch import Batch, Reader
from trackrecord.runtime.errors import PassingError
from trackrecord.runtime.replay import replay
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context, Effects, Handler, Outgoing, Stage

_TRIES = 50
"""How often a batch is tried again that another member stood in the way of."""


class _Crash(Exception):  # noqa: N818 - an end, not an error
    """The member ends between what it has written and its commit."""


class _Watched(Handler):
    """A handler, what came of it, and an end at the wrong moment where one is wanted."""

    def __init__(self, handler: Handler, lane: int) -> None:
        self._handler = handler
        self._lane = lane
        self.temporary = handler.temporary  # type: ignore[misc]
        self.crash = False
        self.effects: list[Effects] = []

    def prepare(self, batch: Batch) -> Any:
        return self._handler.prepare(batch)

    def load(self, batch: Batch, cursor: Cursor) -> None:
        self._handler.load(batch, cursor)

    def apply(self, batch: Batch, cursor: Cursor) -> Effects:
        effects = self._handler.apply(replace(batch, lane=self._lane), cursor)
        if self.crash:
            raise _Crash
        self.effects.append(effects)
        return effects

    def forget(self) -> None:
        self._handler.forget()


class Member:
    """One member of a stage's consumer group, whose batches the test hands to it."""

    def __init__(self, stage: Stage, settings: Settings, lane: int = 0) -> None:
        """Make its handler and open its session.

        Args:
            stage: The stage.
            settings: Where its tables are.
            lane: Which rows of sums it adds to.
        """
        self._stage = stage
        self._settings = settings
        self._lane = lane
        self.outgoing: list[Outgoing] = []
        self._begin()

    def _begin(self) -> None:
        self.handler = self._stage.handler(Context(self._settings, CollectorRegistry()))
        self._watched = _Watched(self.handler, self._lane)
        self._reader = Reader(
            self._stage.consumes, self._settings.topic_prefix, self._watched.prepare
        )
        self._connection = database.connect(
            self._settings, application="test", batches=self.handler.temporary
        )

    def apply(self, messages: Sequence[Message]) -> None:
        """Give messages their effects, as the loop does: again where another was in the way.

        Raises:
            PassingError: Another was in the way for too long.
            FatalError: The database refuses the stage's statements.
        """
        for _ in range(_TRIES):
            try:
                self._apply(messages)
            except PassingError as error:
                last = error
                self._give_up()
            else:
                return
        raise last

    def crash(self, messages: Sequence[Message]) -> None:
        """End just before the commit of these messages, and begin anew with an empty memory."""
        self._watched.crash = True
        with suppress(_Crash):
            self._apply(messages)
        self.close()
        self._begin()

    def close(self) -> None:
        """Close the session."""
        self._connection.close()

    def _apply(self, messages: Sequence[Message]) -> None:
        self._watched.effects.clear()
        replay._apply(  # noqa: SLF001 - the one place that applies a batch
            self._stage, self._watched, self._reader, self._connection, messages
        )
        for effects in self._watched.effects:
            self.outgoing += effects.outgoing
            if effects.after_commit is not None:
                effects.after_commit()

    def _give_up(self) -> None:
        with suppress(psycopg2.Error):
            self._connection.rollback()
        if self._connection.closed:
            self._connection = database.connect(
                self._settings, application="test", batches=self.handler.temporary
            )
        self.handler.forget()

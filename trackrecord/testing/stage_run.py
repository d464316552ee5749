"""A stage's batches against real tables, and whether their order, repeats and cuts matter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

from confluent_kafka import Message

from trackrecord.events import Event
from trackrecord.events.codec import decode
from trackrecord.events.registry import EVENTS
from trackrecord.runtime import database
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import DerivedTable, Stage
from trackrecord.testing.arrangements import Arrangement, arrangements, as_given
from trackrecord.testing.messages import AnyEvent, as_messages
from trackrecord.testing.transaction import Member

Row = dict[str, Any]

_SHOWN = 3
"""Rows of a difference that a failed test shows."""


class Refused(NamedTuple):
    """A message that became a dead letter."""

    position: int
    """Which of the messages it was, in the order in which they were handed over."""
    error_class: str
    reason: str


class StageRun:
    """A stage, and the database that its batches are applied in.

    Example:
        >>> run = StageRun(STAGE, settings).of([entry, exit_])
        >>> run.rows("signals")
        >>> run.agrees_in_any_order()
    """

    def __init__(self, stage: Stage, settings: Settings, *, emptied: bool = True) -> None:
        """Choose the stage.

        Args:
            stage: Of the data plane: ``services.<name>.service.STAGE``.
            settings: Where the tables are, as :func:`scratch_database` gives them.
            emptied: Whether each run begins by deleting what is in the stage's own tables and
                among its dead letters; else it goes on from there.
        """
        self.stage = stage
        self.settings = settings
        self._emptied = emptied

    def of(
        self,
        events: Iterable[AnyEvent],
        *,
        batches: Sequence[int] | None = None,
        consumers: int = 1,
    ) -> AppliedRun:
        """Apply events in their order.

        Args:
            events: Models, or dicts as ``trackrecord publish`` takes them.
            batches: How many of them each batch holds; by default one batch holds all.
            consumers: How many members take the batches in turn.

        Raises:
            FatalError: The database refuses the stage's statements.
        """
        events = list(events)
        return self.arranged(events, as_given(len(events), batches, consumers=consumers))

    def arranged(self, events: Sequence[AnyEvent], how: Arrangement) -> AppliedRun:
        """Apply events in some arrangement.

        Raises:
            FatalError: The database refuses the stage's statements.
        """
        if self._emptied:
            self._empty()
        messages = as_messages([events[index] for index in how.order])
        outgoing = self._apply(messages, how)
        return AppliedRun(self, list(events), tuple(messages), tuple(outgoing))

    def content(self) -> dict[str, list[Row]]:
        """Each table's content as replay compares it, in an order that follows from it."""
        return {table.name: self.rows(table) for table in self.stage.tables}

    def rows(self, table: DerivedTable) -> list[Row]:
        """The content of one table, by its key."""
        content = table.under(self.settings).content
        with database.session(self.settings, application="test") as cursor:
            cursor.execute(f"SELECT * FROM ({content}) AS content ORDER BY content::text")
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def refused(self, messages: Sequence[Message]) -> list[Refused]:
        """What of these messages stands among the dead letters, in their order."""
        at = {
            (message.topic(), message.partition(), message.offset()): index
            for index, message in enumerate(messages)
        }
        with database.session(self.settings, application="test") as cursor:
            found = database.rows(
                cursor,
                "SELECT topic, partition, log_offset, error_class, reason FROM dead_letters"
                " WHERE stage = %s",
                (self.stage.name,),
            )
        # In tables that were not emptied there are letters of earlier runs, too.
        return sorted(Refused(at[row[:3]], *row[3:]) for row in found if row[:3] in at)

    def _empty(self) -> None:
        with database.session(self.settings, application="test") as cursor:
            for table in self.stage.tables:
                cursor.execute(f'DELETE FROM "{table.name}"')
            cursor.execute("DELETE FROM dead_letters WHERE stage = %s", (self.stage.name,))

    def _apply(self, messages: Sequence[Message], how: Arrangement) -> list[Any]:
        """All batches, each by the member whose turn it is; what they published, by member."""
        members = [Member(self.stage, self.settings, lane) for lane in range(how.consumers)]
        batches = [[messages[index] for index in batch] for batch in how.batches()]

        def work(of: int | None) -> None:
            for at, batch in enumerate(batches):
                turn = at % how.consumers
                if of is None or turn == of:
                    if at in how.crash_at:
                        members[turn].crash(batch)
                    members[turn].apply(batch)

        try:
            if how.at_once and how.consumers > 1:
                with ThreadPoolExecutor(how.consumers) as pool:
                    list(pool.map(work, range(how.consumers)))
            else:
                work(None)
        finally:
            for member in members:
                member.close()
        return [outgoing for member in members for outgoing in member.outgoing]


@dataclass(frozen=True)
class AppliedRun:
    """What came of a run.

    Attributes:
        run: The stage and its database.
        events: What was applied.
        messages: As which it was applied.
        published: The outgoing events, as they would go to the topics.
    """

    run: StageRun
    events: list[AnyEvent]
    messages: tuple[Message, ...]
    published: tuple[Any, ...]

    def rows(self, table: str) -> list[Row]:
        """The content of a table of the stage, by its name.

        Raises:
            KeyError: The stage has no such table.
        """
        return self.run.rows({each.name: each for each in self.run.stage.tables}[table])

    @property
    def refused(self) -> list[Refused]:
        """The dead letters, by the position of their message."""
        return self.run.refused(self.messages)

    @property
    def outgoing(self) -> list[Event]:
        """The events that the stage publishes, as models."""
        return [decode(EVENTS[each.event_type], each.value) for each in self.published]

    def agrees_in_any_order(self, *, orders: int = 3, seed: int = 0) -> AppliedRun:
        """Check that order, repeats, cuts, a second consumer and crashes change no table.

        Which of two contradicting events counts depends on their order, by decision: give it
        events without conflicts.

        Args:
            orders: How many random orders to try, each with one consumer and with two.
            seed: Of what is drawn.

        Returns:
            Itself, its events applied once more as they were given.

        Raises:
            AssertionError: A table came out otherwise; it says how, and in which arrangement.
        """
        expected = self.run.content()
        for how in arrangements(len(self.events), seed, orders):
            self.run.arranged(self.events, how)
            _same(self.run, expected, how)
        return self.run.arranged(self.events, as_given(len(self.events)))


def _same(run: StageRun, expected: dict[str, list[Row]], how: Arrangement) -> None:
    for table, rows in run.content().items():
        if rows == expected[table]:
            continue
        missing = [row for row in expected[table] if row not in rows][:_SHOWN]
        new = [row for row in rows if row not in expected[table]][:_SHOWN]
        raise AssertionError(
            f"{run.stage.name}, {how.name}: {table} came out otherwise\n"
            + "".join(f"  missing: {row}\n" for row in missing)
            + "".join(f"  instead: {row}\n" for row in new)
        )

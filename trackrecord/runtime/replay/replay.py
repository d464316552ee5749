"""Replay: the derived tables once more, from the topics, to the last digit.

Every stage's handler reads the topics from their beginning to the offsets that
the live tables stand at, into a scratch schema. Nothing is published. What the
tables must agree on is each :class:`DerivedTable`'s ``content``; the live side
is read in the same snapshot as the offsets, so live traffic may go on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Protocol

from confluent_kafka import Consumer, TopicPartition
from prometheus_client import CollectorRegistry

from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.runtime import database, kafka
from trackrecord.runtime.admin.migrate import migrate
from trackrecord.runtime.database import Connection, rows
from trackrecord.runtime.decoding.batch import Partition, Reader, place_of
from trackrecord.runtime.errors import PassingError
from trackrecord.runtime.loop.session import Session
from trackrecord.runtime.loop.transaction import CommitHooks, Transactions
from trackrecord.runtime.replay.comparison import Difference, Digest, compare, digest
from trackrecord.runtime.replay.scratch import Scratch
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context, DerivedTable, Stage

_APPLICATION = "trackrecord replay"
_STALLED_SECONDS = 30.0

DEAD_LETTERS = DerivedTable(
    "dead_letters",
    "SELECT id, stage, topic, partition, log_offset, appended_at, key, value, headers,"
    " error_class, reason, attempt FROM dead_letters",
    key=("id",),
)
"""Refusals follow from the topics too; when they were first seen does not."""


class Progress(Protocol):
    """Told how far a stage is."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """``done`` of ``total`` messages of a stage are read."""


class Replay:
    """One replay, into a schema of its own that is dropped at the end."""

    def __init__(
        self, settings: Settings, stages: Sequence[Stage], clock: Clock = SYSTEM_CLOCK
    ) -> None:
        """Prepare; see :meth:`verify` and :meth:`rebuild`."""
        self._settings = settings
        self._clock = clock
        self._stages = stages
        self._schema = Scratch(settings)
        self.schema = self._schema.name
        """The name of the schema that it works in."""

    def verify(self, progress: Progress) -> dict[str, Difference]:
        """Compare the live tables with what the topics come to; changes nothing.

        Raises:
            PassingError: Broker or database do not answer.
            FatalError: The topics do not hold what the tables were made from.
        """
        with self._schema, ExitStack() as opened:
            snapshot = self._connect()
            opened.callback(snapshot.close)
            snapshot.set_session(isolation_level="REPEATABLE READ", readonly=True)
            with snapshot.cursor() as cursor:
                ends = _offsets(cursor, self._stages)
                recorded = self._digests(cursor, progress)
            migrate(self._settings, self.schema)
            self._read({}, ends, progress)
            return self._compare(snapshot, recorded, progress)

    def rebuild(self, progress: Progress) -> dict[str, Difference]:
        """Make the live tables anew; running stages are fenced and go on from there.

        Returns:
            What was different before.
        """
        with self._schema, ExitStack() as opened:
            live = self._connect()
            opened.callback(live.close)
            with live.cursor() as cursor:
                ends = _offsets(cursor, self._stages)
            live.rollback()
            migrate(self._settings, self.schema)
            self._read({}, ends, progress)
            with live, live.cursor() as cursor:
                # Whoever moves an offset needs this lock: from here on nothing is applied.
                cursor.execute("LOCK TABLE consumer_offsets IN EXCLUSIVE MODE")
                final = _offsets(cursor, self._stages)
                self._read(ends, final, progress)
                recorded = self._digests(cursor, progress)
                result = self._compare(live, recorded, progress)
                for table in self._tables():
                    self._swap(cursor, table)
                cursor.execute("UPDATE consumer_offsets SET epoch = epoch + 1")
            return result

    def _tables(self) -> list[DerivedTable]:
        tables = [table.under(self._settings) for each in self._stages for table in each.tables]
        return [*tables, DEAD_LETTERS]

    def _connect(self, schema: str | None = None, *, batches: str | None = None) -> Connection:
        return database.connect(
            self._settings, application=_APPLICATION, schema=schema, batches=batches
        )

    def _swap(self, cursor: database.Cursor, table: DerivedTable) -> None:
        if table == DEAD_LETTERS:
            # When a letter was first seen, replayed and dismissed are facts that the topics do not
            # hold.
            cursor.execute(
                f'UPDATE "{self.schema}".dead_letters AS n SET first_seen = o.first_seen,'
                " replayed_at = o.replayed_at, dismissed_at = o.dismissed_at,"
                " dismissed_why = o.dismissed_why FROM dead_letters AS o WHERE o.id = n.id"
            )
        # To empty a table is faster than to delete its rows.
        cursor.execute(
            f'TRUNCATE "{table.name}"'
            if table.setting is None
            else f'DELETE FROM "{table.name}" WHERE {table.within(self._settings)}'
        )
        cursor.execute(f'INSERT INTO "{table.name}" SELECT * FROM "{self.schema}"."{table.name}"')

    # -- reading the topics -------------------------------------------------------------------

    def _read(
        self,
        begins: dict[tuple[str, Partition], int],
        ends: dict[tuple[str, Partition], int],
        progress: Progress,
    ) -> None:
        for stage in self._stages:
            spans = {
                place: (begins.get((stage.name, place), 0), end)
                for (name, place), end in ends.items()
                if name == stage.name and end > begins.get((name, place), 0)
            }
            total = sum(end - begin for begin, end in spans.values())
            progress(stage.name, 0, total)
            if spans:
                self._read_stage(stage, spans, partial(progress, stage.name, total=total))

    def _read_stage(
        self,
        stage: Stage,
        spans: dict[Partition, tuple[int, int]],
        progress: Callable[..., None],
    ) -> None:
        consumer = Consumer(
            {
                **kafka.consumer_config(self._settings, f"replay-{self.schema}"),
                "enable.partition.eof": True,
            }
        )
        handler = stage.handler(Context(self._settings, CollectorRegistry(), self._clock))
        session = Session(partial(self._connect, self.schema, batches=handler.temporary))
        reader = Reader(stage.consumes, self._settings.topic_prefix, handler.prepare)
        transactions = Transactions(
            stage.name, handler, reader, session, lambda _batch: CommitHooks(), self._clock
        )
        left = dict(spans)
        done = 0
        last = self._clock.monotonic()
        try:
            consumer.assign([TopicPartition(*place, begin) for place, (begin, _) in left.items()])
            while left:
                messages = []
                for message in consumer.consume(self._settings.batch_size, 0.1):
                    place = place_of(message)
                    error = message.error()
                    if error is not None:
                        if error.code() == kafka.PARTITION_EOF:
                            left.pop(place, None)
                            continue
                        raise kafka.classify(error)
                    end = spans[place][1]
                    offset = message.offset() or 0
                    if offset < end:
                        messages.append(message)
                    if offset >= end - 1:
                        left.pop(place, None)
                if messages:
                    transactions.apply(reader.read(messages))
                    done += len(messages)
                    progress(done=done)
                    last = self._clock.monotonic()
                elif self._clock.monotonic() - last > _STALLED_SECONDS:
                    raise PassingError("the broker has not sent anything for 30 s")
        finally:
            consumer.close()
            session.close()

    # -- comparing ----------------------------------------------------------------------------

    def _digests(self, cursor: database.Cursor, progress: Progress) -> dict[str, Digest]:
        tables = self._tables()
        found: dict[str, Digest] = {}
        for place, table in enumerate(tables):
            progress("reading the live tables", place, len(tables))
            found[table.name] = digest(cursor, table)
        progress("reading the live tables", len(tables), len(tables))
        return found

    def _compare(
        self, live: Connection, recorded: dict[str, Digest], progress: Progress
    ) -> dict[str, Difference]:
        scratch = self._connect(self.schema)
        tables = self._tables()
        found: dict[str, Difference] = {}
        try:
            with live.cursor() as before, scratch.cursor() as after:
                for place, table in enumerate(tables):
                    progress("comparing tables", place, len(tables))
                    found[table.name] = compare(before, after, table, recorded[table.name])
                progress("comparing tables", len(tables), len(tables))
        finally:
            scratch.close()
        return found


def _offsets(cursor: database.Cursor, stages: Sequence[Stage]) -> dict[tuple[str, Partition], int]:
    found = rows(
        cursor,
        "SELECT stage, topic, partition, next_offset FROM consumer_offsets WHERE stage = ANY(%s)",
        ([stage.name for stage in stages],),
    )
    return {(stage, (topic, partition)): at for stage, topic, partition, at in found}

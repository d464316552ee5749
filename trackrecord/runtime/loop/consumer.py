"""The loop of the data plane: from a poll to a commit, and whatever comes between.

What happens to a batch, in order:

1. poll: up to ``batch_size`` messages of the partitions that are ours;
2. read: messages to columns; what cannot be read is refused with a reason; the handler
   prepares what needs no database. While much piles up, both happen in a thread beside
   the batch before, which mostly waits for the database;
3. load: the handler COPYs the columns into temporary tables, locking nothing shared;
4. fence: the offsets move from where we left them, if the epoch is still ours;
5. apply: the handler turns what was loaded into rows, and says what to publish;
6. dead letters, outgoing events and acknowledged ones are written or deleted;
7. commit, if the topics are still those that were taken up: 4 to 6 become true
   together, or not at all;
8. publish what was committed; tell Kafka the offsets, for tools that look there.

After an abort or a lost reply nothing in memory is believed: the positions are
read again from the database, and so are the messages from the broker.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import psycopg2
from confluent_kafka import Message

from trackrecord.events import Event
from trackrecord.events.topics import dead_letter_topic
from trackrecord.runtime import clock, database, dead_letters, kafka
from trackrecord.runtime.dead_letters import DeadLetter, Limit
from trackrecord.runtime.decoding.batch import Batch, Partition, Reach, Reader, place_of, places_of
from trackrecord.runtime.decoding.decoder import Refusal
from trackrecord.runtime.errors import (
    BadContentError,
    FatalError,
    FencedError,
    PassingError,
    TrackrecordError,
)
from trackrecord.runtime.health import Health
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.loop.membership import Membership
from trackrecord.runtime.loop.prefetch import Ahead, Fetched
from trackrecord.runtime.loop.unread_messages import Unread
from trackrecord.runtime.metrics import Metrics
from trackrecord.runtime.outbox import Outbox, Row
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Effects, Handler, Stage

_log = get_logger(__name__)

T = TypeVar("T")

_REPORT_SECONDS = 0.5
_DRAIN_SECONDS = 5.0


class Consumer:
    """One member of a stage's consumer group."""

    def __init__(
        self, stage: Stage, handler: Handler, settings: Settings, metrics: Metrics, health: Health
    ) -> None:
        """Prepare; nothing is reached before :meth:`run`."""
        self._stage = stage
        self._handler = handler
        self._settings = settings
        self._metrics = metrics
        self._health = health
        self._reader = Reader(stage.consumes, settings.topic_prefix, self._handler.prepare)
        self._limit = Limit(
            settings.dead_letters_in_a_row,
            settings.dead_letters_window,
            settings.dead_letters_share,
        )
        self._member = Membership(stage.name, self._reader.topics, settings, self._on_leaving)
        self._unread = Unread(stage.name, settings)
        self._ahead = Ahead(self._reader, self._member, settings)
        self._outbox = Outbox(stage.name, kafka.client_config(settings, stage.name))
        self._connection: database.Connection | None = None
        self._resend = False
        self._stopping = threading.Event()
        self._asked_by: str | None = None
        self._next_report = 0.0

    # -- the loop ---------------------------------------------------------------------------

    def stop(self, signal: str | None = None) -> None:
        """Ask the loop to finish its batch and end; may be called from a signal handler.

        Args:
            signal: What asks for it, for the log.
        """
        self._asked_by = signal
        self._stopping.set()

    def run(self) -> None:
        """Work until told to stop.

        Raises:
            FatalError: The process cannot go on; its message says why.
        """
        self._member.join()
        waits = clock.backoff()
        try:
            while not self._stopping.is_set():
                try:
                    if self._turn():
                        waits = clock.backoff()
                except FencedError as error:
                    self._leave_and_rejoin(error)
                except PassingError as error:
                    self._start_over(error)
                    self._idle(next(waits))
            _log.info("stopping", signal=self._asked_by)
        finally:
            self._close()

    def _turn(self) -> bool:
        """One round: settle an assignment, or do a batch. True if something was committed."""
        self._health.last_turn = clock.monotonic()
        if self._member.unsettled:
            self._settle()
        self._member.insist()
        self._outbox.serve()
        if self._outbox.backlog > self._settings.outbox_backlog:
            self._idle(0.1)
            return False
        fetched = self._ahead.next()
        if fetched is not None:
            try:
                self._process(fetched)
            finally:
                self._ahead.arrive()
        elif self._connection is not None:
            self._in_database(self._outbox.tidy)
        self._report()
        return fetched is not None

    def _settle(self) -> None:
        """Take up partitions from where their effects end, and send what their outbox holds."""
        self._handler.forget()
        if self._in_database(self._member.settle):
            self._metrics.count("trackrecord_rebalances_total")
            self._resend = True
        if self._resend:
            claimed = list(self._member.claims)
            self._in_database(lambda connection: self._outbox.resend(connection, claimed))
            self._resend = False
        self._ready(None)

    def _start_over(self, error: TrackrecordError) -> None:
        """After an abort: believe nothing in memory."""
        _log.warning("will try again", error=str(error))
        self._metrics.count("trackrecord_retries_total")
        self._ahead.forget()
        self._rollback()
        self._handler.forget()
        self._member.distrust()
        # A commit whose reply was lost has left rows that were never sent.
        self._resend = True
        self._ready(str(error))

    def _leave_and_rejoin(self, error: TrackrecordError) -> None:
        _log.warning("fenced: leaving the group and joining again", error=str(error))
        self._metrics.count("trackrecord_fenced_total")
        self._ahead.forget()
        self._rollback()
        self._handler.forget()
        self._ready(str(error))
        self._member.leave()
        # A client that is closed while it joins ends the process.
        if not self._stopping.is_set():
            self._member.join()

    def _on_leaving(self, ours: bool) -> None:
        # No batch is under way here: this is called from within a poll.
        if ours:
            self._outbox.drain(_DRAIN_SECONDS)
        self._handler.forget()
        self._ready("partitions went to another member")

    def _idle(self, seconds: float) -> None:
        """Wait without reading."""
        until = clock.monotonic() + seconds
        while (left := until - clock.monotonic()) > 0 and not self._stopping.is_set():
            self._health.last_turn = clock.monotonic()
            self._member.wait(left)
            self._outbox.serve()

    # -- a batch ------------------------------------------------------------------------------

    def _process(self, fetched: Fetched) -> None:
        """Commit messages; those that the database refuses are searched for and refused alone."""
        try:
            self._commit(fetched.batch)
        except BadContentError as error:
            self._rollback()
            self._handler.forget()
            self._bisect(fetched.messages, error)

    def _bisect(self, messages: Sequence[Message], error: BadContentError) -> None:
        if len(messages) == 1:
            self._refuse(messages, f"the database refuses it: {error}")
            return
        middle = len(messages) // 2
        for half in (messages[:middle], messages[middle:]):
            self._process(Fetched.of(half, self._reader))

    def _refuse(self, messages: Sequence[Message], reason: str) -> None:
        refusal = Refusal(0, "refused", reason)
        try:
            self._commit(self._reader.unread(messages), refusal)
        except BadContentError as error:
            raise FatalError(f"the database refuses even a dead letter: {error}") from error

    def _commit(self, batch: Batch, refusal: Refusal | None = None) -> None:
        """Give a batch its effects, once."""
        started = clock.monotonic()
        messages = batch.messages
        moves = self._member.moves(batch.spans)
        self._member.identity.ask()
        connection = self._open()
        try:
            with connection.cursor() as cursor:
                if not refusal:
                    self._handler.load(batch, cursor)
                self._member.advance(cursor, moves)
                placed = replace(batch, reach=self._reach(cursor, moves), lane=self._member.lane)
                effects = Effects() if refusal else self._handler.apply(placed, cursor)
                refused = [refusal] if refusal else [*batch.refused, *effects.refused]
                letters = self._letters(messages, refused)
                limit = self._limit.check(len(messages), [each.position for each in refused])
                dead_letters.insert(cursor, letters)
                outgoing = self._outbox.insert(cursor, self._rows(messages, effects, letters))
                forget_acknowledged = self._outbox.delete_acknowledged(cursor)
            self._member.identity.confirm()
            connection.commit()
        except psycopg2.Error as error:
            raise database.classify(error) from error
        self._limit = limit
        self._member.advanced(moves)
        forget_acknowledged()
        self._outbox.send(outgoing)
        self._after_commit(messages, letters, effects, started)

    def _reach(self, cursor: database.Cursor, moves: Mapping[Partition, int]) -> Reach:
        def topic(event: type[Event]) -> str:
            return self._settings.topic(event.event_type)

        return Reach(
            lambda *events: self._member.has_read_all(moves, [topic(each) for each in events]),
            lambda event: not self._unread.any(cursor, topic(event)),
        )

    def _letters(self, messages: Sequence[Message], refused: Sequence[Refusal]) -> list[DeadLetter]:
        now = clock.now()
        return [
            dead_letters.make(self._stage.name, messages[each.position], each, now)
            for each in sorted(refused, key=lambda each: each.position)
        ]

    def _rows(
        self, messages: Sequence[Message], effects: Effects, letters: Sequence[DeadLetter]
    ) -> list[Row]:
        outgoing = [
            Row(
                self._settings.topic(event.event_type),
                event.key,
                event.value,
                event.headers,
                place_of(messages[event.position]),
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

    def _after_commit(
        self,
        messages: Sequence[Message],
        letters: Sequence[DeadLetter],
        effects: Effects,
        started: float,
    ) -> None:
        topics = Counter(topic for topic, _ in places_of(messages))
        for topic, count in topics.items():
            self._metrics.count("trackrecord_messages_total", count, topic=topic)
        for letter in letters:
            self._metrics.count(
                "trackrecord_dead_letters_total", topic=letter.topic, error_class=letter.error_class
            )
        dead_letters.log(letters)
        self._metrics.count("trackrecord_batches_total")
        self._metrics.observe("trackrecord_batch_seconds", clock.monotonic() - started)
        self._metrics.set("trackrecord_last_commit_timestamp_seconds", clock.now().timestamp())
        if effects.after_commit is not None:
            effects.after_commit()

    # -- the database -------------------------------------------------------------------------

    def _open(self) -> database.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = database.connect(
                self._settings,
                application=f"trackrecord {self._stage.name}",
                batches=self._handler.temporary,
            )
        return self._connection

    def _in_database(self, work: Callable[[database.Connection], T]) -> T:
        try:
            return work(self._open())
        except psycopg2.Error as error:
            raise database.classify(error) from error

    def _rollback(self) -> None:
        """Undo; a session that does not even do that is given up."""
        if self._connection is None:
            return
        try:
            self._connection.rollback()
        except psycopg2.Error:
            with suppress(psycopg2.Error):
                self._connection.close()
            self._connection = None

    # -- reporting ----------------------------------------------------------------------------

    def _ready(self, why_not: str | None) -> None:
        self._health.ready, self._health.reason = why_not is None, why_not or ""
        self._metrics.set("trackrecord_ready", why_not is None)
        if why_not is not None:
            self._metrics.set("trackrecord_assigned_partitions", 0)

    def _report(self) -> None:
        now = clock.monotonic()
        if now < self._next_report:
            return
        self._next_report = now + _REPORT_SECONDS
        # A topic made anew may look quiet for ever: ask between batches too.
        self._member.identity.look()
        claims, lag = self._member.claims, self._member.lag()
        self._metrics.set("trackrecord_lag_messages", lag)
        self._metrics.set("trackrecord_assigned_partitions", len(claims))
        self._metrics.set("trackrecord_outbox_pending_messages", self._outbox.backlog)
        self._health.status = {
            "lag": lag,
            "outbox_pending": self._outbox.backlog,
            "assigned": [
                {"topic": t, "partition": p, "next_offset": c.next_offset, "epoch": c.epoch}
                for (t, p), c in sorted(claims.items())
            ],
        }
        self._member.tell_kafka()

    def _close(self) -> None:
        """Leave in good order: wait for acknowledgements, and undo what an error left half done."""
        self._ahead.close()
        self._rollback()
        self._outbox.drain(_DRAIN_SECONDS)
        if self._connection is not None:
            with suppress(TrackrecordError):
                self._in_database(self._outbox.tidy)
        self._member.tell_kafka()
        self._member.close()
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()
        _log.info("stopped")

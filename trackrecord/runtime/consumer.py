"""The loop of the data plane: from a poll to a commit, and whatever comes between.

What happens to a batch, in order:

1. poll: up to ``batch_size`` messages of the partitions that are ours;
2. read: messages to columns; what cannot be read is refused with a reason;
3. load: the handler COPYs the columns into temporary tables, locking nothing shared;
4. fence: the offsets move from where we left them, if the epoch is still ours;
5. apply: the handler turns what was loaded into rows, and says what to publish;
6. dead letters, outgoing events and acknowledged ones are written or deleted;
7. commit: 4 to 6 become true together, or not at all;
8. publish what was committed; tell Kafka the offsets, for tools that look there.

After an abort or a lost reply nothing in memory is believed: the positions are
read again from the database, and so are the messages from the broker.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

import psycopg2
from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from trackrecord.events.topics import dead_letter_topic
from trackrecord.runtime import clock, database, dead_letters, kafka, offsets
from trackrecord.runtime.batch import Partition, Reader, place_of
from trackrecord.runtime.dead_letters import DeadLetter, Limit
from trackrecord.runtime.decode import Refusal
from trackrecord.runtime.errors import (
    BadContentError,
    FencedError,
    HaltedError,
    PassingError,
    TrackrecordError,
)
from trackrecord.runtime.health import Health
from trackrecord.runtime.logs import get_logger
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
        self._reader = Reader(stage.consumes, settings.topic_prefix)
        self._limit = Limit(
            settings.dead_letters_in_a_row,
            settings.dead_letters_window,
            settings.dead_letters_share,
        )
        self._kafka = KafkaConsumer(kafka.consumer_config(settings, stage.name))
        self._admin: AdminClient = kafka.admin(settings)
        self._outbox = Outbox(stage.name, kafka.client_config(settings, stage.name))
        self._connection: database.Connection | None = None
        self._claims: dict[Partition, offsets.Claim] = {}
        self._wanted: list[Partition] | None = None
        self._stale = False
        self._stopping = threading.Event()
        self._next_report = 0.0

    # -- the loop ---------------------------------------------------------------------------

    def stop(self) -> None:
        """Ask the loop to finish its batch and end; may be called from a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Work until told to stop.

        Raises:
            FatalError: The process cannot go on; its message says why.
        """
        self._subscribe()
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
        finally:
            self._close()

    def _turn(self) -> bool:
        """One round: take up an assignment, or a batch. True if something was committed."""
        self._health.last_turn = clock.monotonic()
        if self._wanted is not None:
            self._take_up(self._wanted)
        elif self._stale:
            self._read_positions_again()
        self._outbox.serve()
        if self._outbox.backlog > self._settings.outbox_backlog:
            self._idle(0.1)
            return False
        messages = self._poll()
        if not messages:
            self._when_idle()
            return False
        self._process(messages)
        self._report()
        return True

    def _poll(self) -> list[Message]:
        messages = self._kafka.consume(
            self._settings.batch_size, self._settings.batch_wait_ms / 1000
        )
        good: list[Message] = []
        for message in messages:
            error = message.error()
            if error is None:
                # What was fetched before a partition was lost is not ours to apply.
                if place_of(message) in self._claims:
                    good.append(message)
            elif error.code() in {
                KafkaError.OFFSET_OUT_OF_RANGE,
                KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001
            }:
                raise HaltedError(
                    f"{message.topic()}/{message.partition()}: {error.str()}. The topic was "
                    "truncated or made anew; nothing was skipped"
                )
            elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
                raise kafka.classify(error)
        return good

    def _when_idle(self) -> None:
        if self._connection is not None:
            self._in_database(self._outbox.tidy)
        self._report()

    # -- a batch ------------------------------------------------------------------------------

    def _process(self, messages: Sequence[Message]) -> None:
        """Commit messages; those that the database refuses are searched for and refused alone."""
        try:
            self._commit(messages)
        except BadContentError as error:
            self._rollback()
            self._handler.forget()
            if len(messages) == 1:
                self._commit(messages, Refusal(0, "refused", f"the database refuses it: {error}"))
                return
            middle = len(messages) // 2
            self._process(messages[:middle])
            self._process(messages[middle:])

    def _commit(self, messages: Sequence[Message], refusal: Refusal | None = None) -> None:
        """Give a batch its effects, once."""
        started = clock.monotonic()
        batch = self._reader.read([] if refusal else messages)
        spans = self._spans(messages)
        moves = {place: after for place, (_, after) in spans.items()}
        connection = self._open()
        try:
            with connection.cursor() as cursor:
                if not refusal:
                    self._handler.load(batch, cursor)
                offsets.advance(cursor, self._stage.name, self._claims, moves)
                effects = Effects() if refusal else self._handler.apply(batch, cursor)
                refused = [refusal] if refusal else [*batch.refused, *effects.refused]
                letters = self._letters(messages, refused)
                limit = self._limit.check(len(messages), [each.position for each in refused])
                dead_letters.insert(cursor, letters)
                outgoing = self._outbox.insert(cursor, self._rows(messages, effects, letters))
                forget_acknowledged = self._outbox.delete_acknowledged(cursor)
            connection.commit()
        except psycopg2.Error as error:
            raise database.classify(error) from error
        self._limit = limit
        for place, after in moves.items():
            self._claims[place] = offsets.Claim(self._claims[place].epoch, after)
        forget_acknowledged()
        self._outbox.send(outgoing)
        self._after_commit(messages, letters, effects, started)

    def _spans(self, messages: Sequence[Message]) -> dict[Partition, tuple[int, int]]:
        spans: dict[Partition, tuple[int, int]] = {}
        for message in messages:
            place, offset = place_of(message), message.offset() or 0
            if place not in spans:
                # Offsets may have holes (transaction markers), but never go back.
                if offset < self._claims[place].next_offset:
                    raise PassingError(f"{place[0]}/{place[1]} came from an old position")
                spans[place] = (offset, offset + 1)
            else:
                spans[place] = (spans[place][0], offset + 1)
        return spans

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
        topics = Counter(message.topic() for message in messages)
        for topic, count in topics.items():
            self._metrics.count("trackrecord_messages_total", count, topic=topic or "")
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

    # -- assignment ---------------------------------------------------------------------------

    def _subscribe(self) -> None:
        self._kafka.subscribe(
            self._reader.topics,
            on_assign=self._on_assign,
            on_revoke=partial(self._on_leave, drain=True),
            on_lost=partial(self._on_leave, drain=False),
        )

    def _on_assign(self, consumer: KafkaConsumer, partitions: list[TopicPartition]) -> None:
        # Taking up needs the database, which may be away: the loop does it, with its retries.
        # Until then this member holds its partitions and reads none of them.
        self._wanted = [(tp.topic, tp.partition) for tp in partitions]
        consumer.assign([])

    def _on_leave(
        self, consumer: KafkaConsumer, _partitions: list[TopicPartition], *, drain: bool
    ) -> None:
        # No batch is under way here: this is called from within a poll.
        if drain:
            self._outbox.drain(_DRAIN_SECONDS)
        self._let_go("partitions went to another member")
        consumer.unassign()

    def _let_go(self, reason: str) -> None:
        self._claims = {}
        self._wanted = None
        self._stale = False
        self._handler.forget()
        self._health.ready, self._health.reason = False, reason

    def _take_up(self, wanted: list[Partition]) -> None:
        """Claim partitions in the database and read on from where their effects end."""
        if wanted:
            origins = kafka.origins(self._admin, wanted)
            self._claims = self._in_database(
                lambda connection: offsets.claim(connection, self._stage.name, origins)
            )
        self._assign()
        self._wanted, self._stale = None, False
        self._in_database(lambda connection: self._outbox.resend(connection, wanted))
        self._metrics.count("trackrecord_rebalances_total")
        self._health.ready, self._health.reason = True, ""
        _log.info("assigned", partitions=len(wanted), topics=sorted({t for t, _ in wanted}))

    def _assign(self) -> None:
        try:
            self._kafka.assign(
                [
                    TopicPartition(topic, partition, claim.next_offset)
                    for (topic, partition), claim in sorted(self._claims.items())
                ]
            )
        except KafkaException as error:
            raise kafka.classify(error.args[0]) from None

    def _start_over(self, error: TrackrecordError) -> None:
        """After an abort: believe nothing in memory."""
        _log.warning("will try again", error=str(error))
        self._metrics.count("trackrecord_retries_total")
        self._rollback()
        self._handler.forget()
        self._health.ready, self._health.reason = False, str(error)
        if self._claims:
            self._stale = True
            with suppress(KafkaException):
                self._kafka.assign([])

    def _read_positions_again(self) -> None:
        self._claims = self._in_database(
            lambda connection: offsets.resume(connection, self._stage.name, self._claims)
        )
        # A commit whose reply was lost may have left rows that were never sent.
        self._in_database(lambda connection: self._outbox.resend(connection, list(self._claims)))
        self._assign()
        self._stale = False
        self._health.ready, self._health.reason = True, ""

    def _leave_and_rejoin(self, error: TrackrecordError) -> None:
        _log.warning("fenced: leaving the group and joining again", error=str(error))
        self._metrics.count("trackrecord_fenced_total")
        self._rollback()
        self._let_go(str(error))
        with suppress(KafkaException):
            self._kafka.unsubscribe()
        self._subscribe()

    # -- the database -------------------------------------------------------------------------

    def _open(self) -> database.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = database.connect(
                self._settings, application=f"trackrecord {self._stage.name}"
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

    # -- waiting and reporting ----------------------------------------------------------------

    def _idle(self, seconds: float) -> None:
        """Wait without reading, but stay a member: rebalances go on being served."""
        until = clock.monotonic() + seconds
        with suppress(KafkaException):
            self._kafka.pause(self._kafka.assignment())
        while (left := until - clock.monotonic()) > 0 and not self._stopping.is_set():
            self._health.last_turn = clock.monotonic()
            if self._kafka.consume(1, min(left, 0.1)):
                # Nothing should come while paused; what does is read again, not lost.
                self._stale = bool(self._claims)
            self._outbox.serve()
        with suppress(KafkaException):
            self._kafka.resume(self._kafka.assignment())

    def _report(self) -> None:
        now = clock.monotonic()
        if now < self._next_report:
            return
        self._next_report = now + _REPORT_SECONDS
        lag = 0
        for (topic, partition_number), claim in self._claims.items():
            _, high = self._kafka.get_watermark_offsets(
                TopicPartition(topic, partition_number), cached=True
            )
            lag += max(high - claim.next_offset, 0)
        self._metrics.set("trackrecord_lag_messages", lag)
        self._metrics.set("trackrecord_assigned_partitions", len(self._claims))
        self._metrics.set("trackrecord_outbox_pending_messages", self._outbox.backlog)
        self._health.status = {
            "lag": lag,
            "outbox_pending": self._outbox.backlog,
            "assigned": [
                {"topic": t, "partition": p, "next_offset": c.next_offset, "epoch": c.epoch}
                for (t, p), c in sorted(self._claims.items())
            ],
        }
        if self._claims:
            with suppress(KafkaException):
                self._kafka.commit(
                    offsets=[
                        TopicPartition(t, p, c.next_offset)
                        for (t, p), c in sorted(self._claims.items())
                    ],
                    asynchronous=True,
                )

    def _close(self) -> None:
        """Leave in good order: nothing is under way, so only acknowledgements are waited for."""
        self._outbox.drain(_DRAIN_SECONDS)
        with suppress(TrackrecordError):
            self._when_idle()
        with suppress(KafkaException, RuntimeError):
            self._kafka.close()
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()
        _log.info("stopped")

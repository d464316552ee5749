"""A process's membership of its consumer group: which partitions are its own, and from where.

Kafka says which partitions a member gets; the table of offsets says where their
effects end and who may move them (:mod:`trackrecord.runtime.loop.offsets`). A member
reads a partition only when both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from trackrecord.clock import Clock
from trackrecord.runtime import kafka
from trackrecord.runtime.database import Connection, Cursor
from trackrecord.runtime.decoding.batch import Partition, Span, place_of, places_of
from trackrecord.runtime.errors import HaltedError, PassingError
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.loop import offsets
from trackrecord.runtime.loop.catch_up import CatchUp
from trackrecord.runtime.loop.topic_identity import Identity
from trackrecord.runtime.loop.turn import BetweenBatches
from trackrecord.runtime.settings import Settings

_log = get_logger(__name__)

_POSITION_GONE = {KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET}  # noqa: SLF001

_LEAVES_WITHIN = 0.5
"""Seconds in which the group is heard before a client is closed."""

_JOINS_WITHIN = 15.0
"""Seconds that joining may take at least, however short the session time-out is."""


class Membership:
    """One member of a stage's consumer group."""

    def __init__(
        self,
        stage: str,
        topics: Sequence[str],
        settings: Settings,
        identity: Identity,
        turn: BetweenBatches,
        clock: Clock,
    ) -> None:
        """Prepare; nothing is reached before :meth:`join`.

        Args:
            stage: The stage's name, which is the group's.
            topics: What it reads.
            settings: Of the process.
            identity: Asks the broker about the topics.
            turn: Waited for when partitions come or go, until no batch is under way.
            clock: Says how long the group has been silent.
        """
        self._stage = stage
        self._topics = list(topics)
        self._settings = settings
        self._identity = identity
        self._turn = turn
        self._clock = clock
        self._leaving: Callable[[bool], None] = lambda _ours: None
        self._consumer = Consumer(kafka.consumer_config(settings, stage))
        self._catch_up = CatchUp(self._topics[0], clock)
        self._claims: dict[Partition, offsets.Claim] = {}
        self._assigned: list[Partition] | None = None
        self._settled = False
        self._distrusted = False
        self._era = 0
        self._ends: dict[Partition, int] = {}
        self._all_read: dict[Partition, tuple[int, int]] = {}
        self._joins_since = clock.monotonic()
        self._joins_within = max(_JOINS_WITHIN, 3 * settings.session_timeout_ms / 1000)

    @property
    def era(self) -> int:
        """Grows when partitions go or positions are doubted: what was fetched before is void."""
        return self._era

    @property
    def identity(self) -> Identity:
        """Whether the topics are still those whose positions these are."""
        return self._identity

    @property
    def claims(self) -> Mapping[Partition, offsets.Claim]:
        """The partitions that this process may move, and where they are."""
        return self._claims

    @property
    def lane(self) -> int:
        """A number that no other member has at this time: that of our first partition."""
        topic, partition = min(self._claims, key=lambda place: (place[1], place[0]))
        return partition * len(self._topics) + self._topics.index(topic)

    # -- joining and leaving ------------------------------------------------------------------

    def join(self, leaving: Callable[[bool], None]) -> None:
        """Become a member; partitions come with a later poll.

        Args:
            leaving: Called from within a poll when partitions go; true if they are
                still ours until it returns.
        """
        self._leaving = leaving
        self._consumer.subscribe(
            self._topics,
            on_assign=self._on_assign,
            on_revoke=partial(self._on_leave, ours=True),
            on_lost=partial(self._on_leave, ours=False),
        )

    def leave(self) -> None:
        """Leave at once, whatever was ours."""
        self._let_go()
        with suppress(KafkaException):
            self._consumer.unsubscribe()

    def insist(self) -> None:
        """Join anew if the group has said nothing for too long.

        A client that joins just as the broker goes away may wait for an answer that was thrown
        away with the connection, and would do so for ever.
        """
        if self._settled or self._assigned is not None:
            return
        if self._clock.monotonic() - self._joins_since > self._joins_within:
            _log.warning("no partitions yet: joining again", after_seconds=self._joins_within)
            self.leave()
            self.join(self._leaving)

    def close(self) -> None:
        """Leave for good.

        What the group still has to say is heard before: a client that hears while it closes that
        its partitions are lost waits for itself, and for ever.
        """
        era, until = self._era, self._clock.monotonic() + _LEAVES_WITHIN
        with suppress(KafkaException, RuntimeError):
            self._consumer.unsubscribe()
            while self._era == era and self._clock.monotonic() < until:
                self._consumer.consume(1, 0.02)
        with suppress(KafkaException, RuntimeError):
            self._consumer.close()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # Taking up needs the database, which may be away: the loop does it, with its retries.
        # Until then this member holds its partitions and reads none of them.
        self._turn.wait()
        self._assigned = [(each.topic, each.partition) for each in partitions]
        self._settled = False
        consumer.assign([])

    def _on_leave(
        self, consumer: Consumer, _partitions: list[TopicPartition], *, ours: bool
    ) -> None:
        self._turn.wait()
        self._leaving(ours)
        self._let_go()
        consumer.unassign()

    def _let_go(self) -> None:
        self._era += 1
        self._claims = {}
        self._identity.expect({})
        self._assigned = None
        self._settled = False
        self._distrusted = False
        self._joins_since = self._clock.monotonic()

    # -- taking partitions up -----------------------------------------------------------------

    @property
    def unsettled(self) -> bool:
        """Whether :meth:`settle` has something to do."""
        return self._assigned is not None or self._distrusted

    def settle(self, connection: Connection) -> bool:
        """Claim what was assigned, or read positions again after :meth:`distrust`.

        Returns:
            Whether this was a new assignment.

        Raises:
            FencedError: Another member has what we thought was ours.
            HaltedError: A topic is not the one that was read before.
            PassingError: The broker does not answer.
        """
        new = self._assigned is not None
        if new:
            self._catch_up.stop()
        if self._assigned is None and self._claims:
            self._claims = offsets.resume(connection, self._stage, self._claims)
        elif self._assigned:
            origins = self._identity.origins(self._assigned)
            self._claims = self._claim(connection, origins)
            self._identity.expect({topic: each.topic_id for (topic, _), each in origins.items()})
            self._catch_up.aim(self._claims, origins)
        try:
            self._consumer.assign(
                [
                    TopicPartition(topic, partition, claim.next_offset)
                    for (topic, partition), claim in sorted(self._claims.items())
                ]
            )
            # A pause outlives the assignment in which it was made.
            self._consumer.resume([TopicPartition(*place) for place in self._claims])
            self._catch_up.listen()
            self._pause_later_topics()
        except KafkaException as error:
            raise kafka.classify(error.args[0]) from None
        self._assigned, self._settled, self._distrusted = None, True, False
        if new:
            _log.info("assigned", partitions=len(self._claims), topics=self._topics)
        return new

    def _claim(
        self, connection: Connection, origins: Mapping[Partition, kafka.Origin]
    ) -> dict[Partition, offsets.Claim]:
        try:
            return offsets.claim(connection, self._stage, origins)
        except offsets.BeyondEndError as error:
            # A predecessor that has not left yet may have read what came after the question.
            place = error.place
            if error.next_offset > self._identity.origins([place])[place].end_offset:
                raise
            raise PassingError(f"{place[0]}/{place[1]} moved on while it was taken up") from None

    def distrust(self) -> None:
        """Believe no position in memory until the table has been asked."""
        if self._settled:  # even with no partition at all, which is an assignment too
            self._distrusted = True
            self._era += 1
            with suppress(KafkaException):
                self._consumer.assign([])

    # -- reading ------------------------------------------------------------------------------

    def poll(self, most: int, seconds: float) -> list[Message]:
        """Messages of our partitions, in the order of each.

        What had piled up on the first topic when we took it up comes before the others:
        they speak of it.

        Raises:
            HaltedError: What comes next is not on the topic any more.
            PassingError: The broker says that something is wrong for now.
        """
        messages: list[Message] = self._consumer.consume(most, 0)
        if not messages and seconds:
            # The client would wait for as many as were asked for.
            messages = self._consumer.consume(1, seconds)
            if messages and most > 1:
                messages += self._consumer.consume(most - 1, 0)
        for message in messages:
            error = message.error()
            if error is None:
                continue
            if error.code() == kafka.PARTITION_EOF:
                self._note_end(message)
                continue
            if error.code() in _POSITION_GONE:
                raise HaltedError(
                    f"{message.topic()}/{message.partition()}: {error.str()}. The topic was "
                    "truncated or made anew; nothing was skipped"
                )
            raise kafka.classify(error)
        # What was fetched before a partition was lost is not ours to apply.
        good = [
            message
            for message, place in zip(messages, places_of(messages), strict=True)
            if place in self._claims and message.error() is None
        ]
        if good:
            self._ends = {place: self._end(place) for place in self._claims}
        if self._catch_up.is_on:
            self._catch_up.read(good)
            if not self._catch_up.is_on:
                with suppress(KafkaException):
                    self._consumer.resume(self._later_topics())
        return good

    def _note_end(self, message: Message) -> None:
        """Remember that a partition was read to its end, and where that is."""
        self._all_read[place_of(message)] = (self._era, message.offset() or 0)

    def _later_topics(self) -> list[TopicPartition]:
        return [TopicPartition(*place) for place in self._catch_up.later(self._claims)]

    def _pause_later_topics(self) -> None:
        if self._catch_up.is_on:
            self._consumer.pause(self._later_topics())

    def wait(self, seconds: float) -> None:
        """Read nothing for up to a tenth of a second, but stay a member: rebalances are served."""
        with suppress(KafkaException):
            self._consumer.pause(self._consumer.assignment())
        for message in self._consumer.consume(1, min(seconds, 0.1)):
            error = message.error()
            if error is not None and error.code() == kafka.PARTITION_EOF:
                self._note_end(message)
            else:
                # Nothing should come while paused; what does is read again, not lost.
                self.distrust()
        with suppress(KafkaException):
            self._consumer.resume(self._consumer.assignment())
            self._pause_later_topics()

    # -- moving -------------------------------------------------------------------------------

    def moves(self, spans: Mapping[Partition, Span]) -> dict[Partition, int]:
        """Where partitions stand after a batch: the offset behind the last message of each.

        Raises:
            PassingError: A message lies before our position.
        """
        for place, span in spans.items():
            # Offsets may have holes (transaction markers), but never go back.
            if span.goes_back or span.first < self._claims[place].next_offset:
                raise PassingError(f"{place[0]}/{place[1]} came from an old position")
        return {place: span.after for place, span in spans.items()}

    def has_read_all(self, moves: Mapping[Partition, int], topics: Collection[str] = ()) -> bool:
        """Whether nothing is left on our partitions after these moves, as of the last poll."""
        # The client is not asked here: beside a batch it may wait for the end of the batch.
        return not any(
            self._ends.get(place, 0) > moves.get(place, claim.next_offset)
            for place, claim in self._claims.items()
            if not topics or place[0] in topics
        )

    def advance(self, cursor: Cursor, moves: Mapping[Partition, int]) -> None:
        """Move positions in the transaction of the effects; see :func:`offsets.advance`."""
        offsets.advance(
            cursor, self._stage, self._claims, moves, wait_ms=self._settings.session_timeout_ms
        )

    def advanced(self, moves: Mapping[Partition, int]) -> None:
        """Note that the transaction was committed."""
        for place, after in moves.items():
            self._claims[place] = offsets.Claim(self._claims[place].epoch, after)

    def pass_marks(self, connection: Connection) -> None:
        """Move positions over the marks of transactions at the ends of partitions.

        To be called when all that was polled is committed. Whoever looks at the positions, here or
        on the broker, would else see messages to read where there are none.

        Raises:
            FencedError: A partition is not ours any more.
            HaltedError: A topic was made anew.
            PassingError: The broker does not answer.
        """
        moves = {
            place: end
            for place, (era, end) in self._all_read.items()
            if era == self._era and place in self._claims and self._claims[place].next_offset < end
        }
        if not moves:
            return
        self._identity.ask()
        with connection.cursor() as cursor:
            self.advance(cursor, moves)
        self._identity.confirm()
        connection.commit()
        self.advanced(moves)

    # -- reporting ----------------------------------------------------------------------------

    def lag(self) -> int:
        """Messages of our partitions that are not committed, as far as the client knows."""
        return sum(
            max(self._end(place) - claim.next_offset, 0) for place, claim in self._claims.items()
        )

    def _end(self, place: Partition) -> int:
        """The end of a partition when the client last fetched; negative if it never did."""
        return self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)[1]

    def tell_kafka(self) -> None:
        """Let Kafka's own committed offsets follow, for tools that look there."""
        if self._claims:
            with suppress(KafkaException):
                self._consumer.commit(
                    offsets=[
                        TopicPartition(topic, partition, claim.next_offset)
                        for (topic, partition), claim in sorted(self._claims.items())
                    ],
                    asynchronous=True,
                )

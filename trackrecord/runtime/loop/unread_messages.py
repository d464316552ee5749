"""Whether messages lie on a topic that no member of a stage has given their effects yet.

The partitions of a topic are read at different speeds, and by different members. So that an event
has not come says something only when none is left unread on any partition.
"""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.runtime import kafka
from trackrecord.runtime.database import Cursor, rows
from trackrecord.runtime.decoding.batch import Partition, place_of
from trackrecord.runtime.settings import Settings

_MOST_MARKS = 1000
"""As many offsets at the end of a partition may be marks of transactions, not messages."""

_LOOKS_SECONDS = 5.0


class Unread:
    """Looks for messages of a topic that have not got their effects."""

    def __init__(self, stage: str, settings: Settings, clock: Clock = SYSTEM_CLOCK) -> None:
        """Ask nothing yet."""
        self._stage = stage
        self._settings = settings
        self._clock = clock
        # Most stages never ask, and a client has threads and connections of its own.
        self._admin: AdminClient | None = None

    def any(self, cursor: Cursor, topic: str) -> bool:
        """Whether there are any, besides those whose effects are in this transaction.

        Raises:
            PassingError: The broker does not say.
        """
        found = rows(
            cursor,
            "SELECT partition, next_offset FROM consumer_offsets WHERE stage = %s AND topic = %s",
            (self._stage, topic),
        )
        stands = dict(found)
        client = self._admin or kafka.admin(self._settings)
        # A client that did not get through is not asked again; see Membership.
        self._admin = None
        ends = kafka.end_offsets(client, kafka.partitions_of(client, [topic]))
        self._admin = client
        # What nobody has taken up yet may lie anywhere.
        behind = {
            place: stands.get(place[1], 0)
            for place, end in ends.items()
            if stands.get(place[1], 0) < end
        }
        if any(ends[place] - at > _MOST_MARKS for place, at in behind.items()):
            return True
        return bool(behind) and self._are_messages(behind)

    def _are_messages(self, behind: Mapping[Partition, int]) -> bool:
        """Whether anything from these offsets on is a message that may be read."""
        consumer = Consumer(
            {
                **kafka.consumer_config(self._settings, f"{self._stage}-look"),
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
            }
        )
        until = self._clock.monotonic() + _LOOKS_SECONDS
        left = set(behind)
        try:
            consumer.assign([TopicPartition(*place, at) for place, at in behind.items()])
            while left and self._clock.monotonic() < until:
                for message in consumer.consume(len(left), 0.1):
                    error = message.error()
                    if error is None:
                        return True
                    if error.code() != kafka.PARTITION_EOF:
                        raise kafka.classify(error)
                    left.discard(place_of(message))
        finally:
            consumer.close()
        return bool(left)

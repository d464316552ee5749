"""After an absence: the first topic is read up to where it stood, then the others.

The events of a stage's other topics refer to those of the first one: exits to signals. Where both
have piled up, reading them side by side would meet exits whose signals lie further on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import methodcaller

from confluent_kafka import Message

from trackrecord.clock import Clock
from trackrecord.runtime.decoding.batch import Partition, places_of
from trackrecord.runtime.kafka import Origin
from trackrecord.runtime.loop.offsets import Claim

_PATIENCE_SECONDS = 2.0
"""Silence after which a topic that is being caught up with has nothing more to say."""


class CatchUp:
    """How far the partitions of the first topic are still to be read before the other topics."""

    def __init__(self, first_topic: str, clock: Clock) -> None:
        """Wait for nothing yet."""
        self._first_topic = first_topic
        self._clock = clock
        self._goals: dict[Partition, int] = {}
        self._last_heard = 0.0

    @property
    def is_on(self) -> bool:
        """Whether the other topics wait."""
        return bool(self._goals)

    def later(self, claims: Mapping[Partition, Claim]) -> list[Partition]:
        """The partitions that wait, of those that are ours."""
        return [place for place in claims if place[0] != self._first_topic]

    def stop(self) -> None:
        """Wait for nothing."""
        self._goals = {}

    def aim(self, claims: Mapping[Partition, Claim], origins: Mapping[Partition, Origin]) -> None:
        """Wait until what lies on the first topic by now is read.

        Args:
            claims: Where we are in the partitions that are ours.
            origins: Where these end.
        """
        self._goals = {
            place: origin.end_offset
            for place, origin in origins.items()
            if place[0] == self._first_topic and claims[place].next_offset < origin.end_offset
        }

    def listen(self) -> None:
        """From now on silence counts: reading begins."""
        self._last_heard = self._clock.monotonic()

    def read(self, messages: Sequence[Message]) -> None:
        """Note what a poll brought; after enough silence nothing is waited for any more."""
        reached = dict(zip(places_of(messages), map(methodcaller("offset"), messages), strict=True))
        self._goals = {
            place: goal for place, goal in self._goals.items() if reached.get(place, -1) + 1 < goal
        }
        if messages:
            self.listen()
        elif self._clock.monotonic() - self._last_heard > _PATIENCE_SECONDS:
            # The rest up to the goal is no messages, but marks of transactions.
            self.stop()

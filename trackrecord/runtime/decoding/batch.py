"""A batch: what one poll brought, read into columns, with its place in the partitions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from operator import methodcaller
from typing import Any, NamedTuple

import polars as pl
from confluent_kafka import Message

from trackrecord.events import Event
from trackrecord.events.base import EventType
from trackrecord.runtime.decoding.decoder import Decoder, Refusal

Partition = tuple[str, int]
"""A topic (its full name on the broker) and the number of a partition."""

_topic, _partition, _offset = map(methodcaller, ("topic", "partition", "offset"))


class Span(NamedTuple):
    """What a batch holds of a partition."""

    first: int
    """The offset of its first message."""
    after: int
    """The offset behind its last message."""
    goes_back: bool
    """Whether an offset is lower than one before it."""


@dataclass(frozen=True)
class Reach:
    """What a handler must know before it concludes from what is not there.

    Unless told otherwise, as in a replay, a batch is the last one.

    Attributes:
        ends_here: Whether this member has nothing left to read of some events' topics, or of any
            if none is named, as far as is known without asking: then no later batch of its own
            may come to the conclusion.
        has_all: Whether every message of an event's topic that was published by now is in this
            batch or was committed before, by whichever member. Asks the broker.
    """

    ends_here: Callable[..., bool] = lambda *_: True
    has_all: Callable[[type[Event]], bool] = lambda _: True


@dataclass(frozen=True)
class Batch:
    """Messages of any of a stage's topics, in the order in which they were read.

    Attributes:
        messages: As the broker gave them.
        frames: By event type, the valid events: the columns of
            :class:`~trackrecord.runtime.decoding.decoder.Decoder`, and ``partition`` and
            ``appended_at`` (the broker's time, UTC, in milliseconds).
        refused: The messages that could not be read, and why.
        prepared: What the handler made of it beforehand (``Handler.prepare``).
        spans: What it holds of each partition.
        reach: Where it lies among all that was published.
        lane: Which rows of sums it adds to. No other member of the group has the same at the
            same time, so that none waits for another; readers add up all lanes.
    """

    messages: Sequence[Message]
    frames: dict[EventType, pl.DataFrame]
    refused: list[Refusal] = field(default_factory=list)
    prepared: Any = None
    spans: dict[Partition, Span] = field(default_factory=dict)
    reach: Reach = field(default_factory=Reach)
    lane: int = 0

    def of(self, model: type[Event]) -> pl.DataFrame:
        """The batch's events of one type; an empty frame where there are none."""
        return self.frames[model.event_type]


class Reader:
    """Reads messages of several topics into a batch."""

    def __init__(
        self,
        models: Iterable[type[Event]],
        prefix: str = "",
        prepare: Callable[[Batch], Any] = lambda _: None,
    ) -> None:
        """Make a decoder for each event type.

        Args:
            models: The events.
            prefix: What the names of their topics begin with.
            prepare: Makes :attr:`Batch.prepared`.
        """
        self._decoders = {prefix + model.event_type: Decoder(model) for model in models}
        self._prepare = prepare

    @property
    def topics(self) -> list[str]:
        """The topics that it can read."""
        return list(self._decoders)

    def read(self, messages: Sequence[Message]) -> Batch:
        """Read messages; whatever cannot be read is refused with its reason."""
        by_topic: dict[str, list[int]] = defaultdict(list)
        for position, topic in enumerate(map(_topic, messages)):
            by_topic[topic].append(position)
        frames: dict[EventType, pl.DataFrame] = {}
        refused: list[Refusal] = []
        for topic, decoder in self._decoders.items():
            positions = by_topic[topic]
            chosen = [messages[position] for position in positions]
            frame, bad = decoder.read(chosen, positions)
            place = [
                pl.Series("partition", list(map(_partition, chosen)), dtype=pl.Int64),
                pl.Series(
                    "appended_at",
                    [message.timestamp()[1] for message in chosen],
                    dtype=pl.Datetime("ms"),
                ),
            ]
            if bad:
                at = pl.Series("position", positions, dtype=pl.Int64)
                places = pl.DataFrame([at, *place])
                frame = frame.join(places, on="position", how="left", maintain_order="left")
            else:
                frame = frame.hstack(place)
            frames[decoder.model.event_type] = frame
            refused.extend(bad)
        batch = Batch(messages, frames, refused, spans=spans_of(messages))
        return replace(batch, prepared=self._prepare(batch))

    def unread(self, messages: Sequence[Message]) -> Batch:
        """A batch of messages that have no effect, whatever they hold."""
        return replace(self.read([]), messages=messages, spans=spans_of(messages))


def places_of(messages: Sequence[Message]) -> Iterable[Partition]:
    """The partition of each message."""
    return zip(map(_topic, messages), map(_partition, messages), strict=True)


def spans_of(messages: Sequence[Message]) -> dict[Partition, Span]:
    """What is there of each partition."""
    offsets: dict[Partition, list[int]] = defaultdict(list)
    for place, offset in zip(places_of(messages), map(_offset, messages), strict=True):
        offsets[place].append(offset)
    return {
        place: Span(found[0], found[-1] + 1, found != sorted(found))
        for place, found in offsets.items()
    }


def place_of(message: Message) -> Partition:
    """The partition that a message lies in."""
    return (message.topic() or "", message.partition() or 0)

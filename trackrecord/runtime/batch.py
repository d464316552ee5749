"""A batch: what one poll brought, read into columns, with its place in the partitions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import methodcaller

import polars as pl
from confluent_kafka import Message

from trackrecord.events import Event
from trackrecord.runtime.decode import Decoder, Refusal

Partition = tuple[str, int]
"""A topic (its full name on the broker) and the number of a partition."""


@dataclass(frozen=True)
class Batch:
    """Messages of any of a stage's topics, in the order in which they were read.

    Attributes:
        messages: As the broker gave them.
        frames: By event type, the valid events: the columns of
            :class:`~trackrecord.runtime.decode.Decoder`, and ``partition`` and
            ``appended_at`` (the broker's time, milliseconds since 1970 UTC).
        refused: The messages that could not be read, and why.
    """

    messages: Sequence[Message]
    frames: dict[str, pl.DataFrame]
    refused: list[Refusal] = field(default_factory=list)

    def of(self, model: type[Event]) -> pl.DataFrame:
        """The batch's events of one type; an empty frame where there are none."""
        return self.frames[model.event_type]

    def next_offsets(self) -> dict[Partition, tuple[int, int]]:
        """Of each partition in the batch: the first offset, and the one after the last."""
        spans: dict[Partition, tuple[int, int]] = {}
        for message in self.messages:
            place = place_of(message)
            offset = message.offset() or 0
            first = spans[place][0] if place in spans else offset
            spans[place] = (first, offset + 1)
        return spans


class Reader:
    """Reads messages of several topics into a batch."""

    def __init__(self, models: Iterable[type[Event]], prefix: str = "") -> None:
        """Make a decoder for each event type; ``prefix`` is that of the topics."""
        self._decoders = {prefix + model.event_type: Decoder(model) for model in models}

    @property
    def topics(self) -> list[str]:
        """The topics that it can read."""
        return list(self._decoders)

    def read(self, messages: Sequence[Message]) -> Batch:
        """Read messages; whatever cannot be read is refused with its reason."""
        by_topic: dict[str, list[int]] = defaultdict(list)
        for position, topic in enumerate(map(methodcaller("topic"), messages)):
            by_topic[topic].append(position)
        frames: dict[str, pl.DataFrame] = {}
        refused: list[Refusal] = []
        for topic, decoder in self._decoders.items():
            positions = by_topic[topic]
            chosen = [messages[position] for position in positions]
            frame, bad = decoder.read(chosen, positions)
            place = pl.DataFrame(
                {
                    "position": pl.Series(positions, dtype=pl.Int64),
                    "partition": pl.Series(
                        [message.partition() for message in chosen], dtype=pl.Int64
                    ),
                    "appended_at": pl.Series(
                        [message.timestamp()[1] for message in chosen], dtype=pl.Int64
                    ),
                }
            )
            frames[decoder.model.event_type] = (
                frame.hstack(place.drop("position"))
                if frame.height == place.height
                else frame.join(place, on="position", how="left", maintain_order="left")
            )
            refused.extend(bad)
        return Batch(messages, frames, refused)


def place_of(message: Message) -> Partition:
    """The partition that a message lies in."""
    return (message.topic() or "", message.partition() or 0)

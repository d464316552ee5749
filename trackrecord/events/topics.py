"""The topics: who answers for each, what keys it, who publishes and who reads.

The runtime creates topics from this table, and the files under
``schemas/topics/`` and the operations of ``schemas/asyncapi.yaml`` are exported
from it. Names here are without the prefix that a setting may add.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from trackrecord.events.base import EventType
from trackrecord.events.registry import EVENTS
from trackrecord.stages import STAGES

PARTITIONS: Final = 12
"""Default number of partitions: the same for every event topic, so that topics
keyed by the same field are co-partitioned and a consumer of two of them gets both
halves of a symbol. 12 divides evenly among 2, 3, 4, 6 and 12 consumers."""

MAX_BATCH_BYTES: Final = 1_048_588
"""``max.message.bytes`` of an event topic. It bounds a whole batch of records as it
is stored, so it is Kafka's own 1 MiB and not the limit of one event, which is
:data:`trackrecord.events.codec.MAX_EVENT_BYTES`."""

MAX_DEAD_LETTER_BYTES: Final = 2 * 1024 * 1024
"""``max.message.bytes`` of a dead-letter topic: room for whatever an event topic took,
its bytes unchanged, and the headers that say why it was refused."""

DEAD_LETTER_SUFFIX: Final = ".dlq"

PARTICIPANTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sdk": "strategies and scripts, through trackrecord.sdk",
        "cli": "the trackrecord command",
        "strategies": "the users' strategies that listen for verdicts",
    }
    | {name: f"the stage that {stage.purpose}" for name, stage in STAGES.items()}
)
"""Whoever publishes or reads, by name, with what it is: the programs that are here, no others."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """One topic, as it is created and as its users may rely on it."""

    name: str
    """The topic, without prefix."""
    event_type: EventType | None
    """The one type of event on it; None on a dead-letter topic, which holds bytes as they came."""
    owner: str | None
    """The participant that answers for what the events mean; None where it is not here yet."""
    key: str
    """The field of the event whose value is the Kafka key."""
    producers: tuple[str, ...]
    """Who publishes, by names of :data:`PARTICIPANTS`."""
    consumers: tuple[str, ...]
    """Who reads, by names of :data:`PARTICIPANTS`."""
    partitions: int = PARTITIONS
    """Default number of partitions; a setting may change it for all event topics alike."""
    max_message_bytes: int = MAX_BATCH_BYTES
    """Largest batch of records that the broker takes, in bytes."""

    @property
    def is_dead_letter(self) -> bool:
        """Whether refused messages are kept here."""
        return self.event_type is None

    def config(self) -> dict[str, str]:
        """The topic settings to create it with.

        Everything is kept for ever, because the tables are rebuilt from it, and
        the broker's clock is recorded, because a publisher's claim about when it
        spoke is checked against it.
        """
        return {
            "cleanup.policy": "delete",
            "max.message.bytes": str(self.max_message_bytes),
            "message.timestamp.type": "LogAppendTime",
            "retention.bytes": "-1",
            "retention.ms": "-1",
        }

    def dead_letter(self) -> TopicSpec:
        """The topic for what the consumers of this one refuse.

        It has one partition: it holds little, and is read from end to end. Its
        producers are the stages that read this topic; where only people's programs
        do, it stays empty.

        Raises:
            ValueError: This is a dead-letter topic itself.
        """
        if self.is_dead_letter:
            raise ValueError(f"{self.name} is a dead-letter topic, which has none of its own")
        return replace(
            self,
            name=dead_letter_topic(self.name),
            event_type=None,
            producers=tuple(name for name in self.consumers if name in STAGES),
            consumers=("cli",),
            partitions=1,
            max_message_bytes=MAX_DEAD_LETTER_BYTES,
        )


def dead_letter_topic(name: str) -> str:
    """The name of the topic that keeps what was refused from another.

    Args:
        name: An event topic, with or without prefix.

    Raises:
        ValueError: ``name`` is a dead-letter topic itself.
    """
    if name.endswith(DEAD_LETTER_SUFFIX):
        raise ValueError(f"{name} is a dead-letter topic, which has none of its own")
    return name + DEAD_LETTER_SUFFIX


def _topic(
    event_type: EventType,
    *,
    owner: str | None = None,
    published_by: tuple[str, ...] = (),
    read_by: tuple[str, ...] = (),
) -> TopicSpec:
    """A topic with its stages; ``published_by`` and ``read_by`` are the participants besides."""
    return TopicSpec(
        name=event_type,
        event_type=event_type,
        owner=owner,
        key=EVENTS[event_type].key_field,
        producers=(
            *published_by,
            *(name for name, stage in STAGES.items() if event_type in stage.publishes),
        ),
        consumers=(
            *(name for name, stage in STAGES.items() if event_type in stage.reads),
            *read_by,
        ),
    )


_PUBLISHERS: Final = ("sdk", "cli")

TOPICS: Final[Mapping[str, TopicSpec]] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            _topic("script_executed", owner="extractor", published_by=_PUBLISHERS),
            _topic("signal_emitted", owner="signal_tracker", published_by=_PUBLISHERS),
            _topic("signal_closed", owner="signal_tracker", published_by=_PUBLISHERS),
            _topic("market_bar", owner="outcome_scorer", published_by=_PUBLISHERS),
            _topic("signal_assessed", owner="outcome_scorer", read_by=("strategies",)),
            _topic("signal_scored", owner="outcome_scorer"),
            _topic("model_trained", owner="trainer"),
            _topic("strategy_requested", owner="strategy_gen", published_by=_PUBLISHERS),
            _topic("strategy_generated", owner="strategy_gen"),
        )
    }
)
"""Every event topic by name; each also has :meth:`TopicSpec.dead_letter`.

Which stages publish and read them stands in :data:`trackrecord.stages.STAGES`.
"""


def all_topics() -> tuple[TopicSpec, ...]:
    """Every topic that must exist: the event topics and their dead-letter topics."""
    return tuple(topic for spec in TOPICS.values() for topic in (spec, spec.dead_letter()))

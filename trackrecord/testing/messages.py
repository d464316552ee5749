"""Events as a stage is given them: messages of Kafka, with places and headers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from zlib import crc32

from confluent_kafka import Message

from trackrecord.events import EVENTS, Event

AnyEvent: TypeAlias = Event | Mapping[str, Any]
"""An event as a model, or as ``{"type": "signal_emitted", "data": {...}}``, which need not be
valid: `trackrecord publish` takes the same form."""

APPENDED_AT = 1_770_000_000_000
"""When the broker got every message, in milliseconds since 1970."""


def event_type_of(event: AnyEvent) -> str:
    """The name of an event's type.

    Raises:
        ValueError: It is a mapping without ``type`` and ``data``.
    """
    if isinstance(event, Event):
        return event.event_type
    if "type" not in event or "data" not in event:
        raise ValueError('an event as a dict is {"type": ..., "data": {...}}')
    return str(event["type"])


def as_message(
    event: AnyEvent, offset: int, partition: int = 0, *, appended_at: datetime | None = None
) -> Message:
    """An event as a message of its own topic, whose name is without prefix.

    Args:
        event: What it says.
        offset: Its place in the partition.
        partition: The partition.
        appended_at: When the broker got it; always the same moment if left out.
    """
    milliseconds = APPENDED_AT if appended_at is None else round(appended_at.timestamp() * 1000)
    if isinstance(event, Event):
        key, value = event.key, event.to_json()
    else:
        model = EVENTS.get(event_type_of(event))
        data = event["data"]
        named = data.get(model.key_field, "") if model and isinstance(data, Mapping) else ""
        key, value = str(named), json.dumps(data, default=str).encode()
    return Message(
        topic=event_type_of(event),
        partition=partition,
        offset=offset,
        key=key.encode(),
        value=value,
        timestamp=(2, milliseconds),
    )


def as_messages(events: Sequence[AnyEvent], *, partitions: int = 3) -> list[Message]:
    """Events as messages, those of one key in one partition and in their order.

    The offset of each is its index among the events: gaps are what a partition may have.
    """
    messages = []
    for offset, event in enumerate(events):
        message = as_message(event, offset)
        partition = crc32(message.key() or b"") % partitions
        messages.append(as_message(event, offset, partition))
    return messages

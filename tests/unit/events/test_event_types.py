"""The names of event types are one closed set."""

from __future__ import annotations

from typing import get_args

from trackrecord.events.base import EventType
from trackrecord.events.registry import EVENTS
from trackrecord.events.topics import TOPICS


def test_every_name_has_its_event_and_its_topic() -> None:
    assert set(get_args(EventType)) == set(EVENTS) == set(TOPICS)

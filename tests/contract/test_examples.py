"""Is every example valid, under the schema and under the model, there and back?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trackrecord.events import EVENTS, SignalEmitted
from trackrecord.events.codec import decode, encode

from .wire import EXAMPLES, SCHEMAS, load, name, schema_of, validator

MINIMUM = 3


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_an_example_is_valid_both_ways(path: Path) -> None:
    schema = validator(schema_of(path.parent.name))
    model = EVENTS[path.parent.name]
    schema.validate(load(path))
    event = decode(model, path.read_bytes())
    value = encode(event)
    schema.validate(json.loads(value))
    again = decode(model, value)
    assert again == event
    assert encode(again) == value
    assert again.event_id == event.event_id


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_an_example_is_valid_under_the_released_schema(path: Path) -> None:
    model = EVENTS[path.parent.name]
    released = SCHEMAS / "released" / f"{model.event_type}.v{model.schema_version}.json"
    validator(load(released)).validate(load(path))


@pytest.mark.parametrize("event_type", EVENTS)
def test_every_type_has_examples_with_and_without_each_optional_field(event_type: str) -> None:
    examples = [load(path) for path in EXAMPLES if path.parent.name == event_type]
    schema = schema_of(event_type)
    assert len(examples) >= MINIMUM
    for field in schema["properties"]:
        assert any(field in example for example in examples), f"no example has {field}"
        if field not in schema["required"]:
            assert any(field not in example for example in examples)


def test_synonyms_of_a_side_are_the_same_event() -> None:
    folder = SCHEMAS / "examples" / "signal_emitted"
    sides = {
        stem: decode(SignalEmitted, (folder / f"{stem}.json").read_bytes()).side
        for stem in ("minimal", "long_synonym", "short", "short_synonym")
    }
    assert sides == {
        "minimal": "BUY",
        "long_synonym": "BUY",
        "short": "SELL",
        "short_synonym": "SELL",
    }

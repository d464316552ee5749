"""Does a change that today's readers could not cope with get noticed?"""

from __future__ import annotations

import copy
import json
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from trackrecord.events import EVENTS, SignalClosed
from trackrecord.events.codec import decode
from trackrecord.events.compatibility import breaks
from trackrecord.events.documents import event_schema
from trackrecord.events.types import Quantity

from .wire import EXAMPLES, SCHEMAS, load, validator

OLD: dict[str, Any] = {
    "type": "object",
    "required": ["id", "price"],
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 128},
        "price": {"type": "string", "pattern": "^[0-9]+$", "not": {"pattern": "^0$"}},
        "count": {"type": "integer", "minimum": 0, "maximum": 10, "default": 0},
        "ratio": {"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}], "default": None},
        "side": {"type": "string", "enum": ["BUY", "SELL"]},
        "at": {"type": "string", "format": "date-time"},
        "features": {
            "type": "object",
            "propertyNames": {"maxLength": 128},
            "additionalProperties": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        },
        "problems": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
    },
}


def changed(*path: str | int, to: Any = None, drop: bool = False) -> dict[str, Any]:
    schema = copy.deepcopy(OLD)
    place: Any = schema
    for step in path[:-1]:
        place = place[step]
    if drop:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return schema


P = "properties"


@pytest.mark.parametrize(
    ("new", "named"),
    [
        (changed("required", to=["id", "price", "count"]), "count: newly required"),
        (changed(P, "count", drop=True), "count: removed"),
        (changed(P, "id", "type", to="integer"), "id: type changed from string to integer"),
        (changed(P, "count", "type", to="string"), "count: type changed"),
        (changed(P, "ratio", to={"type": "number", "minimum": 0}), "ratio: null is no longer"),
        (changed(P, "ratio", "anyOf", 0, "minimum", to=1), "ratio: number is no longer"),
        (changed(P, "ratio", "anyOf", 0, "type", to="integer"), "ratio: number is no longer"),
        (changed(P, "side", "enum", to=["BUY"]), "side: no longer allows ['SELL']"),
        (changed(P, "side", to={"const": "BUY"}), "side: no longer allows ['SELL']"),
        (changed(P, "at", "enum", to=["now"]), "at: restricted to"),
        (changed(P, "id", "maxLength", to=64), "id: maxLength narrowed from 128 to 64"),
        (changed(P, "id", "minLength", to=2), "id: minLength narrowed from 1 to 2"),
        (changed(P, "at", "maxLength", to=64), "at: maxLength narrowed from none to 64"),
        (changed(P, "count", "maximum", to=9), "count: maximum narrowed"),
        (changed(P, "count", "minimum", to=1), "count: minimum narrowed"),
        (changed(P, "count", "exclusiveMinimum", to=0), "count: exclusiveMinimum narrowed"),
        (changed(P, "count", "default", to=1), "count: default changed from 0 to 1"),
        (changed(P, "ratio", "default", to=0.5), "ratio: default changed from None to 0.5"),
        (changed(P, "price", "pattern", to="^[0-9]{1,3}$"), "price: pattern changed"),
        (changed(P, "id", "pattern", to="^a"), "id: pattern changed"),
        (changed(P, "id", "format", to="uuid"), "id: format changed"),
        (changed(P, "id", "not", to={"const": "x"}), "id: not changed"),
        (changed(P, "features", "propertyNames", "maxLength", to=9), "features[propertyNames]"),
        (
            changed(P, "features", "additionalProperties", to={"type": "number"}),
            "features[additionalProperties]: null is no longer",
        ),
        (changed(P, "features", "additionalProperties", to=False), "no longer allowed"),
        (changed(P, "problems", "items", "type", to="string"), "problems[items]: type changed"),
        (changed(P, "problems", "items", "additionalProperties", to=False), "no longer allowed"),
        (changed("additionalProperties", to=False), "no longer allowed"),
        (changed("not", to={"required": ["side", "at"]}), "the event: not changed"),
        (changed("dependentRequired", to={"side": ["at"]}), "cannot judge"),
    ],
)
def test_each_kind_of_break_is_named(new: dict[str, Any], named: str) -> None:
    assert any(named in problem for problem in breaks(OLD, new)), breaks(OLD, new)


@pytest.mark.parametrize(
    "new",
    [
        OLD,
        changed("required", to=["id"]),
        changed(P, "venue", to={"type": "string"}),
        changed(P, "id", "maxLength", to=256),
        changed(P, "id", "minLength", drop=True),
        changed(P, "count", "maximum", drop=True),
        changed(P, "count", "type", to="number"),
        changed(P, "count", to={"anyOf": [OLD[P]["count"], {"type": "null"}], "default": 0}),
        changed(P, "side", "enum", to=["BUY", "SELL", "LONG"]),
        changed(P, "side", "enum", drop=True),
        changed(P, "price", "pattern", drop=True),
        changed(P, "price", "pattern", to="^-?[0-9]+$"),
        changed(P, "price", "not", drop=True),
        changed(P, "at", "format", drop=True),
        changed(P, "at", "description", to="When."),
        changed(P, "ratio", "anyOf", 0, "minimum", to=-1),
        changed(P, "ratio", "anyOf", to=[{"type": "null"}, {"type": "number"}, {"type": "string"}]),
        changed(P, "features", "additionalProperties", to=True),
        changed("title", to="another"),
    ],
)
def test_a_widening_or_an_addition_is_no_break(new: dict[str, Any]) -> None:
    assert breaks(OLD, new) == []


def test_a_type_list_is_the_same_as_alternatives() -> None:
    old = changed(P, "ratio", "anyOf", 0, "minimum", drop=True)
    listed = changed(P, "ratio", to={"type": ["number", "null"], "default": None})
    assert breaks(old, listed) == breaks(listed, old) == []


class Narrower(SignalClosed):
    """The same, with a field that every kind of careless change was made to."""

    reason: Annotated[str, Field(max_length=10)]
    quantity: Quantity
    venue: str
    revision: int = 1


def test_a_careless_change_of_a_model_is_noticed() -> None:
    said = breaks(event_schema(SignalClosed), event_schema(Narrower))
    for problem in (
        "reason: maxLength narrowed from 200 to 10",
        "quantity: newly required",
        "quantity: null is no longer read",
        "venue: newly required",
        "revision: default changed from 0 to 1",
    ):
        assert any(line.startswith(problem) for line in said), said


@pytest.mark.parametrize("event_type", EVENTS)
def test_today_reads_what_was_released(event_type: str) -> None:
    model = EVENTS[event_type]
    file = SCHEMAS / "released" / f"{event_type}.v{model.schema_version}.json"
    assert file.is_file(), "a new version is released with: cli.schemas --release"
    assert breaks(load(file), event_schema(model)) == []


def test_a_released_version_belongs_to_a_known_type_and_is_not_of_the_future() -> None:
    for file in (SCHEMAS / "released").iterdir():
        event_type, version, _ = file.name.split(".")
        assert int(version.removeprefix("v")) <= EVENTS[event_type].schema_version


@pytest.mark.parametrize("event_type", EVENTS)
def test_what_the_released_schema_requires_is_enough_for_today(event_type: str) -> None:
    """The models themselves, and not only their schemas, read documents of the release."""
    model = EVENTS[event_type]
    released = load(SCHEMAS / "released" / f"{event_type}.v{model.schema_version}.json")
    schema = validator(released)
    examples = [load(path) for path in EXAMPLES if path.parent.name == event_type]

    @settings(max_examples=40, deadline=None)
    @given(st.data())
    def read(data: st.DataObject) -> None:
        optional = sorted(released["properties"].keys() - set(released["required"]))
        left_out = data.draw(st.sets(st.sampled_from(optional))) if optional else set()
        example = data.draw(st.sampled_from(examples))
        document = {key: value for key, value in example.items() if key not in left_out}
        schema.validate(document)
        decode(model, json.dumps(document).encode())

    read()

"""Does asyncapi.yaml hold together, and say what the table of topics says?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
import yaml

from trackrecord.events import EVENTS
from trackrecord.events.topics import PARTICIPANTS, TOPICS, all_topics

from .wire import SCHEMAS, load, validator

DOCUMENT: Final[dict[str, Any]] = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text("utf-8"))

REFERENCE: Final = {
    "type": "object",
    "required": ["$ref"],
    "properties": {"$ref": {"type": "string", "pattern": "^#/"}},
    "additionalProperties": False,
}

STRUCTURE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["asyncapi", "info", "channels", "operations", "components"],
    "properties": {
        "asyncapi": {"const": "3.0.0"},
        "info": {"type": "object", "required": ["title", "version", "description", "license"]},
        "channels": {
            "additionalProperties": {
                "type": "object",
                "required": ["address", "messages", "bindings"],
                "properties": {
                    "messages": {
                        "type": "object",
                        "minProperties": 1,
                        "additionalProperties": REFERENCE,
                    },
                    "bindings": {"type": "object", "required": ["kafka"]},
                },
            }
        },
        "operations": {
            "additionalProperties": {
                "type": "object",
                "required": ["action", "channel", "messages", "tags"],
                "properties": {
                    "action": {"enum": ["send", "receive"]},
                    "channel": REFERENCE,
                    "messages": {"type": "array", "minItems": 1, "items": REFERENCE},
                },
            }
        },
        "components": {
            "properties": {
                "messages": {
                    "additionalProperties": {
                        "type": "object",
                        "required": ["title", "contentType", "payload"],
                    }
                }
            }
        },
    },
}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def resolve(reference: str) -> Any:
    if not reference.startswith("#/"):
        return load(SCHEMAS / reference)
    place: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        place = place[step]
    return place


def test_the_structure_is_that_of_asyncapi_3() -> None:
    validator(STRUCTURE).validate(DOCUMENT)


@pytest.mark.parametrize("reference", sorted(set(references(DOCUMENT))))
def test_every_reference_leads_somewhere(reference: str) -> None:
    assert resolve(reference)


def test_channels_are_the_topics_as_they_are_created() -> None:
    assert list(DOCUMENT["channels"]) == [spec.name for spec in all_topics()]
    for spec in all_topics():
        binding = DOCUMENT["channels"][spec.name]["bindings"]["kafka"]
        assert binding["topic"] == spec.name
        assert binding["partitions"] == spec.partitions
        assert binding["topicConfiguration"]["max.message.bytes"] == spec.max_message_bytes


def test_every_event_has_a_message_with_its_type_headers_and_schema() -> None:
    for model in EVENTS.values():
        name = f"{model.event_type}.v{model.schema_version}"
        message = DOCUMENT["components"]["messages"][name]
        assert message["name"] == model.ce_type()
        assert message["headers"]["properties"]["ce_type"]["const"] == model.ce_type()
        assert resolve(message["payload"]["$ref"])["title"] == name
        assert DOCUMENT["channels"][model.event_type]["messages"].keys() == {name}


def test_operations_are_who_sends_and_receives_what() -> None:
    said = {
        (operation["tags"][0]["name"], operation["action"], operation["channel"]["$ref"])
        for operation in DOCUMENT["operations"].values()
    }
    meant = {
        (name, action, f"#/channels/{spec.name}")
        for spec in all_topics()
        for action, names in (("send", spec.producers), ("receive", spec.consumers))
        for name in names
    }
    assert said == meant
    assert {tag["name"] for tag in DOCUMENT["info"]["tags"]} == set(PARTICIPANTS)
    assert ("extractor", "send", "#/channels/signal_emitted") in said
    assert len(TOPICS) == 9


def test_an_operation_uses_a_message_of_its_channel() -> None:
    for operation in DOCUMENT["operations"].values():
        for message in operation["messages"]:
            assert message["$ref"].startswith(operation["channel"]["$ref"] + "/messages/")

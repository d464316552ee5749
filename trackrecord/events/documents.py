"""The contract as data: what stands under ``schemas/``, built from the models and topics.

Everything here returns plain values (dicts, lists, strings, numbers); the
command :mod:`tools.schemas` writes them as JSON and YAML.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from trackrecord.events.base import Event
from trackrecord.events.codec import CONTENT_TYPE, MAX_EVENT_BYTES
from trackrecord.events.registry import EVENTS
from trackrecord.events.topics import PARTICIPANTS, TOPICS, TopicSpec
from trackrecord.events.types import TIME_TEXT

Document: TypeAlias = dict[str, Any]
"""A document as plain values, its keys in the order in which they are written."""

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

WRITTEN_BY: Final = "Written by `make schemas` from trackrecord.events: change that, not this."

COMPATIBILITY: Final = "BACKWARD"
"""The policy of every topic: a reader of today reads all that was ever written under
the same version, so readers are upgraded before writers. A change that breaks it
makes a new version."""


class _WireSchema(GenerateJsonSchema):
    """JSON Schema of the wire form, without the titles that only repeat a field's name."""

    schema_dialect = DIALECT

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """State a key's pattern as a rule for all keys.

        Pydantic's ``patternProperties`` would let a key that does not match pass.
        """
        result = super().dict_schema(schema)
        for pattern, values in result.pop("patternProperties", {}).items():
            result["propertyNames"] = {**result.get("propertyNames", {}), "pattern": pattern}
            result["additionalProperties"] = values
        return result


def schema_path(model: type[Event]) -> str:
    """Where the JSON Schema of an event's current version stands, relative to ``schemas/``."""
    return f"events/{model.event_type}.v{model.schema_version}.json"


def event_schema(model: type[Event]) -> Document:
    """The JSON Schema (draft 2020-12) of an event's value on the wire.

    It describes what a publisher may send: decimals are strings, and fields that
    it does not name are allowed. What it cannot say (that a bar's high is not
    below its low, say) only the model checks.
    """
    schema = model.model_json_schema(by_alias=True, mode="validation", schema_generator=_WireSchema)
    name = f"{model.event_type}.v{model.schema_version}"
    head = {
        "$schema": DIALECT,
        "$id": f"urn:trackrecord:schema:{name}",
        "$comment": WRITTEN_BY,
        "title": name,
        "description": schema["description"],
        "type": "object",
        "required": schema["required"],
        "properties": schema["properties"],
    }
    return head | {key: value for key, value in schema.items() if key not in head}


def topic_document(spec: TopicSpec) -> Document:
    """What the users of a topic may rely on.

    Args:
        spec: An event topic.

    Raises:
        ValueError: ``spec`` is a dead-letter topic, which its event topic's document describes.
    """
    if spec.event_type is None:
        raise ValueError(f"{spec.name} is a dead-letter topic: it has no document of its own")
    model = EVENTS[spec.event_type]
    dead = spec.dead_letter()
    return {
        "name": spec.name,
        "description": _summary(model),
        "owner": spec.owner,
        "key": {"field": spec.key, "encoding": "UTF-8", "partitioner": "murmur2_random"},
        "event": {
            "type": spec.event_type,
            "versions": [
                {
                    "version": model.schema_version,
                    "ce_type": model.ce_type(),
                    "schema": f"../{schema_path(model)}",
                }
            ],
            "max_bytes": MAX_EVENT_BYTES,
        },
        "compatibility": COMPATIBILITY,
        "producers": list(spec.producers),
        "consumers": list(spec.consumers),
        "default_partitions": spec.partitions,
        "replication": "a setting",
        "config": _typed_config(spec),
        "dead_letter": {
            "name": dead.name,
            "producers": list(dead.producers),
            "consumers": list(dead.consumers),
            "default_partitions": dead.partitions,
            "config": _typed_config(dead),
        },
    }


def headers_schema(model: type[Event]) -> Document:
    """The JSON Schema of a message's Kafka headers: CloudEvents 1.0, binary mode."""
    return {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type"],
        "properties": {
            "ce_specversion": {"const": "1.0"},
            "ce_id": {
                "type": "string",
                "minLength": 1,
                "description": "The event's id; the same for the same thing said twice.",
            },
            "ce_type": {"const": model.ce_type(), "description": "The event's type and version."},
            "ce_source": {
                "type": "string",
                "format": "uri-reference",
                "minLength": 1,
                "description": "Who published it.",
            },
            "ce_time": {
                "type": "string",
                "format": "date-time",
                "pattern": f"^{TIME_TEXT}$",
                "description": "When it was published.",
            },
            "content-type": {"const": CONTENT_TYPE.decode()},
            "traceparent": {
                "type": "string",
                "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
                "description": "The W3C trace context that it belongs to.",
            },
        },
    }


def asyncapi_document(version: str) -> Document:
    """The AsyncAPI 3.0 document of all topics, messages and who sends or receives them.

    Args:
        version: The version of the contract as a whole, such as ``1.0.0``.
    """
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "trackrecord",
            "version": version,
            "description": (
                "The events that trackrecord's services, and your scripts and strategies, "
                "exchange over Kafka. Topic names are without the prefix that a setting may add."
            ),
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
            "tags": [{"name": name, "description": what} for name, what in PARTICIPANTS.items()],
        },
        "defaultContentType": CONTENT_TYPE.decode(),
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "messages": {_message_name(model): _message(model) for model in EVENTS.values()}
            | {"dead_letter": _DEAD_LETTER_MESSAGE}
        },
    }


def documents() -> dict[str, Document]:
    """Every exported document by its path relative to ``schemas/``."""
    result = {schema_path(model): event_schema(model) for model in EVENTS.values()}
    result |= {f"topics/{name}.yaml": topic_document(spec) for name, spec in TOPICS.items()}
    highest = max(model.schema_version for model in EVENTS.values())
    result["asyncapi.yaml"] = asyncapi_document(f"{highest}.0.0")
    return result


_DEAD_LETTER_MESSAGE: Final[Document] = {
    "title": "A refused message",
    "summary": "The key and the bytes of the value as they came, with headers that say why.",
    "description": "Seen with `trackrecord dlq show`, sent again with `trackrecord dlq replay`.",
    "contentType": "application/octet-stream",
    "payload": {"type": "string", "format": "binary"},
}


def _summary(model: type[Event]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _typed_config(spec: TopicSpec) -> Document:
    return {
        name: int(value) if value.lstrip("-").isdigit() else value
        for name, value in spec.config().items()
    }


def _message_name(model: type[Event]) -> str:
    return f"{model.event_type}.v{model.schema_version}"


def _message(model: type[Event]) -> Document:
    key = model.model_fields[model.key_field]
    return {
        "name": model.ce_type(),
        "title": _message_name(model),
        "summary": _summary(model),
        "contentType": CONTENT_TYPE.decode(),
        "headers": headers_schema(model),
        "payload": {"$ref": f"./{schema_path(model)}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": key.description},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _channels() -> Document:
    result: Document = {}
    for name, spec in TOPICS.items():
        model = EVENTS[name]
        dead = spec.dead_letter()
        result[name] = _channel(spec, _message_name(model), _summary(model))
        result[dead.name] = _channel(dead, "dead_letter", f"What was refused from {name}.")
    return result


def _channel(spec: TopicSpec, message: str, summary: str) -> Document:
    config = _typed_config(spec)
    # The binding knows these settings; the timestamp type stands in topics/*.yaml.
    named = ("retention.ms", "retention.bytes", "max.message.bytes")
    return {
        "address": spec.name,
        "summary": summary,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {
            "kafka": {
                "topic": spec.name,
                "partitions": spec.partitions,
                "topicConfiguration": {
                    "cleanup.policy": [config["cleanup.policy"]],
                    **{name: config[name] for name in named},
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations() -> Document:
    result: Document = {}
    for spec in TOPICS.values():
        for each in (spec, spec.dead_letter()):
            for action, names in (("send", each.producers), ("receive", each.consumers)):
                for name in names:
                    result[f"{name}.{action}.{each.name}"] = _operation(name, action, each)
    return result


def _operation(participant: str, action: str, spec: TopicSpec) -> Document:
    message = "dead_letter" if spec.event_type is None else _message_name(EVENTS[spec.event_type])
    channel = f"#/channels/{spec.name}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "summary": f"{participant} {action}s {spec.name}",
        "tags": [{"name": participant}],
        "messages": [{"$ref": f"{channel}/messages/{message}"}],
    }

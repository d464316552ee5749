"""What all events share: frozen models that know their type, version, topic and key."""

from __future__ import annotations

from hashlib import sha1
from typing import Any, ClassVar, Literal
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict

NAMESPACE = uuid5(NAMESPACE_URL, "urn:trackrecord")
"""The namespace of every id that trackrecord derives."""
_NAMESPACE_BYTES = NAMESPACE.bytes


def derived_id(*parts: object) -> str:
    """Derive an id from what it is about, so that saying it twice gives the same id.

    Args:
        *parts: The subject, from the general to the particular.

    Returns:
        A UUIDv5 (RFC 9562, section 5.5) in its usual text form.
    """
    name = "\x1f".join([str(part) for part in parts])
    # As uuid.uuid5 does it, without the object that is only written out: a third of the time.
    digits = sha1(_NAMESPACE_BYTES + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


EventType = Literal[
    "script_executed",
    "signal_emitted",
    "signal_closed",
    "market_bar",
    "signal_assessed",
    "signal_scored",
    "model_trained",
    "strategy_requested",
    "strategy_generated",
]
"""The names of all event types, which are also those of their topics."""


class Event(BaseModel):
    """One thing that happened, as it stands on a topic.

    A subclass names its type, the version of its schema, the field that keys
    its topic, and the fields that make its business id. Fields that a reader
    does not know are passed over, so that a newer publisher can add some.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        serialize_by_alias=True,
        validate_by_name=True,
        validate_by_alias=True,
    )

    event_type: ClassVar[EventType]
    """The name of the type, which is also the name of its topic."""

    schema_version: ClassVar[int] = 1
    """The version of the schema; a change that old readers could not read raises it."""

    key_field: ClassVar[str]
    """The field whose value is the Kafka key: what shares it stays in order."""

    identity: ClassVar[tuple[str, ...]]
    """The fields that say which thing this is about; effects are keyed by them."""

    @classmethod
    def ce_type(cls) -> str:
        """The CloudEvents type: name and version."""
        return f"trackrecord.{cls.event_type}.v{cls.schema_version}"

    @property
    def key(self) -> str:
        """The Kafka key."""
        return str(getattr(self, self.key_field))

    @property
    def event_id(self) -> str:
        """The id that this event has when its publisher does not choose one.

        It is derived from the business id and the revision, so publishing the
        same thing twice gives the same id.
        """
        values: list[Any] = [getattr(self, name) for name in self.identity]
        return derived_id(self.event_type, *values, getattr(self, "revision", 0))

    def to_json(self) -> bytes:
        """The value on the wire: JSON, decimals as strings, unset optional fields left out."""
        return self.model_dump_json(exclude_none=True).encode()

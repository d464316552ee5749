"""Between an event and the bytes and headers of its Kafka message.

CloudEvents 1.0, binary mode of its Kafka binding: the value is the data, the
attributes are headers that begin with ``ce_``.
Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NoReturn, TypeVar

from pydantic import ValidationError

from trackrecord.errors import TrackrecordError
from trackrecord.events.base import Event
from trackrecord.events.types import wire_time

MAX_EVENT_BYTES: Final = 256 * 1024
"""The largest value of a message, in bytes."""

MAX_DEPTH: Final = 256
"""How deep the objects and lists of a message may be nested.

Python's own limit depends on how deep the reader itself has been called, so
that one process would read what another refuses.
"""

MAX_PROBLEMS: Final = 20
"""How many problems of one event are spelled out; the rest is counted."""

MAX_KEY_CHARACTERS: Final = 64
"""How much of a key that the publisher chose an explanation repeats."""

CONTENT_TYPE: Final = b"application/json"

# Ends at the end of the value where a text is not closed: it never looks at a byte twice.
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_OPENING: Final = frozenset(b"[{")

E = TypeVar("E", bound=Event)

Headers = list[tuple[str, bytes]]
"""Kafka headers in their order."""


class InvalidEventError(TrackrecordError, ValueError):
    """A message that is not a valid event; its text says why, in words for its publisher."""


def headers(
    event: Event,
    *,
    source: str,
    time: datetime,
    event_id: str | None = None,
    traceparent: str | None = None,
) -> Headers:
    """The headers of an event's message.

    Args:
        event: The event.
        source: Who publishes it, a URI reference such as ``/extractor``.
        time: When it was published.
        event_id: Its id, if the publisher chose one.
        traceparent: The W3C trace context it belongs to, if any.
    """
    result: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", (event_id or event.event_id).encode()),
        ("ce_type", event.ce_type().encode()),
        ("ce_source", source.encode()),
        ("ce_time", _wire_time(time)),
        ("content-type", CONTENT_TYPE),
    ]
    if traceparent:
        result.append(("traceparent", traceparent.encode()))
    return result


@lru_cache(maxsize=16)
def _wire_time(time: datetime) -> bytes:
    """A time on the wire; the events of a batch are published at one."""
    return wire_time(time).encode()


def encode(event: Event) -> bytes:
    """The value of an event's message.

    Raises:
        InvalidEventError: It is larger than a message may be.
    """
    value = event.to_json()
    if len(value) > MAX_EVENT_BYTES:
        raise InvalidEventError(
            f"the event is {len(value):,} bytes long, and {MAX_EVENT_BYTES:,} is the limit"
        )
    return value


def decode(model: type[E], value: bytes | None) -> E:
    """Read an event from the value of a message, and check every rule.

    Raises:
        InvalidEventError: The value is not JSON or breaks a rule; says which.
    """
    return validate(model, parse_json(value))


def parse_json(value: bytes | None) -> Any:
    """Read strict JSON: UTF-8, no NaN, no Infinity, at most ``MAX_DEPTH`` levels.

    Raises:
        InvalidEventError: The value is not that.
    """
    if value is None:
        raise InvalidEventError("the message has no value")
    if len(value) > MAX_EVENT_BYTES:
        raise InvalidEventError(
            f"the value is {len(value):,} bytes long, and {MAX_EVENT_BYTES:,} is the limit"
        )
    if is_too_deep(value):
        raise InvalidEventError(
            f"not readable JSON: nested too deeply, and {MAX_DEPTH} levels are the limit"
        )
    try:
        return _DECODE(value.decode())
    except UnicodeDecodeError as error:
        raise InvalidEventError(f"not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise InvalidEventError("not readable JSON: nested too deeply") from None
    except ValueError as error:
        raise InvalidEventError(f"not readable JSON: {error}") from None


def is_too_deep(value: bytes) -> bool:
    """Whether the objects and lists of a JSON text are nested more than ``MAX_DEPTH`` levels."""
    if value.count(b"[") + value.count(b"{") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _TEXT.sub(b"", value).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in _OPENING else -1
        if depth > MAX_DEPTH:
            return True
    return False


def validate(model: type[E], data: Any) -> E:
    """Check data against an event's rules.

    Raises:
        InvalidEventError: It breaks one; names each field and why.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise InvalidEventError(explain(error)) from None


def explain(error: ValidationError) -> str:
    """Say in one line what is wrong with which field.

    The line is safe to store and to send wherever it goes: keys that the
    publisher chose stand in it escaped and cut, and it has an end.
    """
    details = error.errors(include_url=False, include_context=False, include_input=False)
    problems = []
    for detail in details[:MAX_PROBLEMS]:
        where = ".".join(_readable(str(part)) for part in detail["loc"])
        words = detail["msg"].removeprefix("Value error, ")
        if detail["type"] == "string_unicode":
            words = "holds a lone surrogate, which is not a character"
        elif detail["type"] == "missing":
            words = "is missing"
        elif detail["type"] == "string_pattern_mismatch" and detail["loc"][-1:] == ("side",):
            words = "must be BUY or SELL; LONG and SHORT mean the same"
        problems.append(f"{where}: {words}" if where else words)
    if len(details) > MAX_PROBLEMS:
        problems.append(f"and {len(details) - MAX_PROBLEMS:,} more")
    return "; ".join(problems)


def _readable(part: str) -> str:
    cut = part if len(part) <= MAX_KEY_CHARACTERS else part[:MAX_KEY_CHARACTERS] + "…"
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in cut
    )


def header(headers: Sequence[tuple[str, bytes | None]] | None, name: str) -> str | None:
    """The text of one header, or None where it is missing or not text."""
    for key, value in headers or ():
        if key == name and value is not None:
            try:
                return value.decode()
            except UnicodeDecodeError:
                return None
    return None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODE = json.JSONDecoder(parse_constant=_no_constant).decode

"""One line of JSON as an event: what its model says of it."""

from __future__ import annotations

import json
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, NamedTuple

from trackrecord.events import EVENTS, Event, InvalidEventError
from trackrecord.events.codec import encode, validate
from trackrecord.events.reading import from_json

_LONGEST_ID = 128


class Line(NamedTuple):
    """What a line holds."""

    event: Event
    event_id: str | None
    """Chosen by its publisher."""
    unknown: str | None
    """The fields that no event of the type has, in words."""


def event_of(line: bytes) -> Line:
    """Read a line such as ``{"type": "signal_emitted", "data": {...}, "id"?: "..."}``.

    Raises:
        InvalidEventError: It is none, or breaks a rule of its type; the message says which.
    """
    try:
        # Numbers are taken as they are written, so that 150.25 is 150.25 to the last digit.
        said = json.loads(line.decode(), parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise InvalidEventError(f"not readable JSON: {error}") from None
    if not isinstance(said, dict) or not isinstance(said.get("data"), dict):
        raise InvalidEventError('not an event: write {"type": "...", "data": {...}}')
    name = said.get("type")
    model = EVENTS.get(name) if isinstance(name, str) else None
    if model is None:
        raise InvalidEventError(_unknown_type(name))
    event_id = said.get("id")
    if event_id is not None and not _is_id(event_id):
        raise InvalidEventError("id: must be a text of 1 to 128 characters")
    event = validate(model, from_json(model, said["data"]))
    encode(event)
    return Line(event, event_id, _unknown_fields(model, said["data"]))


def _is_id(value: object) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unknown_type(name: object) -> str:
    if name is None:
        return f"type: is missing; the types are {', '.join(EVENTS)}"
    close = get_close_matches(str(name), EVENTS, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"the types are {', '.join(EVENTS)}"
    return f"type: there is no event type {name!r}; {hint}"


def _unknown_fields(model: type[Event], data: dict[str, Any]) -> str | None:
    known = {field.alias or name for name, field in model.model_fields.items()}
    unknown = sorted(set(data) - known)
    if not unknown:
        return None
    words = []
    for name in unknown:
        close = get_close_matches(name, known, 1)
        words.append(f"{name!r}" + (f" (did you mean {close[0]!r}?)" if close else ""))
    return f"{model.event_type} has no field {', '.join(words)}: not published"

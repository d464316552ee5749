"""Events of one type as they are posted: one object, a list of them, or one to a line.

They are checked as the lines of a file are (:mod:`trackrecord.publishing.lines`), all before the
first is sent, and names that a template has left unfilled are refused.
"""

from __future__ import annotations

import re
import threading
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from trackrecord.errors import TrackrecordError
from trackrecord.events import EVENTS
from trackrecord.events.codec import is_too_deep
from trackrecord.publishing.lines import Checker, Columns, Message
from trackrecord.publishing.placeholders import unfilled

MOST_EVENTS: Final = 50_000
"""Of one request."""

_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_one = msgspec.json.Decoder(msgspec.Raw)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class UnreadableError(TrackrecordError, ValueError):
    """What was posted is no JSON."""


class Checked(NamedTuple):
    """What was posted.

    Attributes:
        messages: To be sent, in order; those that are valid.
        refused: Of each other one ``{"event", "field"?, "reason"}``, counted from 1.
        warnings: Of what is valid and looks like a mistake, likewise.
        is_one: Whether one object was posted, and no list or lines.
    """

    messages: list[Message]
    refused: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    is_one: bool


class _Learnt(threading.local):
    """What the checks of this thread have learnt of types."""

    def __init__(self) -> None:
        self.columns: dict[str, Columns] = {}


_learnt: Final = _Learnt()


def check_posted(
    event_type: str, body: bytes, now: datetime, *, lines: bool = False, event_id: str | None = None
) -> Checked:
    """Check all that was posted.

    Args:
        event_type: Of all of them.
        body: JSON.
        now: The time, for what lies in the future.
        lines: Whether it is one object to a line.
        event_id: The id of the one event that it is, where its body names none.

    Raises:
        UnreadableError: It is no JSON, or too deep, or holds too many events.
    """
    parts, is_one = _parts(body, lines=lines)
    if len(parts) > MOST_EVENTS:
        raise UnreadableError(
            f"{len(parts):,} events in one request, and {MOST_EVENTS:,} are the limit"
        )
    model = EVENTS[event_type]
    refused: list[dict[str, Any]] = []
    envelopes: list[tuple[int, bytes]] = []
    for number, part in enumerate(parts, 1):
        if part[:1] != b"{":
            refused.append({"event": number, "reason": "is not an event: each is a JSON object"})
            continue
        data, own_id = _without_id(part)
        if event_id is not None and own_id is None:
            own_id = msgspec.json.encode(event_id)
        if (found := unfilled(model, data)) is not None:
            field, placeholder = found
            reason = f"holds {placeholder!r}, which whoever sends it should have filled in"
            refused.append({"event": number, "field": field, "reason": reason})
            continue
        envelopes.append((number, _envelope(event_type, data, own_id)))
    checker = Checker(now, _learnt.columns)
    found_all = checker.check(envelopes)
    refused += [
        _refusal(number, each)
        for (number, _), each in zip(envelopes, found_all, strict=True)
        if isinstance(each, str)
    ]
    return Checked(
        [each for each in found_all if isinstance(each, tuple)],
        sorted(refused, key=lambda each: each["event"]),
        [{"event": number, "reason": words} for number, words in sorted(checker.warnings)],
        is_one,
    )


def _parts(body: bytes, *, lines: bool) -> tuple[list[bytes], bool]:
    try:
        if lines:
            return [bytes(each) for each in _one.decode_lines(body)], False
        if body.lstrip()[:1] == b"[":
            return [bytes(each) for each in _list(body)], False
        return [bytes(_one.decode(body))], True
    except _UNREADABLE as error:
        words = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        if _SURROGATE.search(body):
            words += "; a lone surrogate is not a character"
        raise UnreadableError(f"not readable JSON: {words}") from None


def _without_id(part: bytes) -> tuple[bytes, bytes | None]:
    """The data of an event, and the id of its own that stood beside, as JSON."""
    if b'"id"' not in part or is_too_deep(part):
        return part, None
    try:
        fields = _fields(part)
    except _UNREADABLE:
        return part, None
    if "id" not in fields:
        return part, None
    own_id = bytes(fields.pop("id"))
    return msgspec.json.encode(fields), own_id


def _envelope(event_type: str, data: bytes, own_id: bytes | None) -> bytes:
    # Each part is a whole JSON value by now, so that nothing in it can end the data.
    beside = b"" if own_id is None else b',"id":' + own_id
    return b'{"type":"%s","data":%s%s}' % (event_type.encode(), data, beside)


def _refusal(number: int, words: str) -> dict[str, Any]:
    field, colon, _ = words.partition(": ")
    named = {"field": field} if colon and " " not in field else {}
    return {"event": number, **named, "reason": words}

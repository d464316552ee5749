"""Are messages on the wire, headers and bytes, what they always were?

The files under ``golden/`` were recorded once and stay: messages like them are on
topics that are kept for ever, and readers in other languages rely on them.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

import pytest

from trackrecord.events import EVENTS
from trackrecord.events.codec import Headers, decode, encode, header, headers
from trackrecord.events.documents import headers_schema

from .wire import validator

GOLDEN: Final = sorted((Path(__file__).parent / "golden").iterdir())


def recorded_headers(folder: Path) -> Headers:
    lines = (folder / "headers.txt").read_text("utf-8").splitlines()
    return [(name, value.encode()) for name, value in (line.split(": ", 1) for line in lines)]


def test_every_type_has_a_golden_message() -> None:
    assert {folder.name.split(".")[0] for folder in GOLDEN} == set(EVENTS)


@pytest.mark.parametrize("folder", GOLDEN, ids=lambda folder: folder.name)
def test_a_message_is_read_and_written_byte_for_byte(folder: Path) -> None:
    model = EVENTS[folder.name.split(".")[0]]
    value = (folder / "value.json").read_bytes()
    message = recorded_headers(folder)
    event = decode(model, value)
    assert encode(event) == value
    source, time, event_id = (header(message, f"ce_{name}") for name in ("source", "time", "id"))
    assert source is not None
    assert time is not None
    chosen = event_id if folder.name.endswith("own_id") else None
    written = headers(
        event,
        source=source,
        time=datetime.fromisoformat(time),
        event_id=chosen,
        traceparent=header(message, "traceparent"),
    )
    assert written == message


@pytest.mark.parametrize("folder", GOLDEN, ids=lambda folder: folder.name)
def test_headers_are_valid_under_their_schema(folder: Path) -> None:
    model = EVENTS[folder.name.split(".")[0]]
    message = {name: value.decode() for name, value in recorded_headers(folder)}
    validator(headers_schema(model)).validate(message)


def test_the_headers_schema_refuses_what_cloudevents_does() -> None:
    folder = next(folder for folder in GOLDEN if folder.name.startswith("market_bar"))
    good = {name: value.decode() for name, value in recorded_headers(folder)}
    schema = validator(headers_schema(EVENTS["market_bar"]))
    for name in schema.schema["required"]:
        assert not schema.is_valid({key: value for key, value in good.items() if key != name})
    for name, value in (
        ("ce_specversion", "0.3"),
        ("ce_type", "trackrecord.market_bar.v2"),
        ("ce_id", ""),
        ("ce_time", "yesterday"),
        ("ce_source", "not a uri"),
        ("content-type", "text/plain"),
        ("traceparent", "00-0-0-00"),
    ):
        assert not schema.is_valid(good | {name: value}), name

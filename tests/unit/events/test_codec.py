"""Does a message's value hold one event, within its size, under a stable id?"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from trackrecord.events import (
    EVENTS,
    Event,
    MarketBar,
    SignalAssessed,
    SignalClosed,
    SignalEmitted,
    derived_id,
)
from trackrecord.events.codec import (
    MAX_EVENT_BYTES,
    InvalidEventError,
    decode,
    encode,
    header,
    headers,
    parse_json,
    validate,
)

from .builders import bar, exit_, signal

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_ids_never_change_because_effects_were_recorded_under_them() -> None:
    assert derived_id("a", 1) == "a5469527-4c0e-50e7-af53-36b0ec3c6be4"
    assert validate(SignalEmitted, signal()).event_id == "ef1b3554-fdb7-5baa-a78c-d14a8030b24f"
    assert (
        validate(SignalClosed, exit_(revision=3)).event_id == "2990549f-3087-5ec0-b259-19c3a16b16cf"
    )
    assert validate(MarketBar, bar()).event_id == "95dcfd3b-0989-5868-a893-90ed7a155310"


def test_the_same_thing_said_twice_has_the_same_id_and_a_correction_another() -> None:
    first = validate(SignalEmitted, signal())
    assert validate(SignalEmitted, signal(price="151")).event_id == first.event_id
    assert validate(SignalEmitted, signal(revision=1)).event_id != first.event_id
    assert validate(SignalEmitted, signal(signal_id="s-2")).event_id != first.event_id
    other_zone = bar(opened_at="2026-03-02T20:00:00+05:30")
    assert validate(MarketBar, other_zone).event_id == validate(MarketBar, bar()).event_id


def test_ids_of_different_types_differ() -> None:
    assert derived_id("signal_emitted", "x", 0) != derived_id("signal_closed", "x", 0)
    assert derived_id("a", "b") != derived_id("ab")


def test_an_event_of_the_largest_size_passes_and_one_byte_more_does_not() -> None:
    empty = len(encode(validate(SignalEmitted, signal(metadata={"a": ""}))))
    room = MAX_EVENT_BYTES - empty
    largest = validate(SignalEmitted, signal(metadata={"a": "x" * room}))
    assert len(encode(largest)) == MAX_EVENT_BYTES
    assert decode(SignalEmitted, encode(largest)) == largest
    larger = validate(SignalEmitted, signal(metadata={"a": "x" * (room + 1)}))
    with pytest.raises(InvalidEventError, match=r"262,145 bytes long, and 262,144 is the limit"):
        encode(larger)
    with pytest.raises(InvalidEventError, match="is the limit"):
        decode(SignalEmitted, larger.to_json())


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "no value"),
        (b"", "not readable JSON"),
        (b"{", "not readable JSON"),
        (b"\xff{}", "not UTF-8 at byte 0"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "not readable JSON"),
        (b"\x00", "not readable JSON"),
    ],
)
def test_what_is_not_json_is_refused_in_words(value: bytes | None, words: str) -> None:
    with pytest.raises(InvalidEventError, match=words):
        parse_json(value)


def test_a_lone_surrogate_written_as_an_escape_is_refused() -> None:
    value = json.dumps(signal(strategy="\ud800")).encode()
    with pytest.raises(InvalidEventError, match="lone surrogate"):
        decode(SignalEmitted, value)


@pytest.mark.parametrize("number", [b"1e400", b"-1e400"])
def test_a_number_beyond_a_double_is_refused(number: bytes) -> None:
    value = json.dumps(signal(metadata={"a": 1})).encode().replace(b'"a": 1', b'"a": ' + number)
    with pytest.raises(InvalidEventError, match="Infinity"):
        decode(SignalEmitted, value)


def test_headers_are_read_by_name() -> None:
    message = headers(validate(SignalEmitted, signal()), source="/test", time=NOON, event_id="mine")
    assert header(message, "ce_id") == "mine"
    assert header(message, "traceparent") is None
    assert header([("ce_id", b"\xff")], "ce_id") is None
    assert header([("ce_id", None)], "ce_id") is None
    assert header(None, "ce_id") is None


@pytest.mark.parametrize("model", EVENTS.values())
def test_every_type_names_its_key_and_identity_among_its_fields(model: type[Event]) -> None:
    assert {model.key_field, *model.identity} <= model.model_fields.keys()


def test_an_explanation_can_be_stored_and_sent_whatever_the_publisher_wrote() -> None:
    keys = ["\ud800", "\x00", "x" * 100_000, *map(str, range(50))]
    data = {
        "signal_id": "s",
        "strategy": "x",
        "symbol": "y",
        "assessed_at": "2026-03-02T14:30:00Z",
        "features": dict.fromkeys(keys, "no number"),
    }
    with pytest.raises(InvalidEventError) as caught:
        validate(SignalAssessed, data)
    reason = str(caught.value)
    assert reason.isprintable()
    assert len(reason.encode()) < 4_096
    assert reason.endswith("more")

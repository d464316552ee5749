"""Reading the lines that `publish` is given."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.events import EVENTS, InvalidEventError, SignalEmitted
from trackrecord.events.codec import MAX_EVENT_BYTES
from trackrecord.publishing.lines import check
from trackrecord.publishing.one_line import event_of

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"
MINIMAL = json.loads((EXAMPLES / "signal_emitted" / "minimal.json").read_bytes())

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def line(**data: Any) -> bytes:
    return json.dumps({"type": "signal_emitted", "data": MINIMAL | data}).encode()


def reason(raw: bytes) -> str:
    with pytest.raises(InvalidEventError) as caught:
        event_of(raw)
    return str(caught.value)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/*.json")), ids=lambda path: path.stem)
def test_every_example_is_read_as_its_type(path: Path) -> None:
    data = json.loads(path.read_bytes())
    event, event_id, _ = event_of(json.dumps({"type": path.parent.name, "data": data}).encode())
    assert type(event) is EVENTS[path.parent.name]
    assert event_id is None


@given(st.decimals(Decimal("1e-18"), Decimal(99999999999999999999), places=18))
def test_money_written_as_a_json_number_is_taken_to_the_last_digit(price: Decimal) -> None:
    raw = line().replace(json.dumps(MINIMAL["price"]).encode(), format(price, "f").encode())
    event, _, _ = event_of(raw)
    assert isinstance(event, SignalEmitted)
    assert event.price == price


def test_ratios_are_doubles_and_free_json_keeps_its_numbers() -> None:
    event, _, _ = event_of(line(confidence=0.75, metadata={"a": [1, 2.5, None], "b": {"c": 1e3}}))
    assert isinstance(event, SignalEmitted)
    assert event.confidence == 0.75
    assert event.metadata == {"a": [1, 2.5, None], "b": {"c": 1000.0}}


def test_an_id_of_the_publisher_s_own_is_kept() -> None:
    said = json.loads(line()) | {"id": "mine"}
    assert event_of(json.dumps(said).encode())[1] == "mine"


@pytest.mark.parametrize("event_id", ["", 5, "x" * 129, [], {}])
def test_an_id_that_no_event_can_have_is_refused(event_id: Any) -> None:
    assert reason(json.dumps(json.loads(line()) | {"id": event_id}).encode()).startswith("id:")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"{", "not readable JSON"),
        (b"\xff", "not readable JSON"),
        (b"[" * 100_000, "not readable JSON"),
        (b"[]", "not an event"),
        (b"1", "not an event"),
        (b'{"type": "signal_emitted"}', "not an event"),
        (b'{"type": "signal_emitted", "data": []}', "not an event"),
        (b'{"data": {}}', "type: is missing"),
        (b'{"type": null, "data": {}}', "type: is missing"),
        (b'{"type": ["signal_emitted"], "data": {}}', "no event type"),
        (b'{"type": "signal_emited", "data": {}}', "did you mean 'signal_emitted'?"),
        (b'{"type": "zzz", "data": {}}', "the types are"),
        (line(quantity=-1), "quantity: must be above 0"),
        (line(price="1,5"), "price: not a plain decimal"),
        (line(emitted_at="2026-03-02T14:30:00"), "emitted_at"),
        (line(fee="1", fee_rate="0.1"), "not both"),
        (line(metadata={"a": "x" * MAX_EVENT_BYTES}), "262,144"),
        (line().replace(b'"BUY"', b"NaN"), "side"),
    ],
)  # fmt: skip
def test_what_cannot_be_an_event_is_refused_with_the_reason(raw: bytes, words: str) -> None:
    assert words in reason(raw)


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\r\n".join([line(), b"", b"bad", b"  ", line(surprise=1)]) + b"\r\n")
    with file.open("rb") as source:
        checked = check(source, NOW)
    assert len(checked.events) == 2
    assert [each["line"] for each in checked.refused] == [3]
    [warning] = checked.warnings
    assert warning["line"] == 5
    assert "'surprise'" in warning["reason"]

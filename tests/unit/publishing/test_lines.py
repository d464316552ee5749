"""Lines of a file: the quick way and the event's model have one verdict, and what is warned of."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from trackrecord.events import EVENTS, InvalidEventError
from trackrecord.events.codec import MAX_EVENT_BYTES, decode
from trackrecord.publishing.lines import LONGEST_LINE, Checked, check
from trackrecord.publishing.one_line import Line, event_of
from trackrecord.publishing.outgoing import messages

NOW = datetime(2026, 11, 28, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"
VALUES: list[Any] = [
    None, True, 0, 1, -1, 5, 150.25, 0.1, 1e5, -0.0, 1e-7, 10**25, "150.25", "1e5", "-3", "0",
    "BUY", "buy", "Long", "sHoRt", "LONG", "SHORT", "\u017fell", "HOLD", "BUY ", "",
    "a\x00b", "\ud800",
    "2026-03-02T14:30:00Z", "2026-03-02 14:30:00+00:00", "2026-03-02 14:30:00.5Z",
    "2026-03-02T14:30:00+00:00", "2026-03-02T14:30:00+05:30", "2026-03-02", 1772442900,
    "2026-02-30 14:30:00Z", "2026-03-02  14:30:00Z", "9999-12-31T23:59:59Z", "1772442900",
    [], {}, {"price": 5, "side": "buy"}, {"a": [1, 2.5, None]}, 'say "side": "buy", {"price": 5}',
    'a "price": 5, b', "x" * 129, "é" * 128, "\U0001f4c8",
]  # fmt: skip


def corpus(event_type: str, seed: int, count: int) -> Iterator[bytes]:
    rng = random.Random(f"{event_type}-{seed}")
    examples = [json.loads(path.read_bytes()) for path in (EXAMPLES / event_type).glob("*.json")]
    fields = [field.alias or name for name, field in EVENTS[event_type].model_fields.items()]
    for _ in range(count):
        data = dict(rng.choice(examples))
        for _ in range(rng.choice([0, 1, 1, 2, 3])):
            field = rng.choice([*fields, "surprise"])
            if rng.random() < 0.15:
                data.pop(field, None)
            else:
                data[field] = rng.choice(VALUES)
        line: dict[str, Any] = {"type": event_type, "data": data}
        if rng.random() < 0.2:
            line["id"] = rng.choice(["mine", "", "x" * 129, 5, None, "é", "\ud800"])
        if rng.random() < 0.05:
            line["comment"] = "of the publisher's own"
        separators = rng.choice([(",", ":"), (", ", ": "), (" , ", " : ")])
        yield json.dumps(line, ensure_ascii=rng.random() < 0.5, separators=separators).encode(
            errors="surrogatepass"
        )


def alone_of(line: bytes) -> Line | str:
    """What the event's model says of a line, or why it refuses it."""
    try:
        return event_of(line)
    except InvalidEventError as error:
        return str(error)


def checked(*lines: bytes) -> Checked:
    return check(io.BytesIO(b"\n".join(lines)), NOW)


@pytest.mark.parametrize("event_type", EVENTS)
def test_both_ways_have_one_verdict_and_one_event(event_type: str) -> None:
    lines = list(corpus(event_type, 1, 1_500))
    found = checked(*lines)
    refused = {problem["line"]: problem["reason"] for problem in found.refused}
    sent = messages(found.events)
    accepted = 0
    for number, line in enumerate(lines, start=1):
        alone = alone_of(line)
        if isinstance(alone, str):
            assert refused[number] == alone
            continue
        accepted += 1
        message = next(sent)
        event = decode(EVENTS[event_type], message.value)
        assert event == alone.event
        assert message.key == alone.event.key.encode()
        assert message.event_id == (alone.event_id or alone.event.event_id)
        assert message.event_type == event_type
        assert json.loads(message.value).get("side") in {None, "BUY", "SELL"}
    assert next(sent, None) is None
    assert accepted > 100
    assert len(refused) == len(lines) - accepted > 100


def signal(**changes: Any) -> bytes:
    data = {"signal_id": "s", "strategy": "t", "symbol": "AAPL", "side": "BUY", "price": "100",
            "emitted_at": "2026-03-02T14:30:00Z"}  # fmt: skip
    return json.dumps({"type": "signal_emitted", "data": data | changes}).encode()


def close(signal_id: str, **changes: Any) -> bytes:
    data = {"signal_id": signal_id, "exit_id": "x", "symbol": "AAPL", "price": "101",
            "closed_at": "2026-03-03T14:30:00Z", "reason": "target"}  # fmt: skip
    return json.dumps({"type": "signal_closed", "data": data | changes}).encode()


@pytest.mark.parametrize("slowly", [False, True])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target_price": "99"}, "target_price 99 of a BUY at 100 is not above"),
        ({"target_price": "100"}, "target_price 100 of a BUY at 100 is not above"),
        ({"stop_loss": 101}, "stop_loss 101 of a BUY at 100 is not below"),
        ({"side": "short", "target_price": "101"}, "of a SELL at 100 is not below"),
        ({"emitted_at": "2030-01-01T00:00:00Z"}, "which is in the future"),
    ],
)
def test_what_looks_wrong_is_warned_of_and_sent(
    changes: dict[str, Any], words: str, slowly: bool
) -> None:
    more = {"metadata": {"a": {"b": "\\u00e9"}}} if slowly else {}
    found = checked(signal(), signal(signal_id="t", **changes, **more))
    assert (len(found.events), len(found.refused)) == (2, 0)
    [warning] = found.warnings
    assert warning["line"] == 2
    assert words in warning["reason"]


def test_what_is_in_order_is_not_warned_of() -> None:
    found = checked(
        signal(target_price="110", stop_loss="90"),
        signal(signal_id="u", side="SELL", target_price="90", stop_loss="110"),
        signal(signal_id="v", emitted_at="2026-11-28T00:00:30Z"),
        close("s"),
    )
    assert len(found.events) == 4
    assert list(found.warnings) == []


def test_symbols_that_differ_by_capitals_are_warned_of_once() -> None:
    lines = [signal(), signal(symbol="aapl"), signal(symbol="aapl"), close("s", symbol="Aapl")]
    found = checked(*lines)
    assert [warning["line"] for warning in found.warnings] == [2, 4]
    assert "aapl is not AAPL" in next(iter(found.warnings))["reason"]


def test_exits_without_an_entry_are_a_hint_where_the_file_has_entries() -> None:
    [warning] = checked(signal(), close("s"), close("never"), close("there")).warnings
    assert warning["line"] == 3
    assert warning["reason"].startswith("2 exits, this one first, are of signals that are not")
    assert list(checked(close("never")).warnings) == []
    assert list(checked(close("s"), signal()).warnings) == []


def test_a_line_without_an_end_does_not_fill_the_memory() -> None:
    endless = b'{"a": "' + b"x" * (3 * LONGEST_LINE)
    found = checked(signal(), endless, signal(signal_id="after"))
    [problem] = found.refused
    assert (problem["line"], len(found.events)) == (2, 2)
    assert "longer than 1,048,576 bytes" in problem["reason"]


def test_an_event_that_is_too_large_is_refused() -> None:
    found = checked(signal(metadata={"a": "x" * MAX_EVENT_BYTES}))
    assert "262,144 is the limit" in next(iter(found.refused))["reason"]


def test_events_keep_their_order_over_many_lines_and_types() -> None:
    lines = []
    for number in range(9_000):
        lines.append(signal(signal_id=f"s{number}", **({"side": "x"} if number % 7 == 3 else {})))
        lines.append(close(f"s{number}", price=1.5 if number % 5 else "1e5"))
    found = checked(*lines)
    ids = [
        (message.event_type, json.loads(message.value)["signal_id"])
        for message in messages(found.events)
    ]
    expected = []
    for number in range(9_000):
        if number % 7 != 3:
            expected.append(("signal_emitted", f"s{number}"))
        if number % 5:
            expected.append(("signal_closed", f"s{number}"))
    assert ids == expected
    assert len(found.refused) == len(lines) - len(expected)

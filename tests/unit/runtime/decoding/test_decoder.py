"""The fast path against the models: it accepts, refuses and reads exactly as they do.

Each event type's examples are bent in hundreds of ways, seeded, and each result
is read twice: by the event's model, and by the Decoder amid a batch of others.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from trackrecord.events import EVENTS, Event, InvalidEventError, SignalEmitted
from trackrecord.events.codec import MAX_EVENT_BYTES, decode
from trackrecord.runtime.decoding.decoder import Decoder, Refusal

EXAMPLES = Path(__file__).parents[4] / "schemas" / "examples"

# Values that lie on, next to, or far beyond some limit of some field.
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 10**30, 0.0, 1.0, 0.5,
    1.5, -0.0, 1e308, 150.25, [], {}, [1], {"a": 1}, {"a": {"b": [None, "x"]}}, {"a": "\x00"},
    {"a": 1.0}, {"a": 10**20}, {"": ""}, [{"a": 1}], [{}], "", " ", "0", "-0", "00", "0.0",
    "1", "-1", "01.50", "1.50", "+1", " 1", "1 ", "1\n", "1 2", ".5", "5.", "1e3", "1E-3", "NaN",
    "Infinity", "\u0661", "1_000", "9" * 20, "9" * 21, "1." + "0" * 18, "1." + "0" * 19,
    "0." + "0" * 17 + "1", "-0.000000000000000001", "0.999999999999999999", "1.0", "-0.99",
    "2026-03-02T14:30:00Z", "2026-03-02T14:30:00z", "2026-03-02t14:30:00Z", "2026-03-02 14:30:00Z",
    "2026-03-02T14:30:00", "2026-03-02T14:30:00+05:30", "2026-03-02T14:30:00.1Z",
    "2026-03-02T14:30:00.120000Z", "2026-03-02T14:30:00.1234567Z", "2026-02-30T14:30:00Z",
    "2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-05:00",
    "2026-03-02T14:30:00Z 2026-03-02T14:30:00Z", "2026-03-02T24:00:00Z",
    "2026-03-02T14:30:60Z", "2026-03-02T14:30:00Z\n", "2026-03-02",
    "BUY", "SELL", "LONG", "SHORT", "buy", "BUY\n", "USD", "usd", "U", "USD\n", "A" * 13, "1d",
    "0d", "1D", "1M", "10000m", "1d\n", "own", "barriers", "filled", "next_open", "completed",
    "draft", "target", "x" * 64, "x" * 65, "x" * 128, "x" * 129, "x" * 200, "x" * 201,
    "x" * 1024, "x" * 1025, "é" * 128, "\U0001f4c8" * 64, "a\x00b", "a\nb", "a\tb", "a\x7fb",
    "a\u2028b", "a\u0085b", "\ud800", "Ünïcode ✓", '"quoted", \\ and, commas', "\\N", "null",
]  # fmt: skip
RAW: list[bytes | None] = [
    None, b"", b" ", b"null", b"[]", b"1", b'"x"', b"{", b"{}", b"{}{}", b"not json", b"\xff\xfe",
    b"NaN", b'{"a": NaN}', b"[" * 5000, b'{"a":' * 3000 + b"1" + b"}" * 3000, b"\xef\xbb\xbf{}",
]  # fmt: skip


def corpus(model: type[Event], seed: int, count: int) -> Iterator[bytes | None]:
    rng = random.Random(f"{model.event_type}-{seed}")
    examples = [path.read_bytes() for path in sorted((EXAMPLES / model.event_type).glob("*.json"))]
    assert examples
    yield from examples
    yield from RAW
    names = [field.alias or name for name, field in model.model_fields.items()]
    for name in names:  # each field with each value, one at a time
        whole = json.loads(examples[0])
        for value in VALUES:
            yield json.dumps({**whole, name: value}).encode()
        whole.pop(name, None)
        yield json.dumps(whole).encode()
    for _ in range(count):
        yield bent(rng, json.loads(rng.choice(examples)), names)


def bent(rng: random.Random, data: dict[str, Any], names: list[str]) -> bytes:
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        kind = rng.randrange(6)
        name = rng.choice(names)
        if kind <= 2:
            data[name] = rng.choice(VALUES)
        elif kind == 3:
            data.pop(name, None)
        elif kind == 4:
            data[rng.choice(["extra", "return_", "Price", "ce_id"])] = rng.choice(VALUES)
        elif texts := [key for key, value in data.items() if isinstance(value, str)]:
            key = rng.choice(texts)
            at = rng.randint(0, len(data[key]))
            inserted = rng.choice(["0", "\x00", "é", ".", "-", " "])
            data[key] = data[key][:at] + inserted + data[key][at:]
    order = list(data.items())
    rng.shuffle(order)
    raw = json.dumps(
        dict(order),
        ensure_ascii=rng.random() < 0.7,
        separators=rng.choice([(",", ":"), (", ", ": ")]),
        indent=rng.choice([None, None, None, 1]),
    ).encode(errors="surrogatepass")
    kind = rng.randrange(12)
    if kind == 0:  # the same field twice: the last counts
        name = rng.choice(names)
        again = f', "{name}": {json.dumps(rng.choice(VALUES))}}}'
        raw = raw[:-1].rstrip() + again.encode()
    elif kind == 1:
        raw = raw[: rng.randrange(len(raw))]
    elif kind == 2:
        at = rng.randrange(len(raw))
        raw = raw[:at] + bytes([rng.randrange(256)]) + raw[at + 1 :]
    elif kind == 3:
        raw = rng.choice([b" ", b"\n\t", b"\xef\xbb\xbf"]) + raw + rng.choice([b"", b" \r\n", b","])
    return raw


def message(value: bytes | None, headers: Any = None) -> Message:
    return Message(topic="t", partition=0, offset=0, value=value, headers=headers)


def same(name: str, got: Any, event: Event) -> bool:
    """Whether a column's value is what the model has, in a form that Postgres reads as such."""
    wanted = getattr(event, name)
    if wanted is None or got is None:
        return wanted is got
    if isinstance(wanted, Decimal):
        return Decimal(got) == wanted
    if isinstance(wanted, datetime):
        return datetime.fromisoformat(got) == wanted
    if isinstance(wanted, dict | list):
        return bool(json.loads(got) == wanted)
    return bool(got == wanted and type(got) is type(wanted))


def verdict(model: type[Event], value: bytes | None) -> Event | str:
    try:
        return decode(model, value)
    except InvalidEventError as error:
        return str(error)


def check(model: type[Event], values: list[bytes | None], decoder: Decoder | None = None) -> int:
    """Hold the decoder against the model; returns how many messages were accepted."""
    positions = [7 * index + 3 for index in range(len(values))]
    decoder = decoder or Decoder(model)
    frame, refused = decoder.read([message(value) for value in values], positions)
    rows = {row["position"]: row for row in frame.iter_rows(named=True)}
    reasons = {each.position: each for each in refused}
    assert frame["position"].to_list() == sorted(rows)
    assert sorted([*rows, *reasons]) == positions
    for position, value in zip(positions, values, strict=True):
        expected = verdict(model, value)
        if isinstance(expected, str):
            assert position not in rows, (value, expected)
            assert reasons[position].reason == expected[:2000]
            assert reasons[position].error_class in {"unreadable", "invalid"}
        else:
            assert position in rows, (value, reasons[position])
            row = rows[position]
            wrong = {
                name: (row[name], getattr(expected, name))
                for name in model.model_fields
                if not same(name, row[name], expected)
            }
            assert not wrong, value
    return len(rows)


@pytest.mark.parametrize("model", EVENTS.values(), ids=EVENTS)
def test_it_accepts_refuses_and_reads_whatever_the_model_does(model: type[Event]) -> None:
    values = list(corpus(model, seed=1, count=600))
    assert 100 < check(model, values) < len(values) - 100


@pytest.mark.parametrize("model", EVENTS.values(), ids=EVENTS)
def test_a_batch_of_one_is_judged_as_by_the_model(model: type[Event]) -> None:
    """A look at the columns of a batch is enough only where all of it is ordinary."""
    decoder = Decoder(model)
    accepted = [check(model, [value], decoder) for value in corpus(model, seed=3, count=100)]
    assert 50 < sum(accepted) < len(accepted) - 50


def richest(model: type[Event]) -> dict[str, Any]:
    """The example with the most fields."""
    examples = (EXAMPLES / model.event_type).glob("*.json")
    content: list[dict[str, Any]] = [json.loads(path.read_bytes()) for path in examples]
    return max(content, key=len)


@pytest.mark.parametrize("model", EVENTS.values(), ids=EVENTS)
def test_one_odd_value_among_ordinary_ones_is_judged_as_by_the_model(model: type[Event]) -> None:
    decoder, full = Decoder(model), richest(model)
    ordinary = json.dumps(full).encode()
    for name in full:
        for value in VALUES:
            odd = json.dumps({**full, name: value}).encode()
            assert check(model, [ordinary, odd, ordinary], decoder) in {2, 3}


def test_every_day_of_a_year_is_judged_as_by_the_model() -> None:
    decoder, full = Decoder(SignalEmitted), richest(SignalEmitted)
    for year in (1, 1900, 2023, 2024):
        for month in range(14):
            for day in range(33):
                said = f"{year:04}-{month:02}-{day:02}T23:59:59Z"
                check(SignalEmitted, [json.dumps({**full, "emitted_at": said}).encode()], decoder)


@pytest.mark.parametrize("model", EVENTS.values(), ids=EVENTS)
def test_the_fast_path_alone_accepts_nothing_that_the_model_refuses(model: type[Event]) -> None:
    """The model is out of reach here, so whatever comes back came by the fast path."""
    values = list(corpus(model, seed=2, count=600))
    decoder = Decoder(model)

    def no_model(_message: Message, position: int) -> Refusal:
        return Refusal(position, "slow", "")

    decoder.read_by_model = no_model  # type: ignore[method-assign, assignment]
    frame, _ = decoder.read([message(value) for value in values], range(len(values)))
    for row in frame.iter_rows(named=True):
        value = values[row["position"]]
        event = verdict(model, value)
        assert isinstance(event, Event), (value, event)
        assert all(same(name, row[name], event) for name in model.model_fields), value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


changed_fields = st.dictionaries(
    st.sampled_from(list(SignalEmitted.model_fields)), json_values, max_size=3
)


@profile(deadline=None)  # the machine may be busy
@given(st.lists(changed_fields, max_size=5))
def test_any_json_in_any_field_is_judged_as_by_the_model(changes: list[dict[str, Any]]) -> None:
    whole = json.loads((EXAMPLES / "signal_emitted" / "full.json").read_bytes())
    check(SignalEmitted, [json.dumps({**whole, **change}).encode() for change in changes])


def signal(**fields: Any) -> bytes:
    whole = json.loads((EXAMPLES / "signal_emitted" / "minimal.json").read_bytes())
    return json.dumps({**whole, **fields}).encode()


def test_bytes_that_are_no_text_are_refused_alone_wherever_they_stand() -> None:
    good = signal(metadata={"note": "x"})
    values = [good, good.replace(b'"x"', b'"\x84"'), good.replace(b"AAPL", b"\xff"), good]
    frame, refused = Decoder(SignalEmitted).read([message(each) for each in values], range(4))
    assert frame["position"].to_list() == [0, 3]
    assert [each.error_class for each in refused] == ["unreadable", "unreadable"]


def test_numbers_stay_numbers_whichever_way_a_message_was_read() -> None:
    value = (EXAMPLES / "script_executed" / "full.json").read_bytes()
    frame, _ = Decoder(EVENTS["script_executed"]).read([message(value)], [0])
    assert frame["exit_code"].to_list() == [json.loads(value)["exit_code"]]


def test_the_order_of_a_batch_is_kept_whichever_way_each_message_was_read() -> None:
    slow = {"field_of_a_newer_publisher": 1}
    values = [signal(signal_id=f"s{n}", **({} if n % 3 else slow)) for n in range(10)]
    values[4] = b"broken"
    frame, refused = Decoder(SignalEmitted).read([message(each) for each in values], range(10))
    assert frame["signal_id"].to_list() == [f"s{n}" for n in range(10) if n != 4]
    assert [each.position for each in refused] == [4]


def test_a_message_of_another_type_is_refused_whatever_it_holds() -> None:
    other = [("ce_type", b"trackrecord.signal_closed.v1")]
    frame, [refusal] = Decoder(SignalEmitted).read([message(signal(), other)], [0])
    assert frame.is_empty()
    assert refusal.error_class == "wrong_type"
    assert "'trackrecord.signal_closed.v1'" in refusal.reason
    assert "'trackrecord.signal_emitted.v1'" in refusal.reason


@pytest.mark.parametrize(
    "headers",
    [
        None,
        [],
        [("ce_type", b"trackrecord.signal_emitted.v1")],
        [("x", b"\xff")],
        [("ce_type", b"\xff")],
    ],
)
def test_a_message_without_a_readable_type_is_judged_by_its_content(
    headers: Any,
) -> None:
    frame, refused = Decoder(SignalEmitted).read([message(signal(), headers)], [0])
    assert (frame.height, refused) == (1, [])


def test_the_largest_event_is_read_and_one_byte_more_is_refused() -> None:
    room = MAX_EVENT_BYTES - len(signal(padding=""))
    fits, beyond = signal(padding="x" * room), signal(padding="x" * (room + 1))
    assert len(fits) == MAX_EVENT_BYTES
    frame, refused = Decoder(SignalEmitted).read([message(fits), message(beyond)], [0, 1])
    assert frame["position"].to_list() == [0]
    assert [each.position for each in refused] == [1]
    assert "262,144" in refused[0].reason


def test_an_empty_batch_has_the_columns_of_a_full_one() -> None:
    decoder = Decoder(SignalEmitted)
    empty, _ = decoder.read([], [])
    full, _ = decoder.read([message(signal())], [0])
    assert empty.height == 0
    assert empty.schema == full.schema


def test_reasons_are_short_however_long_the_message() -> None:
    value = json.dumps({f"{'k' * 500}{n}": n for n in range(400)} | {"metadata": [1] * 1000})
    _, [refusal] = Decoder(SignalEmitted).read([message(value.encode())], [0])
    assert 0 < len(refusal.reason) <= 2000

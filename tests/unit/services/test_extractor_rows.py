"""What the extractor makes of runs, before any table is asked."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from confluent_kafka import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from services.extractor.rows import reading
from services.extractor.rows.signals import refusal_to_signal, signal_event
from trackrecord.events import ScriptExecuted, SignalEmitted
from trackrecord.events.codec import decode
from trackrecord.extraction import Recommendation
from trackrecord.runtime.decoding.decoder import Decoder, Refusal

AT = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
FIELDS: dict[str, Any] = {
    "execution_id": "run-1", "script": "btst.py", "program": "python btst.py", "symbol": "AAPL",
    "started_at": "2026-03-02T14:29:00Z", "finished_at": "2026-03-02T14:30:00Z", "exit_code": 0,
    "output": "Recommendation: BUY\nEntry price: 150.25\n", "parameters": {"b": 1.5, "a": [1]},
}  # fmt: skip

prices = st.none() | st.decimals(allow_nan=True, allow_infinity=True)
symbols = st.none() | st.text(max_size=70)


def frame(*values: dict[str, Any]) -> pl.DataFrame:
    messages = [
        Message(topic="t", partition=0, offset=0, value=json.dumps(value).encode())
        for value in values
    ]
    read, refused = Decoder(ScriptExecuted).read(messages, range(len(values)))
    assert refused == []
    return read


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["BUY", "SELL", "HOLD", "STRONG_BUY", "STRONG_SELL", "BTST_BUY"]),
    symbols, prices, prices, prices, st.none() | st.floats(0, 1),
)  # fmt: skip
def test_every_signal_is_one_that_the_model_accepts_and_writes_the_same(
    action: str,
    symbol: str | None,
    entry: Decimal | None,
    target: Decimal | None,
    stop: Decimal | None,
    confidence: float | None,
) -> None:
    said = Recommendation(action, symbol, entry, target, stop, confidence)
    if refusal_to_signal(said, symbol) is None:
        signal = signal_event(FIELDS, 0, said, AT + timedelta(microseconds=5))
        again = decode(SignalEmitted, signal.to_json())
        assert again == SignalEmitted(**signal.model_dump())
        assert again.to_json() == signal.to_json()
        assert again.event_id == signal.event_id


@pytest.mark.parametrize("symbol", ["A\tB", "A\nB", "A\x00", "\ud800", "A\x7f"])
def test_a_symbol_that_no_event_can_hold_is_no_symbol(symbol: str) -> None:
    assert refusal_to_signal(Recommendation("BUY", symbol, Decimal(1)), symbol) == "no_symbol"


def test_runs_are_read_without_the_model() -> None:
    """The model is out of reach here; what scripts usually send does not need it."""
    decoder = Decoder(ScriptExecuted)

    def no_model(_message: Message, position: int) -> Refusal:
        return Refusal(position, "slow", "")

    decoder.read_by_model = no_model  # type: ignore[method-assign, assignment]
    plain = {**FIELDS, "parameters": {"universe": "large", "lookback": 20}}
    least = {
        name: FIELDS[name]
        for name in ("execution_id", "script", "started_at", "finished_at", "exit_code", "output")
    }
    messages = [
        Message(topic="t", partition=0, offset=0, value=json.dumps(value).encode())
        for value in (plain, least)
    ]
    read, refused = decoder.read(messages, range(2))
    assert (read.height, refused) == (2, [])


def test_the_same_run_has_one_digest_however_it_was_written() -> None:
    ways = [
        FIELDS,
        {**FIELDS, "started_at": "2026-03-02T14:29:00.000Z"},
        {**FIELDS, "finished_at": "2026-03-02T15:30:00+01:00"},
        {**FIELDS, "parameters": {"a": [1], "b": 1.5}},
        {**FIELDS, "a_field_of_a_newer_publisher": 1},
    ]
    assert len(set(reading.digests(frame(*ways)))) == 1
    others = [{**FIELDS, "exit_code": 1}, {**FIELDS, "symbol": None}, {**FIELDS, "output": "x"}]
    assert len(set(reading.digests(frame(FIELDS, *others)))) == 4


def test_a_digest_stays_what_it_was_when_the_run_was_recorded() -> None:
    content = "\x1f".join(
        [
            "run-1", "0", "2026-03-02T14:30:00+00:00", FIELDS["output"], '{"a": [1], "b": 1.5}',
            "python btst.py", "btst.py", "2026-03-02T14:29:00+00:00", "AAPL",
        ]
    )  # fmt: skip
    digest = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
    assert reading.digests(frame(FIELDS)) == [digest]

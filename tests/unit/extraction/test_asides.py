"""What is said in passing or by a program is refused whatever the words, and its twin is read."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

from trackrecord.extraction import extract

SIDES = {"BUY": "BUY", "SELL": "SELL", "HOLD": "HOLD", "LONG": "BUY", "SHORT": "SELL"}
SYMBOLS = ("MSFT", "SOLUSDT", "EUR/USD")

IN_PASSING = {
    "an option": "Decision: {side} / {other}",
    "one of three options": "Verdict: {side}, {other} or REVIEW",
    "a code span in a sentence": 'The webhook must hold `signal: "{side}"` or nothing is sent.',
    "a quotation in a sentence": "Whenever it says “Signal: {side}” the desk calls a client.",
    "a comment beside a setting": "threshold = 0.7   # {side} {symbol} below this",
    "a formula": "RSI+MACD → {side}",
    "a list of values": '"{side}",\n"{other}",\n"REVIEW"',
    "a ladder of states": "SCAN -> {side} -> MONITOR -> CLOSED",
    "a rule on two lines": "IF RSI < 30 AND close > band\n  → {side}",
    "an argument of a call": 'order = make_order(signal="{side}")',
    "a comment above a command": "# {side} {symbol}\ncurl -X POST http://localhost:8000/orders",
    "a headline": '{{\n  "headline": "Desk keeps its {side} rating on {symbol}",\n  "score": 1\n}}',
}
SAID = {
    "a decision": "Decision: {side} {symbol}",
    "a final decision below its vote": "RSI: {other}\nFinal decision: {side} {symbol}",
    "in a code span of its own": "Signal: `{side}`\nSymbol: `{symbol}`",
    "a key of an object": '{{"symbol": "{symbol}", "note": "weekly", "action": "{side}"}}',
    "a heading": "# Decision: {side} {symbol}",
    "a comparison of values": "Symbol: {symbol}\nVerdict: {side}\nTargets: 412 / 430",
    "behind an arrow": "{symbol} -> Verdict: {side}",
}
PAIRS = [(side, next(o for o in SIDES if SIDES[o] != SIDES[side])) for side in SIDES]

BOTH = list(itertools.product(PAIRS, SYMBOLS))


@pytest.mark.parametrize("kind", IN_PASSING)
@pytest.mark.parametrize(("pair", "symbol"), BOTH)
def test_what_is_said_in_passing_is_no_decision(
    kind: str, pair: tuple[str, str], symbol: str
) -> None:
    text = IN_PASSING[kind].format(side=pair[0], other=pair[1], symbol=symbol)
    assert extract(text).recommendations == ()


@pytest.mark.parametrize("kind", SAID)
@pytest.mark.parametrize(("pair", "symbol"), BOTH)
def test_what_looks_like_it_and_is_said_is_read(
    kind: str, pair: tuple[str, str], symbol: str
) -> None:
    text = SAID[kind].format(side=pair[0], other=pair[1], symbol=symbol)
    (item,) = extract(text).recommendations
    assert (item.action, item.symbol) == (SIDES[pair[0]], symbol)


def test_a_verdict_above_an_object_without_quotes_is_an_action_that_is_known() -> None:
    text = "// Verdict\n verdict: {\n  action: 'BUY',\n  why: 'trend'\n }"
    assert {item.action for item in extract(text).recommendations} <= {"BUY"}


def test_the_target_of_another_message_above_is_not_that_of_the_block_which_has_its_own() -> None:
    text = "TP1 48750\nTP2 48800\n\nhalf of the risk\n\nUS30 Buy now\nEnter 39120\nTP1 39200"
    (item,) = extract(text).recommendations
    assert (item.entry_price, item.target_price) == (Decimal(39120), Decimal(39200))


def test_a_target_above_holds_where_the_block_has_none() -> None:
    (item,) = extract("Target: 48.75\n\nSignal: BUY KO").recommendations
    assert item.target_price == Decimal("48.75")


@pytest.mark.parametrize(("printed", "read"), [("86%", 0.86), ("0.086%", None), ("4.9 %", None)])
def test_a_small_percentage_beside_an_action_is_how_far_the_price_moved(
    printed: str, read: float | None
) -> None:
    (item,) = extract(f"NZDUSD BUY {printed}").recommendations
    assert item.confidence == read


@pytest.mark.parametrize(("printed", "read"), [("15", 0.15), ("+15", None), ("+20 (trend)", None)])
def test_points_that_are_added_up_are_no_confidence(printed: str, read: float | None) -> None:
    (item,) = extract(f"Signal: BUY KO\nConfidence: {printed}").recommendations
    assert item.confidence == read

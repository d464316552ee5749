"""No text raises an error, and none takes long."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.extraction.conftest import OWN_CASES
from trackrecord.extraction import extract
from trackrecord.extraction.folding import fold

MIB = 2**20
QUADRATIC_SECONDS = 10.0
PIECES = [
    "a", "1", "1,", "(", "|", "\n", "BUY ", "BUY/", '"BUY ', "Signal: BUY AAPL @ 150\n",
    "Signal:\n", "Signal|", "Signal  ", "Entry: ", "Entry (", "profit ", "confidence 5 ",
    "if BUY ", "BUY candidates:\n", "AAPL ", "买入", "🟢", "a\u0301", "\x1b[", "\x1b]", "1a",
    "Symbol: AAPL\nBUY MSFT\n", "closed 5% BUY ", "AAPL  BUY  1\n", "- ", "\u202e", "==", "[1/2] ",
    "{", '{"a":', "[{", '{"a":[', '{"a":"', '{"a":"\\', "<A b=", "Aa(b=", "a='b' ", '[("a",', "{ ",
    "{/*", '{"symbol":"AB","action":"BUY"},', '{"x":{"action":"BUY","symbol":"AB"},"y":',
    "{'AB': 'BUY', ", '{"signal":"BUY",', '{"signal":"BUY","x":', '{"BUY":["AB",', "{..., ",
    '{"a":<A.b: ', '{"message":"Signal: BUY AB"},', '{"message":"BUY \\n', '{"content":"BUY AB"}\n',
    "## AB_CD\nSignal: BUY\n", "|BUY|SELL|\n", "|BUY|SELL|\n|AB|CD|\n", "|BUY|SELL|\n|AB|AB|\n",
    "Entry\n1\n", "Signal: SELL\nProbability UP: 5%\n", "Reason: BUY ", "Votes: BUY 1, ",
    "START CAPITAL = 1\nFINAL CAPITAL = 2\n5% ", "Trade #1: BUY AB 1 -> 2 (+1%)\n", "[AB]\nBUY\n",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES, ids=repr)
def test_a_mebibyte_of_anything_is_read_in_time(piece: str) -> None:
    text = piece * (MIB // len(piece.encode()))
    extract("Signal: BUY")  # the rules are compiled once a process
    started = time.process_time()
    extract(text)
    # Half a second is the promise; the margin is for a machine busy with other tests.
    # What is quadratic takes minutes; how fast the rest is, `make bench` says.
    assert time.process_time() - started < QUADRATIC_SECONDS


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gives_an_answer(text: str) -> None:
    extraction = extract(text)
    spans = [(item.start, item.end) for item in extraction.evidence]
    spans += [(item.start, item.end) for item in extraction.rejected]
    assert all(0 <= start <= end <= len(text) for start, end in spans)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_folding_keeps_every_offset(text: str) -> None:
    assert len(fold(text)) == len(text)


def test_scraps_of_real_lines_in_any_order_give_an_answer() -> None:
    randomness = random.Random(7)
    scraps = [scrap for case in OWN_CASES for scrap in case["text"].split()]
    for _ in range(1000):
        words = randomness.choices(scraps, k=randomness.randrange(1, 40))
        text = "".join(word + randomness.choice((" ", "\n", ": ", " | ", "  ")) for word in words)
        extract(text).to_json()


def test_a_very_long_text_is_read_at_both_ends() -> None:
    filler = "tick 101.2\n" * 60_000
    assert extract("Signal: BUY\n" + filler).final_action == "BUY"
    assert extract(filler + "Signal: SELL").final_action == "SELL"


def test_a_lone_surrogate_is_no_obstacle() -> None:
    assert extract("Signal: BUY \ud800").final_action == "BUY"

"""Lines that are remembered are what they would be if each were cut anew."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.extraction.conftest import OWN_CASES
from trackrecord.extraction import default_rules, extract, looks
from trackrecord.extraction.document import Document
from trackrecord.extraction.folding import fold
from trackrecord.extraction.line_cache import Memory
from trackrecord.extraction.lines import Tokens, scan
from trackrecord.extraction.words import Words

RULES = default_rules()
NAMES = ("AAPL", "MSFT", "QQQ", "QQQQ", "KO", "BUY", "RSI", "USD", "LOW", "ETH", "A", "NSE", "JUL",
         "FUT", "CE", "DAX", "NEAR", "BYBIT", "ZAR", "NOW")  # fmt: skip
PHRASES = ("target 1", "target 7", "tp 2", "52 week high", "53 week high", "0 trades", "12m", "13m")
SCRAPS = [*NAMES, *PHRASES, "$", "Rs", "%", "/", ":", "|", "  ", "5", "07", "1,234.50", "150.25",
          "Symbol:", "=X", "^", "24500 CE", "Stock: ", "EMA20", "EMA55", "tp1", "tp9", "H4", "H9",
          "run_954.csv", "v2.1", "Signal.S1", "Target 820.88", "Entry ₹1"]  # fmt: skip


Lines = tuple[list[int], list[Tokens]]


def cut(words: Words, folded: str) -> Lines:
    lines = folded.split("\n")
    found = []
    for line in lines:
        ((_, _, tokens),) = scan(words, line, 0, len(line))
        found.append(tokens)
    return [len(line) for line in lines], found


def said(lines: Lines) -> list[tuple[object, ...]]:
    """What tokens are; what a line may be follows, where digits matter is the memory's affair."""
    return [(size, *of_tokens(tokens)) for size, tokens in zip(*lines, strict=True)]


def of_tokens(tokens: Tokens) -> tuple[object, ...]:
    return tokens.shape, tokens.terms, tokens.starts, tokens.ends


def other_values(rng: random.Random, text: str) -> str:
    """The same text with other digits, and other names in place of words in capitals."""
    text = "".join(rng.choice("0123456789") if each in "0123456789" else each for each in text)
    words = text.split(" ")
    return " ".join(
        rng.choice(NAMES) if word.isupper() and rng.random() < 0.3 else word for word in words
    )


def test_lines_with_other_numbers_and_names_are_what_they_would_be_alone() -> None:
    rng = random.Random(7)
    memory, words = Memory(RULES), Words(RULES)
    for _ in range(4):
        for case in OWN_CASES:
            folded = fold(other_values(rng, case["text"]))
            assert said(memory.lines(folded)) == said(cut(words, folded))


def test_what_a_remembered_line_may_tell_is_what_its_own_words_may() -> None:
    rng = random.Random(11)
    memory = Memory(RULES)
    for _ in range(3):
        for case in OWN_CASES:
            folded = fold(other_values(rng, case["text"]))
            for line, tokens in zip(folded.split("\n"), memory.lines(folded)[1], strict=True):
                assert tokens.looks == looks.answers(line)
                assert (tokens.blocks, tokens.begun, tokens.goes_on) == RULES.blocks_on(line)


def test_what_is_remembered_of_a_line_that_was_asked_later_depends_on_no_digit() -> None:
    rng = random.Random(13)
    for case in OWN_CASES:
        for line in fold(case["text"]).split("\n"):
            other = "".join(rng.choice("0123456789") if each.isdigit() else each for each in line)
            for answer in looks.asked_later():
                assert answer(line) == answer(other), line


def test_other_names_in_a_remembered_line_tell_other_things() -> None:
    memory = Memory(RULES)
    for name in ("AAPL", "SOLD", "MSFT", "START", "QQQQ"):
        line = f"{name} 5%"
        [tokens] = memory.lines(line)[1]
        assert tokens.looks == looks.answers(line)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*SCRAPS, " ", "\n"]) | st.text(max_size=3), max_size=30))
def test_scraps_are_what_they_would_be_alone(scraps: list[str]) -> None:
    folded = fold("".join(scraps))
    assert said(MEMORY.lines(folded)) == said(cut(WORDS, folded))


MEMORY, WORDS = Memory(RULES), Words(RULES)


def test_a_phrase_that_holds_a_number_is_told_from_its_neighbour() -> None:
    memory = Memory(RULES)
    [high] = memory.lines("target 1: 10")[1]
    [other] = memory.lines("target 9: 10")[1]
    assert high.shape != other.shape
    assert of_tokens(memory.lines("target 1: 99")[1][0]) == of_tokens(high)


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("Entry 820.88 | Target 861.92", "Entry 117.45 | Target 239.10"),
        ("Report written to out/LCNR_954.html", "Report written to out/LCNR_113.html"),
        ("EMA2048 above SMA4096", "EMA1111 above SMA9999"),
    ],
)
def test_digits_that_can_be_of_no_phrase_are_remembered_once(line: str, other: str) -> None:
    memory = Memory(RULES)
    memory.lines(line)
    known = memory.remembered
    assert said(memory.lines(other)) == said(cut(Words(RULES), other))
    assert memory.remembered == known


@pytest.mark.parametrize(
    "first",
    ["KODE SAHAM: X", "ACHAT FORT", "EUR 5 ABC", "INR 5", "FINAL CALL: NONE", "(AAPL) BUY", "RS 5"],
)
def test_a_name_that_is_part_of_a_phrase_or_an_amount_is_told_from_others(first: str) -> None:
    words = Words(RULES)
    for swap in ("KODE", "SAHAM", "ACHAT", "FORT", "EUR", "INR", "NONE", "AAPL", "RS"):
        memory = Memory(RULES)
        for line in (first.replace(swap, "Z" * len(swap)), first):
            assert said(memory.lines(line)) == said(cut(words, line))


@pytest.mark.parametrize("amount", ["$\n150", "Rs\n150", "Rs.\n-150", "USD\n.5", "INR\n+1"])
def test_an_amount_that_is_broken_by_a_line_end_is_one_number(amount: str) -> None:
    text = f"Signal: BUY\nEntry: {amount}\nStop: 9"
    whole = list(scan(Words(RULES), text, 0, len(text)))
    assert Document(text, RULES).letters == "".join(tokens.shape for _, _, tokens in whole)


def test_more_lines_than_are_remembered_are_still_read() -> None:
    memory, words = Memory(RULES, lines_kept=10), Words(RULES)
    for case in OWN_CASES[:50]:
        folded = fold(case["text"])
        assert said(memory.lines(folded)) == said(cut(words, folded))
        assert memory.remembered <= 14


def test_without_the_explanation_the_rest_is_the_same() -> None:
    for case in OWN_CASES[::5]:
        whole, bare = extract(case["text"]), extract(case["text"], explained=False)
        assert bare == whole
        assert (bare.evidence, bare.rejected) == ((), ())

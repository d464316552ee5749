"""A pattern for lines passes over no text that the whole pattern is found in."""

from __future__ import annotations

import random
import re
from itertools import pairwise

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.extraction.conftest import OWN_CASES
from trackrecord.extraction import default_rules
from trackrecord.extraction.document import Document
from trackrecord.extraction.folding import fold
from trackrecord.extraction.one_line import ANY, of
from trackrecord.extraction.packs import read_pack
from trackrecord.extraction.ruleset import RuleSet

RULES = default_rules()
ATOMS = (
    "a", "b", "1", "7", r"\s", r"\W", r"\d", ".", "[^a]", "[ab1]", r"[^b1\n]", r"[\s:]", r"\n", "^",
    "$", r"\b", "(?m:^)", "(?m:$)", "(?s:.)", r"\x31", r"\x{62}", r"\pL", "(?i:A)", ":",
)  # fmt: skip
REPEATS = ("", "", "", "*", "+", "?", "{2}", "{0,2}", "*?")
PATTERNS = st.recursive(
    st.tuples(st.sampled_from(ATOMS), st.sampled_from(REPEATS)).map("".join),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.tuples(
            st.lists(inner, min_size=1, max_size=3).map("|".join), st.sampled_from(REPEATS)
        ).map(lambda parts: f"(?:{parts[0]}){parts[1]}"),
    ),
    max_leaves=8,
)


def holds(pattern: str | None, line: str) -> bool:
    return pattern is not None and re2.search(pattern, line) is not None


def found_on_lines(pattern: str, text: str) -> bool:
    expected = of(pattern)
    lines = [re.sub("[0-9]", "0", line) for line in text.split("\n")]
    return any(holds(expected.whole, line) for line in lines) or any(
        holds(expected.begun, line) and holds(expected.goes_on, below)
        for line, below in pairwise(lines)
    )


def may_refuse(rules: RuleSet, text: str) -> int:
    may = begun = 0
    for line in text.split("\n"):
        whole, begins, goes_on = rules.blocks_on(re.sub("[0-9]", "0", line))
        may |= whole | (begun & goes_on)
        begun = begins
    return may


@settings(max_examples=1500, deadline=None)
@given(PATTERNS, st.text("ab17: \n", max_size=8), st.sampled_from(["", "(?m)", "(?s)", "(?ims)"]))
def test_no_text_is_passed_over(pattern: str, text: str, flags: str) -> None:
    pattern = flags + pattern
    try:
        whole = re2.compile(pattern)
    except re2.error:  # such as one repetition of another
        return
    if whole.search(text) is not None:
        assert found_on_lines(pattern, text), (pattern, of(pattern), text)


@pytest.mark.parametrize(
    ("pattern", "text", "line"),
    [
        (
            r"(?m)^\s*-?\s*enabled\s*[:=]\s*(?:true|no)\s*$",
            "x\n\n - enabled:\ntrue\n",
            "y\n\nz: no",
        ),
        (r"(?i)\bexpected\b[^\n]*\n\W*got", "Expected: BUY\n got: 7", "we expect: BUY\n\n"),
        (r"v1\b[^\n]*\nv2\b", "v1 said\nv2 said", "v said\nv said"),
        (r"(?:^|[^\w])\{\{", "a {{", "a {"),
        (r"(?m)(?:^\w+:\n){3}", "a:\nb:\nc:\n", "a: 1\nb: 2"),
        (r"[:|@]\s*\[(?i:symbol)\]", "Buy:\n \n[Symbol]", "Buy:\nSymbol"),
    ],
)
def test_what_lines_do_not_hold_is_ruled_out(pattern: str, text: str, line: str) -> None:
    assert re2.search(pattern, text) is not None
    assert found_on_lines(pattern, text)
    assert not found_on_lines(pattern, line)


@pytest.mark.parametrize("pattern", [r"\Qa.b\E", r"\C", r"a\pX(", "(?P>x)"])
def test_of_what_is_not_understood_nothing_is_said(pattern: str) -> None:
    assert of(pattern) == ANY


def test_block_rules_refuse_what_they_refuse_when_all_are_asked() -> None:
    rng = random.Random(5)
    texts = [fold(case["text"]) for case in OWN_CASES]
    scraps = [line for case in RULES.cases for line in fold(case.text).split("\n")]
    for text in texts:
        lines = text.split("\n")
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(scraps))
        changed = "\n".join(lines)
        may = may_refuse(RULES, changed)
        assert Document(changed, RULES).blocks == may
        assert RULES.match_blocks(changed, may) == RULES.match_blocks(changed)


def test_rules_of_a_pack_are_asked_of_lines_too() -> None:
    pack = read_pack(
        "{pack: mine, version: 1, blocks: [{id: demo, refuses: recommendations, reason: no money,"
        ' text: "(?i)demo[ ]+account[^\\n]*\\n+over"}]}',
        "mine",
    )
    rules = RuleSet([pack], "mine")
    text = "A Demo account 7\n\nover"
    may = may_refuse(rules, text)
    assert [rule.rule for rule in rules.match_blocks(text, may)] == ["mine/demo"]
    assert may_refuse(rules, "A demo account 7\nis over") == 0

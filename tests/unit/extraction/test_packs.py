"""Rules are data: what a pack may hold, a user's own pack, and the version."""

from __future__ import annotations

import pytest

from trackrecord.extraction import EXTRACTOR_VERSION, PackError, default_rules, extract
from trackrecord.extraction.checks import check_rules
from trackrecord.extraction.packs import read_pack

OWN = """
pack: mine
version: 1
terms:
  - {id: yolo, class: action, value: STRONG_BUY, phrases: [to the moon]}
  - {id: oracle, class: label.decision, phrases: [oracle says]}
tests:
  - text: "Oracle says: to the moon"
    expect: {final_action: STRONG_BUY}
"""


def test_the_packaged_rules_pass_their_own_tests() -> None:
    rules = default_rules()
    assert len(rules.cases) >= 20
    assert check_rules(rules) == []


def test_a_pack_of_ones_own_adds_words_without_code() -> None:
    text = "Oracle says: to the moon"
    rules = default_rules().extended([("mine.yaml", OWN)])
    assert extract(text).final_action is None
    assert extract(text, rules=rules).final_action == "STRONG_BUY"
    assert check_rules(rules) == []


def test_a_failing_test_of_a_pack_is_told() -> None:
    wrong = OWN.replace("expect: {final_action: STRONG_BUY}", "expect: {final_action: SELL}")
    (failure,) = check_rules(default_rules().extended([("mine.yaml", wrong)]))
    assert (failure.field, failure.expected, failure.got) == ("final_action", "SELL", "STRONG_BUY")


def test_the_version_changes_with_any_rule() -> None:
    rules = default_rules()
    one = rules.extended([("mine.yaml", OWN)])
    other = rules.extended([("mine.yaml", OWN.replace("moon", "sky"))])
    assert rules.version == EXTRACTOR_VERSION
    assert len({rules.version, one.version, other.version}) == 3
    assert extract("x", rules=one).extractor_version == one.version


def test_a_later_pack_wins() -> None:
    mine = "{pack: m, version: 1, terms: [{id: x, class: action, value: SELL, phrases: [buy]}]}"
    rules = default_rules().extended([("m.yaml", mine)])
    assert extract("Signal: BUY", rules=rules).final_action == "SELL"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("[", "not YAML"),
        ("[]", "expected a mapping"),
        ("{pack: a}", "version is missing"),
        ("{pack: a, version: x}", "version must be a whole number"),
        ("{pack: a, version: 1, rules: []}", "unknown rules"),
        ("{pack: a, version: 1, terms: {}}", "terms must be a list"),
        ("{pack: a, version: 1, terms: [{id: x, class: nope, phrases: [b]}]}", "no class 'nope'"),
        ("{pack: a, version: 1, terms: [{id: x, class: action, phrases: [b]}]}", "value must be"),
        ("{pack: a, version: 1, terms: [{id: x, class: noun, phrases: [true]}]}", "in quotes"),
        ("{pack: a, version: 1, terms: [{id: x, class: noun, phrases: ['a:b']}]}", "words only"),
        ("{pack: a, version: 1, shapes: [{id: x, rank: row, shape: A}]}", "(?P<a>...)"),
        ("{pack: a, version: 1, shapes: [{id: x, rank: top, shape: A}]}", "rank must be"),
        ("{pack: a, version: 1, shapes: [{id: x, rank: row, shape: '(?P<a>A'}]}", "RE2"),
        (
            "{pack: a, version: 1, shapes: [{id: x, rank: row, needs: z, shape: '(?P<a>A)'}]}",
            "no flag 'z'",
        ),
        (
            "{pack: a, version: 1, blocks: [{id: x, text: a, refuses: all, reason: b}]}",
            "refuses must be",
        ),
        ("{pack: a, version: 1, tests: [{text: a, expect: {action: BUY}}]}", "unknown action"),
    ],
)
def test_a_broken_pack_is_refused_with_the_place(source: str, message: str) -> None:
    with pytest.raises(
        PackError,
        match=message.replace("(", "\\(")
        .replace("?", "\\?")
        .replace(")", "\\)")
        .replace(".", "\\."),
    ):
        read_pack(source, "mine.yaml")

"""Why an output recommends nothing, and the words that show it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.extractor.rows.refusals import RefusedOutput, refused_output
from trackrecord.extraction import extract

ANY = st.characters(codec=None)


def refused(output: str) -> RefusedOutput | None:
    return refused_output(output, extract(output))


def test_the_line_of_the_refused_word_is_the_excerpt() -> None:
    found = refused("Scanning ...\n  Skipping signal:\tBUY   ACME\nDone\n")
    assert found is not None
    assert found.excerpt == "Skipping signal: BUY ACME"
    assert "/" in found.rule


def test_a_rule_that_speaks_goes_before_a_word_that_none_speaks_of() -> None:
    output = "a word to BUY bread\nSkipping signal: SELL\n"
    assert next(each.rule for each in extract(output).rejected) == "none"
    found = refused(output)
    assert found is not None
    assert found.rule != "none"
    assert found.excerpt == "Skipping signal: SELL"


@pytest.mark.parametrize(
    ("output", "rule", "excerpt"),
    [
        ("", "no-output", ""),
        (" \n\t\n", "no-output", ""),
        ("loading\nConnectionError: refused\n\n", "no-action", "ConnectionError: refused"),
        ("x" * 500, "no-action", "x" * 100 + "…"),
    ],
)
def test_without_an_action_the_end_of_the_output_is_shown(
    output: str, rule: str, excerpt: str
) -> None:
    found = refused(output)
    assert found is not None
    assert (found.rule, found.excerpt) == (rule, excerpt)


@pytest.mark.parametrize("output", ["Signal: BUY ACME\nEntry: 10", "Total return: 12.5%"])
def test_what_recommends_or_reports_something_is_not_refused(output: str) -> None:
    assert refused(output) is None


def test_secrets_beside_the_word_are_hidden_before_anything_is_cut() -> None:
    secret = "k" * 90
    found = refused(f"token={secret} Skipping signal: BUY password={secret}")
    assert found is not None
    assert "kk" not in found.excerpt
    assert "Skipping signal: BUY" in found.excerpt


@given(st.text(ANY, max_size=200), st.text(ANY, max_size=2000))
def test_an_excerpt_is_short_and_plain_whatever_was_printed(before: str, after: str) -> None:
    found = refused(f"{before} Skipping signal: BUY {after}")
    if found is not None:
        assert len(found.excerpt) <= 162
        assert not any(ord(each) < 32 for each in found.excerpt)
        found.excerpt.encode()  # no lone surrogate

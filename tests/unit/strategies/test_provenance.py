"""The mark of who wrote a strategy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from trackrecord.strategies.provenance import Provenance, marked, provenance

BY = Provenance("gemini", "gemini-3.8-flash", datetime(2026, 11, 29, 11, 30, 5, tzinfo=UTC))
CODE = "def execute_strategy(market_data, strategy_params):\n    return {'action': 'hold'}\n"


def test_a_mark_is_read_back_and_moves_no_line() -> None:
    code = marked(CODE, BY)
    assert code.startswith(CODE)
    assert provenance(code) == BY
    compile(code, "strategy", "exec")


def test_what_a_person_wrote_has_none() -> None:
    assert provenance(CODE) is None
    assert provenance("") is None


def test_marking_again_leaves_one_mark() -> None:
    later = BY._replace(asked_at=BY.asked_at + timedelta(days=1))
    code = marked(marked(CODE, BY), later)
    assert code.count("written by") == 1
    assert provenance(code) == later


def test_of_several_the_latest_counts() -> None:
    later = BY._replace(provider="openai", asked_at=BY.asked_at + timedelta(days=1))
    assert provenance(marked(CODE, later) + marked("x = 1\n", BY)) == later


def test_an_instant_is_told_in_utc() -> None:
    local = BY._replace(asked_at=BY.asked_at.astimezone(timezone(timedelta(hours=9))))
    assert marked(CODE, local) == marked(CODE, BY)


def test_an_instant_that_cannot_be_is_no_mark() -> None:
    assert provenance("# trackrecord: written by x (y), asked at 2026-99-99T00:00:00Z") is None


@given(st.text())
def test_the_name_of_a_model_stays_in_its_comment(model: str) -> None:
    code = marked(CODE, BY._replace(model=model))
    assert code.splitlines()[:2] == CODE.splitlines()
    assert len(code.splitlines()) == 4
    found = provenance(code)
    assert found is not None
    assert found.asked_at == BY.asked_at

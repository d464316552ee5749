"""Five phrases, and which comes first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trackrecord.strategies.verdict import Record, judge

GOOD = Record(
    closed=30, sessions=250, sharpe=2.0, total=0.5, holding_sharpe=0.5, holding_total=0.2,
    deflated=0.95, tries=10,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, "worth trying"),
        ({"deflated": 0.9499999}, "no evidence"),
        ({"deflated": None, "sharpe": None}, "no evidence"),
        ({"closed": 29}, "too few to tell"),
        ({"sessions": 249}, "too few to tell"),
        ({"total": 0.1, "sharpe": 0.4}, "worse than holding"),
        # Less was earned at far less risk.
        ({"total": 0.1}, "worth trying"),
        # A loss, and holding lost more.
        ({"total": -0.1, "holding_total": -0.3, "sharpe": -0.5, "deflated": 0.0}, "no evidence"),
        ({"total": 0.1, "sharpe": None, "deflated": None}, "worse than holding"),
        ({"total": 0.1, "holding_sharpe": None}, "worse than holding"),
        ({"remembered": 1}, "no evidence yet"),
        ({"remembered": 1, "deflated": 0.1}, "no evidence yet"),
        ({"remembered": 250, "closed": 3}, "too few to tell"),
        ({"remembered": 250, "total": 0.1, "sharpe": 0.4}, "worse than holding"),
    ],
)
def test_the_verdict(changed: dict[str, object], verdict: str) -> None:
    found, why = judge(replace(GOOD, **changed))  # type: ignore[arg-type]
    assert found == verdict
    assert why


def test_no_rounding_lifts_a_chance_over_the_limit_in_words() -> None:
    _, why = judge(replace(GOOD, deflated=0.94999))
    assert "94.9 %" in why

"""The latest runs of a script beside those before them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.performance.script_results import Results, recent_against_earlier
from trackrecord.performance.trend import Trend, trend

STABLE = Trend("stable", 0.5)
EVERY = Results(42, 12, 6, 2, 10, Decimal("12.345"))
RECENT = Results(10, 7, 3, 0, 4, Decimal("6.2"))

reported = st.lists(
    st.tuples(
        st.sampled_from(["profit", "loss", "breakeven", None]),
        st.none() | st.decimals(-99, 99, places=3),
    ),
    max_size=40,
)


def added(runs: list[tuple[str | None, Decimal | None]]) -> Results:
    said = [outcome for outcome, _ in runs]
    percent = [value for _, value in runs if value is not None]
    counts = [said.count(name) for name in ("profit", "loss", "breakeven")]
    return Results(len(runs), *counts, len(percent), sum(percent, Decimal(0)))


@given(reported, st.integers(1, 12))
def test_the_earlier_runs_are_all_but_the_recent_ones(
    runs: list[tuple[str | None, Decimal | None]], recent: int
) -> None:
    every, latest, before = added(runs), added(runs[-recent:]), added(runs[:-recent])
    assert every.without(latest) == before
    found = recent_against_earlier(every, latest, trend([]))
    for part, of in (("recent", latest), ("earlier", before)):
        assert found[part]["runs"] == of.runs
        assert sum(found[part][name] for name in ("profit", "loss", "breakeven", "none")) == of.runs
        for name, value in (
            ("success_rate", of.success_rate),
            ("average_return_pct", of.average_return_pct),
        ):
            assert found[part][name] == (None if value is None else float(value))
            # Null has a reason, and only null.
            assert (found[part][name] is None) == (f"{part}.{name}" in found["reasons"])
            assert (found["difference"][name] is None) == (f"difference.{name}" in found["reasons"])


def test_the_difference_is_of_the_exact_numbers() -> None:
    found = recent_against_earlier(EVERY, RECENT, STABLE)
    assert found["recent"] == {
        "runs": 10, "profit": 7, "loss": 3, "breakeven": 0, "none": 0, "success_rate": 0.7,
        "average_return_pct": 1.55,
    }  # fmt: skip
    assert found["earlier"]["success_rate"] == 0.5
    assert found["earlier"]["average_return_pct"] == 1.024167
    assert found["difference"] == {
        "success_rate": float(Fraction(7, 10) - Fraction(1, 2)),
        "average_return_pct": 0.525833,
    }
    assert (found["trend"], found["trend_p_value"], found["reasons"]) == ("stable", 0.5, {})


@pytest.mark.parametrize(
    ("every", "recent", "judged", "words"),
    [
        (
            EVERY,
            RECENT,
            STABLE,
            (
                "42 runs: 60.0 % of 20 results were a profit, 70.0 % in the latest 10 runs against"
                " 50.0 % before, +1.23 % on average; no trend beyond noise."
            ),
        ),
        (
            Results(1, 1, 0, 0),
            Results(1, 1, 0, 0),
            trend([1.0]),
            "1 run: 100.0 % of 1 result was a profit; too few results to tell a trend.",
        ),
        (Results(3), Results(3), trend([]), "3 runs, and no result was reported."),
        (
            Results(30, 10, 20, 0),
            Results(10, 10, 0, 0),
            Trend("improving", 0.001),
            (
                "30 runs: 33.3 % of 30 results were a profit, 100.0 % in the latest 10 runs against"
                " 0.0 % before; results are improving."
            ),
        ),
    ],
)
def test_the_summary_is_one_sentence(
    every: Results, recent: Results, judged: Trend, words: str
) -> None:
    assert recent_against_earlier(every, recent, judged)["summary"] == words

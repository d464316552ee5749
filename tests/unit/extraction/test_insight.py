"""The thin functions behind a script's record."""

from __future__ import annotations

from trackrecord.extraction import (
    extract_recommendation_from_output,
    extract_result_from_output,
    generate_ai_insight,
)


def test_the_recommendation_is_the_final_action() -> None:
    assert extract_recommendation_from_output("Signal: SELL") == "SELL"
    assert extract_recommendation_from_output("Nothing to see") is None


def test_the_result_is_percent_and_outcome() -> None:
    assert extract_result_from_output("Total return: -2.5%") == (-2.5, "loss")
    assert extract_result_from_output("Net profit: $12") == (None, "profit")
    assert extract_result_from_output("") == (None, None)


def test_the_insight_names_performance_returns_bias_and_activity() -> None:
    told = generate_ai_insight(
        runs=25, success_rate=71.0, average_return=6.0, recommendations={"BUY": 8, "HOLD": 2}
    )
    assert told == (
        "Strong performance: 71.0 % of outcomes were a profit; high average return of +6.00 %; "
        "buy-heavy recommendations; highly active (25 runs)."
    )


def test_the_insight_of_a_first_run_claims_nothing() -> None:
    told = generate_ai_insight(runs=1, success_rate=None, average_return=None, recommendations={})
    assert told == "No outcome yet; little activity (1 run)."


def test_the_insight_calls_weak_and_balanced_what_is() -> None:
    told = generate_ai_insight(
        runs=3, success_rate=40.0, average_return=-1.0, recommendations={"BUY": 1, "SELL": 1}
    )
    assert "Needs improvement" in told
    assert "negative average return" in told
    assert "balanced" in told

"""Return for risk, and how far to believe it."""

from __future__ import annotations

import math
import statistics
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.performance.returns import sharpe as s

rates = st.lists(st.floats(-0.3, 0.3).map(lambda value: round(value, 5)), min_size=3, max_size=60)
skilled = np.random.default_rng(5).normal(0.001, 0.01, 504)


@settings(deadline=None)
@given(rates, st.sampled_from([0.0, 0.0002]))
def test_sharpe_is_mean_over_deviation(series: list[float], risk_free: float) -> None:
    found = s.sharpe(series, 252, risk_free)
    if len(set(series)) == 1:
        assert found == (None, "no_variance")
        return
    excess = [x - risk_free for x in series]
    expected = statistics.mean(excess) / statistics.stdev(series) * math.sqrt(252)
    assert found.value == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(deadline=None)
@given(rates, st.floats(0.1, 10))
def test_sharpe_and_sortino_do_not_depend_on_the_stake(series: list[float], stake: float) -> None:
    larger = [x * stake for x in series]
    for number in (s.sharpe, s.sortino):
        one, other = number(series), number(larger)
        assert one.reason == other.reason
        if one.value is not None:
            assert other.value == pytest.approx(one.value, rel=1e-6, abs=1e-6)


@settings(deadline=None)
@given(rates)
def test_sortino_counts_every_period_below(series: list[float]) -> None:
    below = math.sqrt(sum(min(x, 0) ** 2 for x in series) / len(series))
    found = s.sortino(series)
    if below == 0:
        assert found == (None, "no_downside")
    else:
        expected = statistics.mean(series) / below * math.sqrt(252)
        assert found.value == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_equal_returns_have_no_ratio_whatever_floats_leave() -> None:
    assert s.sharpe([0.1] * 29) == (None, "no_variance")
    assert s.sharpe([0.0] * 5) == (None, "no_variance")
    assert s.sharpe([0.01]) == (None, "too_few")
    assert s.sharpe([]) == (None, "no_data")


def test_the_probability_of_skill_of_known_moments() -> None:
    found = s.probability_of_skill(0.1, 252, -0.5, 5).value
    assert found == pytest.approx(0.9380742, abs=5e-8)


def test_the_probabilistic_ratio_is_that_of_the_series_own_moments() -> None:
    mean, deviation = np.mean(skilled), np.std(skilled, ddof=1)
    ratio = mean / deviation
    z = (skilled - mean) / np.std(skilled)
    error = math.sqrt(1 - np.mean(z**3) * ratio + (np.mean(z**4) - 1) / 4 * ratio**2)
    expected = NormalDist().cdf(float(ratio - 0.01) * math.sqrt(skilled.size - 1) / error)
    assert s.probabilistic_sharpe_ratio(skilled, 0.01).value == pytest.approx(expected)


def test_one_trial_needs_no_deflation() -> None:
    alone = s.probabilistic_sharpe_ratio(skilled)
    assert s.deflated_sharpe_ratio(skilled, 1) == alone
    assert s.deflated_sharpe_ratio(skilled, [0.07]) == alone


def test_the_more_were_tried_the_less_a_ratio_proves() -> None:
    found = [s.deflated_sharpe_ratio(skilled, count).value or 0 for count in (1, 2, 10, 200, 10**9)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.9
    assert found[-1] < 0.5


def test_the_best_of_many_without_skill_is_about_what_luck_expects() -> None:
    draws = np.random.default_rng(2).normal(size=(4000, 100))
    assert np.mean(draws.max(axis=1)) == pytest.approx(s.expected_maximum_sharpe(100, 1), abs=0.03)


def test_trials_are_a_list_of_ratios_or_their_number() -> None:
    ratios = [0.01, 0.05, -0.02]
    expected = s.expected_maximum_sharpe(3, statistics.stdev(ratios))
    assert s.deflated_benchmark(ratios, 252) == pytest.approx(expected)
    assert s.deflated_benchmark(3, 101) == pytest.approx(s.expected_maximum_sharpe(3, 0.1))
    with pytest.raises(ValueError, match="at least the strategy itself"):
        s.deflated_sharpe_ratio(skilled, 0)


def test_the_minimum_length_is_where_the_probability_reaches_the_confidence() -> None:
    length = s.minimum_track_record_length(skilled).value
    assert length is not None
    ratio = s.period_sharpe(skilled).value or 0
    z = (skilled - np.mean(skilled)) / np.std(skilled)
    error = s.sharpe_error(ratio, float(np.mean(z**3)), float(np.mean(z**4)))
    reached = NormalDist().cdf(ratio * math.sqrt(length - 1) / error)
    assert reached == pytest.approx(0.95)


def test_no_length_is_enough_for_what_is_not_above_the_benchmark() -> None:
    assert s.minimum_track_record_length(-skilled) == (None, "not_above_benchmark")

"""Growth, spread and tails of a series, against formulas written out here."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.performance.returns import statistics as r

rates = st.lists(st.floats(-0.5, 0.5).map(lambda value: round(value, 6)), min_size=2, max_size=80)


@settings(deadline=None)
@given(rates)
def test_total_return_compounds(series: list[float]) -> None:
    assert r.total_return(series).value == pytest.approx(math.prod(1 + x for x in series) - 1)


@settings(deadline=None)
@given(rates)
def test_volatility_is_the_sample_deviation_per_year(series: list[float]) -> None:
    expected = statistics.stdev(series) * math.sqrt(252)
    assert r.volatility(series).value == pytest.approx(expected, abs=1e-12)


@settings(deadline=None)
@given(rates)
def test_downside_risk_counts_every_period(series: list[float]) -> None:
    expected = math.sqrt(sum(min(x, 0) ** 2 for x in series) / len(series) * 252)
    assert r.downside_risk(series).value == pytest.approx(expected)


@settings(deadline=None)
@given(rates, st.permutations(range(80)))
def test_tails_do_not_depend_on_order(series: list[float], order: list[int]) -> None:
    mixed = [series[place] for place in order if place < len(series)]
    for number in (r.value_at_risk, r.conditional_value_at_risk, r.tail_ratio):
        assert number(mixed) == number(series)


@settings(deadline=None)
@given(rates)
def test_the_conditional_value_at_risk_is_at_most_the_mean(series: list[float]) -> None:
    tail, mean = r.conditional_value_at_risk(series).value, r.mean_return(series).value
    assert tail is not None
    assert mean is not None
    assert tail <= mean + 1e-12


def test_growth_per_year_of_known_balances() -> None:
    assert r.growth_per_year(176000 / 64900 - 1, 1).value == pytest.approx(1.7119, abs=5e-5)
    assert r.growth_per_year(0.5, 100 / 365).value == pytest.approx(3.3927, abs=5e-5)


def test_a_missing_period_earns_nothing_and_still_takes_time() -> None:
    with_gap, without = [0.01, math.nan, 0.02], [0.01, 0.02]
    assert r.total_return(with_gap) == r.total_return(without)
    assert r.volatility(with_gap) == r.volatility(without)
    assert r.cagr(with_gap).value == pytest.approx((1.01 * 1.02) ** (252 / 3) - 1)


def test_what_has_no_value_says_why() -> None:
    for number in (r.total_return, r.cagr, r.volatility, r.value_at_risk, r.skewness):
        assert number([]) == (None, "no_data")
        assert number([math.nan]) == (None, "no_data")
    assert r.volatility([0.01]) == (None, "too_few")
    assert r.skewness([0.01, 0.01, 0.01]) == (None, "no_variance")
    assert r.cagr([-2.0, 0.1]) == (None, "below_zero")
    assert r.cagr([1e6]) == (None, "overflow")
    assert r.omega([0.1, 0.2]) == (None, "no_losses")
    assert r.stability([-1.0, 0.1]) == (None, "below_zero")


def test_losing_everything_is_a_growth_of_minus_one() -> None:
    assert r.cagr([0.1, -1.0]).value == -1


def test_skewness_and_kurtosis_are_biased_and_raw() -> None:
    series = [0.0, 0.0, 0.0, 1.0]
    assert r.skewness(series).value == pytest.approx(2 / math.sqrt(3))
    assert r.kurtosis(series).value == pytest.approx(7 / 3)
    normal = np.random.default_rng(1).normal(size=200_000)
    assert r.kurtosis(normal).value == pytest.approx(3, abs=0.05)


def test_tiny_returns_keep_their_shape() -> None:
    series = [1e-120, -2e-120, 3e-120]
    assert r.kurtosis(series).value == pytest.approx(1.5)


def test_an_infinity_or_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="value 1 is infinite"):
        r.total_return([0.1, math.inf])
    with pytest.raises(ValueError, match="one dimension"):
        r.total_return(np.zeros((2, 2)))


def test_returns_of_levels() -> None:
    assert r.returns_of([100, 110, 99]) == pytest.approx([0.1, -0.1])
    with pytest.raises(ValueError, match="level 1 is not above 0"):
        r.returns_of([100, 0])

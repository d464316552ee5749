"""Falls below a peak: depth, length, recovery."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.performance.returns import drawdown as d
from trackrecord.performance.returns.statistics import returns_of

levels = st.lists(st.integers(1, 1000).map(float), min_size=1, max_size=60)
NO_DRAWDOWN = "no_drawdown"


@settings(deadline=None)
@given(levels)
def test_the_deepest_of_all_drawdowns_is_the_maximum(curve: list[float]) -> None:
    expected = min(level / max(curve[: place + 1]) - 1 for place, level in enumerate(curve))
    found = d.max_drawdown_of(curve).value
    assert found == pytest.approx(expected)
    assert min((item.depth for item in d.drawdowns(curve)), default=0.0) == found


@settings(deadline=None)
@given(levels)
def test_each_drawdown_starts_at_a_peak_and_ends_at_its_recovery(curve: list[float]) -> None:
    for item in d.drawdowns(curve):
        end = len(curve) if item.recovery is None else item.recovery
        assert curve[item.peak] == max(curve[: item.peak + 1])
        assert all(level < curve[item.peak] for level in curve[item.peak + 1 : end])
        assert curve[item.trough] == min(curve[item.peak : end])
        if item.recovery is not None:
            assert curve[item.recovery] >= curve[item.peak]
            assert item.length == item.recovery - item.peak


def test_the_peak_starts_at_the_starting_equity() -> None:
    assert d.max_drawdown([-0.4, -0.1]).value == pytest.approx(-0.46)
    assert d.max_drawdown([0.1, 0.1]) == (0.0, None)
    assert d.max_drawdown([]) == (None, "no_data")


def test_recovery_is_counted_from_the_peak_to_the_same_level() -> None:
    assert d.longest_recovery(d.drawdowns([100, 90, 95, 100])).value == 3
    assert d.longest_recovery(d.drawdowns([50, 100, 98, 99, 100])).value == 3
    assert d.longest_recovery(d.drawdowns([100, 97, 99, 97, 100])).value == 4
    assert d.longest_recovery(d.drawdowns([100, 90, 95, 90])) == (None, "no_recovery")
    assert d.longest_recovery(d.drawdowns([1, 2])) == (None, NO_DRAWDOWN)
    assert d.longest_drawdown(d.drawdowns([100, 90, 95, 90])).value == 3


def test_calmar_is_growth_over_the_deepest_fall() -> None:
    series = [0.1, -0.2, 0.3]
    expected = ((1.1 * 0.8 * 1.3) ** (252 / 3) - 1) / 0.2
    assert d.calmar(series).value == pytest.approx(expected)
    assert d.calmar([0.1, 0.1]) == (None, NO_DRAWDOWN)


def test_a_curve_that_starts_with_nothing_or_has_gaps_is_refused() -> None:
    with pytest.raises(ValueError, match="starts above 0"):
        d.drawdown_series([0.0, 1.0])
    with pytest.raises(ValueError, match="no gaps"):
        d.drawdown_series([1.0, float("nan")])


@settings(deadline=None)
@given(st.lists(st.integers(10**5, 10**7), min_size=3, max_size=80), st.integers(1, 6))
def test_a_curve_that_comes_back_exactly_has_recovered(cents: list[int], places: int) -> None:
    highest = max(cents)
    curve = [level / 10**places for level in [highest, *cents, highest]]
    for equity in (curve, d.equity_of_returns(returns_of(curve), curve[0]).tolist()):
        found = d.drawdowns(equity)
        assert all(item.recovery is not None for item in found)
        assert d.longest_recovery(found).value == max((item.length for item in found), default=None)

"""Thousands of generated series through other libraries; skipped where they are not installed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from trackrecord.performance.measure import FloatArray, Measure
from trackrecord.performance.returns import benchmark, drawdown, sharpe, statistics

SERIES = 1000
DAYS = 252


def generated(count: int = SERIES, *, gaps: bool = True) -> Iterator[FloatArray]:
    draws = np.random.default_rng(11)
    for number in range(count):
        size = int(draws.integers(2, 600))
        scale = 10 ** draws.uniform(-4, -1.2)
        series = draws.normal(draws.normal(0, 0.002), scale, size)
        if number % 5 == 1:
            series = draws.standard_t(3, size) * 0.01
        if number % 5 == 2:
            series[draws.random(size) < 0.6] = 0
        if gaps and number % 5 == 3:
            series[draws.random(size) < 0.1] = np.nan
        if number % 5 == 4:
            series = np.round(series, 3)
        yield np.where(series <= -1, -0.5, series)


def same(ours: Measure, theirs: Any, name: str) -> None:
    expected = float(theirs)
    if ours.value is None:
        assert not math.isfinite(expected) or abs(expected) > 1e12, (name, ours, expected)
    else:
        assert ours.value == pytest.approx(expected, rel=1e-9, abs=1e-9), name


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def test_empyrical_says_the_same() -> None:
    e = pytest.importorskip("empyrical")
    market = np.random.default_rng(12).normal(0.0003, 0.01, 600)
    for x in generated():
        b = market[: x.size]
        for ours, theirs, name in (
            (sharpe.sharpe(x, DAYS, 0.0001), e.sharpe_ratio(x, 0.0001), "sharpe"),
            (sharpe.sortino(x, DAYS, 0.0001), e.sortino_ratio(x, 0.0001), "sortino"),
            (statistics.cagr(x), e.cagr(x), "cagr"),
            (statistics.volatility(x), e.annual_volatility(x), "volatility"),
            (statistics.total_return(x), e.cum_returns_final(x), "total_return"),
            (statistics.downside_risk(x), e.downside_risk(x), "downside_risk"),
            (drawdown.max_drawdown(x), e.max_drawdown(x), "max_drawdown"),
            (drawdown.calmar(x), e.calmar_ratio(x), "calmar"),
            (statistics.conditional_value_at_risk(x), e.conditional_value_at_risk(x), "cvar"),
            (statistics.tail_ratio(x), e.tail_ratio(x), "tail_ratio"),
            (statistics.stability(x), e.stability_of_timeseries(x), "stability"),
            (benchmark.alpha(x, b), e.alpha_aligned(x, b), "alpha"),
            (benchmark.beta(x, b), e.beta_aligned(x, b), "beta"),
            (benchmark.excess_sharpe(x, b), e.excess_sharpe(x, b), "excess_sharpe"),
        ):
            same(ours, theirs, name)
        if not np.isnan(x).any():
            same(statistics.value_at_risk(x), e.value_at_risk(x), "value_at_risk")
            same(statistics.omega(x), e.omega_ratio(x), "omega")


def test_quantstats_says_the_same() -> None:
    q = pytest.importorskip("quantstats").stats
    pandas = pytest.importorskip("pandas")
    for x in generated(200, gaps=False):
        s = pandas.Series(x, index=pandas.date_range("2015-01-01", periods=x.size))
        for ours, theirs, name in (
            (sharpe.sharpe(x), q.sharpe(s, periods=DAYS), "sharpe"),
            (sharpe.sortino(x), q.sortino(s, periods=DAYS), "sortino"),
            (statistics.volatility(x), q.volatility(s, periods=DAYS), "volatility"),
            (statistics.total_return(x), q.comp(s), "total_return"),
            (drawdown.max_drawdown(x), q.max_drawdown(s), "max_drawdown"),
        ):
            same(ours, theirs, name)
        # Its skewness and kurtosis are unbiased, ours biased: near, and not equal.
        found, near = sharpe.probabilistic_sharpe_ratio(x), q.probabilistic_sharpe_ratio(s)
        if x.size > 200 and found.value is not None:
            assert found.value == pytest.approx(float(near), abs=0.01)


def test_ffn_says_the_same() -> None:
    ffn = pytest.importorskip("ffn")
    pandas = pytest.importorskip("pandas")
    for x in generated(200, gaps=False):
        days = pandas.date_range("2015-01-01", periods=x.size + 1)
        prices = pandas.Series(drawdown.equity_of_returns(x, 100), index=days)
        s = pandas.Series(x, index=days[1:])
        same(drawdown.max_drawdown(x), ffn.calc_max_drawdown(prices), "max_drawdown")
        same(statistics.total_return(x), ffn.calc_total_return(prices), "total_return")
        same(sharpe.sharpe(x), ffn.calc_sharpe(s, nperiods=DAYS), "sharpe")
        same(sharpe.sortino(x), ffn.calc_sortino_ratio(s, nperiods=DAYS), "sortino")

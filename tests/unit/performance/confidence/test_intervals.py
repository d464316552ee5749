"""Intervals: exact at the edges, the same for a seed, and true often enough."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.performance.confidence import intervals as i


@settings(deadline=None)
@given(st.integers(0, 500), st.integers(1, 500))
def test_wilson_bounds_solve_their_equation(successes: int, more: int) -> None:
    trials = successes + more
    low, high, reason = i.wilson(successes, trials)
    assert reason is None
    assert low is not None
    assert high is not None
    assert 0 <= low <= successes / trials <= high <= 1
    z = 1.959963984540054
    for limit in (low, high):
        if 0 < limit < 1:
            distance = abs(successes / trials - limit)
            assert distance == pytest.approx(z * math.sqrt(limit * (1 - limit) / trials), abs=1e-9)


def test_wilson_of_nothing_and_of_nonsense() -> None:
    assert i.wilson(0, 0) == (None, None, "no_data")
    with pytest.raises(ValueError, match="5 of 3"):
        i.wilson(5, 3)
    with pytest.raises(ValueError, match="confidence"):
        i.wilson(1, 3, 1.5)


def test_the_same_seed_gives_the_same_interval() -> None:
    series = np.random.default_rng(1).normal(0.001, 0.01, 250)
    one = i.stationary_bootstrap(series, i.sharpe_of(252))
    assert one == i.stationary_bootstrap(series, i.sharpe_of(252))
    assert one != i.stationary_bootstrap(series, i.sharpe_of(252), seed=8)


def test_the_interval_of_a_mean_holds_it_about_as_often_as_it_says() -> None:
    draws, held = np.random.default_rng(4), 0
    for _ in range(200):
        low, high, _reason = i.stationary_bootstrap(
            draws.normal(0.1, 1, 150), i.mean_of, resamples=300
        )
        assert low is not None
        assert high is not None
        held += low <= 0.1 <= high
    assert 170 <= held <= 199


def test_blocks_keep_what_neighbours_share() -> None:
    steps = np.random.default_rng(6).normal(size=600)
    trending = np.convolve(steps, np.ones(20), mode="valid")
    alone = i.stationary_bootstrap(trending, i.mean_of, mean_block=1)
    joined = i.stationary_bootstrap(trending, i.mean_of, mean_block=40)
    assert alone.low is not None
    assert alone.high is not None
    assert joined.low is not None
    assert joined.high is not None
    assert joined.high - joined.low > 2 * (alone.high - alone.low)


def test_too_little_has_no_interval() -> None:
    assert i.stationary_bootstrap([], i.mean_of) == (None, None, "no_data")
    assert i.stationary_bootstrap([0.1], i.mean_of) == (None, None, "too_few")


def test_a_resample_without_a_spread_has_a_sharpe_ratio_of_0() -> None:
    assert i.stationary_bootstrap([0.1, 0.1], i.sharpe_of(252)) == (0.0, 0.0, None)
    rare = [0.0] * 99 + [0.05]
    low, high, _ = i.stationary_bootstrap(rare, i.sharpe_of(252))
    # A third of the resamples hold no trade: most of what remains is not the whole of it.
    assert low == 0 < (high or 0)

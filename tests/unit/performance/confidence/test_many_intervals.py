"""Intervals of many series at once: those of each alone, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.performance.confidence import intervals as i
from trackrecord.performance.confidence.many_intervals import many_intervals
from trackrecord.performance.confidence.resampling import Resamples

SERIES = np.random.default_rng(3).normal(0.001, 0.01, (150, 60))


@given(st.integers(1, 80), st.floats(1, 9), st.integers(0, 5))
def test_every_resample_draws_as_many_values_as_the_series_has(
    size: int, mean_block: float, seed: int
) -> None:
    drawn = Resamples.draw(size, 20, mean_block, seed)
    (counts,), (places,) = list(drawn.counts()), list(drawn.places())
    assert counts.shape == places.shape == (20, size)
    for row, count in zip(places, counts, strict=True):
        assert (np.bincount(row, minlength=size) == count).all()


def test_blocks_are_as_long_as_asked_on_average_and_begin_anywhere() -> None:
    drawn = Resamples.draw(500, 400, 8.0, 1)
    (places,) = list(drawn.places())
    joined = np.mean((np.diff(places, axis=1) % 500) == 1)
    assert joined == pytest.approx(1 - 1 / 8, abs=0.01)
    assert np.mean(drawn.starts[:, 0]) == pytest.approx(250, abs=25)
    (counts,) = list(drawn.counts())
    assert np.mean(counts, axis=0) == pytest.approx(np.ones(500), abs=0.6)


def test_they_are_those_of_the_stationary_bootstrap() -> None:
    means, ratios = many_intervals(SERIES, risk_free=0.0002)
    for place in (0, 31, 32, 149):
        mean = i.stationary_bootstrap(SERIES[place], i.mean_of)
        ratio = i.stationary_bootstrap(SERIES[place], i.sharpe_of(1, 0.0002))
        assert means[:, place].tolist() == pytest.approx(mean[:2], rel=1e-6, abs=1e-9)
        assert ratios[:, place].tolist() == pytest.approx(ratio[:2], rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("chosen", [[0], [149], [7, 3], list(range(33)), list(range(149, -1, -1))])
def test_a_series_has_the_same_interval_in_any_company(chosen: list[int]) -> None:
    for all_, some in zip(many_intervals(SERIES), many_intervals(SERIES[chosen]), strict=True):
        assert (all_[:, chosen] == some).all()


def test_resamples_without_a_spread_count_as_0() -> None:
    rare = np.zeros((1, 100))
    rare[0, 40] = 0.05
    _, ratios = many_intervals(rare)
    one = i.stationary_bootstrap(rare[0], i.sharpe_of(1))
    assert ratios[:, 0].tolist() == pytest.approx(one[:2], rel=1e-6)
    _, none = many_intervals(np.full((1, 10), 0.01))
    assert (none == 0).all()
    assert ratios[0, 0] == 0

"""A trend is called only beyond noise."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from trackrecord.performance.trend import FEWEST, LEVEL, trend

results = st.lists(st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0]), max_size=60)


@given(results)
def test_the_p_value_is_that_of_scipy(listed: list[float]) -> None:
    found = trend(listed)
    recent = max(len(listed) // 3, FEWEST)
    if len(listed) - recent < FEWEST:
        assert (found.direction, found.p_value, found.reason) == (None, None, "too_few_results")
        return
    if len(set(listed)) == 1:
        assert found.direction == "stable"
        return
    peer = mannwhitneyu(listed[-recent:], listed[:-recent], method="asymptotic")
    assert found.p_value == pytest.approx(float(peer.pvalue), abs=1e-12)


@given(results)
def test_a_mirrored_history_has_the_mirrored_trend(listed: list[float]) -> None:
    mirror = {"improving": "declining", "declining": "improving"}
    found, mirrored = trend(listed), trend([-value for value in listed])
    assert mirrored.direction == mirror.get(found.direction or "", found.direction)


def test_losses_that_become_profits_are_an_improvement() -> None:
    assert trend([-1.0] * 10 + [1.0] * 10).direction == "improving"
    assert trend([1.0] * 10 + [-1.0] * 10).direction == "declining"


def test_one_extreme_result_calls_no_trend() -> None:
    assert trend([0.5, -0.5] * 10 + [0.5, -0.5, 0.5, -0.5, 1e6]).direction == "stable"


def test_noise_is_called_a_trend_no_more_often_than_the_level_says() -> None:
    source = random.Random(7)
    called = sum(
        trend([source.gauss(0, 1) for _ in range(30)]).direction != "stable" for _ in range(2_000)
    )
    assert called / 2_000 < LEVEL * 1.3


@pytest.mark.parametrize("count", [0, 1, 2 * FEWEST - 1])
def test_few_results_say_nothing(count: int) -> None:
    assert trend([1.0] * count).reason == "too_few_results"

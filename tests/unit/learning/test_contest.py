"""A challenger takes over only if it is better beyond noise."""

from __future__ import annotations

import numpy as np
import pytest

from tests.unit.learning.worlds import DAY
from trackrecord.learning.contest import FEWEST_BLOCKS, blocks_of, bound, judge

HORIZON = 10 * DAY


def emissions(days: int, a_day: int = 20) -> np.ndarray:
    return np.repeat(np.arange(days) * DAY, a_day)


def shared(rng: np.random.Generator, days: int, a_day: int = 20) -> np.ndarray:
    """Gains that all signals of a time share, and that last as long as a horizon."""
    market = np.convolve(rng.normal(size=days + 9), np.ones(10) / np.sqrt(10), "valid")
    return np.repeat(market, a_day) + rng.normal(size=days * a_day)


def test_noise_that_all_signals_share_is_not_taken_for_a_gain() -> None:
    rng = np.random.default_rng(1)
    at = emissions(200)
    nothing = np.zeros(len(at))
    promoted = sum(
        judge(at, shared(rng, 200), nothing, HORIZON, number).promoted for number in range(300)
    )
    assert promoted <= 9  # 1 % of 300, and twice its deviation more


def test_a_gain_well_above_noise_is_seen() -> None:
    rng = np.random.default_rng(2)
    at = emissions(200)
    verdict = judge(at, 1.0 + shared(rng, 200), np.zeros(len(at)), HORIZON, 1)
    assert verdict.promoted
    assert verdict.gain.blocks == 20
    assert verdict.gain.lower is not None
    assert 0 < verdict.gain.lower < verdict.gain.mean
    assert "better" in verdict.reason


def test_with_too_few_blocks_nothing_is_promoted() -> None:
    at = emissions(10 * (FEWEST_BLOCKS - 1))
    verdict = judge(at, np.ones(len(at)), np.zeros(len(at)), HORIZON, 1)
    assert not verdict.promoted
    assert "6 blocks of time" in verdict.reason


def test_better_probabilities_with_clearly_less_profit_are_not_promoted() -> None:
    rng = np.random.default_rng(3)
    at = emissions(200)
    gain = 1.0 + shared(rng, 200)
    assert not judge(at, gain, -1.0 + 0.1 * shared(rng, 200), HORIZON, 1).promoted
    assert judge(at, gain, -0.05 + shared(rng, 200), HORIZON, 1).promoted


def test_a_bound_holds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    at = emissions(100)
    block = blocks_of(at, HORIZON)
    missed = sum(
        lower > 0
        for _ in range(400)
        if (lower := bound(shared(rng, 100), block, rng).lower) is not None
    )
    assert missed <= 12


def test_blocks_are_as_long_as_the_longest_horizon_and_hold_all_symbols() -> None:
    at = np.array([0, 1, HORIZON - 1, HORIZON, 5 * HORIZON])
    assert blocks_of(at, HORIZON).tolist() == [0, 0, 0, 1, 2]
    assert len(blocks_of(np.zeros(0, np.int64), HORIZON)) == 0


def test_the_same_seed_gives_the_same_verdict() -> None:
    rng = np.random.default_rng(5)
    at, gain = emissions(100), shared(rng, 100)
    assert judge(at, gain, gain, HORIZON, 7) == judge(at, gain, gain, HORIZON, 7)
    assert judge(at, gain, gain, HORIZON, 7).gain.mean == pytest.approx(gain.mean())

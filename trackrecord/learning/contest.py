"""Champion against challenger on outcomes that neither has seen.

Signals of one time share a market and their labels overlap, so they are not independent: a test
that takes them as such promotes noise in a fifth of all worlds. What can be resampled is blocks of
time, each at least as long as the longest horizon, with all symbols in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trackrecord.learning.probabilities import Floats

FEWEST_BLOCKS: Final = 7
"""Blocks without which nothing can be told at 99 %."""

_RESAMPLES: Final = 4_000
_LEVEL: Final = 0.99


@dataclass(frozen=True)
class Bound:
    """A mean, and what it is at least and at most, each with 99 % confidence.

    Attributes:
        mean: Per signal.
        lower: One-sided lower bound; None with too few blocks.
        upper: One-sided upper bound; None with too few blocks.
        blocks: How many blocks it rests on: the effective sample size.
    """

    mean: float
    lower: float | None
    upper: float | None
    blocks: int


@dataclass(frozen=True)
class Verdict:
    """Whether a challenger takes over, and why.

    Attributes:
        promoted: Whether it does.
        reason: In words.
        gain: Of log loss per signal, champion's less challenger's, in nats.
        profit: Per signal, challenger's less champion's, as a fraction.
    """

    promoted: bool
    reason: str
    gain: Bound
    profit: Bound


def judge(
    emitted_at: NDArray[np.int64],
    gain: Floats,
    profit: Floats,
    longest_horizon: int,
    seed: int,
) -> Verdict:
    """Decide on the same unseen outcomes.

    Args:
        emitted_at: Of each outcome's signal, (n,); microseconds since 1970 UTC.
        gain: Log loss of the champion less that of the challenger, (n,), in nats.
        profit: Return taken by the challenger less that taken by the champion, (n,).
        longest_horizon: Microseconds; the length of a block.
        seed: Of the resampling.
    """
    block = blocks_of(emitted_at, longest_horizon)
    rng = np.random.default_rng(seed)
    gained, earned = bound(gain, block, rng), bound(profit, block, rng)
    if gained.lower is None or earned.upper is None:
        return Verdict(
            False,
            f"{gained.blocks} blocks of time to judge by, and {FEWEST_BLOCKS} are needed",
            gained,
            earned,
        )
    if gained.lower <= 0:
        reason = (
            f"not better beyond noise: the log loss gains {gained.mean:+.5f} nats a signal, "
            f"at least {gained.lower:+.5f} with 99 % confidence"
        )
        return Verdict(False, reason, gained, earned)
    if earned.upper < 0:
        reason = (
            f"less profit: {earned.mean:+.5f} a signal, at most {earned.upper:+.5f} "
            "with 99 % confidence"
        )
        return Verdict(False, reason, gained, earned)
    reason = (
        f"better: the log loss gains at least {gained.lower:+.5f} nats a signal "
        "with 99 % confidence, and profit is not worse"
    )
    return Verdict(True, reason, gained, earned)


def blocks_of(emitted_at: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """The number of the block of time that each emission lies in, from 0 without gaps."""
    if not len(emitted_at):
        return np.zeros(0, np.int64)
    _, number = np.unique((emitted_at - emitted_at.min()) // max(length, 1), return_inverse=True)
    return number.astype(np.int64)


def bound(values: Floats, block: NDArray[np.int64], rng: np.random.Generator) -> Bound:
    """Bound the mean by the bootstrap-t over blocks (Hall 1988; Davison and Hinkley 1997, ch. 5).

    Blocks are few and unequal, and the mean over signals is a ratio of sums over blocks; so each
    resample is measured in its own standard error, and the bounds widen as blocks get fewer.
    """
    count = int(block.max()) + 1 if len(block) else 0
    mean = float(values.mean()) if len(values) else 0.0
    if count < FEWEST_BLOCKS:
        return Bound(mean, None, None, count)
    sums = np.bincount(block, values, count).astype(np.float64)
    sizes = np.bincount(block, minlength=count).astype(np.float64)
    error = _error(sums, sizes, np.array([mean]))[0]
    if error == 0:
        return Bound(mean, mean, mean, count)
    drawn = rng.integers(0, count, (_RESAMPLES, count))
    drawn_sums, drawn_sizes = sums[drawn], sizes[drawn]
    means = np.asarray(drawn_sums.sum(axis=1) / drawn_sizes.sum(axis=1), np.float64)
    errors = _error(drawn_sums, drawn_sizes, means)
    there = errors > 0
    scores = np.sort((means[there] - mean) / errors[there])
    low, high = np.quantile(scores, (1 - _LEVEL, _LEVEL))
    return Bound(mean, float(mean - high * error), float(mean - low * error), count)


def _error(sums: Floats, sizes: Floats, means: Floats) -> Floats:
    """The standard error of a ratio of sums over blocks, each row a sample."""
    sums, sizes = np.atleast_2d(sums), np.atleast_2d(sizes)
    count = sums.shape[1]
    residuals = sums - means[:, None] * sizes
    return np.asarray(np.sqrt((residuals**2).sum(axis=1) * count / (count - 1)) / sizes.sum(axis=1))

"""Bootstrap intervals of many series of one length at once.

The same resamples as :func:`trackrecord.performance.confidence.intervals.stationary_bootstrap`
draws, held as how often each value is drawn: the mean and the mean square of
every resample of every series are then one product of matrices.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from trackrecord.performance.confidence.intervals import SEED, affordable_resamples, block_length
from trackrecord.performance.confidence.resampling import Resamples
from trackrecord.performance.measure import FloatArray
from trackrecord.performance.returns.sharpe import CONFIDENCE

_WIDTH: Final = 32
"""Series multiplied at once. Products of one shape add up in one order, so a series has
the same interval to the last bit alone and among others; and this much stays in cache."""

_FLAT: Final = 1e-11
"""A resample whose spread (squared) is below this share of its mean square has none: it drew
next to nothing but one value, and the rest is what floats leave."""


def many_intervals(
    series: FloatArray,
    *,
    risk_free: float = 0.0,
    confidence: float = CONFIDENCE,
    seed: int = SEED,
) -> tuple[FloatArray, FloatArray]:
    """Intervals of the mean and of the Sharpe ratio of each series, both per period.

    Equal to :func:`~trackrecord.performance.confidence.intervals.stationary_bootstrap` with
    ``mean_of`` and ``sharpe_of(1)``, in seven digits.

    Args:
        series: Returns without gaps, shape (s, n), n >= 2.
        risk_free: Per period.
        confidence: Between 0 and 1.
        seed: Of the draws.

    Returns:
        Low and high of the mean, and of the Sharpe ratio, each of shape (2, s). A resample
        without a spread has a Sharpe ratio of 0.
    """
    count, size = series.shape
    resamples = affordable_resamples(size)
    blocks = Resamples.draw(size, resamples, block_length(series[0]), seed)
    drawn = np.concatenate(list(blocks.counts())).T
    means, ratios = np.empty((2, count)), np.empty((2, count))
    values = np.zeros((2 * _WIDTH, size))
    for first in range(0, count, _WIDTH):
        chosen = slice(first, min(first + _WIDTH, count))
        width = chosen.stop - first
        middle = series[chosen].mean(axis=1, keepdims=True)
        # Squares of small differences, not small differences of squares.
        centred = series[chosen] - middle
        values[:width] = centred / size
        values[_WIDTH : _WIDTH + width] = centred * centred / size
        product = values @ drawn
        mean, square = product[:width], product[_WIDTH : _WIDTH + width]
        spread = square - mean * mean
        flat = spread <= _FLAT * square
        mean += middle
        spread *= size / (size - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (mean - risk_free if risk_free else mean) / np.sqrt(spread, out=spread)
        ratio[flat] = 0.0
        means[:, chosen] = _bounds(mean, confidence)
        ratios[:, chosen] = _bounds(ratio, confidence)
    return means, ratios


def _bounds(drawn: FloatArray, confidence: float) -> FloatArray:
    """Quantiles of each row, linear between order statistics, shape (2, rows)."""
    # Seven digits: the bounds of other resamples would differ in the second.
    drawn = np.sort(drawn.astype(np.float32), axis=1)
    last = drawn.shape[1] - 1
    bounds = np.empty((2, len(drawn)))
    for side, share in enumerate(((1 - confidence) / 2, (1 + confidence) / 2)):
        place = share * last
        below = int(place)
        low = drawn[:, below].astype(np.float64)
        high = drawn[:, min(below + 1, last)]
        bounds[side] = low + (high - low) * (place - below)
    return bounds

"""How sure a number is: intervals for rates, and for numbers of a series in time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from trackrecord.performance.confidence.resampling import Resamples
from trackrecord.performance.measure import DUST, NO_DATA, TOO_FEW, FloatArray, Floats, observed
from trackrecord.performance.returns.sharpe import CONFIDENCE, NORMAL

RESAMPLES: Final = 1000
SEED: Final = 7
_AFFORDABLE: Final = 20_000_000
"""Values that the resamples of one series draw in all: a second's work."""
_FEWEST: Final = 100

Statistic = Callable[[FloatArray], FloatArray]
"""From resamples, shape (b, n), to a number of each, shape (b,)."""


class Interval(NamedTuple):
    """Bounds that hold the true value with the stated confidence.

    Attributes:
        low: None where undefined, like ``high``.
        high: In the unit of the number.
        reason: Why there is no interval; None where there is one.
    """

    low: float | None
    high: float | None
    reason: str | None = None


def wilson(successes: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval of a rate.

    With z = Φ⁻¹((1 + confidence) / 2), p = successes / trials:
    (p + z²/2n ± z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n). Source: Wilson (1927),
    "Probable inference".

    Returns:
        Fractions 0..1. Undefined: ``no_data`` without trials.

    Raises:
        ValueError: Not 0 <= successes <= trials, or a confidence outside 0..1.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} is not a rate")
    z = _quantile(confidence)
    if not trials:
        return Interval(None, None, NO_DATA)
    rate, square = successes / trials, z * z / trials
    middle = rate + square / 2
    reach = z * math.sqrt(rate * (1 - rate) / trials + square / (4 * trials))
    # At a rate of 0 or 1 one bound is exactly that; floats leave it beside.
    low = 0.0 if not successes else (middle - reach) / (1 + square)
    high = 1.0 if successes == trials else (middle + reach) / (1 + square)
    return Interval(low, high)


def block_length(returns: Floats) -> float:
    """Mean length of a bootstrap block: the cube root of n, at least 1, in periods.

    The rate at which the optimal length grows (Politis and Romano, 1994).
    """
    return max(1.0, math.cbrt(observed(returns).size))


def affordable_resamples(size: int) -> int:
    """How many resamples a series of ``size`` periods gets: 1,000, fewer beyond 20,000 periods."""
    return max(_FEWEST, min(RESAMPLES, _AFFORDABLE // max(1, size)))


def stationary_bootstrap(
    returns: Floats,
    statistic: Statistic,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    mean_block: float | None = None,
    seed: int = SEED,
) -> Interval:
    """Percentile interval of a statistic by the stationary bootstrap.

    Blocks of geometric length keep what neighbouring periods share; the series is
    a circle. Source: Politis and Romano (1994), "The stationary bootstrap". The same
    seed gives the same interval.

    Args:
        returns: Shape (n,); NaN is left out.
        statistic: Of all resamples at once.
        confidence: Between 0 and 1.
        resamples: How many series are drawn.
        mean_block: Mean length of a block in periods; default :func:`block_length`.
        seed: Of the draws.

    Returns:
        In the statistic's unit. Undefined: ``no_data``; ``too_few`` with one observation,
        or where the statistic has no value in a resample.

    Raises:
        ValueError: ``mean_block`` below 1, no resamples, or a confidence outside 0..1.
    """
    _quantile(confidence)
    values = observed(returns)
    length = block_length(values) if mean_block is None else mean_block
    if length < 1 or resamples < 1:
        raise ValueError("a block has at least one period, and at least one resample is drawn")
    if values.size < 2:  # noqa: PLR2004 - one value has no spread
        return Interval(None, None, TOO_FEW if values.size else NO_DATA)
    drawn = []
    for places in Resamples.draw(values.size, resamples, length, seed).places():
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn.append(statistic(values[places]))
    found = np.concatenate(drawn)
    found = found[np.isfinite(found)]
    if not found.size:
        return Interval(None, None, TOO_FEW)
    low, high = np.quantile(found, ((1 - confidence) / 2, (1 + confidence) / 2))
    return Interval(float(low), float(high))


def mean_of(resampled: FloatArray) -> FloatArray:
    """The mean of each row, shape (b, n) to (b,)."""
    means: FloatArray = np.mean(resampled, axis=1)
    return means


def sharpe_of(periods_per_year: float, risk_free: float = 0.0) -> Statistic:
    """The annualised Sharpe ratio of each row; 0 where a row has no spread.

    Were such rows left out, the interval of a record with few trades would hold only what
    the resamples with a trade say, and never 0.
    """

    def of_rows(resampled: FloatArray) -> FloatArray:
        deviation = np.std(resampled, axis=1, ddof=1)
        flat = deviation <= DUST * np.max(np.abs(resampled), axis=1)
        excess = np.mean(resampled, axis=1) - risk_free
        ratios: FloatArray = excess / deviation * math.sqrt(periods_per_year)
        ratios[flat] = 0.0
        return ratios

    return of_rows


def _quantile(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is between 0 and 1, not {confidence}")
    z: float = NORMAL.inv_cdf((1 + confidence) / 2)
    return z

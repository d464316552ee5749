"""A series of returns beside a benchmark's, period by period.

Both are simple returns as fractions, oldest first, shape (n,). Definitions are
empyrical's (``stats.py``).
"""

from __future__ import annotations

import numpy as np

from trackrecord.performance.measure import (
    NO_DATA,
    NO_VARIANCE,
    TOO_FEW,
    FloatArray,
    Floats,
    Measure,
    as_series,
    finite,
    spread,
    undefined,
)
from trackrecord.performance.returns.statistics import PERIODS_PER_YEAR, cagr

NO_BENCHMARK_GROWTH = "no_benchmark_growth"
_FLAT = 1e-30
"""A benchmark with less variance does not move."""


def beta(returns: Floats, benchmark: Floats, risk_free: float = 0.0) -> Measure:
    """cov(r, b) / var(b), of excess returns; ``risk_free`` per period.

    Undefined: ``no_data``; ``too_few`` with fewer than two common periods;
    ``no_variance`` where the benchmark does not move.

    Raises:
        ValueError: The series differ in length.
    """
    own, other = _common(returns, benchmark)
    if own.size < 2:  # noqa: PLR2004 - two points make a line
        return undefined(TOO_FEW if own.size else NO_DATA)
    centred = other - np.mean(other)
    variance = float(np.mean(centred * centred))
    if variance < _FLAT:
        return undefined(NO_VARIANCE)
    return finite(float(np.mean(centred * (own - risk_free))) / variance)


def alpha(
    returns: Floats,
    benchmark: Floats,
    periods_per_year: float = PERIODS_PER_YEAR,
    risk_free: float = 0.0,
) -> Measure:
    """(1 + mean((r - rf) - beta·(b - rf)))^periods_per_year - 1, a fraction per year.

    Undefined: as :func:`beta`.

    Raises:
        ValueError: The series differ in length.
    """
    slope = beta(returns, benchmark, risk_free)
    if slope.value is None:
        return slope
    own, other = _common(returns, benchmark)
    left = float(np.mean((own - risk_free) - slope.value * (other - risk_free)))
    with np.errstate(over="ignore", invalid="ignore"):
        return finite(float(np.power(1 + left, periods_per_year)) - 1)


def excess_sharpe(returns: Floats, benchmark: Floats) -> Measure:
    """mean(r - b) / std(r - b) (ddof 1), per period: a simple information ratio.

    Undefined: ``no_data``; ``too_few``; ``no_variance``.

    Raises:
        ValueError: The series differ in length.
    """
    own, other = _common(returns, benchmark)
    if own.size < 2:  # noqa: PLR2004 - two make a spread
        return undefined(TOO_FEW if own.size else NO_DATA)
    active = own - other
    deviation = spread(active)
    return undefined(NO_VARIANCE) if not deviation else finite(float(np.mean(active)) / deviation)


def up_capture(
    returns: Floats, benchmark: Floats, periods_per_year: float = PERIODS_PER_YEAR
) -> Measure:
    """CAGR / the benchmark's CAGR, over the periods in which the benchmark rose.

    Undefined: ``no_data`` where there are none; ``no_benchmark_growth``.

    Raises:
        ValueError: The series differ in length.
    """
    own, other = _common(returns, benchmark)
    return _capture(own[other > 0], other[other > 0], periods_per_year)


def down_capture(
    returns: Floats, benchmark: Floats, periods_per_year: float = PERIODS_PER_YEAR
) -> Measure:
    """CAGR / the benchmark's CAGR, over the periods in which the benchmark fell.

    Undefined: ``no_data`` where there are none; ``no_benchmark_growth``.

    Raises:
        ValueError: The series differ in length.
    """
    own, other = _common(returns, benchmark)
    return _capture(own[other < 0], other[other < 0], periods_per_year)


def _capture(own: FloatArray, other: FloatArray, periods_per_year: float) -> Measure:
    mine, theirs = cagr(own, periods_per_year), cagr(other, periods_per_year)
    if mine.value is None or theirs.value is None:
        return undefined(mine.reason or theirs.reason or NO_DATA)
    if not theirs.value:
        return undefined(NO_BENCHMARK_GROWTH)
    return finite(mine.value / theirs.value)


def _common(returns: Floats, benchmark: Floats) -> tuple[FloatArray, FloatArray]:
    own, other = as_series(returns), as_series(benchmark)
    if own.size != other.size:
        raise ValueError(
            f"{own.size} returns and {other.size} of the benchmark: give one of each per period"
        )
    both = ~(np.isnan(own) | np.isnan(other))
    return own[both], other[both]

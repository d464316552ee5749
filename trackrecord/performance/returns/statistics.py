"""What a series of periodic returns amounts to: growth, spread, tails.

Every function takes simple returns as fractions (0.01 is one percent), oldest
first, shape (n,). NaN marks a period without an observation: it earns nothing,
is left out of means and spreads, and still counts as time. Without any
observation every number is undefined (``no_data``). Definitions are those of
empyrical (https://github.com/stefan-jansen/empyrical-reloaded, ``stats.py``).
"""

from __future__ import annotations

import math

import numpy as np

from trackrecord.performance.measure import (
    BELOW_ZERO,
    DUST,
    NO_DATA,
    NO_LOSSES,
    NO_VARIANCE,
    OVERFLOW,
    TOO_FEW,
    Floats,
    Measure,
    as_series,
    finite,
    observed,
    undefined,
)

PERIODS_PER_YEAR = 252
"""Sessions of an exchange in a year; 365 for markets that never close."""

CUT_OFF = 0.05
"""The share of worst periods that the value at risk cuts off."""


def total_return(returns: Floats) -> Measure:
    """Π(1 + r) - 1: the growth of one unit over the whole series, a fraction.

    Undefined: ``no_data``; ``overflow`` beyond the range of doubles.
    """
    values = observed(returns)
    if not values.size:
        return undefined(NO_DATA)
    with np.errstate(over="ignore"):
        return finite(float(np.prod(1 + values)) - 1)


def cagr(returns: Floats, periods_per_year: float = PERIODS_PER_YEAR) -> Measure:
    """(Π(1 + r))^(periods_per_year / n) - 1: the growth per year, a fraction.

    n counts every period, those without an observation too: time passed.
    Undefined: ``no_data``; ``below_zero`` where more than everything was lost;
    ``overflow``.
    """
    return yearly(total_return(returns), len(returns) / periods_per_year)


def yearly(total: Measure, years: float) -> Measure:
    """:func:`growth_per_year` of a growth that may be undefined, with its reason."""
    return total if total.value is None else growth_per_year(total.value, years)


def growth_per_year(total: float, years: float) -> Measure:
    """(1 + total)^(1 / years) - 1, a fraction per year.

    Args:
        total: Growth over the whole time, a fraction.
        years: Length of that time, above 0; 100 days at 365 a year are 100 / 365.

    Returns:
        Undefined: ``no_data`` where no time passed; ``below_zero`` for a total below -1;
        ``overflow``.
    """
    if years <= 0:
        return undefined(NO_DATA)
    if total < -1:
        return undefined(BELOW_ZERO)
    try:
        return finite((1 + total) ** (1 / years) - 1)
    except OverflowError:
        return undefined(OVERFLOW)


def mean_return(returns: Floats) -> Measure:
    """Σr / n, per period, a fraction. Undefined: ``no_data``."""
    values = observed(returns)
    return finite(float(np.mean(values))) if values.size else undefined(NO_DATA)


def volatility(returns: Floats, periods_per_year: float = PERIODS_PER_YEAR) -> Measure:
    """Standard deviation (ddof 1) · √periods_per_year, per year.

    Undefined: ``no_data``; ``too_few`` with one observation.
    """
    values = observed(returns)
    if values.size < 2:  # noqa: PLR2004 - two make a spread
        return undefined(TOO_FEW if values.size else NO_DATA)
    return finite(float(np.std(values, ddof=1)) * math.sqrt(periods_per_year))


def downside_risk(
    returns: Floats, periods_per_year: float = PERIODS_PER_YEAR, required: float = 0.0
) -> Measure:
    """√(mean of min(r - required, 0)² over all n) · √periods_per_year, per year.

    ``required`` is per period. 0 where no period fell short. Undefined: ``no_data``.
    """
    values = observed(returns)
    if not values.size:
        return undefined(NO_DATA)
    below = np.minimum(values - required, 0)
    return finite(math.sqrt(float(np.mean(below * below)) * periods_per_year))


def value_at_risk(returns: Floats, cut_off: float = CUT_OFF) -> Measure:
    """The ``cut_off`` quantile of returns, linear between order statistics, a fraction.

    Undefined: ``no_data``.

    Raises:
        ValueError: ``cut_off`` is not in 0..1.
    """
    values = observed(returns)
    _check_share(cut_off)
    return finite(float(np.quantile(values, cut_off))) if values.size else undefined(NO_DATA)


def conditional_value_at_risk(returns: Floats, cut_off: float = CUT_OFF) -> Measure:
    """Mean of the worst k returns, k = floor((n - 1) · cut_off) + 1, a fraction.

    Undefined: ``no_data``.

    Raises:
        ValueError: ``cut_off`` is not in 0..1.
    """
    values = observed(returns)
    _check_share(cut_off)
    if not values.size:
        return undefined(NO_DATA)
    last = int((values.size - 1) * cut_off)
    return finite(float(np.mean(np.partition(values, last)[: last + 1])))


def omega(returns: Floats, threshold: float = 0.0) -> Measure:
    """Σmax(r - threshold, 0) / Σmax(threshold - r, 0); ``threshold`` per period.

    Undefined: ``no_data``; ``too_few`` with one observation; ``no_losses`` where nothing
    fell below the threshold.
    """
    values = observed(returns)
    if values.size < 2:  # noqa: PLR2004 - one return is no record
        return undefined(TOO_FEW if values.size else NO_DATA)
    above = values - threshold
    short = -float(np.sum(np.minimum(above, 0)))
    return finite(float(np.sum(np.maximum(above, 0))) / short) if short else undefined(NO_LOSSES)


def tail_ratio(returns: Floats) -> Measure:
    """abs(95 % quantile) / abs(5 % quantile) of returns.

    Undefined: ``no_data``; ``no_losses`` where the 5 % quantile is 0.
    """
    values = observed(returns)
    if not values.size:
        return undefined(NO_DATA)
    low, high = np.abs(np.quantile(values, (0.05, 0.95)))
    return finite(float(high / low)) if low else undefined(NO_LOSSES)


def stability(returns: Floats) -> Measure:
    """R² of a straight line through the cumulative log returns, 0..1.

    Undefined: ``no_data``; ``too_few`` with one observation; ``below_zero`` where a
    period lost everything or more; ``no_variance`` where the line is flat.
    """
    values = observed(returns)
    if values.size < 2:  # noqa: PLR2004 - two points make a line
        return undefined(TOO_FEW if values.size else NO_DATA)
    if np.min(values) <= -1:
        return undefined(BELOW_ZERO)
    path = np.cumsum(np.log1p(values))
    if float(np.std(path)) <= DUST * float(np.max(np.abs(path))):
        return undefined(NO_VARIANCE)
    return finite(float(np.corrcoef(np.arange(path.size), path)[0, 1]) ** 2)


def skewness(returns: Floats) -> Measure:
    """m₃ / m₂^1.5 with biased central moments.

    Undefined: ``no_data``; ``too_few`` with one observation; ``no_variance``.
    """
    return _standard_moment(returns, 3)


def kurtosis(returns: Floats) -> Measure:
    """m₄ / m₂² with biased central moments; raw: a normal distribution has 3.

    Undefined: ``no_data``; ``too_few`` with one observation; ``no_variance``.
    """
    return _standard_moment(returns, 4)


def positive_periods(returns: Floats) -> Measure:
    """The share of periods with a return above 0, 0..1. Undefined: ``no_data``."""
    values = observed(returns)
    return finite(float(np.mean(values > 0))) if values.size else undefined(NO_DATA)


def returns_of(levels: Floats) -> list[float]:
    """Simple returns of prices or of an equity curve: v[t] / v[t-1] - 1, shape (n - 1,).

    Raises:
        ValueError: A level is missing or not above 0.
    """
    values = as_series(levels)
    if not np.all(values > 0):
        place = int(np.flatnonzero(~(values > 0))[0])
        raise ValueError(f"level {place} is not above 0; a return to it has no meaning")
    ratio: list[float] = (values[1:] / values[:-1] - 1).tolist()
    return ratio


def _standard_moment(returns: Floats, power: int) -> Measure:
    values = observed(returns)
    if values.size < 2:  # noqa: PLR2004 - two make a spread
        return undefined(TOO_FEW if values.size else NO_DATA)
    centred = values - np.mean(values)
    variance = float(np.mean(centred * centred))
    if math.sqrt(variance) <= DUST * float(np.max(np.abs(values))):
        return undefined(NO_VARIANCE)
    # Scaled first: the fourth power of a small return must not underflow.
    return finite(float(np.mean((centred / math.sqrt(variance)) ** power)))


def _check_share(share: float) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"a cut-off is a share between 0 and 1, not {share}")

"""Numbers over a moving window, for charts.

Each function takes a series of shape (n,) without gaps and gives one of the same
shape: value t is of the ``window`` periods that end at t, None where the window is
not yet full or the number is not defined in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from trackrecord.performance.measure import DUST, FloatArray, Floats, as_series
from trackrecord.performance.returns.statistics import PERIODS_PER_YEAR

_CELLS: Final = 4_000_000
"""Window values worked on at once: 32 MB."""

Rolled = list[float | None]
_Measure = Callable[[FloatArray], FloatArray]


def rolling(
    returns: Floats,
    window: int,
    periods_per_year: float = PERIODS_PER_YEAR,
    risk_free: float = 0.0,
) -> dict[str, Rolled]:
    """Every number of a moving window: sharpe, sortino, volatility, return, max_drawdown.

    Raises:
        ValueError: A gap in the series, or a window below 2.
    """
    return {
        "sharpe": rolling_sharpe(returns, window, periods_per_year, risk_free),
        "sortino": rolling_sortino(returns, window, periods_per_year, risk_free),
        "volatility": rolling_volatility(returns, window, periods_per_year),
        "return": rolling_return(returns, window),
        "max_drawdown": rolling_max_drawdown(returns, window),
    }


def rolling_sharpe(
    returns: Floats,
    window: int,
    periods_per_year: float = PERIODS_PER_YEAR,
    risk_free: float = 0.0,
) -> Rolled:
    """:func:`~trackrecord.performance.returns.sharpe.sharpe` of each window, per year.

    Raises:
        ValueError: A gap in the series, or a window below 2.
    """
    _check(window, 2)

    def measure(windows: FloatArray) -> FloatArray:
        deviation = np.std(windows, axis=1, ddof=1)
        deviation[deviation <= DUST * np.max(np.abs(windows), axis=1)] = np.nan
        excess = np.mean(windows, axis=1) - risk_free
        found: FloatArray = excess / deviation * math.sqrt(periods_per_year)
        return found

    return _rolled(returns, window, measure)


def rolling_sortino(
    returns: Floats,
    window: int,
    periods_per_year: float = PERIODS_PER_YEAR,
    risk_free: float = 0.0,
) -> Rolled:
    """:func:`~trackrecord.performance.returns.sharpe.sortino` of each window, per year.

    Raises:
        ValueError: A gap in the series, or a window below 1.
    """
    _check(window, 1)

    def measure(windows: FloatArray) -> FloatArray:
        excess = windows - risk_free
        downside = np.sqrt(np.mean(np.minimum(excess, 0) ** 2, axis=1))
        downside[downside <= DUST * np.max(np.abs(windows), axis=1)] = np.nan
        found: FloatArray = np.mean(excess, axis=1) / downside * math.sqrt(periods_per_year)
        return found

    return _rolled(returns, window, measure)


def rolling_volatility(
    returns: Floats, window: int, periods_per_year: float = PERIODS_PER_YEAR
) -> Rolled:
    """:func:`~trackrecord.performance.returns.statistics.volatility` of each window, per year.

    Raises:
        ValueError: A gap in the series, or a window below 2.
    """
    _check(window, 2)
    year = math.sqrt(periods_per_year)
    return _rolled(returns, window, lambda windows: np.std(windows, axis=1, ddof=1) * year)


def rolling_return(returns: Floats, window: int) -> Rolled:
    """Growth over each window, a fraction.

    Raises:
        ValueError: A gap in the series, or a window below 1.
    """
    _check(window, 1)
    return _rolled(returns, window, lambda windows: np.prod(1 + windows, axis=1) - 1)


def rolling_max_drawdown(returns: Floats, window: int) -> Rolled:
    """Max drawdown within each window, whose first peak is its start; a fraction, at most 0.

    Raises:
        ValueError: A gap in the series, or a window below 1.
    """
    _check(window, 1)

    def measure(windows: FloatArray) -> FloatArray:
        curve = np.cumprod(1 + windows, axis=1)
        peak = np.maximum(np.maximum.accumulate(curve, axis=1), 1)
        found: FloatArray = np.minimum(np.min(curve / peak, axis=1) - 1, 0)
        return found

    return _rolled(returns, window, measure)


def rolling_win_rate(outcomes: Floats, window: int) -> Rolled:
    """The share of outcomes above 0 (+1 win, -1 loss, 0 breakeven) in each window, 0..1.

    Raises:
        ValueError: A gap in the series, or a window below 1.
    """
    _check(window, 1)
    return _rolled(outcomes, window, lambda windows: np.mean(windows > 0, axis=1))


def _check(window: int, least: int) -> None:
    if window < least:
        raise ValueError(f"a window has at least {least} periods, not {window}")


def _rolled(series: Floats, window: int, measure: _Measure) -> Rolled:
    values = as_series(series)
    if np.isnan(values).any():
        raise ValueError("a rolling number needs a series without gaps")
    found: Rolled = [None] * min(window - 1, values.size)
    if values.size < window:
        return found
    windows = np.lib.stride_tricks.sliding_window_view(values, window)
    rows = max(1, _CELLS // window)
    with np.errstate(all="ignore"):
        for first in range(0, len(windows), rows):
            part = measure(windows[first : first + rows])
            found += [value if math.isfinite(value) else None for value in part.tolist()]
    return found

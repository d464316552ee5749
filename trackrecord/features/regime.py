"""Features of the market as a whole: of a benchmark, or of the universe's own index."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from trackrecord.features.market import History, log_returns
from trackrecord.features.windows import Floats, Rows, rolling_deviation, rolling_index


class Regime(NamedTuple):
    """The market at each moment at which any bar closed."""

    closed_at: Rows
    """(t,) ascending; microseconds since 1970 UTC."""
    features: dict[str, Floats]
    """(t,) arrays by name, ``relative_return_20`` not among them."""


def regime_of(bars: History, age: Rows, average_gap_20: Floats) -> Regime:
    """Work out the universe's own index: every symbol with the same weight, anew at each bar.

    Args:
        bars: Bars of all symbols, (b,) arrays.
        age: Of each bar.
        average_gap_20: The feature of that name, (b,).

    Returns:
        What the market was at each time, from the bars that closed then or before.
    """
    times, place = np.unique(bars.closed_at, return_inverse=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.expm1(log_returns(bars.close, age))
        moved = _mean_at(place, len(times), change)
        breadth = _mean_at(
            place,
            len(times),
            np.where(np.isnan(average_gap_20), np.nan, (average_gap_20 > 0).astype(np.float64)),
        )
    return regime_from(times, moved, breadth)


MOMENTS_NEEDED: Final = 50
"""Moments, one among them, after which nothing older counts."""


def regime_from(times: Rows, moved: Floats, breadth: Floats) -> Regime:
    """Work out the regime from what all symbols did at each moment.

    Args:
        times: (t,) ascending; microseconds since 1970 UTC.
        moved: The mean return of all symbols, (t,); NaN where nothing can be compared.
        breadth: The share of symbols above their mean of 20, (t,).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        # A moment at which nothing can be compared moves nothing.
        steps: Floats = 1 + np.nan_to_num(moved)
        own = np.arange(len(times))
        after_20, _ = rolling_index(steps, own, 21)
        index, mean = rolling_index(steps, own, 50)
        found = {
            "market_return_1": moved,
            "market_return_20": after_20 - 1,
            "market_volatility_20": rolling_deviation(np.log1p(np.nan_to_num(moved)), own, 20),
            "market_average_gap_50": index / mean - 1,
            "market_breadth": breadth,
        }
    return Regime(times, found)


def _mean_at(place: Rows, count: int, values: Floats) -> Floats:
    """The mean of the values at each moment, those that are NaN left out."""
    there = ~np.isnan(values)
    total = np.bincount(place[there], values[there], count)
    return total / np.bincount(place[there], minlength=count)

"""Features of bars: one value per bar, from that bar and those before it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trackrecord.features.windows import (
    Floats,
    Rows,
    lagged,
    rolling_deviation,
    rolling_max,
    rolling_mean,
    rolling_min,
    rolling_sum,
)
from trackrecord.performance.measure import above_zero


class History(NamedTuple):
    """Bars of any number of symbols, one symbol behind the other, each in order of time.

    Each array has one entry per bar, but ``starts``, which has one per symbol.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    closed_at: Rows
    """Microseconds since 1970 UTC."""
    starts: Rows
    """Row of the first bar of each symbol, ascending."""


def market_features(bars: History, age: Rows) -> dict[str, Floats]:
    """Work out what :data:`trackrecord.features.catalogue.MARKET` lists.

    Args:
        bars: (b,) arrays.
        age: Of each bar, see :func:`trackrecord.features.windows.ages`.

    Returns:
        (b,) arrays by name; NaN where a symbol has too few bars, the formula divides by 0, or a
        price that it looks at is not above 0.
    """
    bars = bars._replace(
        open=above_zero(bars.open),
        high=above_zero(bars.high),
        low=above_zero(bars.low),
        close=above_zero(bars.close),
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {
            **_trend(bars.close, age),
            **_momentum(bars, age),
            **_volatility(bars, age),
            **_volume(bars, age),
            **_range(bars, age),
        }
    for values in found.values():
        values[~np.isfinite(values)] = np.nan
    return found


def log_returns(close: Floats, age: Rows) -> Floats:
    """The logarithm of each close over the one before; NaN where one is not above 0."""
    close = above_zero(close)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(close / lagged(close, age, 1)))


def _trend(close: Floats, age: Rows) -> dict[str, Floats]:
    mean_20, mean_50 = rolling_mean(close, age, 20), rolling_mean(close, age, 50)
    returns = {f"return_{bars}": close / lagged(close, age, bars) - 1 for bars in (1, 5, 20, 60)}
    return returns | {
        "average_gap_20": close / mean_20 - 1,
        "average_gap_50": close / mean_50 - 1,
        "averages_20_50": mean_20 / mean_50 - 1,
    }


def _momentum(bars: History, age: Rows) -> dict[str, Floats]:
    change = bars.close - lagged(bars.close, age, 1)
    gains = rolling_sum(np.maximum(change, 0), age, 14)
    losses = rolling_sum(np.maximum(-change, 0), age, 14)
    up = np.where(np.isnan(change), np.nan, change > 0)
    return {
        "rsi_14": gains / (gains + losses),
        "stochastic_14": _position(bars, age, 14),
        "up_bars_10": rolling_mean(up, age, 10),
    }


def _volatility(bars: History, age: Rows) -> dict[str, Floats]:
    returns = log_returns(bars.close, age)
    deviation_20 = rolling_deviation(returns, age, 20)
    before = lagged(bars.close, age, 1)
    true_range = np.maximum(bars.high, before) - np.minimum(bars.low, before)
    return {
        "volatility_20": deviation_20,
        "volatility_5_20": rolling_deviation(returns, age, 5) / deviation_20,
        "true_range_14": rolling_mean(true_range, age, 14) / bars.close,
        "range_1": (bars.high - bars.low) / bars.close,
    }


def _volume(bars: History, age: Rows) -> dict[str, Floats]:
    mean_20 = rolling_mean(bars.volume, age, 20)
    return {
        "volume_1_20": bars.volume / mean_20,
        "volume_5_20": rolling_mean(bars.volume, age, 5) / mean_20,
        "turnover_20": np.log10(1 + rolling_mean(bars.close * bars.volume, age, 20)),
    }


def _range(bars: History, age: Rows) -> dict[str, Floats]:
    gap = bars.open / lagged(bars.close, age, 1) - 1
    return {
        "gap_1": gap,
        "gap_20": rolling_mean(np.abs(gap), age, 20),
        "close_in_bar": (bars.close - bars.low) / (bars.high - bars.low),
        "range_position_20": _position(bars, age, 20),
        "below_high_250": bars.close / rolling_max(bars.high, age, 250) - 1,
        "above_low_250": bars.close / rolling_min(bars.low, age, 250) - 1,
    }


def _position(bars: History, age: Rows, width: int) -> Floats:
    low = rolling_min(bars.low, age, width)
    return np.asarray((bars.close - low) / (rolling_max(bars.high, age, width) - low))

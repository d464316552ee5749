"""Three simple rules that were published long ago, as signals on daily bars.

- ``breakout_20``: the close leaves the range of the 20 bars before, up or down; the first close of
  a run (Donchian's channel; system 1 of C. Faith, Way of the Turtle, 2007).
- ``rsi_2``: above its mean of 200 closes, RSI(2) of Wilder falls below 5; long only (L. Connors
  and C. Alvarez, Short Term Trading Strategies That Work, 2008, ch. 9).
- ``averages_20_50``: the mean of 20 closes crosses that of 50, up or down (the double crossover
  of J. Murphy, Technical Analysis of the Financial Markets, 1999, ch. 9; the kind of rule of
  Brock, Lakonishok and LeBaron, Journal of Finance 47, 1992, pp. 1731-1764; these two lengths are
  a common choice and neither's).

Their publishers' exits differ; here each has the same barriers, so that what is learnt is which
signals were right, not which exit was better.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trackrecord.features import Emitted, History
from trackrecord.features.windows import (
    Floats,
    Rows,
    ages,
    lagged,
    rolling_max,
    rolling_mean,
    rolling_min,
)
from trackrecord.learning.dataset import Sent

NAMES: Final = ("breakout_20", "rsi_2", "averages_20_50")

_OVERSOLD: Final = 5.0


def signals_of(
    bars: History,
    traded_at: Floats,
    true_range: Floats,
    *,
    least_price: float,
    least_turnover: float,
    ranges: float,
    horizon: int,
) -> Sent:
    """Every signal of the three rules, emitted at the close and entered at the next open.

    Args:
        bars: Of all symbols.
        traded_at: Closes as printed, (b,).
        true_range: Mean true range as a fraction of the close, (b,).
        least_price: The printed close from which a share is traded.
        least_turnover: Mean money of 20 bars from which it is.
        ranges: Target and stop, in true ranges from the close.
        horizon: Bars.
    """
    age = ages(bars.starts, len(bars.close))
    turnover = rolling_mean(bars.close * bars.volume, age, 20)
    traded = (
        (traded_at >= least_price)
        & (turnover >= least_turnover)
        & (true_range > 0)
        # A short's target must be a price.
        & (ranges * true_range < 1)
    )
    found: list[tuple[int, int, Rows]] = []
    for strategy, (up, down) in enumerate(
        (_breakout(bars, age), _rsi(bars, age), _cross(bars, age))
    ):
        for direction, there in ((1, up), (-1, down)):
            found.append((strategy, direction, np.flatnonzero(there & traded)))
    row = np.concatenate([rows for _, _, rows in found])
    strategy_ = np.concatenate([np.full(len(rows), number) for number, _, rows in found])
    direction_ = np.concatenate([np.full(len(rows), sign, np.int8) for _, sign, rows in found])
    order = np.lexsort((strategy_, row))
    row, strategy_, direction_ = row[order], strategy_[order], direction_[order]
    price = bars.close[row]
    away = direction_ * ranges * true_range[row]
    return Sent(
        Emitted(
            np.searchsorted(bars.starts, row, "right") - 1,
            strategy_,
            bars.closed_at[row],
            direction_,
            price,
            price * (1 + away),
            price * (1 - away),
            np.full(len(row), np.nan),
            np.full(len(row), horizon, np.int64),
        ),
        np.ones(len(row), np.bool_),
    )


Flags = NDArray[np.bool_]


def _first(there: Flags, age: Rows) -> Flags:
    """The first bar of each run."""
    before = np.zeros(len(there), np.bool_)
    before[1:] = there[:-1]
    return there & ~(before & (age > 0))


def _breakout(bars: History, age: Rows) -> tuple[Flags, Flags]:
    above = bars.close > lagged(rolling_max(bars.high, age, 20), age, 1)
    below = bars.close < lagged(rolling_min(bars.low, age, 20), age, 1)
    return _first(above, age), _first(below, age)


def _rsi(bars: History, age: Rows) -> tuple[Flags, Flags]:
    change = np.nan_to_num(bars.close - lagged(bars.close, age, 1))
    number = np.cumsum(age == 0)
    frame = pl.DataFrame(
        {"symbol": number, "up": np.maximum(change, 0), "down": np.maximum(-change, 0)}
    )
    smooth = frame.select(
        pl.col(name).ewm_mean(alpha=0.5, adjust=False).over("symbol") for name in ("up", "down")
    )
    up, down = smooth["up"].to_numpy(), smooth["down"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        rsi = 100 * up / (up + down)
    oversold = (rsi < _OVERSOLD) & (bars.close > rolling_mean(bars.close, age, 200))
    return _first(oversold, age), np.zeros(len(age), np.bool_)


def _cross(bars: History, age: Rows) -> tuple[Flags, Flags]:
    gap = rolling_mean(bars.close, age, 20) - rolling_mean(bars.close, age, 50)
    before = lagged(gap, age, 1)
    return (before <= 0) & (gap > 0), (before >= 0) & (gap < 0)

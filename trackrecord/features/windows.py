"""Windows over the bars of many symbols, one symbol behind the other.

Every sum adds from the oldest bar to the newest, whatever stands before the window: a symbol's
last bars alone give the same bits as its whole history, and live the same as at once.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


def ages(starts: Rows, count: int) -> Rows:
    """How many bars of the same symbol stand before each bar.

    Args:
        starts: Row of the first bar of each symbol that has bars, ascending.
        count: Bars in all.
    """
    first = np.zeros(count, np.int64)
    first[starts] = starts
    return np.arange(count) - np.maximum.accumulate(first)


class Timeline:
    """Finds a symbol's bars by time, for any number of symbols in one search."""

    def __init__(self, starts: Rows, at: Rows) -> None:
        """Index bars.

        Args:
            starts: Row of the first bar of each symbol that has bars, ascending.
            at: A time of each bar, ascending within each symbol.
        """
        self._times, place = np.unique(at, return_inverse=True)
        self._moments = len(self._times) + 1
        # Symbol and time as one ascending number.
        number = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(at))))
        self._keys = number * self._moments + place

    def row(self, symbol: Rows, moment: Rows, side: Literal["left", "right"]) -> Rows:
        """Row of each symbol's first bar at or behind a moment, or the row behind its last bar.

        Args:
            symbol: Numbers in ``starts``.
            moment: A time for each.
            side: ``left``: a bar at the very moment counts; ``right``: only later ones do.
        """
        asked = symbol * self._moments + np.searchsorted(self._times, moment, side)
        return np.searchsorted(self._keys, asked, "left").astype(np.int64)


def lagged(values: Floats, age: Rows, bars: int) -> Floats:
    """The value so many bars before; NaN where the symbol has none."""
    found = np.full(len(values), np.nan)
    found[bars:] = values[: max(len(values) - bars, 0)]
    found[age < bars] = np.nan
    return found


def rolling_sum(values: Floats, age: Rows, bars: int) -> Floats:
    """The sum over a bar and those before it, so many in all; NaN where there are fewer."""
    total = np.zeros(len(values))
    for lag in range(bars - 1, -1, -1):
        total[lag:] += values[: max(len(values) - lag, 0)]
    total[age < bars - 1] = np.nan
    return total


def rolling_mean(values: Floats, age: Rows, bars: int) -> Floats:
    """The mean over so many bars."""
    return rolling_sum(values, age, bars) / bars


def rolling_deviation(values: Floats, age: Rows, bars: int) -> Floats:
    """The standard deviation over so many bars (ddof 1)."""
    mean = rolling_mean(values, age, bars)
    squares = np.zeros(len(values))
    for lag in range(bars - 1, -1, -1):
        squares[lag:] += (values[: max(len(values) - lag, 0)] - mean[lag:]) ** 2
    return np.sqrt(squares / (bars - 1))


def rolling_index(steps: Floats, age: Rows, bars: int) -> tuple[Floats, Floats]:
    """An index that begins each window at 1: its last value, and its mean over the window.

    Args:
        steps: What it is multiplied by at each bar, (n,); the first of a window moves nothing.
        age: Of each bar.
        bars: In a window.

    Returns:
        Two (n,) arrays, NaN where there are fewer bars.
    """
    last, total = np.ones(len(steps)), np.ones(len(steps))
    for lag in range(bars - 2, -1, -1):
        last[lag:] *= steps[: max(len(steps) - lag, 0)]
        total[lag:] += last[lag:]
    few = age < bars - 1
    last[few], total[few] = np.nan, np.nan
    return last, total / bars


def rolling_max(values: Floats, age: Rows, bars: int) -> Floats:
    """The largest value over so many bars."""
    # A window of 2k is two windows of k: as many passes as the width has binary digits.
    widest, width = values.copy(), 1
    while 2 * width <= bars:
        widest[width:] = np.maximum(widest[width:], widest[: max(len(values) - width, 0)])
        width *= 2
    if width < bars:
        rest = bars - width
        widest[rest:] = np.maximum(widest[rest:], widest[: max(len(values) - rest, 0)].copy())
    widest[age < bars - 1] = np.nan
    return widest


def rolling_min(values: Floats, age: Rows, bars: int) -> Floats:
    """The smallest value over so many bars."""
    return -rolling_max(-values, age, bars)

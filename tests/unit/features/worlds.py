"""Small markets and signals for the tests of features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trackrecord.features import Emitted, History, Resolved

DAY = 86_400_000_000
MONDAY = 20_458 * DAY
"""5 January 2026, 00:00 UTC."""


def market(seed: int, bars: tuple[int, ...]) -> History:
    """Random walks; one symbol has so many bars, the next so many."""
    rng = np.random.default_rng(seed)
    parts = []
    for count in bars:
        close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, count)))
        opened = close * np.exp(rng.normal(0, 0.01, count))
        high = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0, 0.01, count)))
        low = np.minimum(opened, close) / np.exp(np.abs(rng.normal(0, 0.01, count)))
        # The last bars of all symbols close on the same day.
        closed_at = MONDAY + (np.arange(count) + max(bars) - count) * DAY
        parts.append((opened, high, low, close, rng.uniform(1e5, 1e6, count), closed_at))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    starts = np.cumsum([0, *bars[:-1]])
    return History(*columns, starts)


def until(bars: History, moment: int, kept: int | None = None) -> History:
    """The bars that had closed by a moment; of each symbol the last so many, all by default."""
    ends = np.append(bars.starts[1:], len(bars.close))
    rows: list[NDArray[np.int64]] = []
    for start, end in zip(bars.starts, ends, strict=True):
        mine = np.arange(start, end)[bars.closed_at[start:end] <= moment]
        rows.append(mine if kept is None else mine[-kept:])
    counts = [len(each) for each in rows]
    assert min(counts) > 0, "a symbol without bars has no start"
    chosen = np.concatenate(rows)
    columns = (column[chosen] for column in bars[:-1])
    return History(*columns, np.cumsum([0, *counts[:-1]]))


def signals(seed: int, count: int, symbols: int, first: int, last: int) -> Emitted:
    """Signals between two moments."""
    rng = np.random.default_rng(seed)
    price = rng.uniform(90, 110, count)
    direction = rng.choice(np.array([1, -1], np.int8), count)
    target = np.where(rng.random(count) < 0.1, np.nan, price * (1 + 0.05 * direction))
    stop = np.where(rng.random(count) < 0.1, np.nan, price * (1 - 0.02 * direction))
    return Emitted(
        rng.integers(0, symbols, count),
        rng.integers(0, 4, count),
        np.sort(rng.integers(first, last, count)),
        direction,
        price,
        target,
        stop,
        np.where(rng.random(count) < 0.5, np.nan, rng.random(count)),
        rng.integers(1, 20, count),
    )


def outcomes(seed: int, count: int, first: int, last: int) -> Resolved:
    """Outcomes that became known between two moments."""
    rng = np.random.default_rng(seed)
    return Resolved(
        rng.integers(0, 4, count), rng.integers(first, last, count), rng.normal(0, 0.05, count)
    )


def some(signals: Emitted, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Emitted:
    """A part of the signals."""
    return Emitted(*(column[chosen] for column in signals))

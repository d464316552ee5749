"""Indicators that never forget, stepped along the window of every bar at a time.

Each takes its settings, its inputs on all bars, the number of windows, the bars of a window, and
how many of each window's last values are wanted; it answers these, the newest first. Window r
holds bars r to r + lookback - 1, so step j of all windows is a slice of the input. Inputs may have
a second axis, of symbols, along which nothing is mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Settings = tuple[float, ...]
Recursive = Callable[[Settings, list[Floats], int, int, int], list[Floats]]
Step = Callable[[int], Floats]


def _along(values: Floats, rows: int) -> Step:
    """An input's value at a step of all windows."""
    return lambda j: values[j : j + rows]


def _smooth(
    step: Step, days: int, first: int, end: int, keep: int, *, wilder: bool
) -> list[Floats]:
    """An average that never forgets, of steps ``first`` to ``end`` - 1; newest first.

    Steps before the seed, which is the mean of the first ``days``, are left out.
    """
    seed = first + days - 1
    if seed >= end:
        return []
    average = 0.0 + step(first)
    for j in range(first + 1, seed + 1):
        average += step(j)
    average /= days
    oldest = end - keep
    if average.size == 1:
        return _smooth_one(step, average, days, seed, end, oldest, wilder=wilder)
    found = [average.copy()] if seed >= oldest else []
    weight = 2.0 / (days + 1)
    for j in range(seed + 1, end):
        if wilder:
            average *= days - 1
            average += step(j)
            average /= days
        else:
            moved = step(j) - average
            moved *= weight
            average += moved
        if j >= oldest:
            found.append(average.copy())
    return found[::-1]


def _smooth_one(
    step: Step, seeded: Floats, days: int, seed: int, end: int, oldest: int, *, wilder: bool
) -> list[Floats]:
    """The same of a single window, in plain floats: an array of one is twenty times as slow."""
    average = float(seeded.item())
    found = [average] if seed >= oldest else []
    weight = 2.0 / (days + 1)
    for j in range(seed + 1, end):
        value = step(j).item()
        if wilder:
            average = (average * (days - 1) + value) / days
        else:
            average += (value - average) * weight
        if j >= oldest:
            found.append(average)
    return [np.full_like(seeded, each) for each in reversed(found)]


def _quotient(above: Floats, below: Floats) -> Floats:
    return np.where(below != 0, above / below, np.nan)


def _moves(values: Floats) -> Floats:
    """Differences from the bar before; NaN of the first."""
    found = np.full_like(values, np.nan)
    found[1:] = values[1:] - values[:-1]
    return found


def _ema(settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int) -> list[Floats]:
    return _smooth(_along(inputs[0], rows), int(settings[0]), 0, end, keep, wilder=False)


def _macd(settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int) -> list[Floats]:
    fast = _ema((settings[0],), inputs, rows, end, keep)
    slow = _ema((settings[1],), inputs, rows, end, keep)
    return [quick - lazy for quick, lazy in zip(fast, slow, strict=False)]


def _signal(
    settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int
) -> list[Floats]:
    line = _macd(settings[:2], inputs, rows, end, end)
    first = int(max(settings[:2])) - 1
    return _smooth(lambda j: line[end - 1 - j], int(settings[2]), first, end, keep, wilder=False)


def _histogram(
    settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int
) -> list[Floats]:
    line = _macd(settings[:2], inputs, rows, end, keep)
    smooth = _signal(settings, inputs, rows, end, keep)
    return [value - signal for value, signal in zip(line, smooth, strict=False)]


def _rsi(settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int) -> list[Floats]:
    moves, days = _moves(inputs[0]), int(settings[0])
    gains = _smooth(_along(np.maximum(moves, 0.0), rows), days, 1, end, keep, wilder=True)
    losses = _smooth(_along(np.maximum(-moves, 0.0), rows), days, 1, end, keep, wilder=True)
    return [_quotient(gain, gain + loss) * 100.0 for gain, loss in zip(gains, losses, strict=True)]


def _true_ranges(inputs: list[Floats]) -> Floats:
    high, low, close = inputs[:3]
    found = np.full_like(close, np.nan)
    found[1:] = np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1])
    return found


def _atr(settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int) -> list[Floats]:
    days = int(settings[0])
    return _smooth(_along(_true_ranges(inputs), rows), days, 1, end, keep, wilder=True)


def _directed(
    inputs: list[Floats], days: int, rows: int, end: int, keep: int, *, up: bool
) -> list[Floats]:
    """The smoothed upward, or downward, moves."""
    ups, downs = _moves(inputs[0]), -_moves(inputs[1])
    one, other = (ups, downs) if up else (downs, ups)
    moves = np.where((one > other) & (one > 0), one, 0.0)
    return _smooth(_along(moves, rows), days, 1, end, keep, wilder=True)


def _index(
    settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int, *, up: bool
) -> list[Floats]:
    moves = _directed(inputs, int(settings[0]), rows, end, keep, up=up)
    ranges = _atr(settings, inputs, rows, end, keep)
    return [_quotient(move, wide) * 100.0 for move, wide in zip(moves, ranges, strict=True)]


def _plus(settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int) -> list[Floats]:
    return _index(settings, inputs, rows, end, keep, up=True)


def _minus(
    settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int
) -> list[Floats]:
    return _index(settings, inputs, rows, end, keep, up=False)


def _adx(settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int) -> list[Floats]:
    days = int(settings[0])
    ups = _directed(inputs, days, rows, end, end, up=True)
    downs = _directed(inputs, days, rows, end, end, up=False)
    strengths = []
    for up, down in zip(ups, downs, strict=True):
        both = up + down
        strengths.append(np.where(both != 0, np.abs(up - down) / both * 100.0, 0.0))
    return _smooth(lambda j: strengths[end - 1 - j], days, days, end, keep, wilder=True)


def _supertrend(
    settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int
) -> list[tuple[Floats, Floats]]:
    """(line, direction), newest first."""
    high, low, close = inputs[:3]
    days, width = int(settings[0]), settings[1]
    ranges = _atr((days,), inputs, rows, end, end)
    middles = (high + low) / 2.0
    oldest = end - keep
    found = []
    upper = lower = direction = np.empty(0)
    for j in range(days, end):
        middle = middles[j : j + rows]
        reach = width * ranges[end - 1 - j]
        top, bottom = middle + reach, middle - reach
        now = close[j : j + rows]
        if j == days:
            upper, lower, rising = top, bottom, np.ones_like(top, dtype=np.bool_)
        else:
            last = close[j - 1 : j - 1 + rows]
            upper = np.where((top < upper) | (last > upper), top, upper)
            lower = np.where((bottom > lower) | (last < lower), bottom, lower)
            rising = direction > 0
        direction = np.where(rising, np.where(now < lower, -1.0, 1.0),
                             np.where(now > upper, 1.0, -1.0))  # fmt: skip
        if j >= oldest:
            found.append((np.where(direction > 0, lower, upper), direction))
    return found[::-1]


def _line(settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int) -> list[Floats]:
    return [line for line, _ in _supertrend(settings, inputs, rows, end, keep)]


def _direction(
    settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int
) -> list[Floats]:
    return [direction for _, direction in _supertrend(settings, inputs, rows, end, keep)]


def _keltner(
    settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int, sign: float
) -> list[Floats]:
    middles = _ema((settings[0],), [inputs[2]], rows, end, keep)
    ranges = _atr((settings[2],), inputs, rows, end, keep)
    return [
        middle + sign * (settings[1] * wide) for middle, wide in zip(middles, ranges, strict=False)
    ]


def _keltner_upper(
    settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int
) -> list[Floats]:
    return _keltner(settings, inputs, rows, end, keep, 1.0)


def _keltner_lower(
    settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int
) -> list[Floats]:
    return _keltner(settings, inputs, rows, end, keep, -1.0)


def _obv(_settings: Settings, inputs: list[Floats], rows: int, end: int, keep: int) -> list[Floats]:
    moves, volume = _moves(inputs[0]), inputs[1]
    signed = np.where(moves > 0, volume, np.where(moves < 0, -volume, 0.0))
    balance = np.zeros_like(signed[:rows])
    found = [balance.copy()] if end <= keep else []
    for j in range(1, end):
        balance += signed[j : j + rows]
        if j >= end - keep:
            found.append(balance.copy())
    return found[::-1]


RECURSIVE: Final[Mapping[str, Recursive]] = {
    "ema": _ema,
    "rsi": _rsi,
    "macd": _macd,
    "macd_signal": _signal,
    "macd_histogram": _histogram,
    "atr": _atr,
    "plus_di": _plus,
    "minus_di": _minus,
    "adx": _adx,
    "supertrend": _line,
    "supertrend_direction": _direction,
    "keltner_upper": _keltner_upper,
    "keltner_lower": _keltner_lower,
    "obv": _obv,
}
"""By the name of the catalogue."""

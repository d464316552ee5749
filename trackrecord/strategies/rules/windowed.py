"""Indicators that are worked out of a fixed number of bars, on many bars at once.

Each takes its settings and ``back(i, ago)``: its i-th input that many bars before, as an array.
Sums run from the oldest bar to the newest, as in the prelude.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Back = Callable[[int, int], Floats]
Settings = tuple[float, ...]
_EVEN: Final = 1e-12
"""A spread below this share of the mean is dust of adding floats: all values are equal."""


def _mean(values: list[Floats]) -> Floats:
    total = 0.0 + values[0]
    for value in values[1:]:
        total += value
    return total / len(values)


def _squares(values: list[Floats], middle: Floats) -> Floats:
    total: Floats | None = None
    for value in values:
        distance = value - middle
        distance *= distance
        if total is None:
            total = distance
        else:
            total += distance
    assert total is not None  # noqa: S101 - a window is never empty
    return total


def _stdev(values: list[Floats], middle: Floats) -> Floats:
    return np.sqrt(_squares(values, middle) / len(values))


def _quotient(above: Floats, below: Floats) -> Floats:
    return np.where(below != 0, above / below, np.nan)


def _window(back: Back, days: float, which: int = 0, ago: int = 0) -> list[Floats]:
    return [back(which, ago + earlier) for earlier in range(int(days) - 1, -1, -1)]


def _largest(back: Back, days: float, which: int, ago: int = 0) -> Floats:
    best = back(which, ago).copy()
    for earlier in range(1, int(days)):
        np.maximum(best, back(which, ago + earlier), out=best)
    return best


def _smallest(back: Back, days: float, which: int, ago: int = 0) -> Floats:
    best = back(which, ago).copy()
    for earlier in range(1, int(days)):
        np.minimum(best, back(which, ago + earlier), out=best)
    return best


def _sma(settings: Settings, back: Back) -> Floats:
    return _mean(_window(back, settings[0]))


def _wma(settings: Settings, back: Back) -> Floats:
    days = int(settings[0])
    total = np.zeros_like(back(0, 0))
    for weight, value in enumerate(_window(back, days), 1):
        total += weight * value
    return total / (days * (days + 1) / 2)


def _deviation(settings: Settings, back: Back) -> Floats:
    values = _window(back, settings[0])
    return _stdev(values, _mean(values))


def _zscore(settings: Settings, back: Back) -> Floats:
    values = _window(back, settings[0])
    middle = _mean(values)
    spread = _stdev(values, middle)
    return np.where(spread > np.abs(middle) * _EVEN, (values[-1] - middle) / spread, np.nan)


def _change(settings: Settings, back: Back) -> Floats:
    return (_quotient(back(0, 0), back(0, int(settings[0]))) - 1.0) * 100.0


def _volatility(settings: Settings, back: Back) -> Floats:
    days = int(settings[0])
    changes = [
        (_quotient(back(0, ago), back(0, ago + 1)) - 1.0) * 100.0 for ago in range(days - 1, -1, -1)
    ]
    return np.sqrt(_squares(changes, _mean(changes)) / (days - 1))


def _bands(settings: Settings, back: Back) -> tuple[Floats, Floats, Floats]:
    """The value, the middle and the reach of the bands."""
    values = _window(back, settings[0])
    middle = _mean(values)
    return values[-1], middle, settings[1] * _stdev(values, middle)


def _upper(settings: Settings, back: Back) -> Floats:
    _, middle, width = _bands(settings, back)
    return middle + width


def _lower(settings: Settings, back: Back) -> Floats:
    _, middle, width = _bands(settings, back)
    return middle - width


def _bandwidth(settings: Settings, back: Back) -> Floats:
    _, middle, width = _bands(settings, back)
    return _quotient((middle + width) - (middle - width), middle) * 100.0


def _percent_b(settings: Settings, back: Back) -> Floats:
    value, middle, width = _bands(settings, back)
    lower = middle - width
    found = (value - lower) / ((middle + width) - lower)
    return np.where(width > np.abs(middle) * _EVEN, found, np.nan)


def _range(_settings: Settings, back: Back) -> Floats:
    return back(0, 0) - back(1, 0)


def _range_position(_settings: Settings, back: Back) -> Floats:
    high, low, close = back(0, 0), back(1, 0), back(2, 0)
    return _quotient(close - low, high - low) * 100.0


def _gap(_settings: Settings, back: Back) -> Floats:
    return (_quotient(back(0, 0), back(1, 1)) - 1.0) * 100.0


def _quick(days: float, back: Back, ago: int) -> Floats:
    """Unsmoothed %K."""
    top, bottom = _largest(back, days, 0, ago), _smallest(back, days, 1, ago)
    return _quotient(back(2, ago) - bottom, top - bottom) * 100.0


def _k(settings: Settings, back: Back, ago: int = 0) -> Floats:
    days, smooth = settings[0], int(settings[1])
    if smooth == 1:
        return _quick(days, back, ago)
    return _mean([_quick(days, back, ago + earlier) for earlier in range(smooth - 1, -1, -1)])


def _d(settings: Settings, back: Back) -> Floats:
    signal = int(settings[2])
    return _mean([_k(settings, back, earlier) for earlier in range(signal - 1, -1, -1)])


def _williams(settings: Settings, back: Back) -> Floats:
    top, bottom = _largest(back, settings[0], 0), _smallest(back, settings[0], 1)
    return _quotient(back(2, 0) - top, top - bottom) * 100.0


def _aroon(settings: Settings, back: Back, sign: float) -> Floats:
    days = int(settings[0])
    best = sign * back(0, 0)
    since = np.zeros_like(best)
    for ago in range(1, days + 1):
        value = sign * back(0, ago)
        since = np.where(value > best, float(ago), since)
        best = np.maximum(best, value)
    return np.where(np.isnan(best), np.nan, (days - since) / days * 100.0)


def _typical(back: Back, ago: int) -> Floats:
    return (back(0, ago) + back(1, ago) + back(2, ago)) / 3.0


def _cci(settings: Settings, back: Back) -> Floats:
    values = [_typical(back, ago) for ago in range(int(settings[0]) - 1, -1, -1)]
    middle = _mean(values)
    distance = _mean([np.abs(value - middle) for value in values])
    found = (values[-1] - middle) / (0.015 * distance)
    return np.where(distance > np.abs(middle) * _EVEN, found, np.nan)


def _mfi(settings: Settings, back: Back) -> Floats:
    rising = np.zeros_like(back(0, 0))
    falling = np.zeros_like(rising)
    before = _typical(back, int(settings[0]))
    for ago in range(int(settings[0]) - 1, -1, -1):
        typical = _typical(back, ago)
        flow = typical * back(3, ago)
        rising += np.where(typical > before, flow, 0.0)
        falling += np.where(typical < before, flow, 0.0)
        before = typical
    return _quotient(rising, rising + falling) * 100.0


WINDOWED: Final[Mapping[str, Callable[[Settings, Back], Floats]]] = {
    "sma": _sma,
    "wma": _wma,
    "highest": lambda settings, back: _largest(back, settings[0], 0),
    "lowest": lambda settings, back: _smallest(back, settings[0], 0),
    "stdev": _deviation,
    "zscore": _zscore,
    "change": _change,
    "volatility": _volatility,
    "bollinger_upper": _upper,
    "bollinger_lower": _lower,
    "bollinger_bandwidth": _bandwidth,
    "bollinger_percent": _percent_b,
    "range": _range,
    "range_position": _range_position,
    "gap": _gap,
    "stochastic_k": _k,
    "stochastic_d": _d,
    "williams": _williams,
    "aroon_up": lambda settings, back: _aroon(settings, back, 1.0),
    "aroon_down": lambda settings, back: _aroon(settings, back, -1.0),
    "cci": _cci,
    "mfi": _mfi,
}
"""By the name of the catalogue."""

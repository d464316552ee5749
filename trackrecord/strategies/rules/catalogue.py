"""Every indicator: its formula, where that is from, its settings, and the bars it needs.

The formulas are carried out twice, by :mod:`trackrecord.strategies.prelude` for one window and by
:mod:`trackrecord.strategies.rules.series` for all windows at once, to the same last bit. None
uses a bar after the one it is worked out for, and none remembers anything from before its window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Unit = Literal["price", "volume", "percent", "score"]
"""``price`` in the money of the symbol; ``percent`` 5.0 is 5 %; ``score`` has none."""
Memory = Literal["none", "ema", "wilder", "twice", "flow"]
"""How it forgets: ``none`` is worked out of a fixed number of bars; the others begin at the first
bar of the window, and need more of them to become what they would be with all history."""


@dataclass(frozen=True)
class Setting:
    """A number that an indicator takes."""

    name: str
    default: float
    least: float = 1
    whole: bool = True


@dataclass(frozen=True)
class Entry:
    """An indicator.

    Attributes:
        title: What people call it.
        inputs: The fields it takes, or ``source`` for whatever it is worked out of.
        settings: Its numbers, in order.
        unit: What its values are.
        bounds: The least and greatest value it can have; None where there is none.
        memory: How it forgets.
        extra: Bars beyond the sum of its periods that a value is worked out of.
        formula: In words.
        origin: Where the formula is from.
    """

    title: str
    inputs: tuple[str, ...]
    settings: tuple[Setting, ...]
    unit: Unit
    formula: str
    origin: str
    bounds: tuple[float | None, float | None] = (None, None)
    memory: Memory = "none"
    extra: int = 0


def _days(default: int, least: int = 1, name: str = "days") -> Setting:
    return Setting(name, default, least)


def _factor(default: float) -> Setting:
    return Setting("width", default, 0.1, whole=False)


_SOURCE = ("source",)
_HLC = ("high", "low", "close")
_WILDER = "Wilder, New Concepts in Technical Trading Systems, 1978"
_BOLLINGER = "Bollinger, Bollinger on Bollinger Bands, 2001"
_APPEL = "Appel, The Moving Average Convergence-Divergence Method, 1979"
_CHANDE = "Chande, Time Price Oscillator, 1995"
_LANE = "Lane, Lane's Stochastics, 1984"
_CUSTOM = "common use"
_MACD = (_days(12, 1, "fast"), _days(26, 2, "slow"))
_BANDS = (_days(20, 2), _factor(2.0))

CATALOGUE: Final[Mapping[str, Entry]] = {
    "sma": Entry("SMA", _SOURCE, (_days(20),), "price", "mean of the last n values", _CUSTOM),
    "ema": Entry(
        "EMA", _SOURCE, (_days(20),), "price",
        "mean of the window's first n values, then e + (value - e) * 2 / (n + 1)",
        "Appel, as above; the seed as in TA-Lib", memory="ema",
    ),
    "wma": Entry(
        "WMA", _SOURCE, (_days(20),), "price",
        "mean of the last n values weighted 1 for the oldest to n for the newest", _CUSTOM,
    ),
    "highest": Entry(
        "highest", _SOURCE, (_days(20),), "price", "largest of the last n values",
        "Donchian, Commodities: High Finance in Copper, 1960",
    ),
    "lowest": Entry(
        "lowest", _SOURCE, (_days(20),), "price", "smallest of the last n values",
        "Donchian, as above",
    ),
    "stdev": Entry(
        "standard deviation", _SOURCE, (_days(20, 2),), "price",
        "root of the mean squared distance from the mean of the last n values (divisor n)",
        _BOLLINGER, (0, None),
    ),
    "zscore": Entry(
        "z-score", _SOURCE, (_days(20, 2),), "score",
        "(value - mean of n) / deviation of n (divisor n); undefined where all are equal",
        _CUSTOM,
    ),
    "change": Entry(
        "change", _SOURCE, (_days(1),), "percent",
        "(value / value n bars before - 1) * 100; the rate of change", _CUSTOM, extra=1,
    ),
    "volatility": Entry(
        "volatility", _SOURCE, (_days(20, 2),), "percent",
        "deviation (divisor n - 1) of the last n changes of one bar", _CUSTOM, (0, None), extra=1,
    ),
    "bollinger_upper": Entry(
        "upper Bollinger band", _SOURCE, _BANDS, "price", "mean of n + width * deviation of n",
        _BOLLINGER,
    ),
    "bollinger_lower": Entry(
        "lower Bollinger band", _SOURCE, _BANDS, "price", "mean of n - width * deviation of n",
        _BOLLINGER,
    ),
    "bollinger_bandwidth": Entry(
        "Bollinger bandwidth", _SOURCE, _BANDS, "percent",
        "(upper - lower) / middle * 100", _BOLLINGER, (0, None),
    ),
    "bollinger_percent": Entry(
        "Bollinger %b", _SOURCE, _BANDS, "score",
        "(value - lower) / (upper - lower); undefined where the bands meet", _BOLLINGER,
    ),
    "range": Entry(
        "range", ("high", "low"), (), "price", "high - low", _CUSTOM, (0, None), extra=1
    ),
    "range_position": Entry(
        "position in the range", _HLC, (), "percent",
        "(close - low) / (high - low) * 100 of the bar; undefined where high is low",
        _CUSTOM, (0, 100), extra=1,
    ),
    "gap": Entry(
        "gap", ("open", "close"), (), "percent", "(open / close of the bar before - 1) * 100",
        _CUSTOM, extra=2,
    ),
    "stochastic_k": Entry(
        "stochastic %K", _HLC, (_days(14), _days(1, 1, "smooth")), "percent",
        "(close - lowest low of n) / (highest high of n - lowest low of n) * 100, its mean over "
        "the smoothing; undefined where they are equal", _LANE, (0, 100),
    ),
    "stochastic_d": Entry(
        "stochastic %D", _HLC, (_days(14), _days(1, 1, "smooth"), _days(3, 1, "signal")),
        "percent", "mean of %K over the signal's bars", _LANE, (0, 100),
    ),
    "williams": Entry(
        "Williams %R", _HLC, (_days(14),), "percent",
        "(close - highest high of n) / (highest high of n - lowest low of n) * 100; undefined "
        "where they are equal",
        "Williams, How I Made One Million Dollars, 1973", (-100, 0),
    ),
    "aroon_up": Entry(
        "Aroon up", ("high",), (_days(25),), "percent",
        "(n - bars since the highest high of n + 1 bars, of equal ones the last) / n * 100",
        _CHANDE, (0, 100), extra=1,
    ),
    "aroon_down": Entry(
        "Aroon down", ("low",), (_days(25),), "percent",
        "(n - bars since the lowest low of n + 1 bars, of equal ones the last) / n * 100",
        _CHANDE, (0, 100), extra=1,
    ),
    "cci": Entry(
        "CCI", _HLC, (_days(20, 2),), "score",
        "(t - mean of t) / (0.015 * mean absolute distance from that mean) over n, with t = "
        "(high + low + close) / 3; undefined where all are equal",
        "Lambert, Commodity Channel Index, 1980",
    ),
    "mfi": Entry(
        "MFI", (*_HLC, "volume"), (_days(14),), "percent",
        "flow into rising t / all flow * 100 over n, flow = t * volume, t as in CCI; undefined "
        "without flow", "Quong and Soudack, Money Flow Index, 1989", (0, 100), extra=1,
    ),
    "rsi": Entry(
        "RSI", _SOURCE, (_days(14),), "percent",
        "gain / (gain + loss) * 100, each the mean of the window's first n changes, then "
        "(mean * (n - 1) + new) / n; undefined where nothing moved", _WILDER, (0, 100),
        memory="wilder", extra=1,
    ),
    "macd": Entry(
        "MACD", _SOURCE, _MACD, "price", "EMA of fast - EMA of slow", _APPEL, memory="ema",
    ),
    "macd_signal": Entry(
        "MACD signal", _SOURCE, (*_MACD, _days(9, 1, "signal")), "price",
        "EMA of MACD over the signal's bars", _APPEL, memory="ema",
    ),
    "macd_histogram": Entry(
        "MACD histogram", _SOURCE, (*_MACD, _days(9, 1, "signal")), "price",
        "MACD - its signal", "Aspray, MACD Momentum, 1986", memory="ema",
    ),
    "atr": Entry(
        "ATR", _HLC, (_days(14),), "price",
        "mean of the window's first n true ranges, then (mean * (n - 1) + new) / n; the true "
        "range is max(high, close before) - min(low, close before)", _WILDER, (0, None),
        memory="wilder", extra=1,
    ),
    "plus_di": Entry(
        "+DI", _HLC, (_days(14),), "percent",
        "mean upward move / ATR * 100, smoothed as ATR; undefined where ATR is 0", _WILDER,
        (0, None), memory="wilder", extra=1,
    ),
    "minus_di": Entry(
        "-DI", _HLC, (_days(14),), "percent",
        "mean downward move / ATR * 100, smoothed as ATR; undefined where ATR is 0", _WILDER,
        (0, None), memory="wilder", extra=1,
    ),
    "adx": Entry(
        "ADX", _HLC, (_days(14),), "percent",
        "|+DI - -DI| / (+DI + -DI) * 100 (0 where both are 0), smoothed as ATR", _WILDER,
        (0, 100), memory="twice", extra=1,
    ),
    "supertrend": Entry(
        "Supertrend", _HLC, (_days(10), Setting("width", 3.0, 0.1, whole=False)), "price",
        "the lower band while up, the upper while down; bands (high + low) / 2 -+ width * ATR "
        "that only tighten until the close is beyond them", "Seban, 2009", memory="twice", extra=1,
    ),
    "supertrend_direction": Entry(
        "Supertrend direction", _HLC, (_days(10), Setting("width", 3.0, 0.1, whole=False)),
        "score", "1 while the close has last left the bands upwards, else -1", "Seban, 2009",
        (-1, 1), memory="twice", extra=1,
    ),
    "keltner_upper": Entry(
        "upper Keltner channel", _HLC, (_days(20), _factor(2.0), _days(10, 1, "range_days")),
        "price", "EMA of the close + width * ATR",
        "Raschke's form of Keltner, How to Make Money in Commodities, 1960", memory="wilder",
        extra=1,
    ),
    "keltner_lower": Entry(
        "lower Keltner channel", _HLC, (_days(20), _factor(2.0), _days(10, 1, "range_days")),
        "price", "EMA of the close - width * ATR", "as the upper one", memory="wilder", extra=1,
    ),
    "obv": Entry(
        "OBV", ("close", "volume"), (), "volume",
        "0 at the window's first bar, plus the volume of bars that close higher, minus that of "
        "bars that close lower", "Granville, New Key to Stock Market Profits, 1963",
        memory="flow", extra=1,
    ),
}  # fmt: skip
"""By name, as :class:`trackrecord.strategies.rules.model.Indicator` holds it."""

OBV_BARS: Final = 100
"""Bars that the balance of volume is summed over, at least."""


def bars_needed(name: str, settings: tuple[float, ...], *, least: bool = False) -> int:
    """Bars that a value is worked out of, its own included.

    Args:
        name: Of the catalogue.
        settings: In its order.
        least: For the indicators that never forget, what gives a value worth using, instead of
            what leaves less than about 1e-4 of the window's beginning in it.
    """
    entry = CATALOGUE[name]
    periods = [int(v) for s, v in zip(entry.settings, settings, strict=True) if s.whole]
    if entry.memory == "none":
        joined = sum(periods) - max(0, len(periods) - 1)
        return max(1, joined + entry.extra)
    if entry.memory == "flow":
        return OBV_BARS
    if entry.memory == "ema":
        # The slower average, and its signal behind it.
        slow = max(periods[:2])
        signal = periods[2] if len(periods) > 2 else 0  # noqa: PLR2004 - fast, slow, signal
        return (2 if least else 5) * (slow + signal)
    times = {"wilder": (4, 12), "twice": (6, 16)}[entry.memory][0 if least else 1]
    return times * max(periods) + entry.extra

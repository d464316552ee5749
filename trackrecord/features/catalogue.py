"""Every feature: its name, what it is made of, its unit, and from when it is known.

A feature is a fact about the moment of emission. It is worked out from bars that had closed by
then, from the signal itself, and from outcomes whose exit bar had closed by then; so it can be
stored once and never changes, whatever happens afterwards.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Known = Literal["last_bar", "emission", "outcomes"]
"""``last_bar``: when the last bar before the emission closed; ``emission``: with the signal;
``outcomes``: when the exit bars of the strategy's earlier signals had closed."""


class Feature(NamedTuple):
    """A feature, for people and for the trainer."""

    name: str
    group: str
    formula: str
    unit: str
    known: Known = "last_bar"


MARKET: Final = (
    Feature("return_1", "trend", "close / close 1 bar before - 1", "fraction"),
    Feature("return_5", "trend", "close / close 5 bars before - 1", "fraction"),
    Feature("return_20", "trend", "close / close 20 bars before - 1", "fraction"),
    Feature("return_60", "trend", "close / close 60 bars before - 1", "fraction"),
    Feature("average_gap_20", "trend", "close / mean close of 20 bars - 1", "fraction"),
    Feature("average_gap_50", "trend", "close / mean close of 50 bars - 1", "fraction"),
    Feature("averages_20_50", "trend", "mean close of 20 / mean close of 50 - 1", "fraction"),
    Feature("rsi_14", "momentum", "gains / (gains + losses) of 14 bars (Cutler)", "0 to 1"),
    Feature("stochastic_14", "momentum", "(close - low 14) / (high 14 - low 14)", "0 to 1"),
    Feature("up_bars_10", "momentum", "bars of 10 that closed above the one before", "0 to 1"),
    Feature("volatility_20", "volatility", "deviation of 20 log returns (ddof 1)", "fraction"),
    Feature("volatility_5_20", "volatility", "deviation of 5 / deviation of 20", "ratio"),
    Feature("true_range_14", "volatility", "mean true range of 14 / close", "fraction"),
    Feature("range_1", "volatility", "(high - low) / close", "fraction"),
    Feature("volume_1_20", "volume", "volume / mean volume of 20", "ratio"),
    Feature("volume_5_20", "volume", "mean volume of 5 / mean volume of 20", "ratio"),
    Feature("turnover_20", "volume", "log10(1 + mean close * volume of 20)", "log10 of money"),
    Feature("gap_1", "gap", "open / close 1 bar before - 1", "fraction"),
    Feature("gap_20", "gap", "mean of |gap_1| of 20", "fraction"),
    Feature("close_in_bar", "range", "(close - low) / (high - low)", "0 to 1"),
    Feature("range_position_20", "range", "(close - low 20) / (high 20 - low 20)", "0 to 1"),
    Feature("below_high_250", "range", "close / high of 250 - 1", "fraction"),
    Feature("above_low_250", "range", "close / low of 250 - 1", "fraction"),
)
"""Of the symbol's own bars."""

REGIME: Final = (
    Feature("market_return_1", "regime", "mean return of all symbols, 1 bar", "fraction"),
    Feature("market_return_20", "regime", "the index over 20 bars - 1", "fraction"),
    Feature("market_volatility_20", "regime", "deviation of 20 log returns", "fraction"),
    Feature("market_average_gap_50", "regime", "index / its mean of 50 - 1", "fraction"),
    Feature("market_breadth", "regime", "symbols above their mean of 20 / symbols", "0 to 1"),
    Feature("relative_return_20", "regime", "return_20 - market_return_20", "fraction"),
)
"""Of the market: a benchmark's bars, or the universe's own index where none is given."""

SIGNAL: Final = (
    Feature("direction", "signal", "+1 long, -1 short", "sign", "emission"),
    Feature("target_distance", "signal", "|target - price| / price", "fraction", "emission"),
    Feature("stop_distance", "signal", "|price - stop| / price", "fraction", "emission"),
    Feature("reward_to_risk", "signal", "target_distance / stop_distance", "ratio", "emission"),
    Feature("target_in_ranges", "signal", "target_distance / true_range_14", "ratio", "emission"),
    Feature("stop_in_ranges", "signal", "stop_distance / true_range_14", "ratio", "emission"),
    Feature("horizon", "signal", "bars until it expires", "bars", "emission"),
    Feature("confidence", "signal", "as the publisher states it", "0 to 1", "emission"),
    Feature("price_gap", "signal", "price / last close - 1", "fraction", "emission"),
    Feature("trend_with", "signal", "direction * return_20", "fraction", "emission"),
)
"""The signal's own geometry."""

RECORD: Final = (
    Feature("strategy_outcomes", "record", "log(1 + outcomes so far)", "log", "outcomes"),
    Feature("strategy_win_rate", "record", "(wins + 1) / (outcomes + 2)", "0 to 1", "outcomes"),
    Feature("strategy_mean_return", "record", "sum of returns / (outcomes + 2)", "fraction",
            "outcomes"),
    Feature("strategy_last_10", "record", "wins of the last 10 outcomes / 10", "0 to 1",
            "outcomes"),
)  # fmt: skip
"""The strategy's own record, as far as it was known."""

CALENDAR: Final = (
    Feature("weekday", "calendar", "0 Monday to 6 Sunday, UTC", "day", "emission"),
    Feature("month", "calendar", "1 to 12, UTC", "month", "emission"),
    Feature("day_of_month", "calendar", "1 to 31, UTC", "day", "emission"),
)

FEATURES: Final = (*MARKET, *REGIME, *SIGNAL, *RECORD, *CALENDAR)
"""All of them, in the order of the columns."""

NAMES: Final = tuple(feature.name for feature in FEATURES)

BARS_NEEDED: Final = 250
"""Bars before an emission after which nothing older counts."""

"""Every indicator of the catalogue: its formula, its window, and that it knows no future."""

from __future__ import annotations

import inspect
import math
import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.unit.strategies.made_up import columns, indicator, made_bars
from trackrecord.strategies import prelude_functions
from trackrecord.strategies.prelude import FUNCTIONS, PRELUDE, prelude_for
from trackrecord.strategies.rules.catalogue import CATALOGUE, bars_needed
from trackrecord.strategies.rules.model import Field, Indicator
from trackrecord.strategies.rules.series import Series

BARS = made_bars(5, 700)
COLUMNS = columns(BARS)
LOOKBACK = 420


def of_window(found: Indicator, window: list[dict[str, Any]]) -> float:
    """An indicator's value as a strategy works it out."""
    function = getattr(prelude_functions, f"{found.name}_series")
    inputs = []
    for name in CATALOGUE[found.name].inputs:
        column = found.source.name if name == "source" and isinstance(found.source, Field) else name
        inputs.append([bar[column] for bar in window])
    value: float = function(*inputs, *found.settings, count=1)[-1]
    return value


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_prelude_and_the_arrays_give_the_same_bits(name: str) -> None:
    rng = random.Random(name)
    series = Series(COLUMNS)
    for _ in range(4):
        found = indicator(rng, name, nested=False)
        values = np.asarray(series.at(found, 0, LOOKBACK))
        for row in rng.sample(range(LOOKBACK - 1, len(BARS)), 8):
            alone = of_window(found, BARS[row - LOOKBACK + 1 : row + 1])
            together = values[row - LOOKBACK + 1]
            assert alone == together or (math.isnan(alone) and math.isnan(together))


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_later_bar_changes_no_earlier_value_not_even_a_flat_one(name: str) -> None:
    found = indicator(random.Random(name), name, nested=False)
    last = BARS[599]["close"]
    flat = {**BARS[600], "open": last, "high": last, "low": last, "close": last, "volume": 0.0}
    before = np.asarray(Series(columns(BARS[:600])).at(found, 0, LOOKBACK))
    for more in ([BARS[600]], [flat], BARS[600:]):
        after = np.asarray(Series(columns(BARS[:600] + more)).at(found, 0, LOOKBACK))
        assert np.array_equal(before, after[: len(before)], equal_nan=True)


@pytest.mark.parametrize("name", CATALOGUE)
def test_values_stay_within_their_bounds_and_are_defined_on_most_bars(name: str) -> None:
    found = indicator(random.Random(name), name, nested=False)
    values = np.asarray(Series(COLUMNS).at(found, 0, LOOKBACK))
    low, high = CATALOGUE[name].bounds
    defined = values[~np.isnan(values)]
    assert len(defined) > 0.9 * len(values)
    assert low is None or defined.min() >= low - 1e-9
    assert high is None or defined.max() <= high + 1e-9


@pytest.mark.parametrize("name", [n for n, e in CATALOGUE.items() if e.memory == "none"])
def test_what_forgets_needs_no_more_bars_than_it_says(name: str) -> None:
    found = indicator(random.Random(name), name, nested=False)
    needed = bars_needed(name, found.settings)
    short, long = of_window(found, BARS[500 - needed : 500]), of_window(found, BARS[:500])
    assert short == long or (math.isnan(short) and math.isnan(long))


@pytest.mark.parametrize("name", [n for n, e in CATALOGUE.items() if e.memory in {"ema", "wilder"}])
def test_what_never_forgets_is_close_to_what_all_history_gives(name: str) -> None:
    if name == "obv":
        return
    rng = random.Random(name)
    settings = tuple(int(s.default) if s.whole else s.default for s in CATALOGUE[name].settings)
    source = Field("close") if "source" in CATALOGUE[name].inputs else None
    found = Indicator(name, settings, source)
    needed = bars_needed(name, settings)
    scale = 100.0 if CATALOGUE[name].bounds[1] == 100 else 10.0
    for row in rng.sample(range(needed, 700), 20):
        near, far = of_window(found, BARS[row - needed : row]), of_window(found, BARS[:row])
        assert near == pytest.approx(far, abs=scale * 3e-3)


def closes(count: int = 60) -> list[float]:
    return [bar["close"] for bar in BARS[:count]]


def test_averages_are_those_of_numpy() -> None:
    values = closes()
    assert prelude_functions.sma(values, 20) == pytest.approx(np.mean(values[-20:]))
    weights = np.arange(1, 21)
    assert prelude_functions.wma(values, 20) == pytest.approx(
        np.average(values[-20:], weights=weights)
    )
    assert prelude_functions.stdev(values[-20:]) == pytest.approx(np.std(values[-20:]))
    assert prelude_functions.zscore(values, 20) == pytest.approx(
        (values[-1] - np.mean(values[-20:])) / np.std(values[-20:])
    )
    changes = np.diff(values[-21:]) / np.asarray(values[-21:-1]) * 100
    assert prelude_functions.volatility(values, 20) == pytest.approx(np.std(changes, ddof=1))


def test_the_exponential_average_is_that_of_its_recurrence() -> None:
    values = closes()
    average = float(np.mean(values[:10]))
    for value in values[10:]:
        average = value * 2 / 11 + average * 9 / 11
    assert prelude_functions.ema(values, 10) == pytest.approx(average)


def test_rsi_is_that_of_a_published_example() -> None:
    # StockCharts' worksheet of RSI (14): the first values of QQQQ.
    prices = [
        44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826,
        45.8931, 46.0328, 45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222,
    ]  # fmt: skip
    shown = prelude_functions.rsi_series(prices, 14, 5)
    assert shown == pytest.approx([70.53, 66.32, 66.55, 69.41, 66.36], abs=0.03)


def test_the_true_range_reaches_over_gaps() -> None:
    high, low, close = [10.0, 15.0, 9.0], [9.0, 14.0, 8.0], [9.5, 14.5, 8.5]
    assert prelude_functions.true_ranges(high, low, close)[1:] == [5.5, 6.5]
    assert prelude_functions.atr(high, low, close, 2) == 6.0


def test_supertrend_flips_when_the_close_leaves_the_band() -> None:
    close = (
        [100.0] * 15 + [100 - 3.0 * i for i in range(1, 8)] + [79 + 5.0 * i for i in range(1, 9)]
    )
    high, low = [c + 1 for c in close], [c - 1 for c in close]
    found = prelude_functions.supertrend_direction_series(
        high, low, close, 10, 2.0, len(close) - 10
    )
    assert found[0] == 1.0
    assert -1.0 in found
    assert found[-1] == 1.0
    flips = sum(one != other for one, other in pairwise(found))
    assert flips == 2


def test_what_would_divide_by_nothing_is_undefined() -> None:
    even = [10.0] * 30
    assert math.isnan(prelude_functions.zscore(even, 20))
    assert math.isnan(prelude_functions.rsi(even, 14))
    assert math.isnan(prelude_functions.range_position_series(even, even, even)[-1])
    assert math.isnan(prelude_functions.zscore([0.1] * 30, 20))


def test_too_few_bars_give_nothing_a_number() -> None:
    for name, entry in CATALOGUE.items():
        found = indicator(random.Random(name), name, nested=False)
        if entry.memory == "flow" or bars_needed(name, found.settings) == 1:
            continue
        assert math.isnan(of_window(found, BARS[:1])), name


def test_weekdays_are_those_of_the_calendar() -> None:
    for bar in BARS[::7]:
        day = np.datetime64(bar["time"].removesuffix("Z"), "D").astype(object)
        assert prelude_functions.weekday(bar["time"]) == day.weekday()
        assert prelude_functions.month(bar["time"]) == day.month


def test_closes_since_the_entry_begin_at_its_bar() -> None:
    bars = BARS[:50]
    told = {"entry_time": bars[40]["time"], "entry_price": bars[40]["open"]}
    assert len(prelude_functions.closes_since_entry(bars, told)) == 10
    untold = {"entry_price": bars[40]["open"]}
    assert len(prelude_functions.closes_since_entry(bars, untold)) == 10
    before = {"entry_time": "1999-01-01T00:00:00Z", "entry_price": 1.0}
    assert len(prelude_functions.closes_since_entry(bars, before)) == 50


def test_the_part_of_the_prelude_that_a_strategy_calls_is_enough() -> None:
    source = (
        "def execute_strategy(m, p):\n"
        "    return crossed_above(macd_signal_series([1.0] * 50, count=2), [0.0, 1.0])\n"
    )
    part = prelude_for(source)
    assert len(part) < len(PRELUDE) / 4
    names: dict[str, Any] = {}
    exec(part + source, names)  # noqa: S102
    assert names["execute_strategy"]({}, {}) is False
    assert set(FUNCTIONS) == {
        name for name, value in vars(prelude_functions).items() if inspect.isfunction(value)
    }


def test_aroon_counts_the_bars_since_the_last_of_equal_extremes() -> None:
    high = [9.0, 5.0, 8.0, 6.0, 8.0, 7.0, 7.5]
    assert prelude_functions.aroon_up_series(high, 5, 2) == [0.0, 60.0]
    assert prelude_functions.aroon_up_series(high, 6) == [0.0]
    low = [4.0, 3.0, 2.0, 2.0, 5.0]
    assert prelude_functions.aroon_down_series(low, 4) == [75.0]
    assert prelude_functions.aroon_down_series([*low, 1.0], 4) == [100.0]
    assert math.isnan(prelude_functions.aroon_up_series(high, 7)[-1])

"""From trade to trade in columns comes to what bar after bar comes to, and so does the code."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.strategy_worlds import (
    START,
    Given,
    PlainExecutor,
    bar,
    flat_bars,
    history_of,
    series_of,
    walk_bars,
)
from tests.support.strategy_worlds import given as answers
from trackrecord.outcomes import POLICIES, Bar, Policy
from trackrecord.strategies.answers import Columnar, by_bar, exact_trade
from trackrecord.strategies.columns import Columns, Part, fold
from trackrecord.strategies.contract import Sides
from trackrecord.strategies.drive import Code, Stretch
from trackrecord.strategies.history import Series
from trackrecord.strategies.trades import earned_by_bar, trips_of

cents = st.integers(9_600, 10_400).map(lambda value: Decimal(value) / 100)


@st.composite
def bars(draw: Any) -> Bar:
    low, first, second, high = sorted(draw(st.tuples(cents, cents, cents, cents)))
    one, other = (first, second) if draw(st.booleans()) else (second, first)
    # Now and then everything is halved: an unexplained jump.
    by = 1 if draw(st.integers(0, 15)) else 2
    return Bar(*(price / by for price in (one, high, low, other)))


@st.composite
def worlds(draw: Any) -> tuple[Series, Given, Any]:
    rows = draw(st.lists(bars(), min_size=2, max_size=25))
    series = series_of(rows)
    count = len(rows)
    flags = st.lists(st.booleans(), min_size=count, max_size=count).map(np.array)
    rare = st.lists(
        st.integers(0, 5).map(lambda value: value == 0), min_size=count, max_size=count
    ).map(np.array)

    def levels(sign: int) -> Any:
        steps = draw(st.none() | st.lists(st.integers(1, 300), min_size=count, max_size=count))
        if steps is None:
            return np.full(count, np.nan)
        return np.array(
            [
                float(Decimal(repr(close)) + sign * Decimal(step) / 100)
                for close, step in zip(series.close.tolist(), steps, strict=True)
            ]
        )

    return series, Given(
        draw(flags), draw(flags), draw(rare), draw(rare),
        levels(-1), levels(1), levels(1), levels(-1),
        series.close, draw(st.none() | st.integers(1, 6)), draw(st.none() | st.just(0.02)),
    ), draw(rare)  # fmt: skip


def turned(found: Given, sides: Sides) -> Given:
    """With both sides, what enters the other one leaves this one."""
    if sides != "both":
        return found
    return replace(found, leave_long=found.enter_short, leave_short=found.enter_long, trail=None)


@settings(max_examples=60)
@given(worlds(), st.sampled_from(("long", "short", "both")), st.sampled_from(POLICIES))
def test_columns_come_to_what_bar_after_bar_comes_to(
    world: tuple[Series, Given, Any], sides: Sides, policy: Policy
) -> None:
    series, found, ceased = world
    parts = [Part(0, turned(found, sides))]
    quick = fold(Columns(series, parts, ceased, sides, policy))
    assert [exact_trade(series, one) for one in quick] == by_bar(
        series, parts, ceased, sides, policy
    )


@settings(max_examples=40)
@given(worlds(), worlds(), st.integers(1, 24), st.sampled_from(("long", "both")))
def test_a_position_lives_on_where_other_answers_begin(
    world: tuple[Series, Given, Any],
    other: tuple[Series, Given, Any],
    edge: int,
    sides: Sides,
) -> None:
    series, found, ceased = world
    count = len(series)
    later = {
        name: np.resize(getattr(other[1], name), count)
        for name in ("enter_long", "enter_short", "leave_long", "leave_short")
    }
    parts = [
        Part(0, turned(found, sides)),
        Part(min(edge, count - 1), turned(replace(found, **later), sides)),
    ]
    quick = fold(Columns(series, parts, ceased, sides))
    assert [exact_trade(series, one) for one in quick] == by_bar(
        series, parts, ceased, sides, "stop_first"
    )


CROSS = """
LOOKBACK = 8
SIDES = "{sides}"
PARAMETERS = {{"fast": {{"type": "int", "default": 3, "min": 2, "max": 5}}}}

def execute_strategy(market_data, strategy_params):
    closes = [bar["close"] for bar in market_data["bars"]]
    fast = sum(closes[-strategy_params["fast"]:]) / strategy_params["fast"]
    slow = sum(closes) / len(closes)
    if fast > slow:
        levels = {{"stop_loss": closes[-1] * 0.97, "horizon_bars": 9}}
        return {{"action": "buy", "metadata": levels}}
    levels = {{"stop_loss": closes[-1] * 1.03, "horizon_bars": 9}}
    return {{"action": "sell", "metadata": levels}}
"""


def cross(series: Series, parameters: Any) -> Given:
    """The same in columns."""
    closes = series.close.tolist()
    up, asked = np.zeros(len(closes), np.bool_), np.arange(len(closes)) >= 7
    fast = parameters["fast"]
    for row in range(7, len(closes)):
        window = closes[row - 7 : row + 1]
        up[row] = sum(window[-fast:]) / fast > sum(window) / 8
    down = asked & ~up
    return replace(
        answers(
            series,
            enter_long=np.flatnonzero(up), leave_long=np.flatnonzero(down),
            enter_short=np.flatnonzero(down), leave_short=np.flatnonzero(up),
            horizon_bars=9,
        ),
        stop_long=series.close * 0.97,
        stop_short=series.close * 1.03,
    )  # fmt: skip


@pytest.mark.parametrize("sides", ["long", "short", "both"])
def test_code_and_columns_come_to_the_same_trades_over_several_stretches(sides: Sides) -> None:
    history = history_of(
        series_of(walk_bars(160, 1), "AAA"),
        series_of(walk_bars(90, 2), "BBB"),
        series_of(walk_bars(60, 3), "CCC", days=range(START + 90, START + 150)),
    )
    plan = [
        Stretch(START + 20, {"fast": 3}),
        Stretch(START + 70, {"fast": 2}),
        Stretch(START + 120, {"fast": 5}),
    ]
    executor = PlainExecutor()
    by_code = Code(executor, CROSS.format(sides=sides), sides).trades(history, plan)
    in_columns = Columnar(cross, sides).trades(history, plan)
    assert executor.opened == 3
    assert len(by_code) > 15
    assert [replace(trade, reason="", exit_reason="") for trade in by_code] == [
        replace(trade, reason="", exit_reason="") for trade in in_columns
    ]
    assert any(trade.delisted for trade in by_code)


def test_prices_of_many_digits_and_splits_are_folded_in_decimals() -> None:
    # As doubles the low touches the stop; in the file's digits it does not.
    rows = flat_bars("100", "100", "100")
    rows[2] = bar("100", "100", "90.00000000000000001", "100")
    series = series_of(rows)
    assert not series.is_plain
    history = history_of(series)
    strategy = Columnar(lambda shown, _: answers(shown, enter_long=[0], stop_long=90.0), "long")
    (trade,) = strategy.trades(history, [Stretch(START, {})])
    assert trade.outcome == "open"


def test_what_a_curve_says_is_what_the_trades_earned() -> None:
    series = series_of(walk_bars(300, 4))
    strategy = Columnar(cross, "both")
    trades = strategy.trades(history_of(series), [Stretch(START, {"fast": 3})])
    net = earned_by_bar(series, trips_of(trades), 0.001).sum()
    expected, stake = 0.0, 1.0
    for trade in trades:
        if trade.outcome == "void":
            continue
        assert trade.exit_price is not None
        way = float(trade.exit_price / trade.entry_price)
        fees = 0.001 + (0.001 * way if trade.is_closed else 0.0)
        expected += stake * (trade.direction * (way - 1) - fees)
        stake *= 1 + trade.direction * (way - 1)
    assert net == pytest.approx(expected)
    quick = strategy.trips(history_of(series), Stretch(START, {"fast": 3}))["AAA"]
    assert earned_by_bar(series, quick, 0.001).sum() == pytest.approx(net)

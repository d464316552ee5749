"""What a list of trades amounts to."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.performance.sums.sums import sqn_of_sums
from trackrecord.performance.trades.many_trades import Trade, Trades
from trackrecord.performance.trades.summary import longest_run, summarise

pnls = st.lists(st.integers(-500, 500), min_size=1, max_size=30)


def earning(pnl: object, exit_time: int | None = None) -> Trade:
    return Trade("LONG", D(1), D(1000), D(1000) + D(str(pnl)), exit_time=exit_time)


def numbers(listed: list[Trade], equity: D | None = None) -> dict[str, Any]:
    return summarise(Trades.of(listed), starting_equity=equity).values


@settings(deadline=None)
@given(pnls)
def test_sums_means_and_ratios_are_those_of_the_list(values: list[int]) -> None:
    found = numbers([earning(value) for value in values])
    wins, losses = [v for v in values if v > 0], [v for v in values if v < 0]
    assert (found["wins"], found["losses"]) == (len(wins), len(losses))
    assert found["breakevens"] == len(values) - len(wins) - len(losses)
    assert found["total_pnl"] == sum(values)
    assert float(found["average_pnl"]) == pytest.approx(statistics.mean(values))
    assert (found["best_pnl"], found["worst_pnl"]) == (max(values), min(values))
    if losses:
        assert found["profit_factor"] == pytest.approx(sum(wins) / -sum(losses))
    else:
        assert found["profit_factor"] is None
    if len(set(values)) > 1:
        expected = math.sqrt(len(values)) * statistics.mean(values) / statistics.stdev(values)
        assert found["sqn"] == pytest.approx(expected)
        squares = D(sum(v * v for v in values))
        again = sqn_of_sums(len(values), D(sum(values)), squares)
        assert again.value == pytest.approx(expected, abs=1e-12)
    else:
        assert found["sqn"] is None


@settings(deadline=None)
@given(pnls)
def test_the_deepest_fall_is_found_in_the_order_of_closing(values: list[int]) -> None:
    curve = [100_000]
    for value in values:
        curve.append(curve[-1] + value)
    falls = [max(curve[: place + 1]) - level for place, level in enumerate(curve)]
    shares = [level / max(curve[: place + 1]) - 1 for place, level in enumerate(curve)]
    shuffled = [earning(value, exit_time=place) for place, value in enumerate(values)]
    shuffled.reverse()
    found = numbers(shuffled, D(100_000))
    assert found["max_drawdown_abs"] == max(falls)
    assert found["max_drawdown"] == pytest.approx(min(shares))


def test_trades_that_close_at_one_instant_are_summed_first() -> None:
    together = [earning(-50, 1), earning(60, 1)]
    assert numbers(together, D(100))["max_drawdown"] == 0
    apart = [earning(-50, 1), earning(60, 2)]
    assert numbers(apart, D(100))["max_drawdown"] == -0.5


@settings(deadline=None)
@given(pnls, st.randoms(use_true_random=False))
def test_nothing_but_runs_depends_on_the_order_given(values: list[int], chance: Any) -> None:
    listed = [earning(value, exit_time=place) for place, value in enumerate(values)]
    mixed = list(listed)
    chance.shuffle(mixed)
    one, other = numbers(listed, D(10**6)), numbers(mixed, D(10**6))
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, float):
            assert other[name] == pytest.approx(value, rel=1e-12), name
        else:
            assert other[name] == value, name


def test_undefined_numbers_say_why() -> None:
    nothing = summarise(Trades.of([]))
    assert nothing.values["closed"] == 0
    assert set(nothing.reasons.values()) == {"no_data"}
    assert {name for name, value in nothing.values.items() if value is None} == set(nothing.reasons)
    won = summarise(Trades.of([earning(5)])).reasons
    assert won["profit_factor"] == won["expectancy_ratio"] == won["average_loss"] == "no_losses"
    assert won["sqn"] == "too_few"
    assert won["max_drawdown"] == "no_starting_equity"
    assert summarise(Trades.of([earning(-5)])).reasons["average_win"] == "no_wins"


def test_a_short_without_a_cost_basis_counts_by_its_pnl_and_has_no_return() -> None:
    trade = Trade("SHORT", D(1), D(10), D(5), entry_fee=D(10))
    found = summarise(Trades.of([trade]))
    assert found.values["losses"] == 1
    assert found.values["average_return"] is None
    assert found.reasons["average_return"] == "no_cost_basis"


def test_equity_to_start_with_is_above_nothing() -> None:
    with pytest.raises(ValueError, match="starting_equity is above 0"):
        summarise(Trades.of([earning(1)]), starting_equity=D(0))


def test_runs() -> None:
    assert longest_run(np.array([True, True, False, True])) == 2
    assert longest_run(np.array([], dtype=np.bool_)) == 0


def test_holding_time_is_in_seconds() -> None:
    trade = replace(earning(1), entry_time=0, exit_time=90_000_000)
    assert numbers([trade])["average_holding_seconds"] == 90

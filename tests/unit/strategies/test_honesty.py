"""What backtests elsewhere got wrong: each case by what this one does on input of its own."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from tests.support.strategy_worlds import (
    START,
    Given,
    bar,
    flat_bars,
    history_of,
    series_of,
    walk_bars,
)
from tests.support.strategy_worlds import given as answers
from trackrecord.strategies.answers import Columnar
from trackrecord.strategies.backtest import Backtest, Settings, backtest
from trackrecord.strategies.drive import Stretch
from trackrecord.strategies.history import History, Series
from trackrecord.strategies.record import record_of
from trackrecord.strategies.report import report_of
from trackrecord.strategies.source import Parameter
from trackrecord.strategies.trades import COST, Trade
from trackrecord.strategies.verdict import judge
from trackrecord.strategies.walk import Search


def flips(series: Series, parameters: Any) -> Given:
    """Enters at random and leaves at random, three bars later in the mean."""
    rng = np.random.default_rng(int(parameters.get("seed", 7)))
    draws = rng.random((2, 10_000))[:, : len(series)]
    return answers(
        series,
        enter_long=np.flatnonzero(draws[0] < 0.5),
        leave_long=np.flatnonzero(draws[1] < 0.3),
    )


def trades_of(history: History, answering: Any = flips, sides: Any = "long") -> list[Trade]:
    return Columnar(answering, sides).trades(history, [Stretch(START, {})])


def judged(history: History, answering: Any = flips, tries: int = 1, **settings: Any) -> Backtest:
    settings.setdefault("resamples", 0)
    return backtest(
        Columnar(answering, "long"), history, {}, {}, lambda _: tries, Settings(**settings)
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


# -- 1, 2: what is decided at a close is entered at the next open, never at a price that was known


def test_every_entry_is_after_its_decision_and_at_that_bars_open() -> None:
    history = history_of(series_of(walk_bars(300, 1), "AAA"), series_of(walk_bars(300, 2), "BBB"))
    report = report_of(judged(history))
    assert len(report["trades"]) > 50
    for trade in report["trades"]:
        assert at(trade["entry_time"]) >= at(trade["decided_at"])
    for each in trades_of(history):
        assert each.entry_price == history.series[each.symbol].exact(each.entry_row).open


def test_a_rule_that_is_true_on_a_bar_that_rises_by_a_tenth_earns_nothing_of_it() -> None:
    rows = flat_bars(*[100] * 5)
    rows[2] = bar(100, 110, 100, 110)
    rows[3] = rows[4] = bar(110, 110, 110, 110)

    def after_a_rise(series: Series, _: Any) -> Given:
        return answers(series, enter_long=np.flatnonzero(series.close > 1.05 * series.open))

    (trade,) = trades_of(history_of(series_of(rows)), after_a_rise)
    assert (trade.entry_row, trade.entry_price, trade.exit_price) == (3, 110, 110)


# -- 12, 13, 14: costs and money


def test_coin_flips_on_noise_lose_what_two_fills_cost() -> None:
    history = history_of(*(series_of(walk_bars(1_500, seed), f"S{seed}") for seed in range(6)))
    record = record_of(history, trades_of(history), START)
    returns = record.account.earned.returns
    assert len(returns) > 1_000
    expected = -2 * float(COST)
    assert expected < 0
    error = returns.std(ddof=1) / math.sqrt(len(returns))
    assert abs(returns.mean() - expected) < 3 * error


def test_a_doubled_cost_takes_exactly_the_extra_cost_of_every_fill() -> None:
    history = history_of(series_of(walk_bars(400, 3), "AAA"), series_of(walk_bars(400, 4), "BBB"))
    trades = trades_of(history)
    records = {
        cost: record_of(history, trades, START, cost=Decimal(cost)).account
        for cost in ("0", "0.001", "0.002")
    }
    gross = records["0"].earned.gross.total()
    assert records["0"].earned.net.total() == gross
    changed_hands = sum(
        (
            quantity * (trade.entry_price + (trade.exit_price or 0))
            for trade, quantity in zip(records["0"].trades, records["0"].quantities, strict=True)
            if trade.is_closed
        ),
        Decimal(0),
    )
    assert changed_hands > 0
    for cost, account in records.items():
        assert account.earned.gross.total() == gross
        assert account.earned.net.total() == gross - Decimal(cost) * changed_hands


def test_the_equity_changes_by_the_sum_of_what_trades_earned_exactly() -> None:
    history = history_of(series_of(walk_bars(400, 5)))
    found = judged(history)
    report = report_of(found)
    assert any(trade["outcome"] == "open" for trade in report["trades"]) or found.outside
    earned = sum((Decimal(trade["pnl"]) for trade in report["trades"] if trade["pnl"]), Decimal(0))
    change = Decimal(report["equity_end"]) - Decimal(report["capital"])
    assert change == earned + Decimal(report["open_pnl"])
    assert report["equity"]["net"][-1] == pytest.approx(float(report["equity_end"]), abs=0.01)


def test_who_never_wins_gains_nothing() -> None:
    # Every bar falls; longs lose, in the trades and in the curve.
    prices = [Decimal(200) - Decimal(place) / 4 for place in range(400)]
    rows = [bar(price, price, price - Decimal("0.25"), price - Decimal("0.25")) for price in prices]
    record = record_of(history_of(series_of(rows)), trades_of(history_of(series_of(rows))), START)
    assert not (record.account.earned.outcome > 0).any()
    assert record.account.equity < record.account.capital
    assert record.curve.returns.sum() < 0


# -- 15, 16: symbols that end, splits


def test_a_symbol_that_ends_expires_at_its_last_close_and_counts() -> None:
    history = history_of(
        series_of(walk_bars(400, 6), "LIVES"), series_of(flat_bars(*[50] * 199, 40), "DIES")
    )

    def keeps(series: Series, _: Any) -> Given:
        return answers(series, enter_long=range(len(series)))

    report = report_of(judged(history, keeps))
    (gone,) = [trade for trade in report["trades"] if trade["symbol"] == "DIES"]
    assert (gone["outcome"], gone["how"], gone["exit_price"]) == ("expired", "expiry", "40")
    assert gone["delisted"]
    assert report["counts"]["delisted"] == report["metrics"]["closed"] == 1
    assert "survivors" not in report["labels"]


def test_a_list_that_somebody_chose_is_called_so() -> None:
    found = judged(history_of(series_of(walk_bars(300, 8))))
    assert report_of(found)["labels"] == ["hand-picked", "survivors"]
    assert report_of(found, universe="all shares of an index")["labels"] == ["survivors"]


def test_a_split_that_is_not_adjusted_is_void_and_no_stop() -> None:
    rows = flat_bars(*[100] * 150, *[50] * 150)

    def keeps(series: Series, _: Any) -> Given:
        return answers(series, enter_long=[110], stop_long=90.0)

    report = report_of(judged(history_of(series_of(rows)), keeps))
    (trade,) = report["trades"]
    assert (trade["outcome"], trade["exit_reason"], trade["pnl"]) == ("void", "jump", None)
    assert report["counts"]["void"] == 1
    assert report["metrics"]["closed"] == 0
    # Who had held it did not lose half either.
    assert report["holding"]["total_return"] == pytest.approx(-float(COST))
    believed = judged(history_of(replace(series_of(rows), believed=True)), keeps)
    (trade,) = report_of(believed)["trades"]
    assert (trade["outcome"], trade["how"], trade["exit_price"]) == ("stop", "gap", "50")


# -- 17, 18: tries


SEEDS = {"seed": Parameter("int", 0, 0, 9_999)}


def test_the_best_of_many_tries_on_noise_is_judged_out_of_sample_alone() -> None:
    promised, kept, verdicts = [], [], []
    for world in range(4):
        history = history_of(series_of(walk_bars(700, 100 + world)))
        found = backtest(
            Columnar(flips, "long"), history, SEEDS, {}, len,
            Settings(search=Search(trials=40, seed=world), resamples=0),
        )  # fmt: skip
        assert found.judged.tries > 190
        promised += [each.in_sample_sharpe or 0.0 for each in found.windows]
        verdicts.append(found.verdict)
        # What was promised on the past is not what is judged.
        assert found.judged.sharpe is not None
        kept.append(found.judged.sharpe)
    assert np.mean(promised) > np.mean(kept) + 0.5
    assert "worth trying" not in verdicts


def test_more_tries_make_the_same_record_worth_less() -> None:
    history = history_of(series_of(walk_bars(700, 9, drift=0.002, volatility=0.01)))
    few, many = judged(history, tries=1), judged(history, tries=1_000)
    assert few.judged.sharpe == many.judged.sharpe
    assert few.judged.deflated is not None
    assert many.judged.deflated is not None
    assert many.judged.deflated < few.judged.deflated


# -- 19: code that may remember the bars


def strong() -> History:
    """Bars on which everybody who is in earns, and who stays out on Mondays as well."""
    return history_of(series_of(walk_bars(900, 10, drift=0.004, volatility=0.008)))


def in_and_out(series: Series, _: Any) -> Given:
    rows = np.arange(len(series))
    return answers(series, enter_long=rows, leave_long=rows[rows % 5 == 4])


def test_what_a_model_may_remember_is_no_evidence_yet() -> None:
    plain = judged(strong(), in_and_out)
    assert plain.verdict in {"worth trying", "worse than holding"}
    base = replace(plain.judged, holding_total=-1.0)
    assert judge(base)[0] == "worth trying"
    assert judge(replace(base, remembered=1))[0] == "no evidence yet"


def test_bars_until_its_knowledge_ends_are_marked_and_later_ones_are_not() -> None:
    history = strong()
    unknown = judged(history, in_and_out, by_model=True)
    assert unknown.judged.remembered == unknown.judged.sessions
    assert all(trade["may_be_remembered"] for trade in report_of(unknown)["trades"])
    half = START + 500
    partly = judged(history, in_and_out, by_model=True, known_until=half)
    assert 0 < partly.judged.remembered < partly.judged.sessions
    marks = [trade["may_be_remembered"] for trade in report_of(partly)["trades"]]
    assert True in marks
    assert False in marks
    after = judged(history, in_and_out, by_model=True, known_until=START + 10)
    assert after.judged.remembered == 0
    assert after.verdict == judged(history, in_and_out).verdict


# -- 22: what was decided stays


def test_bars_that_come_later_change_no_trade_that_has_ended() -> None:
    rows = walk_bars(300, 11)
    whole = trades_of(history_of(series_of(rows)))
    for count in (50, 120, 250):
        part = trades_of(history_of(series_of(rows[:count])))
        ended = [trade for trade in part if trade.outcome != "open"]
        assert ended == whole[: len(ended)]
        assert len(part) - len(ended) <= 1


# -- 23: too little


def test_few_trades_are_too_few_to_tell_and_both_samples_are_shown() -> None:
    def seldom(series: Series, _: Any) -> Given:
        rows = np.arange(len(series))
        return answers(series, enter_long=rows[rows % 20 == 0], horizon_bars=3)

    found = judged(history_of(series_of(walk_bars(500, 12))), seldom)
    assert found.judged.closed < 30
    assert found.verdict == "too few to tell"
    report = report_of(found)
    assert report["in_sample"]["closed"] > 0
    assert report["out_of_sample"]["closed"] == found.judged.closed
    short = judged(history_of(series_of(walk_bars(250, 13))))
    assert short.judged.closed >= 30
    assert short.verdict == "too few to tell"

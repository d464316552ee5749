"""Records from sums per day: the same for any order and any split, and the same as from trades."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from decimal import Decimal as D
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.performance.exact_columns import Column
from trackrecord.performance.returns import drawdown, sharpe, statistics
from trackrecord.performance.sums import days as d
from trackrecord.performance.sums.days import Day, DayTable
from trackrecord.performance.sums.many_series import FLAT_COLUMNS, Measured, series_numbers
from trackrecord.performance.sums.records import (
    measured_of,
    periods_per_year,
    records,
    series_of,
)
from trackrecord.performance.trades.by_day import day_table, summarise_days
from trackrecord.performance.trades.many_trades import Trade, Trades, close
from trackrecord.performance.trades.summary import summarise
from trackrecord.times import DAY, day_number

MONDAY = date(2026, 3, 2)
START = day_number(MONDAY)

trades = st.builds(
    lambda side, price, rate, start, held: Trade(
        side, D(7), D(100), D(price) / 100, exit_fee_rate=D(rate) / 10_000,
        entry_time=(START + start) * DAY, exit_time=(START + start + held) * DAY + 5,
    ),
    st.sampled_from(["LONG", "SHORT"]),
    st.integers(9000, 11000),
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 6),
)  # fmt: skip
lists = st.lists(trades, min_size=1, max_size=12)


def test_a_row_has_a_field_for_every_sum() -> None:
    assert tuple(field.name for field in fields(Day))[2:] == d.COUNTS + d.MONEY


def rows_of(listed: list[Trade], strategy: str) -> list[Day]:
    """A row per entry and per close, as consumers would add them up."""
    if not listed:
        return []
    columns = Trades.of(listed)
    table = day_table(columns, close(columns))
    counts = {name: values.tolist() for name, values in table.counts.items()}
    money = {name: column.decimals() for name, column in table.money.items()}
    return [
        Day(
            strategy,
            date.fromordinal(date(1970, 1, 1).toordinal() + int(day)),
            **{name: values[place] for name, values in (counts | money).items()},
        )
        for place, day in enumerate(table.day.tolist())
    ]


def merged(rows: list[Day]) -> list[Day]:
    """What one consumer keeps: a row per strategy and day."""
    sums: dict[tuple[str, date], dict[str, Any]] = {}
    for row in rows:
        kept = sums.setdefault((row.strategy, row.day), {})
        for name in d.COUNTS + d.MONEY:
            kept[name] = kept.get(name, 0) + getattr(row, name)
    return [Day(*key, **values) for key, values in sums.items()]


@settings(deadline=None)
@given(
    lists,
    lists,
    st.lists(st.integers(0, 2), min_size=48, max_size=48),
    st.randoms(use_true_random=False),
    st.sampled_from([None, D(5000)]),
)
def test_any_order_and_any_split_give_the_same_numbers(
    one: list[Trade], two: list[Trade], consumers: list[int], chance: Any, capital: D | None
) -> None:
    rows = rows_of(one, "a") + rows_of(two, "b")
    as_of = max(row.day for row in rows)

    def report(given_rows: list[Day]) -> Any:
        names, table = DayTable.of(given_rows)
        assert names == ["a", "b"]
        return records(table, 2, as_of, capital=[capital, None])

    split: list[Day] = []
    for consumer in range(3):
        own = (
            [row for row, at in zip(rows, consumers, strict=True) if at == consumer]
            if (len(rows) == len(consumers))
            else rows[consumer::3]
        )
        split += merged(own)
    chance.shuffle(split)
    assert report(split) == report(rows)


@settings(deadline=None)
@given(lists, lists)
def test_a_strategy_has_the_same_numbers_alone_and_among_others(
    one: list[Trade], two: list[Trade]
) -> None:
    rows = rows_of(one, "a")
    both = rows + rows_of(two, "b")
    as_of = max(row.day for row in both)
    alone = records(DayTable.of(rows)[1], 1, as_of, capital=[D(5000)])[0].values
    among = records(DayTable.of(both)[1], 2, as_of, capital=[D(5000), D(100)])[0].values
    # How many were tried is not the strategy's own.
    for name in alone.keys() - {"deflated_sharpe_ratio", "trials"}:
        assert among[name] == alone[name], name


@settings(deadline=None)
@given(lists)
def test_sums_per_day_give_what_the_trades_give(listed: list[Trade]) -> None:
    columns = Trades.of(listed)
    closed = close(columns)
    rows = rows_of(listed, "a")
    as_of = max(row.day for row in rows)
    found = records(DayTable.of(rows)[1], 1, as_of, capital=[D(5000)])[0]
    from_trades = summarise(columns, closed, D(5000))
    by_days = summarise_days(columns, closed, D(5000), as_of=as_of)
    for source in (from_trades, by_days):
        for name in found.values.keys() & source.values.keys() - {
            "deflated_sharpe_ratio", "trials", "total_return",
            "sharpe_interval", "mean_return_interval",  # in seven digits: test_many_intervals
        }:  # fmt: skip
            expected = source.values[name]
            if isinstance(expected, float):
                assert found.values[name] == pytest.approx(expected, rel=1e-7, abs=1e-9), name
            else:
                assert found.values[name] == expected, name


def day(number: int, pnl: str, strategy: str = "a", **more: Any) -> Day:
    return Day(
        strategy, date.fromordinal(MONDAY.toordinal() + number), exits=1, closed=1,
        realised_pnl=D(pnl), total_pnl=D(pnl), sum_return=D(pnl) / 1000, **more,
    )  # fmt: skip


def series(rows: list[Day], as_of: int, capital: D | None, sessions: Any) -> list[float]:
    last = date.fromordinal(MONDAY.toordinal() + as_of)
    found = d.daily_returns(DayTable.of(rows)[1], last, [capital], sessions)
    return [float(value) for value in found.series(0)]


def test_days_on_which_nothing_closed_count_as_nothing_earned() -> None:
    rows = [Day("a", MONDAY, signals=2), day(2, "10"), day(4, "11")]
    assert series(rows, 7, D(100), "weekdays") == [0, 0, 0.1, 0, 0.1, 0]
    assert series(rows, 7, D(100), "every_day") == [0, 0, 0.1, 0, 0.1, 0, 0, 0]


def test_without_capital_a_return_is_the_mean_of_the_trades_of_the_day() -> None:
    rows = [Day("a", MONDAY, signals=2), day(1, "10"), day(1, "30")]
    assert series(rows, 1, None, "weekdays") == [0, 0.02]
    found = records(DayTable.of(rows)[1], 1, date(2026, 3, 3))[0]
    assert found.values["basis"] == "mean_trade_return"
    assert found.reasons["cagr"] == found.reasons["max_drawdown_daily"] == "no_capital"
    assert (found.values["sharpe"], found.reasons["sharpe"]) == (None, "too_few")
    assert found.values["sortino"] is None
    enough = [Day("a", MONDAY, signals=10), *(day(n % 5, str(10 + n)) for n in range(10))]
    assert records(DayTable.of(enough)[1], 1, date(2026, 3, 8))[0].values["sharpe"] is not None


@pytest.mark.parametrize(
    ("sessions", "trades", "few"), [(5, 10, False), (4, 10, True), (5, 9, True), (1, 1, True)]
)
def test_few_trades_are_not_told_from_luck(sessions: int, trades: int, few: bool) -> None:
    rows = [Day("a", MONDAY, signals=trades)]
    rows += [day(n % sessions, str(100 + n % 7)) for n in range(trades)]
    found = records(DayTable.of(rows)[1], 1, date(2026, 6, 1), capital=[D(1000)])[0]
    names = ("sharpe", "sharpe_interval", "probabilistic_sharpe_ratio", "deflated_sharpe_ratio",
             "minimum_track_record_length")  # fmt: skip
    for name in names:
        assert (found.values[name] is None) == few, name
        assert (found.reasons.get(name) == "too_few") == few, name
    assert found.values["too_few_to_tell"] or not few
    assert found.values["total_return"] is not None


def test_what_is_too_few_lends_no_spread_to_the_luck_of_others() -> None:
    def rows(strategy: str, trades: int, scale: int) -> list[Day]:
        entries = Day(strategy, MONDAY, signals=trades)
        return [entries, *(
            day(n % 9, str((n % 5 - 1) * scale), strategy=strategy) for n in range(trades)
        )]  # fmt: skip

    both = [*rows("a", 20, 3), *rows("b", 18, 5)]
    few = [*both, *rows("c", 2, 9)]
    alone = records(DayTable.of(both)[1], 2, date(2026, 6, 1), trials=3)
    beside = records(DayTable.of(few)[1], 3, date(2026, 6, 1), trials=3)
    assert beside[2].values["sharpe"] is None
    for left, right in zip(alone, beside[:2], strict=True):
        name = "deflated_sharpe_ratio"
        assert left.values[name] == right.values[name]
        assert left.values[name] is not None


def test_what_closes_at_the_weekend_counts_in_the_session_after_it() -> None:
    saturday, sunday, monday = day(5, "10"), day(6, "10"), day(7, "22")
    assert series([saturday, sunday, monday], 7, D(100), "weekdays") == [pytest.approx(0.42)]
    friday = Day("a", date(2026, 3, 6), signals=1)
    assert series([friday, saturday], 5, D(100), "weekdays") == [0, pytest.approx(0.1)]
    assert series([friday], 6, D(100), "weekdays") == [0]


def test_what_comes_after_as_of_does_not_count() -> None:
    rows = [day(0, "10"), day(3, "-50")]
    found = records(DayTable.of(rows)[1], 1, date(2026, 3, 3), capital=[D(100)])[0].values
    assert found["closed"] == 1
    assert found["sessions"] == 2
    assert found["total_pnl"] == 10


def test_returns_end_where_equity_is_gone() -> None:
    rows = [day(0, "-100"), day(1, "10")]
    found = records(DayTable.of(rows)[1], 1, date(2026, 3, 3), capital=[D(100)])[0]
    assert found.values["sharpe"] is None
    assert found.reasons["sharpe"] == found.reasons["cagr"] == "equity_gone"


def test_a_strategy_without_rows_has_no_data() -> None:
    empty = DayTable.of([])[1]
    found = records(empty, 1, MONDAY, capital=[D(1)])[0]
    assert found.values["closed"] == 0
    assert set(found.reasons.values()) == {"no_data"}


def test_many_series_measure_as_each_does_alone() -> None:
    draws = np.random.default_rng(9)
    strategies, sessions = 40, 90
    units = draws.integers(-(10**6), 10**6, strategies * sessions)
    table = DayTable(
        strategy=np.repeat(np.arange(strategies), sessions),
        day=np.tile(np.arange(sessions) + START, strategies),
        counts={name: np.ones(units.size, dtype=np.int64) for name in d.COUNTS},
        money={name: Column(units, 4) for name in d.MONEY},
    )
    as_of = date.fromordinal(MONDAY.toordinal() + sessions - 1)
    capital: list[D | None] = [D(10_000)] * strategies
    found = records(table, strategies, as_of, capital=capital, sessions="every_day", trials=500)
    daily = d.daily_returns(table, as_of, capital, "every_day")
    ratios = [sharpe.period_sharpe(daily.series(place)).value or 0 for place in range(strategies)]
    luck = sharpe.expected_maximum_sharpe(500, float(np.std(ratios, ddof=1)))
    for place in range(strategies):
        own, values = daily.series(place), found[place].values
        expected = {
            "sharpe": sharpe.sharpe(own, 365),
            "sortino": sharpe.sortino(own, 365),
            "cagr": statistics.cagr(own, 365),
            "volatility": statistics.volatility(own, 365),
            "max_drawdown_daily": drawdown.max_drawdown(own),
            "calmar": drawdown.calmar(own, 365),
            "probabilistic_sharpe_ratio": sharpe.probabilistic_sharpe_ratio(own),
            "deflated_sharpe_ratio": sharpe.probabilistic_sharpe_ratio(own, luck),
            "minimum_track_record_length": sharpe.minimum_track_record_length(own),
        }
        for name, measure in expected.items():
            assert (values[name] is None) == (measure.value is None), name
            assert values[name] is None or values[name] == pytest.approx(measure.value), name


def test_capital_is_above_nothing() -> None:
    with pytest.raises(ValueError, match="capital is above 0"):
        records(DayTable.of([day(0, "1")])[1], 1, MONDAY, capital=[D(0)])


@settings(deadline=None)
@given(lists, lists, st.sampled_from([None, D(5000), D(50)]))
def test_measures_that_are_kept_give_the_same_numbers_to_the_last_bit(
    left: list[Trade], right: list[Trade], capital: D | None
) -> None:
    _, table = DayTable.of([*rows_of(left, "left"), *rows_of(right, "right")])
    last = date(2026, 5, 1)
    amounts = [capital, None]
    direct = series_of(table, 2, last, capital=amounts)
    measured = measured_of(table, 2, last, capital=amounts)
    flat = np.array([[float(repr(value)) for value in row] for row in measured.flat().tolist()])
    assert flat.shape == (2, FLAT_COLUMNS)
    kept = series_numbers(Measured.of_flat(flat), periods_per_year("weekdays", 2))
    assert list(kept.rows()) == list(direct.rows())
    # One of them alone is measured the same, so that each may be kept apart.
    alone = measured_of(table.where(table.strategy == 0), 1, last, capital=amounts[:1]).flat()
    assert alone.tobytes() == measured.flat()[:1].tobytes()

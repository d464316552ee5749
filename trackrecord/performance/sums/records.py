"""Records of many strategies from sums per day: every number, without the trades.

The sums are exact (:mod:`trackrecord.performance.sums.days`), and series are measured
in the order of time (:mod:`trackrecord.performance.sums.many_series`), so the same
trades give the same numbers to the last bit, in whatever order they came and over
however many consumers they were split.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import numpy as np

from trackrecord.performance.exact_columns import Column
from trackrecord.performance.measure import FloatArray, Numbers
from trackrecord.performance.sums.days import (
    COUNTS,
    PERIODS,
    DayTable,
    Sessions,
    Whole,
    never_closes,
    returns_of_sessions,
    session_rows,
    spans,
)
from trackrecord.performance.sums.many_series import (
    Measured,
    SeriesNumbers,
    measure,
    series_numbers,
)
from trackrecord.performance.sums.sums import Sums, numbers_of_sums
from trackrecord.times import day_number

_CELLS: Final = 20_000_000
"""Returns held in memory at once: one record of centuries must not lengthen all others."""


def records(
    table: DayTable,
    strategies: int,
    as_of: date,
    *,
    capital: Sequence[Decimal | None] | None = None,
    sessions: Sessions | Sequence[Sessions] = "weekdays",
    risk_free: float = 0.0,
    benchmark_sharpe: float = 0.0,
    trials: int | None = None,
) -> list[Numbers]:
    """The record of each strategy.

    What :func:`~trackrecord.performance.sums.sums.numbers_of_sums` gives, and of the daily
    returns what :func:`~trackrecord.performance.sums.many_series.series_numbers` gives.
    Definitions: docs/numbers.md.

    Args:
        table: Rows of sums; those after ``as_of`` do not count. Without the column
            ``pnl_squares`` there is no ``sqn``.
        strategies: How many; indices in the table are below this.
        as_of: The last day.
        capital: Per strategy; None where unknown.
        sessions: See :func:`~trackrecord.performance.sums.days.daily_returns`.
        risk_free: Per session.
        benchmark_sharpe: Per session.
        trials: How many strategies were tried, retired and rejected ones too; at least
            those of the table, which is the default.

    Returns:
        One record per strategy, by index.

    Raises:
        ValueError: A capital is not above 0.
    """
    table = table.until(day_number(as_of))
    series = series_of(
        table,
        strategies,
        as_of,
        capital=capital,
        sessions=sessions,
        risk_free=risk_free,
        benchmark_sharpe=benchmark_sharpe,
        trials=trials,
    )
    found = with_series(_sums(table, strategies), series)
    if "pnl_squares" not in table.money:
        for numbers in found:
            numbers.values.pop("sqn")
            numbers.reasons.pop("sqn", None)
    return found


def with_series(sums: Sequence[Sums], series: SeriesNumbers) -> list[Numbers]:
    """Records from the sums of each strategy and the numbers of its daily returns."""
    found = []
    for own, (values, reasons) in zip(sums, series.rows(), strict=True):
        numbers = numbers_of_sums(own)
        found.append(Numbers(numbers.values | values, numbers.reasons | reasons))
    return found


def series_of(
    table: DayTable,
    strategies: int,
    as_of: date,
    *,
    capital: Sequence[Decimal | None] | None = None,
    sessions: Sessions | Sequence[Sessions] = "weekdays",
    risk_free: float = 0.0,
    benchmark_sharpe: float = 0.0,
    trials: int | None = None,
) -> SeriesNumbers:
    """The numbers of the daily returns of each strategy; arguments as of :func:`records`.

    Of the table it needs the counts ``closed`` and, where there are any, ``without_return``,
    and ``realised_pnl`` and ``sum_return``.

    Raises:
        ValueError: A capital is not above 0, or lengths differ.
    """
    measured = measured_of(
        table, strategies, as_of, capital=capital, sessions=sessions, risk_free=risk_free
    )
    return series_numbers(
        measured,
        periods_per_year(sessions, strategies),
        risk_free=risk_free,
        benchmark_sharpe=benchmark_sharpe,
        trials=trials,
    )


def periods_per_year(sessions: Sessions | Sequence[Sessions], strategies: int) -> FloatArray:
    """Sessions of a year for each strategy, shape (s,)."""
    every_day = never_closes(sessions, strategies)
    return np.where(every_day, PERIODS["every_day"], PERIODS["weekdays"])


def measured_of(
    table: DayTable,
    strategies: int,
    as_of: date,
    *,
    capital: Sequence[Decimal | None] | None = None,
    sessions: Sessions | Sequence[Sessions] = "weekdays",
    risk_free: float = 0.0,
) -> Measured:
    """What the numbers of daily returns are made of; arguments as of :func:`series_of`.

    A strategy's are the same whichever others are measured beside it.

    Raises:
        ValueError: A capital is not above 0, or lengths differ.
    """
    known: Sequence[Decimal | None] = [None] * strategies if capital is None else capital
    every_day = never_closes(sessions, strategies)
    rows = session_rows(table.until(day_number(as_of)), every_day)
    _, lengths = spans(rows, as_of, every_day)
    blocks = [
        measure(
            returns_of_sessions(
                _only(rows, chosen, strategies),
                as_of,
                [known[i] for i in chosen],
                every_day[chosen],
            ),
            risk_free,
        )
        for chosen in _blocks(lengths)
    ]
    order = np.concatenate([np.zeros(0, dtype=np.int64), *_blocks(lengths)])
    return Measured.join(blocks, order)


def _blocks(lengths: Whole) -> Iterator[Whole]:
    """Strategies by length, in blocks whose table of returns fits; at least one block."""
    order = np.argsort(lengths, kind="stable")
    first = 0
    while first < len(order) or not first:
        last = first + 1
        # A block is as long as its longest series, which is its last one.
        while last < len(order) and (last + 1 - first) * lengths[order[last]] <= _CELLS:
            last += 1
        yield order[first:last]
        first = last


def _only(rows: DayTable, chosen: Whole, strategies: int) -> DayTable:
    """The rows of some strategies, numbered in the order of ``chosen``."""
    if len(chosen) == strategies and (chosen == np.arange(strategies)).all():
        return rows
    place = np.full(strategies, -1, dtype=np.int64)
    place[chosen] = np.arange(len(chosen))
    kept = place[rows.strategy] >= 0
    return DayTable(
        strategy=place[rows.strategy[kept]],
        day=rows.day[kept],
        counts={
            name: rows.counts[name][kept]
            for name in ("closed", "without_return")
            if name in rows.counts
        },
        money={
            name: Column(rows.money[name].units[kept], rows.money[name].places)
            for name in ("realised_pnl", "sum_return")
        },
    )


_SUMMED: Final = (
    "total_pnl", "gross_profit", "gross_loss", "realised_pnl", "fees", "carry", "sum_return",
    "pnl_squares",
)  # fmt: skip


def _sums(table: DayTable, strategies: int) -> list[Sums]:
    whole = table.merged(np.zeros(len(table), dtype=np.int64))
    names = [name for name in (*COUNTS, *_SUMMED) if name in whole.counts or name in whole.money]
    columns = [
        whole.counts[name].tolist() if name in whole.counts else whole.money[name].decimals()
        for name in names
    ]
    found = [Sums()] * strategies
    for place, *row in zip(whole.strategy.tolist(), *columns, strict=True):
        found[place] = Sums(**dict(zip(names, row, strict=True)))
    return found

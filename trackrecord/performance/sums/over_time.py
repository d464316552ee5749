"""What records came to over time, to be drawn: month by month, and as a line of a few points."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import numpy as np

from trackrecord.performance.exact_columns import Integers, bound, decimal
from trackrecord.performance.sums.days import DayTable
from trackrecord.times import date_of

POINTS: Final = 60
"""How many points a line has at most: what a small picture can show."""


@dataclass(frozen=True)
class Month:
    """What a strategy came to in one month, in one currency.

    Attributes:
        month: Its first day.
        signals: Emitted in it.
        closed: Signals that closed in full in it.
        realised_pnl: Net PnL of its exits, money.
        average_return: Of the closed signals that have a return, a fraction; None without one.
    """

    month: date
    signals: int
    closed: int
    realised_pnl: Decimal
    average_return: float | None


@dataclass(frozen=True)
class Line:
    """Cumulative realised PnL at even steps.

    Attributes:
        since: The first day of the record.
        until: The last day on which something happened.
        values: Money, at the end of each step; the last is that of ``until``.
        below_peak: How far it is below its highest, by day, at ``until``; money, at least 0. The
            record begins at 0.
        deepest: The most that it ever was below the highest before; money, at least 0.
    """

    since: date
    until: date
    values: tuple[Decimal, ...]
    below_peak: Decimal
    deepest: Decimal


def months_of(table: DayTable, strategies: int) -> list[list[Month]]:
    """The months in which something happened, of each strategy, oldest first.

    Args:
        table: Rows of sums, with the counts ``signals``, ``closed`` and ``without_return`` and
            the money ``realised_pnl`` and ``sum_return``.
        strategies: How many; indices in the table are below this.
    """
    months: list[list[Month]] = [[] for _ in range(strategies)]
    if not len(table):
        return months
    days = table.day.astype("datetime64[D]")
    merged = table.merged(days.astype("datetime64[M]").astype(np.int64))
    returns = merged.counts["closed"] - merged.counts["without_return"]
    for place, month, signals, closed, pnl, total, counted in zip(
        merged.strategy.tolist(),
        merged.day.tolist(),
        merged.counts["signals"].tolist(),
        merged.counts["closed"].tolist(),
        merged.money["realised_pnl"].decimals(),
        merged.money["sum_return"].floats().tolist(),
        returns.tolist(),
        strict=True,
    ):
        year, number = divmod(month, 12)
        first = date(1970 + year, number + 1, 1)
        average = total / counted if counted else None
        months[place].append(Month(first, signals, closed, pnl, average))
    return months


def lines_of(table: DayTable, strategies: int, points: int = POINTS) -> list[Line | None]:
    """The cumulative realised PnL of each strategy; None of one without a row.

    A record of fewer days than points has one point for each day.

    Args:
        table: Rows of sums, with the money ``realised_pnl``.
        strategies: How many; indices in the table are below this.
        points: How many points at most, above 0.
    """
    lines: list[Line | None] = [None] * strategies
    if not len(table):
        return lines
    daily = table.merged(table.day)
    money = daily.money["realised_pnl"]
    starts = np.flatnonzero(np.diff(daily.strategy, prepend=-1))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(daily)], strict=True):
        days, changes = daily.day[start:end], money.units[start:end]
        total = _cumulative(changes)
        peak = np.maximum.accumulate(np.maximum(total, 0))
        fallen = peak - total
        first, last = int(days[0]), int(days[-1])
        count = min(last - first + 1, points)
        # The last day of each step, and how many rows there are up to it.
        steps = first - 1 + -(-np.arange(1, count + 1) * (last - first + 1) // count)
        rows = np.searchsorted(days, steps, side="right") - 1
        lines[int(daily.strategy[start])] = Line(
            since=date_of(first),
            until=date_of(last),
            values=tuple(decimal(int(each), money.places) for each in total[rows].tolist()),
            below_peak=decimal(int(fallen[-1]), money.places),
            deepest=decimal(int(fallen.max()), money.places),
        )
    return lines


def _cumulative(changes: Integers) -> Integers:
    """Exact sums from the first on, shape (n,)."""
    exact: Integers = changes if _fits(changes) else changes.astype(object)
    return np.cumsum(exact)


def _fits(changes: Integers) -> bool:
    return changes.dtype != object and 2 * bound(changes) * len(changes) < 2**63

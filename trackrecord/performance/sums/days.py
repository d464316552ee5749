"""Sums per strategy and day, and the returns of a day that follow from them.

What consumers keep: exact sums that add up to the same in any order and any
split. Days are counted from 1970-01-01 (UTC dates unless the keeper of the sums
says otherwise); money is in one currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from trackrecord.performance.exact_columns import Column, group_sums
from trackrecord.performance.measure import FloatArray
from trackrecord.times import day_number

Sessions = Literal["weekdays", "every_day"]
PERIODS: Final[dict[str, float]] = {"weekdays": 252.0, "every_day": 365.0}
"""Sessions per year."""

COUNTS: Final = (
    "signals", "backdated", "exits", "closed", "wins", "losses", "breakevens", "without_return",
)  # fmt: skip
MONEY: Final = (
    "total_pnl", "gross_profit", "gross_loss", "realised_pnl", "fees", "carry",
    "sum_return", "pnl_squares", "return_squares",
)  # fmt: skip

Whole = npt.NDArray[np.int64]
_WEEK: Final = 7
_FRIDAY: Final = 4
_THURSDAY: Final = 3
"""The weekday of 1970-01-01, Monday being 0."""


@dataclass(frozen=True)
class Day:
    """One row of sums; any number of rows may speak of one strategy and day.

    Attributes:
        strategy: Its name.
        day: Entries count on the day of their emission, all else on that of the close.
        signals: Entries.
        backdated: Of them, those whose own time was older than the broker's.
        exits: Exits, partial ones too.
        closed: Signals closed in full; the next three are of these.
        wins: See :func:`trackrecord.performance.trades.one_trade.outcome`.
        losses: Likewise.
        breakevens: Likewise.
        without_return: Closed signals whose entry price or cost basis is not above 0.
        total_pnl: Net PnL of closed signals.
        gross_profit: Net PnL of wins.
        gross_loss: Net PnL of losses, at most 0.
        realised_pnl: Net PnL of all exits.
        fees: Of all exits.
        carry: Interest and funding of all exits.
        sum_return: Of closed signals, fractions of 18 decimals.
        pnl_squares: Squares of the net PnL of closed signals.
        return_squares: Squares of the returns of closed signals.
    """

    strategy: str
    day: date
    signals: int = 0
    backdated: int = 0
    exits: int = 0
    closed: int = 0
    wins: int = 0
    losses: int = 0
    breakevens: int = 0
    without_return: int = 0
    total_pnl: Decimal = Decimal(0)
    gross_profit: Decimal = Decimal(0)
    gross_loss: Decimal = Decimal(0)
    realised_pnl: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    carry: Decimal = Decimal(0)
    sum_return: Decimal = Decimal(0)
    pnl_squares: Decimal = Decimal(0)
    return_squares: Decimal = Decimal(0)


@dataclass(frozen=True, eq=False)
class DayTable:
    """Rows of sums as columns, each of length n, in any order.

    Attributes:
        strategy: Index into the caller's list of strategies, >= 0.
        day: Days since 1970-01-01.
        counts: By name (:data:`COUNTS`), int64.
        money: By name (:data:`MONEY`); what is missing is not summed.
    """

    strategy: Whole
    day: Whole
    counts: dict[str, Whole]
    money: dict[str, Column]

    def __len__(self) -> int:
        """How many rows."""
        return len(self.strategy)

    @staticmethod
    def of(rows: Iterable[Day]) -> tuple[list[str], DayTable]:
        """The strategies by name, sorted, and their rows."""
        listed = list(rows)
        names = sorted({row.strategy for row in listed})
        place = {name: index for index, name in enumerate(names)}
        table = DayTable(
            strategy=np.array([place[row.strategy] for row in listed], dtype=np.int64),
            day=np.array([day_number(row.day) for row in listed], dtype=np.int64),
            counts={
                name: np.array([getattr(row, name) for row in listed], dtype=np.int64)
                for name in COUNTS
            },
            money={name: Column.of(getattr(row, name) for row in listed) for name in MONEY},
        )
        return names, table

    def merged(self, groups: Whole) -> DayTable:
        """One row per strategy and group, sorted by both; exact, whatever the order was.

        Args:
            groups: What stands for the day of each row in the result, shape (n,).
        """
        if not len(self):
            return self
        low = int(groups.min())
        keys = self.strategy * (int(groups.max()) - low + 1) + (groups - low)
        # Sums are exact, so the order inside a group is of no matter.
        order = None if (keys[1:] >= keys[:-1]).all() else np.argsort(keys)
        keys = keys if order is None else keys[order]
        starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
        firsts = starts if order is None else order[starts]

        def ordered(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
            return values if order is None else values[order]

        return DayTable(
            strategy=self.strategy[firsts],
            day=groups[firsts],
            counts={
                name: np.add.reduceat(ordered(values), starts)
                for name, values in self.counts.items()
            },
            money={
                name: Column(group_sums(ordered(column.units), starts), column.places)
                for name, column in self.money.items()
            },
        )

    def until(self, day: int) -> DayTable:
        """The rows of days up to and with ``day``."""
        return self.where(self.day <= day)

    def where(self, kept: npt.NDArray[np.bool_]) -> DayTable:
        """The rows where ``kept`` is true, shape (n,)."""
        if kept.all():
            return self
        return DayTable(
            strategy=self.strategy[kept],
            day=self.day[kept],
            counts={name: values[kept] for name, values in self.counts.items()},
            money={
                name: Column(column.units[kept], column.places)
                for name, column in self.money.items()
            },
        )


@dataclass(frozen=True, eq=False)
class DailyReturns:
    """Returns of every session from a strategy's first entry to as-of.

    Columns are strategies; row t is the t-th session after the first entry.

    Attributes:
        values: Fractions, 0 beyond a strategy's sessions; shape (t, s).
        sessions: How many sessions each strategy has, shape (s,).
        capital: Where its capital is known; else a return is the mean trade return
            of the day; shape (s,).
        ruined: Where equity fell to 0 or below, so that returns end; shape (s,).
        unknown: Where the returns are those of trades, and one of them has none; shape (s,).
        closed: Signals that closed in full, shape (s,).
        active: Sessions in which one did, shape (s,).
    """

    values: FloatArray
    sessions: Whole
    capital: npt.NDArray[np.bool_]
    ruined: npt.NDArray[np.bool_]
    unknown: npt.NDArray[np.bool_]
    closed: Whole
    active: Whole

    def series(self, strategy: int) -> FloatArray:
        """The returns of one strategy, shape (its sessions,)."""
        column: FloatArray = self.values[: self.sessions[strategy], strategy]
        return column


def never_closes(sessions: Sessions | Sequence[Sessions], strategies: int) -> npt.NDArray[np.bool_]:
    """Whether every day is a session, for each strategy, shape (s,).

    Raises:
        ValueError: There is not one entry per strategy.
    """
    if isinstance(sessions, str):
        return np.full(strategies, sessions == "every_day")
    if len(sessions) != strategies:
        raise ValueError(f"{len(sessions)} kinds of sessions for {strategies} strategies")
    return np.array([each == "every_day" for each in sessions], dtype=np.bool_)


def session_number(days: Whole, every_day: npt.NDArray[np.bool_]) -> Whole:
    """The number of the session that each day is, or that follows it; consecutive.

    What closes while the market rests counts in the next session.

    Args:
        days: Since 1970-01-01, shape (n,).
        every_day: Where every day is a session, not weekdays only; shape (n,).
    """
    if every_day.all():
        return days
    weeks, weekday = np.divmod(days + _THURSDAY, _WEEK)
    numbers: Whole = weeks * (_FRIDAY + 1) + np.minimum(weekday, _FRIDAY + 1)
    return np.where(every_day, days, numbers) if every_day.any() else numbers


def session_rows(table: DayTable, every_day: npt.NDArray[np.bool_]) -> DayTable:
    """One row per strategy and session; ``every_day`` per strategy, shape (s,)."""
    return table.merged(session_number(table.day, every_day[table.strategy]))


def daily_returns(
    table: DayTable,
    as_of: date,
    capital: Sequence[Decimal | None],
    sessions: Sessions | Sequence[Sessions] = "weekdays",
) -> DailyReturns:
    """The return of every session, 0 where nothing closed.

    With capital: realised net PnL of the session / equity at its start, equity being
    capital plus all that was realised before. Without: mean return of the signals that
    closed in it and have one. The first session is that of the first entry (without entries, of the
    first row); the last is that of ``as_of``.

    Args:
        table: Rows of sums; those after ``as_of`` do not count.
        as_of: The last day.
        capital: Money above 0 per strategy, None where it is not known; shape (s,).
        sessions: Weekdays, or every day for markets that never close; of all
            strategies, or of each.

    Raises:
        ValueError: A capital is not above 0.
    """
    every_day = never_closes(sessions, len(capital))
    rows = session_rows(table.until(day_number(as_of)), every_day)
    return returns_of_sessions(rows, as_of, capital, every_day)


def returns_of_sessions(
    rows: DayTable,
    as_of: date,
    capital: Sequence[Decimal | None],
    every_day: npt.NDArray[np.bool_],
) -> DailyReturns:
    """:func:`daily_returns` of what :func:`session_rows` gives.

    Raises:
        ValueError: A capital is not above 0.
    """
    for known in capital:
        if known is not None and not known > 0:
            raise ValueError(f"capital is above 0, not {known}; leave it out where it is unknown")
    count = len(capital)
    first, length = spans(rows, as_of, every_day)
    shape = (int(length.max(initial=0)), count)
    places = (rows.day - first[rows.strategy], rows.strategy)
    known_capital = np.array([known is not None for known in capital], dtype=np.bool_)
    ruined = np.zeros(count, dtype=np.bool_)
    values = np.zeros(shape)
    unknown = np.zeros(count, dtype=np.bool_)
    returns = rows.counts["closed"]
    if "without_return" in rows.counts:
        lacking = ~known_capital[rows.strategy] & (rows.counts["without_return"] > 0)
        unknown[rows.strategy[lacking]] = True
        returns = returns - rows.counts["without_return"]
    without = ~known_capital[rows.strategy] & (returns > 0)
    if without.any():
        mean = rows.money["sum_return"].floats()[without] / returns[without]
        values[places[0][without], places[1][without]] = mean
    if known_capital.any():
        within = known_capital[rows.strategy]
        pnl = np.zeros(shape)
        pnl[places[0][within], places[1][within]] = rows.money["realised_pnl"].floats()[within]
        start = np.array([0.0 if known is None else float(known) for known in capital])
        equity = start + np.cumsum(pnl, axis=0) - pnl
        over = known_capital & (equity <= 0).any(axis=0)
        ruined |= over
        usable = known_capital & ~over
        np.divide(pnl, equity, out=values, where=usable[None, :])
        values[:, over] = 0
    closed, active = np.zeros(count, np.int64), np.zeros(count, np.int64)
    np.add.at(closed, rows.strategy, rows.counts["closed"])
    np.add.at(active, rows.strategy, rows.counts["closed"] > 0)
    return DailyReturns(
        values, length.astype(np.int64), known_capital, ruined, unknown, closed, active
    )


def spans(rows: DayTable, as_of: date, every_day: npt.NDArray[np.bool_]) -> tuple[Whole, Whole]:
    """The first session of each strategy, and how many there are up to ``as_of``, shape (s,).

    Both are 0 for a strategy without rows.
    """
    count, far = len(every_day), np.iinfo(np.int64).max
    first = np.full(count, far, dtype=np.int64)
    last = _session_before(np.full(count, day_number(as_of), dtype=np.int64), every_day)
    np.minimum.at(first, rows.strategy, rows.day)
    np.maximum.at(last, rows.strategy, rows.day)
    none = first == far
    first[none] = 0
    return first, np.where(none, 0, np.maximum(last - first + 1, 0))


def _session_before(days: Whole, every_day: npt.NDArray[np.bool_]) -> Whole:
    rest = ~every_day & ((days + _THURSDAY) % _WEEK > _FRIDAY)
    before: Whole = session_number(days, every_day) - rest
    return before

"""A list of trades as sums per day, and the numbers of its daily returns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import numpy as np

from trackrecord.performance.exact_columns import Column, product
from trackrecord.performance.measure import ENTRY_NOT_POSITIVE, Book, Numbers
from trackrecord.performance.returns.summary import summarise_returns
from trackrecord.performance.sums.days import COUNTS, PERIODS, DayTable, Sessions, daily_returns
from trackrecord.performance.sums.many_series import NO_CAPITAL, RUINED
from trackrecord.performance.trades.many_trades import Closed, Trades
from trackrecord.times import DAY, date_of

OF_RETURNS: Final = (
    "sharpe", "sharpe_interval", "sortino", "probabilistic_sharpe_ratio",
    "deflated_sharpe_ratio", "minimum_track_record_length", "too_few_to_tell", "trials",
)  # fmt: skip
OF_CAPITAL: Final = (
    "cagr", "volatility", "calmar", "value_at_risk", "conditional_value_at_risk", "max_drawdown",
)  # fmt: skip

NAMES: Final = tuple(
    "max_drawdown_daily" if name == "max_drawdown" else name
    for name in (*OF_RETURNS, *OF_CAPITAL)
    if name not in {"trials", "too_few_to_tell"}
)
"""What needs the times of trades."""


def day_table(trades: Trades, closed: Closed, strategy: int = 0) -> DayTable:
    """The sums that services keep, one row per entry and one per close, unmerged.

    Days are UTC dates.

    Args:
        trades: With times.
        closed: What they earned.
        strategy: The index that the rows get.

    Raises:
        ValueError: The trades have no times.
    """
    if trades.entry_time is None or trades.exit_time is None:
        raise ValueError("days need entry_time and exit_time of every trade")
    size, net = len(trades), closed.net
    none = np.zeros(size, dtype=np.int64)
    one = none + 1
    won, lost = (closed.outcome > 0).astype(np.int64), (closed.outcome < 0).astype(np.int64)
    returns = Column.of(value or Decimal(0) for value in closed.exact_returns)
    counts = dict.fromkeys(COUNTS, none) | {
        "exits": one,
        "closed": one,
        "wins": won,
        "losses": lost,
        "breakevens": one - won - lost,
        "without_return": np.isnan(closed.returns).astype(np.int64),
    }
    money = {
        "total_pnl": net,
        "realised_pnl": net,
        "gross_profit": Column(net.units * won, net.places),
        "gross_loss": Column(net.units * lost, net.places),
        "fees": closed.fees,
        "carry": closed.carry,
        "sum_return": returns,
        "pnl_squares": Column(product(net.units, net.units), 2 * net.places),
        "return_squares": Column(product(returns.units, returns.units), 2 * returns.places),
    }
    moments = np.concatenate((trades.entry_time, trades.exit_time))
    return DayTable(
        strategy=np.full(2 * size, strategy, dtype=np.int64),
        day=moments // DAY,
        counts={
            name: np.concatenate((one if name == "signals" else none, values))
            for name, values in counts.items()
        },
        money={
            name: Column(np.concatenate((none, column.units)), column.places)
            for name, column in money.items()
        },
    )


def summarise_days(
    trades: Trades,
    closed: Closed,
    starting_equity: Decimal | None = None,
    *,
    as_of: date | None = None,
    sessions: Sessions = "weekdays",
    risk_free: float = 0.0,
    benchmark_sharpe: float = 0.0,
    trials: int | Sequence[float] | None = None,
) -> Numbers:
    """The numbers that a trade list has by its daily returns.

    Sharpe and Sortino ratio and what follows from them; with ``starting_equity`` also
    ``cagr``, ``volatility``, ``calmar``, the values at risk and ``max_drawdown_daily``.
    ``basis`` says of what the returns are made, ``sessions`` how many there are.

    Args:
        trades: With times.
        closed: What they earned.
        starting_equity: Money above 0.
        as_of: The last day; by default that of the last close.
        sessions: Weekdays and 252 a year, or every day and 365.
        risk_free: Per session.
        benchmark_sharpe: Per session.
        trials: See :func:`~trackrecord.performance.returns.summary.summarise_returns`.

    Raises:
        ValueError: The trades have no times, or the equity is not above 0.
    """
    table = day_table(trades, closed)
    last = date_of(int(table.day.max(initial=0))) if as_of is None else as_of
    daily = daily_returns(table, last, [starting_equity], sessions)
    numbers = summarise_returns(
        [] if daily.ruined[0] else daily.series(0),
        periods_per_year=PERIODS[sessions],
        risk_free=risk_free,
        benchmark_sharpe=benchmark_sharpe,
        trials=trials,
        sessions_with_trades=int(daily.active[0]),
        trades=int(daily.closed[0]),
    )
    book = Book()
    book.put("basis", "mean_trade_return" if starting_equity is None else "capital")
    book.put("as_of", last.isoformat())
    book.put("sessions", int(daily.sessions[0]))
    for name in OF_RETURNS:
        value, reason = numbers.values.get(name), numbers.reasons.get(name)
        if daily.unknown[0] and name == "too_few_to_tell":
            value = True
        elif daily.unknown[0] and name != "trials":
            value, reason = None, ENTRY_NOT_POSITIVE
        elif daily.ruined[0]:
            reason = RUINED
        if name in numbers.values:
            book.put(name, value, reason)
    for name in OF_CAPITAL:
        value, reason = numbers.values[name], numbers.reasons.get(name)
        if starting_equity is None:
            value, reason = None, NO_CAPITAL
        elif daily.ruined[0]:
            reason = RUINED
        book.put("max_drawdown_daily" if name == "max_drawdown" else name, value, reason)
    return book.numbers()

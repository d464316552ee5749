"""What trades amount to over some sessions: the curve, its numbers, and holding beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from trackrecord.performance.measure import Numbers
from trackrecord.performance.returns.sharpe import period_sharpe
from trackrecord.performance.returns.summary import summarise_returns
from trackrecord.performance.trades.summary import summarise
from trackrecord.strategies.history import Floats, History, Rows, Series
from trackrecord.strategies.trades import (
    CAPITAL,
    COST,
    Account,
    Trade,
    by_session,
    earned_by_bar,
    settle,
    trips_of,
)

OF_CURVE = ("max_drawdown", "total_return")
"""Names that the summary of trades and that of the curve share: the curve's count."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Returns by session on the capital that was begun with, as fractions; (m,) arrays.

    As every entry has the same stake, they add up, and the level after each session is 1 and the
    sum so far.

    Attributes:
        sessions: Days since 1970.
        returns: Of each.
    """

    sessions: Rows
    returns: Floats

    @property
    def levels(self) -> Floats:
        """From 1 before the first session, (m + 1,)."""
        return np.concatenate(([1.0], 1.0 + np.cumsum(self.returns)))

    def part(self, first: int, end: int | None) -> Curve:
        """Sessions from one date up to, but not with, another."""
        start = int(np.searchsorted(self.sessions, first))
        stop = len(self.sessions) if end is None else int(np.searchsorted(self.sessions, end))
        return Curve(self.sessions[start:stop], self.returns[start:stop])


@dataclass(frozen=True, eq=False)
class Record:
    """A strategy over some sessions.

    Attributes:
        account: Its trades, paid.
        curve: Net of costs.
        gross: What it were without costs.
        holding: Of holding the same stake in every symbol, net of its entries' costs.
    """

    account: Account
    curve: Curve
    gross: Curve
    holding: Curve


def record_of(
    history: History,
    trades: Sequence[Trade],
    first: int,
    *,
    capital: Decimal = CAPITAL,
    cost: Decimal = COST,
) -> Record:
    """What trades amount to, from a date on.

    Args:
        history: The bars that they are of, the last of them included.
        trades: All of them entered on that date or after.
        first: Days since 1970.
        capital: Money at the start.
        cost: Of each fill, as a fraction of its notional.
    """
    by_symbol: dict[str, list[Trade]] = {name: [] for name in history.series}
    for trade in trades:
        by_symbol[trade.symbol].append(trade)
    trips = {name: trips_of(its) for name, its in by_symbol.items()}
    sessions = history.sessions[np.searchsorted(history.sessions, first) :]
    net, gross = (
        by_session(
            history,
            {name: earned_by_bar(history.series[name], trips[name], rate) for name in trips},
            first,
        )
        for rate in (float(cost), 0.0)
    )
    holding = by_session(
        history,
        {name: held_by_bar(each, first, float(cost)) for name, each in history.series.items()},
        first,
    )
    return Record(
        settle(history, trades, capital, cost),
        Curve(sessions, net),
        Curve(sessions, gross),
        Curve(sessions, holding),
    )


def held_by_bar(series: Series, first: int, cost: float) -> Floats:
    """What a stake of 1 that is kept in a symbol earns in each bar, (n,).

    It is bought as a strategy could have: decided at the close of the first bar, filled at the
    next open. It is the same stake in each bar, topped up or skimmed at no cost, so that it
    compares with trades whose stake is always the same. An unexplained jump earns nothing.
    """
    found = np.zeros(len(series))
    entry = int(np.searchsorted(series.day, first)) + 1
    if entry >= len(series):
        return found
    scale = np.ones(len(series))
    if series.split_ratio is not None:
        scale = np.array([float(ratio) for ratio in series.split_ratio])
    before = np.empty(len(series))
    before[1:] = series.close[:-1] / scale[1:]
    before[0] = series.open[0]
    begun = np.union1d(series.jumps, [entry])
    before[begun] = series.open[begun]
    with np.errstate(divide="ignore", invalid="ignore"):
        earned = np.where(before > 0, series.close / before - 1, 0.0)
    found[entry:] = earned[entry:]
    found[entry] -= cost
    return found


def numbers_of(
    record: Record, sessions_per_year: float, *, tries: int | None = None, resamples: int | None = 0
) -> Numbers:
    """Every number of a record, under its published name.

    Of the curve (Sharpe ratio, drawdown ...) as :func:`summarise_returns` has them, with the
    returns of holding as benchmark; and of the trades as :func:`summarise` has them.

    Args:
        record: Of at least one session.
        sessions_per_year: 252 for days of an exchange.
        tries: N of the deflated Sharpe ratio; without it there is none.
        resamples: Of the bootstrapped intervals; 0 leaves them out, None is the usual number.
    """
    account, curve = record.account, record.curve
    of_trades = summarise(account.columns, account.earned, account.capital)
    of_curve = summarise_returns(
        curve.returns,
        periods_per_year=sessions_per_year,
        trials=tries,
        benchmark=record.holding.returns,
        levels=curve.levels,
        trades=len(account.closed),
        resamples=resamples,
    )
    values = dict(of_trades.values)
    reasons = dict(of_trades.reasons)
    for name in OF_CURVE:
        values.pop(name, None)
        reasons.pop(name, None)
    values |= of_curve.values
    reasons |= of_curve.reasons
    return Numbers(values, reasons)


def annual_sharpe(curve: Curve, sessions_per_year: float) -> float | None:
    """Of a curve, whatever number of trades it has; None where undefined."""
    ratio = period_sharpe(curve.returns).value
    return None if ratio is None else float(ratio * np.sqrt(sessions_per_year))

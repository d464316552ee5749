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
    EQUITY_GONE,
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
    """The equity over some sessions; the capital is 1.

    Attributes:
        sessions: Days since 1970, (m,).
        levels: Before the first session, and after each, (m + 1,).
    """

    sessions: Rows
    levels: Floats

    @classmethod
    def of(cls, sessions: Rows, earned: Floats) -> Curve:
        """From what each session earned, as fractions of the capital, (m,)."""
        return cls(sessions, np.concatenate(([1.0], 1.0 + np.cumsum(earned))))

    @property
    def is_gone(self) -> bool:
        """Whether it was all lost at some time, so that no later return means anything."""
        return bool(self.levels.min() <= 0)

    @property
    def returns(self) -> Floats:
        """Of each session on the equity before it, (m,); none where the equity is gone."""
        if self.is_gone:
            return np.zeros(0)
        return self.levels[1:] / self.levels[:-1] - 1

    @property
    def total(self) -> float:
        """Return of all sessions."""
        return float((self.levels[-1] - self.levels[0]) / abs(self.levels[0] or 1.0))

    def part(self, first: int, end: int | None) -> Curve:
        """Sessions from one date up to, but not with, another."""
        start = int(np.searchsorted(self.sessions, first))
        stop = len(self.sessions) if end is None else int(np.searchsorted(self.sessions, end))
        return Curve(self.sessions[start:stop], self.levels[start : stop + 1])


@dataclass(frozen=True, eq=False)
class Record:
    """A strategy over some sessions.

    Attributes:
        account: Its trades, paid.
        curve: Net of costs.
        gross: What it were without costs.
        holding: Of buying every symbol once and keeping it, net of the entries' costs.
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
        Curve.of(sessions, net),
        Curve.of(sessions, gross),
        Curve.of(sessions, holding),
    )


def held_by_bar(series: Series, first: int, cost: float) -> Floats:
    """What a symbol's share of 1 earns in each bar where it is bought once and kept, (n,).

    It is bought as a strategy could have: decided at the close of the first bar, filled at the
    next open. An unexplained jump earns nothing.
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
        grown = np.where(before > 0, series.close / before, 1.0)[entry:]
    found[entry:] = np.diff(np.cumprod(grown), prepend=1.0)
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
        benchmark=None if curve.is_gone or record.holding.is_gone else record.holding.returns,
        levels=None if curve.is_gone else curve.levels,
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
    if curve.is_gone:
        reasons |= {name: EQUITY_GONE for name in of_curve.values if values[name] is None}
        values["total_return"] = curve.total
        reasons.pop("total_return", None)
    return Numbers(values, reasons)


def annual_sharpe(curve: Curve, sessions_per_year: float) -> float | None:
    """Of a curve, whatever number of trades it has; None where undefined, or all is gone."""
    ratio = period_sharpe(curve.returns).value
    return None if ratio is None else float(ratio * np.sqrt(sessions_per_year))

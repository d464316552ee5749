"""What a list of closed trades amounts to: counts, money, ratios, drawdown."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt

from trackrecord.performance.confidence.intervals import wilson
from trackrecord.performance.exact import round_ratio
from trackrecord.performance.exact_columns import Column, decimal, group_sums, plus, total
from trackrecord.performance.measure import (
    ENTRY_NOT_POSITIVE,
    NO_DATA,
    NO_LOSSES,
    NO_VARIANCE,
    TOO_FEW,
    Book,
    FloatArray,
    Measure,
    Numbers,
    finite,
    spread,
    undefined,
)
from trackrecord.performance.sums.sums import (
    MONEY_PLACES,
    Sums,
    expectancy_ratio,
    profit_factor,
)
from trackrecord.performance.trades.many_trades import Closed, Times, Trades, close

NO_WINS: Final = "no_wins"
NO_STARTING_EQUITY: Final = "no_starting_equity"
NO_TIMES: Final = "no_times"
NO_COST_BASIS: Final = "no_cost_basis"

_PER_SECOND: Final = 1_000_000


def summarise(
    trades: Trades, closed: Closed | None = None, starting_equity: Decimal | None = None
) -> Numbers:
    """Every number of a trade list, money exact.

    Counts, ``win_rate`` with its Wilson interval, sums, means and extremes of PnL
    and return, ``profit_factor``, ``expectancy`` and its ratio, ``sqn``, the longest
    runs, the mean holding time in seconds, and drawdown (:func:`drawdown_of_trades`).
    The definitions stand in docs/numbers.md. Trades are taken in the order of
    ``exit_time`` (equal ones as given), without times as given.

    Args:
        trades: n trades in one currency.
        closed: What :func:`~trackrecord.performance.trades.many_trades.close` made of them.
        starting_equity: Money, above 0; without it drawdown has no fraction.

    Raises:
        ValueError: ``starting_equity`` is not above 0.
    """
    closed = close(trades) if closed is None else closed
    book = Book()
    sums = sums_of(closed)
    _counts(book, trades, sums)
    _money(book, closed, sums)
    _returns(book, trades, closed)
    _runs(book, trades, closed)
    fraction, money = drawdown_of_trades(closed, trades.exit_time, starting_equity)
    book.put("max_drawdown", fraction)
    book.put("max_drawdown_abs", money)
    gone = float(money)
    book.put(
        "profit_to_max_drawdown",
        finite(float(sums.total_pnl) / gone) if gone else undefined("no_drawdown"),
    )
    if starting_equity is None:
        book.put("total_return", None, NO_STARTING_EQUITY)
    else:
        book.put("total_return", finite(float(sums.total_pnl) / float(starting_equity)))
    return book.numbers(empty=not len(closed))


def sums_of(closed: Closed) -> Sums:
    """The sums that services keep, made of these trades; exact.

    Returns are summed to the 18 decimals that a double has left of them.
    """
    won, lost = closed.outcome > 0, closed.outcome < 0
    returns = closed.returns[~np.isnan(closed.returns)]
    return Sums(
        signals=len(closed),
        exits=len(closed),
        closed=len(closed),
        wins=int(np.count_nonzero(won)),
        losses=int(np.count_nonzero(lost)),
        breakevens=int(np.count_nonzero(closed.outcome == 0)),
        without_return=int(np.count_nonzero(np.isnan(closed.returns))),
        total_pnl=closed.net.total(),
        realised_pnl=closed.net.total(),
        gross_profit=Column(closed.net.units[won], closed.net.places).total(),
        gross_loss=Column(closed.net.units[lost], closed.net.places).total(),
        fees=closed.fees.total(),
        carry=closed.carry.total(),
        sum_return=Decimal(repr(math.fsum(returns.tolist()))),
    )


def equity_of_trades(
    closed: Closed, exit_time: Times | None, starting_equity: Decimal = Decimal(0)
) -> Column:
    """The starting equity, then equity after each instant at which trades closed.

    Trades that close at the same instant are summed first; without times each trade
    is an instant of its own, in the order given.

    Returns:
        Money, exact, shape (instants + 1,).
    """
    units = closed.net.units
    if exit_time is not None and len(units):
        order = np.argsort(exit_time, kind="stable")
        instants = exit_time[order]
        starts = np.flatnonzero(np.concatenate(([True], instants[1:] != instants[:-1])))
        units = group_sums(units[order], starts)
    start = Column.of([starting_equity])
    places = max(start.places, closed.net.places)
    steps = Column(units, closed.net.places).to(places)
    if steps.dtype != object and total(np.abs(steps)) > 2**62:
        steps = steps.astype(object)
    path = np.cumsum(np.concatenate((np.zeros(1, dtype=steps.dtype), steps)))
    return Column(plus(path, start.to(places)), places)


def drawdown_of_trades(
    closed: Closed, exit_time: Times | None, starting_equity: Decimal | None = None
) -> tuple[Measure, Decimal]:
    """The worst fall of :func:`equity_of_trades` below its running peak.

    The peak starts at the starting equity.

    Returns:
        As a fraction of the peak, at most 0 (undefined: ``no_starting_equity``), and
        the largest fall in money, at least 0 (freqtrade's sign). The two may be
        different falls.

    Raises:
        ValueError: ``starting_equity`` is not above 0.
    """
    if starting_equity is not None and not starting_equity > 0:
        raise ValueError(f"starting_equity is above 0, not {starting_equity}")
    curve = equity_of_trades(closed, exit_time, starting_equity or Decimal(0))
    peak = np.maximum.accumulate(curve.units)
    fall = peak - curve.units
    money = decimal(int(fall.max()), curve.places)
    if not len(closed):
        return undefined(NO_DATA), money
    if starting_equity is None:
        return undefined(NO_STARTING_EQUITY), money
    shares = np.asarray(fall / peak, dtype=np.float64)
    return finite(0.0 - float(np.max(shares))), money


def sqn(pnl: FloatArray) -> Measure:
    """√n · mean / std (ddof 1) of trade PnL: the system quality number.

    Source: Van Tharp. Args: PnL in money, shape (n,). Undefined: ``no_data``;
    ``too_few`` with one trade; ``no_variance``.
    """
    if pnl.size < 2:  # noqa: PLR2004 - two make a spread
        return undefined(TOO_FEW if pnl.size else NO_DATA)
    deviation = spread(pnl)
    if deviation is None:
        return undefined(NO_VARIANCE)
    return finite(math.sqrt(pnl.size) * float(np.mean(pnl)) / deviation)


def longest_run(flags: npt.NDArray[np.bool_]) -> int:
    """The longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return int(np.max(edges[1::2] - edges[::2], initial=0))


def _counts(book: Book, trades: Trades, sums: Sums) -> None:
    for name in ("closed", "wins", "losses", "breakevens"):
        book.put(name, getattr(sums, name))
    longs = int(np.count_nonzero(trades.direction > 0))
    book.put("longs", longs)
    book.put("shorts", len(trades) - longs)
    rates = (("win_rate", sums.wins), ("loss_rate", sums.losses))
    for name, count in rates:
        book.put(name, count / sums.closed if sums.closed else None, NO_DATA)
    interval = wilson(sums.wins, sums.closed)
    bounds = None if interval.low is None else [interval.low, interval.high]
    book.put("win_rate_interval", bounds, interval.reason)


def _money(book: Book, closed: Closed, sums: Sums) -> None:
    net = closed.net
    book.put("gross_pnl", closed.gross.total())
    for name in ("fees", "carry", "total_pnl", "gross_profit", "gross_loss"):
        book.put(name, getattr(sums, name))
    mean = _mean(sums.total_pnl, sums.closed)
    for name in ("average_pnl", "expectancy"):
        book.put(name, mean, NO_DATA)
    _extremes(book, net, "best_pnl", "worst_pnl", NO_DATA)
    for kind, sign, none, money in (
        ("win", 1, NO_WINS, sums.gross_profit),
        ("loss", -1, NO_LOSSES, sums.gross_loss),
    ):
        chosen = Column(net.units[closed.outcome == sign], net.places)
        book.put(f"average_{kind}", _mean(money, len(chosen)), none)
        far, near = f"largest_{kind}", f"smallest_{kind}"
        _extremes(book, chosen, *((far, near) if sign > 0 else (near, far)), none)
    factor = profit_factor(sums)
    book.put("profit_factor", *factor)
    book.put("expectancy_ratio", *expectancy_ratio(sums))
    _win_loss_ratio(book, sums)
    pnl = net.floats()
    deviation = float(np.std(pnl, ddof=1)) if pnl.size > 1 else None
    book.put("pnl_deviation", deviation, TOO_FEW if pnl.size else NO_DATA)
    book.put("sqn", sqn(pnl))


def _win_loss_ratio(book: Book, sums: Sums) -> None:
    if not sums.losses or not sums.gross_loss:
        book.put("win_loss_ratio", None, NO_LOSSES if sums.closed else NO_DATA)
    elif not sums.wins:
        book.put("win_loss_ratio", 0.0)
    else:
        win = float(sums.gross_profit) / sums.wins
        book.put("win_loss_ratio", finite(win / (float(-sums.gross_loss) / sums.losses)))


def _no_returns(trades: Trades) -> str:
    """Why none of the trades has a return."""
    return NO_COST_BASIS if (trades.entry_price.units > 0).any() else ENTRY_NOT_POSITIVE


def _returns(book: Book, trades: Trades, closed: Closed) -> None:
    known = closed.returns[~np.isnan(closed.returns)]
    if not known.size:
        for name in ("average_return", "median_return", "best_return", "worst_return"):
            book.put(name, None, _no_returns(trades) if len(closed) else NO_DATA)
        return
    book.put("average_return", finite(math.fsum(known.tolist()) / known.size))
    book.put("median_return", finite(float(np.median(known))))
    book.put("best_return", finite(float(np.max(known))))
    book.put("worst_return", finite(float(np.min(known))))


def _runs(book: Book, trades: Trades, closed: Closed) -> None:
    outcome = closed.outcome
    if trades.exit_time is not None:
        outcome = outcome[np.argsort(trades.exit_time, kind="stable")]
    book.put("max_consecutive_wins", longest_run(outcome > 0))
    book.put("max_consecutive_losses", longest_run(outcome < 0))
    if trades.entry_time is None or trades.exit_time is None:
        book.put("average_holding_seconds", None, NO_TIMES if len(closed) else NO_DATA)
        return
    held = float(np.mean(trades.exit_time - trades.entry_time)) / _PER_SECOND
    book.put("average_holding_seconds", held)


def _mean(money: Decimal, count: int) -> Decimal | None:
    return round_ratio(money, Decimal(count), MONEY_PLACES) if count else None


def _extremes(book: Book, money: Column, high: str, low: str, none: str) -> None:
    if not len(money):
        book.put(high, None, none)
        book.put(low, None, none)
        return
    book.put(high, decimal(int(money.units.max()), money.places))
    book.put(low, decimal(int(money.units.min()), money.places))

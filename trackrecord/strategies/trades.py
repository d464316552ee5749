"""The trades of a backtest: where they were entered and left, and what they earned.

Every symbol has an equal share of the capital, and each entry buys as much as that share has grown
to, gross of costs. So a trade's quantity does not depend on costs: gross is what costs of 0 give,
and doubled costs take just the extra costs of every fill. The equity changes by the sum of what the
trades earned, exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_FLOOR, Decimal
from typing import Final, Literal

import numpy as np

from trackrecord.performance.exact import exact
from trackrecord.performance.trades.many_trades import Closed, Trades, close
from trackrecord.performance.trades.many_trades import Trade as Paid
from trackrecord.strategies.history import Floats, History, Rows, Series
from trackrecord.strategies.simulate import Entered, Event, Exited, Held, Left, Voided, Where

CAPITAL: Final = Decimal(100_000)
"""Money that a backtest begins with, in the currency of the bars."""
COST: Final = Decimal("0.001")
"""Of each fill, as a fraction of what changes hands: commission, spread and slippage together."""

EQUITY_GONE: Final = "equity_gone"
"""Why a trade is void where a symbol's share was lost before, which shorts can do."""

_QUANTITY_PLACES: Final = 8
_CENTS: Final = Decimal("0.01")

Outcome = Literal["target", "stop", "expired", "decision", "open", "void"]


@dataclass(frozen=True, slots=True)
class Trade:
    """A position from the decision that entered it to what ended it.

    Attributes:
        symbol: What was traded.
        direction: +1 for a long, -1 for a short.
        entry_row: The bar at whose open it was entered; it was decided at the close before.
        entry_price: Of a share as it was at the decision, as the other prices.
        stop: None where there is none.
        target: Likewise.
        horizon: Bars, the entry bar included.
        outcome: ``open`` where the bars end before; ``void`` where nothing can be said.
        how: Where in the exit bar; None without one.
        exit_row: The exit bar; of what is open, the last one; of a void one, where it was void.
        exit_price: Of what is open, the last close; None where void.
        ambiguous: Target and stop lay inside one bar.
        delisted: It ended because the symbol had ceased to trade.
        bars: Lived through, entry and exit bar included.
        returned: Gross, as a fraction of the entry price; None while open and where void.
        mae: Maximum adverse excursion, likewise.
        mfe: Maximum favourable excursion, likewise.
        scale: Shares of the end for one of the decision.
        reason: Of the decision that entered it.
        exit_reason: Of the decision that closed it, or why it is void.
    """

    symbol: str
    direction: int
    entry_row: int
    entry_price: Decimal
    stop: Decimal | None
    target: Decimal | None
    horizon: int | None
    outcome: Outcome
    how: Where | None
    exit_row: int
    exit_price: Decimal | None
    ambiguous: bool = False
    delisted: bool = False
    bars: int = 0
    returned: Decimal | None = None
    mae: Decimal | None = None
    mfe: Decimal | None = None
    scale: Decimal = Decimal(1)
    reason: str = ""
    exit_reason: str = ""

    @property
    def is_closed(self) -> bool:
        """Whether it counts: neither open nor void."""
        return self.outcome not in ("open", "void")


@dataclass(eq=False)
class Collected:
    """Makes trades of what the fold tells of one symbol.

    Attributes:
        symbol: Its name.
        trades: Those that have ended, and voided entries, in order.
    """

    symbol: str
    trades: list[Trade] = field(default_factory=list)
    _entered: int = -1

    def take(self, row: int, events: Iterable[Event]) -> None:
        """What happened in a bar."""
        for event in events:
            if isinstance(event, Entered):
                self._entered = row
            elif isinstance(event, Exited):
                self.trades.append(self._exited(row, event))
            else:
                self.trades.append(self._voided(row, event))

    def end(self, row: int, held: Held | None, close_: Decimal | None) -> list[Trade]:
        """All trades, once there are no more bars; what is held is open at the last close."""
        if held is not None and close_ is not None:
            with exact():
                at = close_ * held.scale
            self.trades.append(replace(self._of(row, held, "open"), exit_price=at, bars=held.bars))
        return self.trades

    def _of(self, row: int, held: Held, outcome: Outcome) -> Trade:
        return Trade(
            self.symbol, held.direction, self._entered, held.entry_price, held.stop, held.target,
            held.horizon, outcome, None, row, None, scale=held.scale, reason=held.reason,
        )  # fmt: skip

    def _exited(self, row: int, event: Exited) -> Trade:
        left: Left = event.left
        return replace(
            self._of(row, event.held, left),
            how=event.how,
            exit_price=event.price,
            ambiguous=event.ambiguous,
            delisted=event.delisted,
            bars=event.bars,
            returned=event.returned,
            mae=event.mae,
            mfe=event.mfe,
            exit_reason=event.reason,
        )

    def _voided(self, row: int, event: Voided) -> Trade:
        if event.held is not None:
            return replace(self._of(row, event.held, "void"), exit_reason=event.why)
        return Trade(
            self.symbol, event.direction, row, Decimal(0), None, None, None, "void", None, row,
            None, exit_reason=event.why,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Account:
    """What trades earned in money.

    Attributes:
        capital: At the start.
        cost: Of each fill, as a fraction of its notional.
        trades: All of them, by exit; void ones too.
        quantities: Units of each; 0 of a void one.
        closed: The rows of ``trades`` that count.
        columns: Those trades as :mod:`trackrecord.performance` takes them.
        earned: What they earned.
        open_pnl: Of what is open, at the last closes, its entry costs paid.
    """

    capital: Decimal
    cost: Decimal
    trades: list[Trade]
    quantities: list[Decimal]
    closed: list[int]
    columns: Trades
    earned: Closed
    open_pnl: Decimal

    @property
    def equity(self) -> Decimal:
        """At the end: the capital and what the closed trades and the open ones earned, exactly."""
        with exact():
            return self.capital + self.earned.net.total() + self.open_pnl


def stake_of(capital: Decimal, symbols: int) -> Decimal:
    """What each symbol begins with: an equal share of the capital, in whole cents."""
    return (capital / symbols).quantize(_CENTS, ROUND_FLOOR)


def quantity_of(stake: Decimal, price: Decimal) -> Decimal:
    """Units that a stake buys, rounded down to 8 decimals; more places where that were nothing."""
    if price <= 0 or stake <= 0:
        return Decimal(0)
    units = stake / price
    places = max(_QUANTITY_PLACES, -units.adjusted() + _QUANTITY_PLACES)
    return units.quantize(Decimal(1).scaleb(-places), ROUND_FLOOR)


def settle(
    history: History, trades: Sequence[Trade], capital: Decimal = CAPITAL, cost: Decimal = COST
) -> Account:
    """Pay for trades.

    Args:
        history: The bars that their rows are of.
        trades: Of all symbols, in any order.
        capital: Money at the start.
        cost: Of each fill, as a fraction of its notional.
    """

    def ended(trade: Trade) -> tuple[int, str, int]:
        return exit_time(history.series[trade.symbol], trade), trade.symbol, trade.entry_row

    shares = dict.fromkeys(history.series, stake_of(capital, len(history.series)))
    ordered, quantities = [], []
    for each in sorted(trades, key=ended):
        trade, quantity = each, Decimal(0)
        if each.outcome != "void":
            quantity = quantity_of(shares[each.symbol], each.entry_price)
            if not quantity:
                trade = replace(each, outcome="void", exit_reason=EQUITY_GONE, exit_price=None)
        if trade.is_closed and trade.exit_price is not None:
            with exact():
                way = (trade.exit_price - trade.entry_price) * trade.direction
                shares[trade.symbol] += way * quantity
        ordered.append(trade)
        quantities.append(quantity)
    paid = [
        _paid(history.series[trade.symbol], trade, quantity, cost)
        for trade, quantity in zip(ordered, quantities, strict=True)
        if trade.is_closed
    ]
    open_pnl = Decimal(0)
    with exact():
        for trade, quantity in zip(ordered, quantities, strict=True):
            if trade.outcome == "open" and trade.exit_price is not None:
                gained = (trade.exit_price - trade.entry_price) * trade.direction * quantity
                open_pnl += gained - cost * trade.entry_price * quantity
    columns = Trades.of(paid)
    return Account(
        capital, cost, ordered, quantities,
        [place for place, trade in enumerate(ordered) if trade.is_closed],
        columns, close(columns), open_pnl,
    )  # fmt: skip


def _paid(series: Series, trade: Trade, quantity: Decimal, cost: Decimal) -> Paid:
    return Paid(
        "LONG" if trade.direction > 0 else "SHORT",
        quantity,
        trade.entry_price,
        trade.exit_price or Decimal(0),
        entry_fee_rate=cost,
        exit_fee_rate=cost,
        entry_time=int(series.opened_at[trade.entry_row]),
        exit_time=exit_time(series, trade),
    )


def exit_time(series: Series, trade: Trade) -> int:
    """When it ended: the exit bar's open where it left there, else that bar's close."""
    at_open = trade.how in ("gap", "open") or trade.outcome == "void"
    return int((series.opened_at if at_open else series.closed_at)[trade.exit_row])


@dataclass(frozen=True, eq=False)
class Trips:
    """Trades of one symbol as doubles, (k,) arrays: as much as a curve needs."""

    direction: Floats
    entry_row: Rows
    entry_price: Floats
    exit_row: Rows
    exit_price: Floats
    closed: Floats
    """1 where it was left, so that a second fill was paid; 0 where it is open."""


def trips_of(trades: Iterable[Trade]) -> Trips:
    """Of trades that are not void; behind splits, prices of a share as it was at the decision."""
    kept = [trade for trade in trades if trade.outcome != "void"]
    return Trips(
        np.array([trade.direction for trade in kept], np.float64),
        np.array([trade.entry_row for trade in kept], np.int64),
        np.array([float(trade.entry_price) for trade in kept]),
        np.array([trade.exit_row for trade in kept], np.int64),
        np.array([float(trade.exit_price or 0) for trade in kept]),
        np.array([trade.is_closed for trade in kept], np.float64),
    )


def earned_by_bar(series: Series, trips: Trips, cost: float) -> Floats:
    """What a symbol's share, 1 at the beginning, earned in each of its bars, net, (n,).

    Positions are marked at every close; costs are paid where fills are. Each trade is worth what
    the share has grown to by then, gross.
    """
    count = len(series)
    found = np.zeros(count)
    if not len(trips.entry_row):
        return found
    lengths = trips.exit_row - trips.entry_row + 1
    which = np.repeat(np.arange(len(lengths)), lengths)
    begins = np.cumsum(lengths) - lengths
    row = np.arange(len(which)) - begins[which] + trips.entry_row[which]
    marks = series.close[row]
    if series.split_ratio is not None:
        ratio = np.array([float(each) for each in series.split_ratio])
        scale = np.cumprod(ratio)
        before = np.where(trips.entry_row > 0, scale[trips.entry_row - 1], 1.0)
        marks = marks * scale[row] / before[which]
    marks[begins + lengths - 1] = trips.exit_price
    earlier = np.empty(len(marks))
    earlier[1:] = marks[:-1]
    earlier[begins] = trips.entry_price
    grown = 1 + trips.direction * (trips.exit_price / trips.entry_price - 1)
    # What is lost whole is never entered again.
    stake = np.maximum(np.minimum.accumulate(np.sign(grown)), 0.0)
    stake = np.concatenate(([1.0], (np.cumprod(grown) * stake)[:-1]))
    units = stake * trips.direction / trips.entry_price
    gained = (marks - earlier) * units[which]
    gained[begins] -= cost * stake
    ends = begins + lengths - 1
    gained[ends] -= cost * stake * trips.exit_price / trips.entry_price * trips.closed
    # A bar may be of two trades: one was left and another entered in it.
    found += np.bincount(row, gained, count)
    return found


def by_session(history: History, earned: dict[str, Floats], first: int) -> Floats:
    """What was earned in each session from a date on, as fractions of the capital, (m,).

    Args:
        history: The bars.
        earned: By symbol, what its share of 1 earned in each bar.
        first: Days since 1970; earlier bars have earned nothing.
    """
    sessions = history.sessions
    total = np.zeros(len(sessions))
    for name, values in earned.items():
        total += np.bincount(history.places[name], values, len(sessions))
    start = int(np.searchsorted(sessions, first))
    return total[start:] / len(history.series)

"""A list of closed trades: what each earned, exactly, and how it counts.

The definitions of :mod:`trackrecord.performance.trades.one_trade`, for a million trades at
once: money in :class:`~trackrecord.performance.exact_columns.Column`, returns as
doubles, outcomes decided without rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from trackrecord.performance.exact_columns import Column, bound, plus, product
from trackrecord.performance.measure import FloatArray
from trackrecord.performance.trades.one_trade import outcome as outcome_of_one
from trackrecord.performance.trades.one_trade import trade_return

Side = Literal["LONG", "SHORT", "BUY", "SELL"]
Times = npt.NDArray[np.int64]
"""Microseconds since 1970-01-01 UTC, shape (n,)."""

LONG_SIDES: Final = frozenset(("LONG", "BUY"))
SIDES: Final = LONG_SIDES | {"SHORT", "SELL"}

_EDGE: Final = 5e-9
_NEAR: Final = 1e-6
"""Share of the edge within which doubles do not decide whether a trade is breakeven."""


@dataclass(frozen=True)
class Trade:
    """One closed trade; money in one currency.

    Attributes:
        side: LONG or BUY, SHORT or SELL.
        quantity: Above 0.
        entry_price: Per unit; of any sign, as futures and spreads have it.
        exit_price: Likewise.
        entry_fee: Money; counts instead of ``entry_fee_rate`` where given.
        exit_fee: Money; counts instead of ``exit_fee_rate`` where given.
        entry_fee_rate: Fraction of the entry notional.
        exit_fee_rate: Fraction of the exit notional.
        interest: Money; above 0 is paid.
        funding: Money; above 0 is paid.
        leverage: Above 0; multiplies the return, never the PnL.
        entry_time: Microseconds since 1970-01-01 UTC.
        exit_time: Likewise.
    """

    side: str
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    entry_fee: Decimal | None = None
    exit_fee: Decimal | None = None
    entry_fee_rate: Decimal | None = None
    exit_fee_rate: Decimal | None = None
    interest: Decimal = Decimal(0)
    funding: Decimal = Decimal(0)
    leverage: Decimal = Decimal(1)
    entry_time: int | None = None
    exit_time: int | None = None


@dataclass(frozen=True, eq=False)
class Trades:
    """Trades as columns, each of length n. What is None counts as 0 (leverage: as 1).

    A fee in money and a fee rate of the same trade add up.

    Attributes:
        direction: +1 long, -1 short; int64.
        quantity: Above 0.
        entry_price: Of any sign.
        exit_price: Of any sign.
        entry_fee: Money.
        exit_fee: Money.
        entry_fee_rate: Fraction of the entry notional.
        exit_fee_rate: Fraction of the exit notional.
        carry: Interest and funding in money; above 0 is paid.
        leverage: Above 0.
        entry_time: None where not every trade has one.
        exit_time: None where not every trade has one.
    """

    direction: npt.NDArray[np.int64]
    quantity: Column
    entry_price: Column
    exit_price: Column
    entry_fee: Column | None = None
    exit_fee: Column | None = None
    entry_fee_rate: Column | None = None
    exit_fee_rate: Column | None = None
    carry: Column | None = None
    leverage: Column | None = None
    entry_time: Times | None = None
    exit_time: Times | None = None

    def __len__(self) -> int:
        """How many trades."""
        return len(self.direction)

    @staticmethod
    def of(trades: Sequence[Trade]) -> Trades:
        """Columns of trades.

        Raises:
            ValueError: A trade breaks a rule; the message says which (from 1) and how.
        """
        for number, trade in enumerate(trades, start=1):
            problem = _problem(trade)
            if problem:
                raise ValueError(f"trade {number}: {problem}")
        return Trades(
            direction=np.array(
                [1 if trade.side in LONG_SIDES else -1 for trade in trades], dtype=np.int64
            ),
            quantity=Column.of(trade.quantity for trade in trades),
            entry_price=Column.of(trade.entry_price for trade in trades),
            exit_price=Column.of(trade.exit_price for trade in trades),
            entry_fee=_optional([trade.entry_fee for trade in trades]),
            exit_fee=_optional([trade.exit_fee for trade in trades]),
            entry_fee_rate=_optional(
                [t.entry_fee_rate if t.entry_fee is None else None for t in trades]
            ),
            exit_fee_rate=_optional(
                [t.exit_fee_rate if t.exit_fee is None else None for t in trades]
            ),
            carry=_sum(
                Column.of(trade.interest for trade in trades),
                Column.of(trade.funding for trade in trades),
            ),
            leverage=Column.of(trade.leverage for trade in trades),
            entry_time=_times([trade.entry_time for trade in trades], "entry_time"),
            exit_time=_times([trade.exit_time for trade in trades], "exit_time"),
        )


@dataclass(frozen=True, eq=False)
class Closed:
    """What trades earned, each column of length n.

    Attributes:
        gross: (exit - entry) · quantity · direction, money.
        fees: Entry and exit fee, money.
        carry: Interest and funding, money.
        net: gross - fees - carry, money.
        basis: Cost basis, money; 0 where the entry price is not above 0.
        leverage: None counts as 1.
        returns: Net / basis · leverage, fractions; NaN where there is no cost basis.
        outcome: +1 win, -1 loss, 0 breakeven; int8.
    """

    gross: Column
    fees: Column
    carry: Column
    net: Column
    basis: Column
    leverage: Column | None
    returns: FloatArray
    outcome: npt.NDArray[np.int8]

    def __len__(self) -> int:
        """How many trades."""
        return len(self.outcome)

    @cached_property
    def exact_returns(self) -> list[Decimal | None]:
        """Each return rounded half-even to 18 decimals; None where there is no cost basis."""
        leverage = self.leverage.decimals() if self.leverage else [None] * len(self)
        return [
            trade_return(net, basis, times)
            for net, basis, times in zip(
                self.net.decimals(), self.basis.decimals(), leverage, strict=True
            )
        ]


def close(trades: Trades) -> Closed:
    """What each trade earned.

    PnL = (exit - entry) · quantity · direction - fees - interest - funding. Cost basis:
    entry notional + direction · entry fee. Return: net / cost basis · leverage
    (freqtrade's definitions). Outcome: the sign of the return rounded half-even to 8
    decimals; without a cost basis the sign of the PnL.
    """
    quantity = trades.quantity
    entry_notional = _times_columns(trades.entry_price, quantity)
    exit_notional = _times_columns(trades.exit_price, quantity)
    gain = _sum(exit_notional, _negative(entry_notional))
    gross = Column(product(gain.units, trades.direction), gain.places)
    entry_fee = _fee(trades.entry_fee, trades.entry_fee_rate, entry_notional)
    exit_fee = _fee(trades.exit_fee, trades.exit_fee_rate, exit_notional)
    fees = _sum(entry_fee, exit_fee)
    carry = _zeros(len(trades)) if trades.carry is None else trades.carry
    net = _sum(gross, _negative(_sum(fees, carry)))
    signed = Column(product(entry_fee.units, trades.direction), entry_fee.places)
    basis = _sum(entry_notional, signed)
    # Of what was entered at 0 or below, a PnL is no fraction, whatever the fee adds.
    basis = Column(np.where(trades.entry_price.units > 0, basis.units, 0), basis.places)
    returns = _returns(net, basis, trades.leverage)
    return Closed(
        gross=gross,
        fees=fees,
        carry=carry,
        net=net,
        basis=basis,
        leverage=trades.leverage,
        returns=returns,
        outcome=_outcomes(net, basis, trades.leverage, returns),
    )


def _returns(net: Column, basis: Column, leverage: Column | None) -> FloatArray:
    below = basis.floats()
    above = net.floats()
    if leverage is not None:
        above = above * leverage.floats()
    without = ~(below > 0)
    if without.any():
        below = np.where(without, 1.0, below)
        return np.where(without, np.nan, above / below)
    result: FloatArray = above / below
    return result


def _outcomes(
    net: Column, basis: Column, leverage: Column | None, returns: FloatArray
) -> npt.NDArray[np.int8]:
    size = np.abs(returns)
    outcomes = np.where(size > _EDGE, np.sign(returns), 0.0)
    # At the edge, and without a cost basis, exact arithmetic decides.
    unsure = np.isnan(returns) | (np.abs(size - _EDGE) < _EDGE * _NEAR)
    outcomes[np.isnan(returns)] = 0
    signs = {"win": 1, "loss": -1, "breakeven": 0}
    for place in np.flatnonzero(unsure).tolist():
        one = slice(place, place + 1)
        times = Column(leverage.units[one], leverage.places).decimals()[0] if leverage else None
        outcomes[place] = signs[
            outcome_of_one(
                Column(net.units[one], net.places).decimals()[0],
                Column(basis.units[one], basis.places).decimals()[0],
                times,
            )
        ]
    return outcomes.astype(np.int8)


def _problem(trade: Trade) -> str | None:
    if trade.side not in SIDES:
        return f"side is LONG, SHORT, BUY or SELL, not {trade.side!r}"
    for name in ("quantity", "leverage"):
        value = getattr(trade, name)
        if not (value.is_finite() and value > 0):
            return f"{name} is above 0, not {value}"
    for name in (
        "entry_price", "exit_price", "entry_fee", "exit_fee", "entry_fee_rate", "exit_fee_rate",
        "interest", "funding",
    ):  # fmt: skip
        value = getattr(trade, name)
        if value is not None and not value.is_finite():
            return f"{name} is a finite amount, not {value}"
    if (
        trade.entry_time is not None
        and trade.exit_time is not None
        and trade.exit_time < trade.entry_time
    ):
        return "exit_time is before entry_time"
    return None


def _optional(values: list[Decimal | None]) -> Column | None:
    if not any(values):
        return None
    return Column.of(Decimal(0) if value is None else value for value in values)


def _times(values: list[int | None], name: str) -> Times | None:
    known = [value for value in values if value is not None]
    if known and len(known) < len(values):
        number = next(place for place, value in enumerate(values, start=1) if value is None)
        raise ValueError(f"trade {number}: has no {name}, others do; give it to all or to none")
    return np.array(known, dtype=np.int64) if known else None


def _zeros(size: int) -> Column:
    return Column(np.zeros(size, dtype=np.int64), 0)


def _negative(column: Column) -> Column:
    return Column(-column.units, column.places)


def _times_columns(left: Column, right: Column) -> Column:
    return Column(product(left.units, right.units), left.places + right.places)


def _sum(left: Column, right: Column) -> Column:
    if not bound(right.units):
        return left
    if not bound(left.units):
        return right
    places = max(left.places, right.places)
    return Column(plus(left.to(places), right.to(places)), places)


def _fee(fee: Column | None, rate: Column | None, notional: Column) -> Column:
    if rate is None:
        return _zeros(len(notional)) if fee is None else fee
    charged = _times_columns(notional, rate)
    return charged if fee is None else _sum(fee, charged)

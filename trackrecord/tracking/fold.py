"""A signal's position: a fold over the set of its exits.

Exits count in the order of (closed_at, exit_id), never in that of arrival.
Each closes at most what is still open; what it names beyond that is excess,
kept and counted but without effect on PnL.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from trackrecord.events import SignalClosed, SignalEmitted
from trackrecord.performance.exact import exact, round_ratio
from trackrecord.performance.trades.one_trade import (
    Outcome,
    cost_basis,
    fee_money,
    gross_pnl,
    outcome,
    trade_return,
)

FEE_SHARE_PLACES = 12
"""Digits after the point of an exit's share of the entry fee; the last exit takes the rest."""


@dataclass(frozen=True)
class Entry:
    """What a fold needs to know of an entry; money in one currency."""

    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal | None = None
    fee_rate: Decimal | None = None
    leverage: Decimal | None = None
    next_open: bool = False
    """Whether it is entered at the next bar's open, which exits tell, and not at ``price``."""

    @classmethod
    def of(cls, event: SignalEmitted) -> Entry:
        """The entry that an event announces."""
        return cls(
            event.side,
            event.price,
            event.quantity,
            event.fee,
            event.fee_rate,
            event.leverage,
            event.entry == "next_open",
        )

    def entered(self, exits: Sequence[Exit]) -> Entry:
        """The entry at the price at which it was made.

        Args:
            exits: In order. The first one tells the price, so that no later exit changes what an
                earlier one realised; if it does not, the signal's own counts.
        """
        told = exits[0].entry_price if self.next_open and exits else None
        return self if told is None else replace(self, price=told)


@dataclass(frozen=True)
class Exit:
    """What a fold needs to know of an exit."""

    exit_id: str
    price: Decimal
    closed_at: datetime
    quantity: Decimal | None = None
    fee: Decimal | None = None
    fee_rate: Decimal | None = None
    interest: Decimal | None = None
    funding: Decimal | None = None
    entry_price: Decimal | None = None

    @classmethod
    def of(cls, event: SignalClosed) -> Exit:
        """The exit that an event reports."""
        return cls(
            event.exit_id,
            event.price,
            event.closed_at,
            event.quantity,
            event.fee,
            event.fee_rate,
            event.interest,
            event.funding,
            event.entry_price,
        )


@dataclass(frozen=True)
class Realised:
    """What one exit realised; ``pnl`` is net of its fees, its share of the entry fee and carry."""

    exit_id: str
    closed_at: datetime
    quantity: Decimal
    excess: Decimal
    pnl: Decimal
    fees: Decimal
    carry: Decimal


@dataclass(frozen=True)
class Position:
    """A signal's state after all of its known exits.

    ``closed_at``, ``return_`` and ``outcome`` are None until nothing is open.
    """

    exits: tuple[Realised, ...]
    closed_quantity: Decimal
    open_quantity: Decimal
    excess_quantity: Decimal
    realised_pnl: Decimal
    fees: Decimal
    carry: Decimal
    closed_at: datetime | None
    return_: Decimal | None
    outcome: Outcome | None


def fold(entry: Entry, exits: Iterable[Exit]) -> Position:
    """Work out a position.

    Args:
        entry: The entry.
        exits: Its exits, each id once, in any order.

    Returns:
        The position; all money exact, in the entry's currency.
    """
    ordered = sorted(exits, key=lambda one: (one.closed_at, one.exit_id))
    entry = entry.entered(ordered)
    entry_fee = fee_money(entry.fee, entry.fee_rate, entry.price, entry.quantity)
    remaining_fee = entry_fee
    remaining = entry.quantity
    realised: list[Realised] = []
    closed_at: datetime | None = None
    with exact():
        for each in ordered:
            wanted = remaining if each.quantity is None else each.quantity
            quantity = min(wanted, remaining)
            if quantity > 0:
                if quantity == remaining:
                    share, closed_at = remaining_fee, each.closed_at
                else:
                    share = round_ratio(entry_fee * quantity, entry.quantity, FEE_SHARE_PLACES)
                remaining_fee -= share
                remaining -= quantity
                fees = share + fee_money(each.fee, each.fee_rate, each.price, quantity)
                carry = (each.interest or Decimal(0)) + (each.funding or Decimal(0))
                gross = gross_pnl(entry.side, quantity, entry.price, each.price)
                pnl = gross - fees - carry
            else:
                pnl = fees = carry = Decimal(0)
            realised.append(
                Realised(
                    each.exit_id, each.closed_at, quantity, wanted - quantity, pnl, fees, carry
                )
            )
        total = sum((one.pnl for one in realised), Decimal(0))
        basis = cost_basis(entry.side, entry.quantity, entry.price, entry_fee)
        done = remaining == 0
        return Position(
            exits=tuple(realised),
            closed_quantity=entry.quantity - remaining,
            open_quantity=remaining,
            excess_quantity=sum((one.excess for one in realised), Decimal(0)),
            realised_pnl=total,
            fees=sum((one.fees for one in realised), Decimal(0)),
            carry=sum((one.carry for one in realised), Decimal(0)),
            closed_at=closed_at if done else None,
            return_=trade_return(total, basis, entry.leverage) if done else None,
            outcome=outcome(total, basis, entry.leverage) if done else None,
        )

"""A signal's position: a fold over the set of its exits.

Exits count in the order of (closed_at, exit_id), never in that of arrival.
Each closes at most what is still open; what it names beyond that is excess,
kept and counted but without effect on PnL.

Nothing is closed before it was emitted. The clocks of two publishers may differ by a
tolerance: an exit that is older than the emission by no more counts at the moment of the
emission. One that is still older closes nothing, all that it names is excess.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
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


CLOCK_TOLERANCE = timedelta(minutes=5)
"""By how much an exit may be older than its entry: TRACKRECORD_BACKDATED_AFTER_SECONDS unset."""


@dataclass(frozen=True)
class Entry:
    """What a fold needs to know of an entry; money in one currency."""

    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal | None = None
    fee_rate: Decimal | None = None
    leverage: Decimal | None = None
    emitted_at: datetime | None = None
    """None: before all of its exits."""
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
            event.emitted_at,
            event.entry == "next_open",
        )

    def entered(self, exits: Sequence[Exit]) -> Entry:
        """The entry at the price at which it was made.

        Args:
            exits: Those that count, in order. The first one tells the price, so that no later
                exit changes what an earlier one realised; if it does not, the signal's own counts.
        """
        told = exits[0].entry_price if self.next_open and exits else None
        return self if told is None else replace(self, price=told)

    def is_after(self, exit_: Exit, tolerance: timedelta) -> bool:
        """Whether it was emitted later than an exit by more than the tolerance."""
        return self.emitted_at is not None and self.emitted_at - exit_.closed_at > tolerance

    def counts_at(self, exit_: Exit) -> datetime:
        """When an exit takes effect: no sooner than the entry."""
        return exit_.closed_at if self.emitted_at is None else max(exit_.closed_at, self.emitted_at)


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
    """What one exit realised; ``pnl`` is net of its fees, its share of the entry fee and carry.

    ``closed_at`` is when it counts: no sooner than the entry. ``before_entry`` says that it is
    older than the entry by more than the tolerance; then it closed nothing.
    """

    exit_id: str
    closed_at: datetime
    quantity: Decimal
    excess: Decimal
    pnl: Decimal
    fees: Decimal
    carry: Decimal
    before_entry: bool = False


@dataclass(frozen=True)
class Position:
    """A signal's state after all of its known exits.

    ``closed_at``, ``return_`` and ``outcome`` are None until nothing is open. ``return_`` is
    also None where there is no amount that it could be a share of; ``no_return`` says why:
    ``entry_not_positive``, the entry price is not above 0, or ``no_cost_basis``, the cost basis
    is not. The outcome is the sign of the PnL then.
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
    no_return: str | None = None


def fold(entry: Entry, exits: Iterable[Exit], tolerance: timedelta = CLOCK_TOLERANCE) -> Position:
    """Work out a position.

    Args:
        entry: The entry.
        exits: Its exits, each id once, in any order.
        tolerance: By how much an exit may be older than the entry and still count, at least 0.

    Returns:
        The position; all money exact, in the entry's currency.
    """
    ordered = sorted(exits, key=lambda one: (one.closed_at, one.exit_id))
    early = [one for one in ordered if entry.is_after(one, tolerance)]
    entry = entry.entered([one for one in ordered if not entry.is_after(one, tolerance)])
    entry_fee = fee_money(entry.fee, entry.fee_rate, entry.price, entry.quantity)
    remaining_fee = entry_fee
    remaining = entry.quantity
    # They are the first in the order, as the rest is later.
    realised = [_closes_nothing(entry, one, before_entry=True) for one in early]
    closed_at: datetime | None = None
    with exact():
        for one in ordered[len(early) :]:
            wanted = remaining if one.quantity is None else one.quantity
            quantity = min(wanted, remaining)
            if quantity == 0:
                realised.append(_closes_nothing(entry, one))
                continue
            at = entry.counts_at(one)
            if quantity == remaining:
                share, closed_at = remaining_fee, at
            else:
                share = round_ratio(entry_fee * quantity, entry.quantity, FEE_SHARE_PLACES)
            remaining_fee -= share
            remaining -= quantity
            fees = share + fee_money(one.fee, one.fee_rate, one.price, quantity)
            carry = (one.interest or Decimal(0)) + (one.funding or Decimal(0))
            gross = gross_pnl(entry.side, quantity, entry.price, one.price)
            pnl = gross - fees - carry
            realised.append(
                Realised(one.exit_id, at, quantity, wanted - quantity, pnl, fees, carry)
            )
        total = sum((one.pnl for one in realised), Decimal(0))
        basis = cost_basis(entry.side, entry.quantity, entry.price, entry_fee)
        no_return = _no_return(entry.price, basis)
        if no_return:
            basis = Decimal(0)
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
            no_return=no_return if done else None,
        )


def _closes_nothing(entry: Entry, exit_: Exit, *, before_entry: bool = False) -> Realised:
    zero = Decimal(0)
    return Realised(
        exit_.exit_id,
        entry.counts_at(exit_),
        zero,
        exit_.quantity or zero,
        zero,
        zero,
        zero,
        before_entry,
    )


def _no_return(price: Decimal, basis: Decimal) -> str | None:
    """Why a position has no return, None if it has one."""
    if price <= 0:
        return "entry_not_positive"
    return None if basis > 0 else "no_cost_basis"

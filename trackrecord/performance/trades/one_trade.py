"""One trade: what it earned and what that is as a return.

Definitions: docs/numbers.md. The cost basis and the return follow freqtrade's
definitions (https://www.freqtrade.io/en/stable/), for long and short.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from trackrecord.performance.exact import exact, round_ratio

Outcome = Literal["win", "loss", "breakeven"]

RETURN_PLACES = 18
"""Digits after the point to which a return is kept, so that sums of returns are exact."""

DUST = Decimal("0.000000005")
"""A return of at most this size rounds to 0 at 8 decimals, half to even: it is breakeven."""


def direction(side: str) -> int:
    """+1 for BUY (a long), -1 for SELL (a short)."""
    return 1 if side == "BUY" else -1


def gross_pnl(side: str, quantity: Decimal, entry_price: Decimal, exit_price: Decimal) -> Decimal:
    """(exit - entry) · quantity · direction, in money; exact."""
    with exact():
        return (exit_price - entry_price) * quantity * direction(side)


def fee_money(
    fee: Decimal | None, fee_rate: Decimal | None, price: Decimal, quantity: Decimal
) -> Decimal:
    """A fee in money: as given, or the rate times the notional; 0 where neither is given."""
    if fee is not None:
        return fee
    if fee_rate is None:
        return Decimal(0)
    with exact():
        return fee_rate * price * quantity


def cost_basis(side: str, quantity: Decimal, entry_price: Decimal, entry_fee: Decimal) -> Decimal:
    """What a position cost to open, in money.

    Long: entry notional + entry fee. Short: entry notional - entry fee.
    """
    with exact():
        return quantity * entry_price + direction(side) * entry_fee


def trade_return(net_pnl: Decimal, basis: Decimal, leverage: Decimal | None) -> Decimal | None:
    """Net PnL / cost basis · leverage, as a fraction.

    Args:
        net_pnl: Net of fees, interest and funding, in money.
        basis: The cost basis, in money.
        leverage: Multiplies the return; None is 1.

    Returns:
        Rounded half-even to 18 decimals; None where the cost basis is not above 0
        (a short whose fee is as large as its notional), reason ``no_cost_basis``.
    """
    if basis <= 0:
        return None
    with exact():
        return round_ratio(net_pnl * (leverage or 1), basis, RETURN_PLACES)


def outcome(net_pnl: Decimal, basis: Decimal, leverage: Decimal | None) -> Outcome:
    """Win, loss or breakeven: the sign of the return after rounding to 8 decimals, half even.

    Decided without dividing: the rounded return is 0 where the true one is at
    most half of the eighth decimal. Without a cost basis, the sign of the PnL.
    """
    with exact():
        margin = DUST * basis if basis > 0 else Decimal(0)
        gained = net_pnl * (leverage or 1)
        if gained > margin:
            return "win"
        return "loss" if gained < -margin else "breakeven"

"""A record of closed signals, from sums that any number of consumers can keep."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trackrecord.performance.exact import round_ratio

MONEY_PLACES = 18
"""Digits after the point of a mean of money."""


@dataclass(frozen=True)
class Sums:
    """What is added up over signals; sums of sums are again such sums.

    Money is in one currency. ``total_pnl``, ``gross_profit`` and ``gross_loss``
    are over signals closed in full, ``realised_pnl``, ``fees`` and ``carry``
    over all exits.
    """

    signals: int = 0
    backdated: int = 0
    exits: int = 0
    closed: int = 0
    wins: int = 0
    losses: int = 0
    breakevens: int = 0
    total_pnl: Decimal = Decimal(0)
    gross_profit: Decimal = Decimal(0)
    gross_loss: Decimal = Decimal(0)
    realised_pnl: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    carry: Decimal = Decimal(0)
    sum_return: Decimal = Decimal(0)


def win_rate(sums: Sums) -> float | None:
    """Wins / closed, breakevens counted in closed; None (``no_data``) where none is closed."""
    return sums.wins / sums.closed if sums.closed else None


def average_pnl(sums: Sums) -> Decimal | None:
    """Mean net PnL of closed signals, also called expectancy; None (``no_data``) without any.

    Rounded half-even to 18 decimals.
    """
    return round_ratio(sums.total_pnl, Decimal(sums.closed), MONEY_PLACES) if sums.closed else None


def average_return(sums: Sums) -> float | None:
    """Mean return of closed signals, a fraction; None (``no_data``) without any."""
    if not sums.closed:
        return None
    return float(round_ratio(sums.sum_return, Decimal(sums.closed), MONEY_PLACES))


def profit_factor(sums: Sums) -> tuple[float | None, str | None]:
    """Sum of net wins / absolute sum of net losses, and the reason where it is undefined."""
    if not sums.closed:
        return None, "no_data"
    if sums.gross_loss == 0:
        return None, "no_losses"
    return float(round_ratio(sums.gross_profit, -sums.gross_loss, MONEY_PLACES)), None


def expectancy_ratio(sums: Sums) -> tuple[float | None, str | None]:
    """(1 + average win / average loss) · share of wins - 1, and the reason where undefined."""
    if not sums.closed:
        return None, "no_data"
    if not sums.losses or sums.gross_loss == 0:
        return None, "no_losses"
    share = sums.wins / sums.closed
    if not sums.wins:
        return share - 1, None
    average_win = float(sums.gross_profit) / sums.wins
    average_loss = float(-sums.gross_loss) / sums.losses
    return (1 + average_win / average_loss) * share - 1, None

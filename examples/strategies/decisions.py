"""The decisions that a strategy can make at the close of a bar: enter or leave."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Literal

BUDGET = Decimal(10_000)
"""Money put into each trade, in USD."""

TICK = Decimal("0.0001")
"""The step of prices, in USD."""


@dataclass(frozen=True, slots=True)
class Enter:
    """Open a position at a price."""

    trade: str
    """Names the trade: the same for the same strategy, settings, symbol and session."""
    at: datetime
    side: Literal["BUY", "SELL"]
    """BUY opens a long position, SELL a short one."""
    price: Decimal
    quantity: Decimal
    target: Decimal
    stop: Decimal | None = None
    horizon_bars: int | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """Close a position, or a part of it, at a price."""

    trade: str
    exit: str
    """Names the exit within its trade; exits of one trade count in the order of their names."""
    at: datetime
    price: Decimal
    quantity: Decimal
    reason: str


Decision = Enter | Leave


def whole_shares(price: Decimal) -> Decimal:
    """How many shares the budget buys at a price in USD; at least one."""
    return max((BUDGET / price).to_integral_value(ROUND_DOWN), Decimal(1))

"""The event that holds one bar of prices."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import ClassVar, Self, TypeVar

from pydantic import model_validator

from trackrecord.events.base import Event, EventType
from trackrecord.events.types import (
    Name,
    NonNegativeDecimal,
    PositiveDecimal,
    Price,
    Revision,
    Symbol,
    Timeframe,
    UtcTime,
)

Number = TypeVar("Number", Decimal, float)


def impossible_bar(open_: Number, high: Number, low: Number, close: Number) -> str | None:
    """Why four prices cannot be those of one bar, or None where they can.

    The rule for bars everywhere: as events, in files and on the command line. NaN and
    infinities are no prices; of which sign a price is does not matter.
    """
    for name, price in (("open", open_), ("high", high), ("low", low), ("close", close)):
        if not (price.is_finite() if isinstance(price, Decimal) else isfinite(price)):
            return f"{name} is no finite number"
    if high < max(open_, close, low):
        return "high is below open, close or low"
    if low > min(open_, close):
        return "low is above open or close"
    return None


class MarketBar(Event):
    """The prices of one instrument over one stretch of time."""

    event_type: ClassVar[EventType] = "market_bar"
    key_field: ClassVar[str] = "symbol"
    identity: ClassVar[tuple[str, ...]] = ("symbol", "timeframe", "source", "opened_at")

    symbol: Symbol
    """The instrument."""
    timeframe: Timeframe
    """The length of the bar."""
    source: Name
    """Where the prices come from."""
    opened_at: UtcTime
    """The bar's first instant."""
    closed_at: UtcTime
    """The instant from which the bar is known."""
    open: Price
    """First price."""
    high: Price
    """Highest price."""
    low: Price
    """Lowest price."""
    close: Price
    """Last price."""
    volume: NonNegativeDecimal
    """Units traded."""
    split_ratio: PositiveDecimal | None = None
    """New shares for an old one, from this bar on: 2 where each became two. Only of prices that are
    not adjusted for it; left out where there was no split."""
    revision: Revision = 0
    """Raised by a correction; the highest wins."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.closed_at <= self.opened_at:
            raise ValueError("closed_at is not after opened_at")
        if problem := impossible_bar(self.open, self.high, self.low, self.close):
            raise ValueError(problem)
        return self

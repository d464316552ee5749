"""The event that holds one bar of prices."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import model_validator

from trackrecord.events.base import Event, EventType
from trackrecord.events.types import (
    Name,
    NonNegativeDecimal,
    Price,
    Revision,
    Symbol,
    Timeframe,
    UtcTime,
)


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
    revision: Revision = 0
    """Raised by a correction; the highest wins."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.closed_at <= self.opened_at:
            raise ValueError("closed_at is not after opened_at")
        if self.high < max(self.open, self.close, self.low):
            raise ValueError("high is below open, close or low")
        if self.low > min(self.open, self.close):
            raise ValueError("low is above open or close")
        return self

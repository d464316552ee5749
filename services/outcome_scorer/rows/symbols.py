"""Symbols as the tables name them: which are locked, wanted, or have ceased to trade."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from trackrecord.outcomes.label_many import Rows

Key = tuple[str, str]
"""Symbol and timeframe."""


class Asked(NamedTuple):
    """A symbol, and which part of its history is wanted; microseconds since 1970 UTC."""

    number: int
    """Comes back with each row."""
    symbol: str
    timeframe: str
    since: int | None = None
    before: int | None = None
    most: int | None = None
    """Bars at most, the latest ones."""


class Claimed(NamedTuple):
    """A symbol of the batch, locked."""

    symbol: str
    timeframe: str
    version: int
    last_opened_at: int | None
    """When its last bar opened, microseconds since 1970 UTC."""
    ceased: bool
    """Whether its signals were ended, as it had no bar for ten sessions."""

    @property
    def key(self) -> Key:
        """Symbol and timeframe."""
        return self.symbol, self.timeframe


class Ceased(NamedTuple):
    """A symbol without a bar for ten sessions, locked; microseconds since 1970 UTC."""

    symbol: str
    timeframe: str
    version: int
    known_at: int
    """The close from which on this can be known."""
    known_before: int | None
    """The close that was on record for it: its signals were ended then."""

    @property
    def key(self) -> Key:
        """Symbol and timeframe."""
        return self.symbol, self.timeframe


def touched_rows(keys: Sequence[Key], last_opened_at: Rows, last_closed_at: Rows) -> pl.DataFrame:
    """Symbols whose version rises, with the times of their last bars, as they are loaded."""
    return pl.DataFrame(
        {
            "symbol": [symbol for symbol, _ in keys],
            "timeframe": [timeframe for _, timeframe in keys],
            "last_opened_at": last_opened_at,
            "last_closed_at": last_closed_at,
        }
    )

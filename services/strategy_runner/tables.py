"""What replay of the strategy_runner rebuilds and compares: the bars, and no decision.

What a strategy decided is a fact of the moment at which it was asked: which strategies were active,
and what bars were there then, does not follow from the topics. So replay runs no code of anybody's
and leaves those tables as they are.
"""

from __future__ import annotations

from typing import Final

from trackrecord.runtime.stage import DerivedTable
from trackrecord.strategies.contract import MOST_LOOKBACK

KEPT: Final = MOST_LOOKBACK
"""Bars of each symbol and timeframe that are kept: no strategy looks back on more."""

_AGED: Final = (
    "SELECT *, dense_rank() OVER (PARTITION BY symbol, timeframe ORDER BY opened_at DESC) AS age"
    " FROM strategy_bars"
)

TABLES: Final = (
    # Older ones are deleted at times, and some may still be there.
    DerivedTable(
        "strategy_bars",
        (
            "SELECT symbol, timeframe, opened_at, source, closed_at, trim_scale(open) AS open,"
            " trim_scale(high) AS high, trim_scale(low) AS low, trim_scale(close) AS close,"
            " trim_scale(volume) AS volume, trim_scale(split_ratio) AS split_ratio, revision"
            f" FROM ({_AGED}) AS aged WHERE age <= {KEPT}"
        ),
        ("symbol", "timeframe", "opened_at", "source"),
    ),
)
"""Tables, their content and key."""

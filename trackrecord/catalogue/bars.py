"""The bars that came over Kafka, as a history that strategies are judged on."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import numpy as np
import polars as pl

from trackrecord.catalogue.life import EVERY_SYMBOL
from trackrecord.runtime.database import Cursor, read_columns, rows
from trackrecord.runtime.sql_times import micros
from trackrecord.strategies.history import BadBarsError, History, Series

_PRICES: Final = ("open", "high", "low", "close")
_SCHEMA: Final = {
    "symbol": pl.String,
    "opened": pl.Int64,
    "closed": pl.Int64,
    **dict.fromkeys(_PRICES, pl.String),
    "volume": pl.Float64,
    "split_ratio": pl.String,
}
# Of several sources of a bar the first by name counts, as everywhere.
_BARS: Final = f"""
    SELECT symbol, {micros("opened_at")}, {micros("closed_at")}, trim_scale(open)::text,
           trim_scale(high)::text, trim_scale(low)::text, trim_scale(close)::text,
           volume::double precision, trim_scale(split_ratio)::text
    FROM (
        SELECT DISTINCT ON (symbol, opened_at) * FROM bars
        WHERE symbol = %(symbol)s AND timeframe = %(timeframe)s
          AND (%(source)s::text IS NULL OR source = %(source)s)
        ORDER BY symbol, opened_at DESC, source LIMIT %(latest)s
    ) AS those ORDER BY opened_at
"""


def read_history(
    cursor: Cursor,
    symbols: Sequence[str],
    timeframe: str,
    *,
    source: str | None = None,
    latest: int | None = None,
) -> History:
    """The bars of some symbols.

    Args:
        cursor: Inside a transaction.
        symbols: Which; ``*`` alone is all that there are.
        timeframe: Of the bars.
        source: Of these; None: the first by name for each bar.
        latest: Only so many of each symbol, the latest; None: all.

    Raises:
        BadBarsError: There are none.
    """
    if list(symbols) == [EVERY_SYMBOL]:
        symbols = symbols_with_bars(cursor, timeframe)
    found: dict[str, Series] = {}
    for symbol in sorted(set(symbols)):
        wanted = {"symbol": symbol, "timeframe": timeframe, "source": source, "latest": latest}
        frame = read_columns(cursor, _BARS, wanted, _SCHEMA)
        if frame.height:
            found[symbol] = _series(symbol, frame)
    if not found:
        named = ", ".join(sorted(set(symbols))[:5]) or "any symbol"
        raise BadBarsError(f"no bars of {named} ({timeframe}) have come so far")
    return History(found, timeframe)


def symbols_with_bars(cursor: Cursor, timeframe: str) -> list[str]:
    """Every symbol of which a bar of a timeframe has come."""
    found = rows(
        cursor,
        "SELECT symbol FROM watched_symbols WHERE timeframe = %s AND last_opened_at IS NOT NULL"
        " ORDER BY symbol",
        (timeframe,),
    )
    return [symbol for (symbol,) in found]


def _series(symbol: str, frame: pl.DataFrame) -> Series:
    opened = frame["opened"].to_numpy().astype(np.int64)
    closed = frame["closed"].to_numpy().astype(np.int64)
    # A bar that says it closes after the next one opens was known by then all the same.
    closed[:-1] = np.minimum(closed[:-1], opened[1:])
    open_, high, low, close = (frame[name].to_list() for name in _PRICES)
    splits = None
    if frame["split_ratio"].null_count() < frame.height:
        splits = tuple(Decimal(each or "1") for each in frame["split_ratio"].to_list())
    return Series(
        symbol=symbol,
        opened_at=opened,
        closed_at=closed,
        open=np.array(open_, np.float64),
        high=np.array(high, np.float64),
        low=np.array(low, np.float64),
        close=np.array(close, np.float64),
        volume=frame["volume"].to_numpy().astype(np.float64),
        split_ratio=splits,
        texts=(open_, high, low, close),
    )

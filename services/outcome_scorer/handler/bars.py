"""Bars of a batch: written, and told apart from those that were there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from services.outcome_scorer import store
from services.outcome_scorer.rows.symbols import Claimed, Key
from trackrecord.runtime.database import Cursor
from trackrecord.times import NEVER


class WrittenBars(NamedTuple):
    """What became of the bars of a batch."""

    late: dict[Key, int]
    """Symbols with changed bars that are not behind all others, and when the first opened."""
    new: pl.DataFrame
    """Bars that were not there."""
    conflicts: list[int]
    """Positions of those that contradict one of the same revision."""
    corrected: int
    """How many replaced one of a lower revision."""


def write_bars(
    cursor: Cursor, bars: pl.DataFrame, claimed: Sequence[Claimed], *, repeats: bool
) -> WrittenBars:
    """Write bars, and tell which of them are late, corrections or repeats.

    Args:
        cursor: In the transaction.
        bars: Of the batch, each once.
        claimed: The symbols of the batch.
        repeats: Whether the batch holds some more than once.
    """
    if not bars.height:
        return WrittenBars({}, bars, [], 0)
    last = {
        symbol.key: NEVER if symbol.last_opened_at is None else symbol.last_opened_at
        for symbol in claimed
    }
    names = bars.select("symbol", "timeframe").iter_rows()
    behind = pl.Series([last[key] for key in names], dtype=pl.Int64)
    late = bars.filter(pl.col("opened_us") <= behind)
    # Who was taken for delisted trades again.
    traded = set(bars.select("symbol", "timeframe").iter_rows())
    since = {
        symbol.key: last[symbol.key] for symbol in claimed if symbol.ceased and symbol.key in traded
    }
    known = store.bars.known(cursor) if late.height or repeats else []
    store.bars.write(cursor)
    there = [bar for bar in known if bar.stays and bar.is_there]
    same = [bar.position for bar in there if not bar.corrects]
    # Of two sources of one bar, the second to come may be the one that counts.
    shared = bars.filter(pl.struct("symbol", "timeframe", "opened_us").is_duplicated())
    changed = pl.concat([late, shared]).filter(~pl.col("position").is_in(same))
    firsts = changed.group_by("symbol", "timeframe").agg(pl.col("opened_us").min())
    for symbol, timeframe, first in firsts.iter_rows():
        since[symbol, timeframe] = min(first, since.get((symbol, timeframe), first))
    return WrittenBars(
        since,
        bars.filter(~pl.col("position").is_in([bar.position for bar in there])),
        [bar.position for bar in known if bar.contradicts],
        sum(bar.corrects for bar in there),
    )

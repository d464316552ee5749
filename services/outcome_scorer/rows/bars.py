"""Bars as they are loaded, and as arrays."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import polars as pl

from trackrecord.outcomes.waiting import BarColumns
from trackrecord.runtime.sql_times import wire_micros

_KEY: Final = ("symbol", "timeframe", "opened_us", "source")
_FLOATS: Final = ("open", "high", "low", "close", "volume", "split_ratio")
_COLUMNS: Final = ("opened_at", "closed_at", *_FLOATS)
READ: Final = {
    "number": pl.Int64,
    "opened_at": pl.Int64,
    "closed_at": pl.Int64,
    **dict.fromkeys(_FLOATS, pl.Float64),
}
"""What the tables answer; times in microseconds since 1970 UTC."""


class KnownBar(NamedTuple):
    """What the table says of a bar of the batch."""

    position: int
    stays: bool
    """Whether it is the one of the batch that counts."""
    is_there: bool
    corrects: bool
    contradicts: bool


def as_bars(frame: pl.DataFrame) -> pl.DataFrame:
    """Bars as they are loaded, with their times as numbers too."""
    return frame.with_columns(
        wire_micros("opened_at").alias("opened_us"),
        wire_micros("closed_at").alias("closed_us"),
    )


def repeats(bars: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of bars that a batch names more than once, the highest revision, and of that the first.

    Returns:
        One row per bar, in the order of the key; and the other rows that might contradict one:
        those that come before any higher revision.
    """
    ordered = bars.sort(*_KEY, -pl.col("revision"), "position")
    kept = ordered.unique(_KEY, keep="first", maintain_order=True)
    if kept.height == bars.height:
        return kept, bars.clear()
    in_turn = bars.sort(*_KEY, "position")
    highest = pl.col("revision").cum_max().over(_KEY)
    others = in_turn.filter(pl.col("revision") == highest)
    return kept, others.join(kept.select("position"), on="position", how="anti")


def bar_columns(frame: pl.DataFrame) -> BarColumns:
    """The bars of a frame as arrays."""
    told = frame.with_columns(pl.col("split_ratio").cast(pl.Float64).fill_null(1.0))
    columns: list[Any] = [told[name].to_numpy() for name in _COLUMNS]
    return BarColumns(*columns)

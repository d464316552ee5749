"""Real daily bars of US shares, 2015 to 2017, brought into the form that the loop reads.

The changes follow the notes beside the data (``SOURCE.md``): prices are back-adjusted for a split
if both ``adj_close`` and the jump of the price show its ratio. Every other jump is left as it is,
and a signal whose bars include one outside 0.6 to 1.7 is void. Bars without volume or
with a price that is not above 0 are dropped, as are days on which nearly nothing traded: they
were holidays.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from benchmarks.harness import MissingDataError
from trackrecord.features import History
from trackrecord.features.windows import Floats, Rows

FILE: Final = "us_daily_2015_2017.parquet"
VARIABLE: Final = "TRACKRECORD_BARS"
"""Environment variable that names the file, where it is not beside the repository."""

FEWEST_TRADING: Final = 100
"""Symbols with a bar, below which a day was no session."""
_SPLIT: Final = math.log(1.1)
"""The smallest change of adj_close / close, as a logarithm, that is looked at: no dividend."""
_ALIKE: Final = math.log(1.3)
"""How far the price's own jump may be from the ratio: an overnight move of a share."""


class Daily(NamedTuple):
    """Bars of all symbols, one behind the other.

    Attributes:
        bars: Split-adjusted.
        opened_at: Of each bar; microseconds since 1970 UTC.
        traded_at: The close as it was printed that day, not adjusted, (b,).
        counts: What was read, dropped and adjusted.
    """

    bars: History
    opened_at: Rows
    traded_at: Floats
    counts: dict[str, int]


def place() -> Path:
    """Where the bars are.

    Raises:
        MissingDataError: They are not there.
    """
    named = os.environ.get(VARIABLE)
    beside = Path(__file__).resolve().parents[3] / "shared" / "data" / "bars" / FILE
    file = Path(named) if named else beside
    if not file.is_file():
        raise MissingDataError(f"there is no {file}; name the file of daily bars in {VARIABLE}")
    return file


def read(file: Path) -> Daily:
    """Read the bars and adjust them for splits."""
    given = pl.read_parquet(file)
    prices = ("open", "high", "low", "close")
    lowest, highest = pl.min_horizontal(prices), pl.max_horizontal(prices)
    frame = given.filter(
        (pl.col("volume") > 0)
        & (lowest > 0)
        & (pl.col("low") <= lowest)
        & (pl.col("high") >= highest)
    )
    frame = frame.filter(pl.len().over("date") >= FEWEST_TRADING).sort("symbol", "date")
    # The share of the price that adj_close keeps; where a split's jump comes it goes back to 1.
    kept = pl.col("adj_close") / pl.col("close")
    ratio = (kept.shift().over("symbol") / kept).log()
    jump = (pl.col("open") / pl.col("close").shift().over("symbol")).log()
    is_split = (ratio.abs() > _SPLIT) & (
        (jump - ratio).abs() < pl.min_horizontal(pl.lit(_ALIKE), ratio.abs() / 2)
    )
    frame = frame.with_columns(
        pl.when(is_split.fill_null(value=False)).then(ratio).otherwise(0.0).alias("split")
    )
    # A bar is adjusted by all splits after it.
    later = pl.col("split").cum_sum(reverse=True).over("symbol") - pl.col("split")
    frame = frame.with_columns(later.exp().alias("factor"))
    day = pl.col("date").str.to_datetime("%Y-%m-%d", time_unit="us")
    frame = frame.with_columns(
        _at(day, 9, 30).alias("opened_at"), _at(day, 16, 0).alias("closed_at")
    )
    factor = frame["factor"].to_numpy()
    columns: list[Any] = [frame[name].to_numpy() * factor for name in prices]
    changed = frame.select(pl.col("symbol") != pl.col("symbol").shift()).to_series()
    starts = changed.fill_null(value=True).arg_true().to_numpy().astype(np.int64)
    columns += [frame["volume"].to_numpy() / factor, frame["closed_at"].to_numpy(), starts]
    bars = History(*columns)
    counts = {
        "bars_read": given.height,
        "bars_dropped": given.height - frame.height,
        "symbols": len(starts),
        "sessions": frame["date"].n_unique(),
        "splits_adjusted": int((frame["split"] != 0).sum()),
    }
    return Daily(bars, frame["opened_at"].to_numpy(), frame["close"].to_numpy(), counts)


def _at(day: pl.Expr, hour: int, minute: int) -> pl.Expr:
    """A time of day in New York as microseconds since 1970 UTC."""
    moment = day + pl.duration(hours=hour, minutes=minute)
    return moment.dt.replace_time_zone("America/New_York").dt.epoch("us")

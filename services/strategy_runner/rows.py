"""Bars as they are loaded and as strategies meet them; what was decided, as it is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import polars as pl

from trackrecord.outcomes import Bar
from trackrecord.runtime.database import CopyRows
from trackrecord.runtime.sql_times import wire_micros
from trackrecord.strategies.live.lines import Came
from trackrecord.times import DAY

Key = tuple[str, str]
"""Symbol and timeframe."""
VersionKey = tuple[str, int]
"""A strategy's id, and which of its versions."""

_KEY: Final = ("symbol", "timeframe", "opened_us", "source")
_CAME: Final = (
    "position", "symbol", "timeframe", "source", "opened_us", "closed_us", "appended_us",
    "revision", "open", "high", "low", "close", "volume", "split_ratio",
)  # fmt: skip
_LOADED: Final = (
    "symbol", "timeframe", "source", "opened_at", "closed_at", "open", "high", "low", "close",
    "volume", "split_ratio", "revision", "appended_at",
)  # fmt: skip


class Claimed(NamedTuple):
    """A symbol of the batch, locked."""

    symbol: str
    timeframe: str
    version: int
    folded_at: int | None
    """When the last bar opened that counted; microseconds since 1970 UTC."""
    last_day: int | None
    """The date on which its last bar opened, days since 1970; None: it has none yet."""

    @property
    def key(self) -> Key:
        """Symbol and timeframe."""
        return self.symbol, self.timeframe


class Touched(NamedTuple):
    """A symbol after the batch."""

    symbol: str
    timeframe: str
    folded_at: int | None


class Stood(NamedTuple):
    """What a strategy holds of a symbol after the batch; without a standing it is nothing."""

    symbol: str
    timeframe: str
    strategy_id: str
    version: int
    source: str | None
    standing: str | None


class Decided(NamedTuple):
    """A decision that was not to hold, or why there is none; decimals as texts."""

    strategy_id: str
    version: int
    symbol: str
    timeframe: str
    opened_at: int
    action: str | None
    signal_id: str | None
    closes: bool
    stop_loss: str | None
    target_price: str | None
    horizon_bars: int | None
    confidence: float | None
    reason: str
    fault_code: str | None
    fault: str | None
    bar_source: str
    bar_revision: int


class Corrected(NamedTuple):
    """A bar that was corrected after it had counted."""

    symbol: str
    timeframe: str
    opened_at: int


class Arrived(NamedTuple):
    """The bars of a batch."""

    bars: list[tuple[Key, Came]]
    """In the order in which they came."""
    loaded: CopyRows
    """Each once, in its highest revision."""
    sessions: CopyRows
    """Timeframe, date and partition, each once."""


def arrived(frame: pl.DataFrame) -> Arrived:
    """The bars of a batch, from what was read of their messages."""
    told = frame.with_columns(
        wire_micros("opened_at").alias("opened_us"),
        wire_micros("closed_at").alias("closed_us"),
        pl.col("appended_at").dt.epoch("us").alias("appended_us"),
    )
    bars: list[tuple[Key, Came]] = [
        ((row[1], row[2]), _came(row)) for row in told.sort("position").select(_CAME).iter_rows()
    ]
    # The first of the highest revision stays, as in the lines.
    kept = told.sort(*_KEY, -pl.col("revision"), "position").unique(
        _KEY, keep="first", maintain_order=True
    )
    days = told.select("timeframe", (pl.col("opened_us") // DAY).alias("day"), "partition")
    return Arrived(
        bars,
        CopyRows.of(kept.select(_LOADED)),
        CopyRows.of(days.unique().sort("timeframe", "day", "partition")),
    )


def _came(row: Sequence[Any]) -> Came:
    ratio = Decimal(1) if row[13] is None else Decimal(row[13])
    prices = Bar(Decimal(row[8]), Decimal(row[9]), Decimal(row[10]), Decimal(row[11]), ratio)
    return Came(row[4], row[5], row[6], row[3], row[7], prices, float(row[12]), row[0])


_TYPES: Final[dict[type, dict[str, Any]]] = {
    Touched: {"symbol": pl.String, "timeframe": pl.String, "folded_at": pl.Int64},
    Stood: {
        "symbol": pl.String, "timeframe": pl.String, "strategy_id": pl.String,
        "version": pl.Int64, "source": pl.String, "standing": pl.String,
    },
    Decided: {
        "strategy_id": pl.String, "version": pl.Int64, "symbol": pl.String,
        "timeframe": pl.String, "opened_at": pl.Int64, "action": pl.String,
        "signal_id": pl.String, "closes": pl.Boolean, "stop_loss": pl.String,
        "target_price": pl.String, "horizon_bars": pl.Int64, "confidence": pl.Float64,
        "reason": pl.String, "fault_code": pl.String, "fault": pl.String,
        "bar_source": pl.String, "bar_revision": pl.Int64,
    },
    Corrected: {"symbol": pl.String, "timeframe": pl.String, "opened_at": pl.Int64},
}  # fmt: skip


def copied(kind: type, rows: Iterable[tuple[Any, ...]]) -> CopyRows:
    """Rows of one kind as they are loaded."""
    return CopyRows.of(pl.DataFrame(list(rows), schema=_TYPES[kind], orient="row"))

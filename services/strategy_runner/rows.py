"""Bars as they are loaded and as strategies meet them; what was decided, as it is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final, NamedTuple

import polars as pl

from trackrecord.outcomes import Bar
from trackrecord.runtime.database import CopyRows
from trackrecord.strategies.live.lines import Came
from trackrecord.times import DAY, microseconds

Key = tuple[str, str]
"""Symbol and timeframe."""
VersionKey = tuple[str, int]
"""A strategy's id, and which of its versions."""


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
    """The bars of a batch, from what was read of their messages.

    Most batches hold few bars, for which columns would take longer to set up than to fill.
    """
    bars: list[tuple[Key, Came]] = []
    kept: dict[tuple[str, str, int, str], tuple[int, Sequence[Any]]] = {}
    days: dict[tuple[str, int, int], None] = {}
    for row in frame.sort("position").select(_READ).iter_rows():
        came = _came(row)
        key = (row[1], row[2])
        bars.append((key, came))
        days[row[2], came.opened_at // DAY, row[14]] = None
        place = (*key, came.opened_at, came.source)
        # The first of the highest revision stays, as in the lines.
        if place not in kept or kept[place][0] < came.revision:
            kept[place] = (came.revision, row)
    loaded = [_LOADED(row) for _, row in kept.values()]
    return Arrived(bars, written(_BAR_COLUMNS, loaded), written(_DAY_COLUMNS, list(days)))


def _came(row: Sequence[Any]) -> Came:
    ratio = Decimal(1) if row[12] is None else Decimal(row[12])
    prices = Bar(Decimal(row[7]), Decimal(row[8]), Decimal(row[9]), Decimal(row[10]), ratio)
    opened, closed = (microseconds(datetime.fromisoformat(text)) for text in row[4:6])
    appended = microseconds(row[13].replace(tzinfo=UTC))
    return Came(opened, closed, appended, row[3], row[6], prices, float(row[11]), row[0])


_READ: Final = (
    "position", "symbol", "timeframe", "source", "opened_at", "closed_at", "revision", "open",
    "high", "low", "close", "volume", "split_ratio", "appended_at", "partition",
)  # fmt: skip
_LOADED: Final = itemgetter(*range(1, 14))
_BAR_COLUMNS: Final = _READ[1:14]
_DAY_COLUMNS: Final = ("timeframe", "day", "partition")


def written(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> CopyRows:
    """Rows in the form in which COPY takes them."""
    lines = [",".join(map(_field, row)) for row in rows]
    names = ", ".join(f'"{name}"' for name in columns)
    return CopyRows(names, "".join(f"{line}\n" for line in lines).encode(), len(lines))


def _field(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return str(value)


def copied(rows: Iterable[NamedTuple]) -> CopyRows:
    """Rows of one kind as they are loaded."""
    found = list(rows)
    return written(found[0]._fields, found) if found else NO_ROWS


NO_ROWS: Final = CopyRows("", b"", 0)

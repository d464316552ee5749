"""The tables of bars that strategies look back on, and of the dates on which there were any."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import numpy as np

from services.strategy_runner.rows import Key
from services.strategy_runner.tables import KEPT
from trackrecord.outcomes import Bar
from trackrecord.runtime.database import CopyRows, Cursor, copy_rows, execute_planned, rows
from trackrecord.runtime.sql_times import micros
from trackrecord.strategies.live.lines import Came, Kept

TEMPORARY: Final = """
CREATE TEMPORARY TABLE new_bars (
    symbol text COLLATE "C", timeframe text COLLATE "C", source text COLLATE "C",
    opened_at timestamptz, closed_at timestamptz, open numeric, high numeric, low numeric,
    close numeric, volume numeric, split_ratio numeric, revision integer, appended_at timestamptz
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE new_sessions (
    timeframe text COLLATE "C", day integer, partition integer
) ON COMMIT DELETE ROWS;
"""

_SLACK: Final = KEPT // 10
"""Bars beyond those that are kept, before any are deleted."""
_SELDOM: Final = 16
"""Batches with bars of a symbol, of which one looks whether any are to be deleted."""
_KEY: Final = "symbol, timeframe, opened_at, source"
_CONTENT: Final = (
    "closed_at", "open", "high", "low", "close", "volume", "split_ratio", "revision",
    "appended_at",
)  # fmt: skip


def load(cursor: Cursor, bars: CopyRows, sessions: CopyRows) -> None:
    """COPY the bars of a batch into temporary tables; locks nothing that others use."""
    copy_rows(cursor, "new_bars", bars)
    copy_rows(cursor, "new_sessions", sessions)


_WRITE: Final = f"""
INSERT INTO strategy_bars ({_KEY}, {", ".join(_CONTENT)})
SELECT {_KEY}, {", ".join(_CONTENT)} FROM new_bars ORDER BY {_KEY}
ON CONFLICT ({_KEY}) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in _CONTENT)}
WHERE strategy_bars.revision < excluded.revision
"""

_WRITE_SESSIONS: Final = """
INSERT INTO strategy_sessions (timeframe, day, partition)
SELECT timeframe, '1970-01-01'::date + day, partition FROM new_sessions
ORDER BY timeframe, day, partition
ON CONFLICT DO NOTHING
"""


def write(cursor: Cursor) -> None:
    """Write the bars of the batch; of each the highest revision stays, of that the first."""
    execute_planned(cursor, _WRITE, {})
    execute_planned(cursor, _WRITE_SESSIONS, {})


_BETWEEN: Final = """
SELECT DISTINCT day - '1970-01-01'::date FROM strategy_sessions
WHERE timeframe = %(timeframe)s AND day > '1970-01-01'::date + %(after)s
  AND day < '1970-01-01'::date + %(before)s
"""


def sessions_between(cursor: Cursor, timeframe: str, after: int, before: int) -> set[int]:
    """The dates between two, on which bars of any symbol opened; days since 1970."""
    between = {"timeframe": timeframe, "after": after, "before": before}
    return {day for (day,) in rows(cursor, _BETWEEN, between)}


_PRUNE: Final = f"""
DELETE FROM strategy_bars AS b USING (
    SELECT n.symbol, n.timeframe, (
        SELECT opened_at FROM (
            SELECT DISTINCT opened_at FROM strategy_bars AS s
            WHERE s.symbol = n.symbol AND s.timeframe = n.timeframe
            ORDER BY opened_at DESC LIMIT {KEPT}) AS newest
        ORDER BY opened_at LIMIT 1) AS since
    FROM (SELECT DISTINCT symbol, timeframe FROM new_bars) AS n
    JOIN strategy_symbols AS its USING (symbol, timeframe)
    WHERE mod(its.version, {_SELDOM}) = 0 AND EXISTS (
        SELECT FROM strategy_bars AS s WHERE s.symbol = n.symbol AND s.timeframe = n.timeframe
        OFFSET {KEPT + _SLACK})) AS old
WHERE b.symbol = old.symbol AND b.timeframe = old.timeframe AND b.opened_at < old.since
"""


def prune(cursor: Cursor) -> None:
    """Delete bars that no strategy can look back on, where many have gathered.

    The symbols of the batch have been touched by now.
    """
    execute_planned(cursor, _PRUNE, {})


_FIELDS: Final = (
    f"{micros('opened_at')}, {micros('closed_at')}, {micros('appended_at')}, source, revision,"
    " open::text, high::text, low::text, close::text, volume::text, split_ratio::text"
)

_READ: Final = f"""
SELECT {_FIELDS} FROM (
    SELECT DISTINCT ON (opened_at) * FROM strategy_bars
    WHERE symbol = %(symbol)s AND timeframe = %(timeframe)s
      AND (%(source)s::text IS NULL OR source = %(source)s)
    ORDER BY opened_at DESC, source LIMIT %(most)s) AS newest
ORDER BY opened_at
"""


def read(cursor: Cursor, key: Key, source: str | None, most: int) -> Kept:
    """The last bars of a symbol, as they were before this batch is written.

    Args:
        cursor: In the transaction.
        key: Symbol and timeframe.
        source: Only of this source; None: of each bar the first by name.
        most: Bars at most.
    """
    symbol, timeframe = key
    found = rows(
        cursor,
        _READ,
        {"symbol": symbol, "timeframe": timeframe, "source": source, "most": most},
    )
    return Kept(
        np.array([row[0] for row in found], np.int64),
        np.array([[float(row[at]) for row in found] for at in range(5, 10)], np.float64).reshape(
            5, len(found)
        ),
        [row[3] for row in found],
        [row[4] for row in found],
        _came(found[-1]) if found else None,
    )


def _came(row: Sequence[Any]) -> Came:
    ratio = Decimal(1) if row[10] is None else Decimal(row[10])
    prices = Bar(Decimal(row[5]), Decimal(row[6]), Decimal(row[7]), Decimal(row[8]), ratio)
    return Came(row[0], row[1], row[2], row[3], row[4], prices, float(row[9]))

"""The table of bars: of each the highest revision, and of several sources the first by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from services.outcome_scorer.rows.bars import READ, KnownBar
from services.outcome_scorer.rows.symbols import Asked
from services.outcome_scorer.store.asked import ask
from trackrecord.runtime.database import (
    CopyRows,
    Cursor,
    copy_rows,
    execute_planned,
    read_columns,
)
from trackrecord.runtime.sql_times import micros, moment

TEMPORARY: Final = """
CREATE TEMPORARY TABLE new_bars (
    stays boolean, position integer, partition integer, appended_at timestamptz,
    symbol text COLLATE "C", timeframe text COLLATE "C", source text COLLATE "C",
    opened_at timestamptz, closed_at timestamptz, open numeric, high numeric, low numeric,
    close numeric, volume numeric, split_ratio numeric, revision integer
) ON COMMIT DELETE ROWS;
"""

_KEY: Final = "symbol, timeframe, opened_at, source"
_CONTENT: Final = "closed_at, open, high, low, close, volume, split_ratio"
_CHANGES: Final = ", ".join(
    f"{name} = excluded.{name}" for name in (*_CONTENT.split(", "), "revision", "appended_at")
)
_NEW_CONTENT: Final = ", ".join(f"n.{name}" for name in _CONTENT.split(", "))
_OLD_CONTENT: Final = _NEW_CONTENT.replace("n.", "b.")


def load(cursor: Cursor, bars: CopyRows) -> None:
    """COPY the bars of a batch into a temporary table; locks nothing that others use."""
    copy_rows(cursor, "new_bars", bars)


_KNOWN: Final = f"""
SELECT n.position, n.stays, b.revision IS NOT NULL, coalesce(n.revision > b.revision, false),
       CASE WHEN n.revision = b.revision THEN ({_NEW_CONTENT}) IS DISTINCT FROM ({_OLD_CONTENT})
            WHEN n.revision < b.revision THEN false
            ELSE ROW ({_NEW_CONTENT}) IS DISTINCT FROM first_value(ROW ({_NEW_CONTENT})) OVER (
                PARTITION BY {_KEY}, n.revision ORDER BY n.position)
       END
FROM new_bars AS n LEFT JOIN bars AS b USING ({_KEY})
"""
"""Of each new bar: whether it stays, is there already, corrects what is there, or contradicts
what came before under its revision, in the table or in the batch."""


def known(cursor: Cursor) -> list[KnownBar]:
    """What the table says of the bars of the batch."""
    execute_planned(cursor, _KNOWN, {})
    return [KnownBar(*row) for row in cursor.fetchall()]


_WRITE: Final = f"""
INSERT INTO bars ({_KEY}, {_CONTENT}, revision, appended_at)
SELECT {_KEY}, {_CONTENT}, revision, appended_at FROM new_bars
WHERE stays ORDER BY {_KEY}
ON CONFLICT ({_KEY}) DO UPDATE
SET {_CHANGES}
WHERE bars.revision < excluded.revision
"""


def write(cursor: Cursor) -> None:
    """Write the bars of the batch; of each the highest revision stays."""
    execute_planned(cursor, _WRITE, {})


_READ: Final = f"""
SELECT a.number, {micros("b.opened_at")} AS opened_at, {micros("b.closed_at")} AS closed_at,
       b.open, b.high, b.low, b.close, b.volume, b.split_ratio
FROM asked AS a CROSS JOIN LATERAL (
    SELECT DISTINCT ON (opened_at) *
    FROM bars
    WHERE symbol = a.symbol AND timeframe = a.timeframe
      AND opened_at >= coalesce({moment("a.since")}, '-infinity')
      AND opened_at < coalesce({moment("a.before")}, 'infinity')
    ORDER BY opened_at DESC, source LIMIT a.most) AS b
ORDER BY a.number, b.opened_at
"""


def read(cursor: Cursor, asked: Sequence[Asked]) -> pl.DataFrame:
    """Bars of symbols, in order, each with the number it was asked by."""
    ask(cursor, asked)
    return read_columns(cursor, _READ, {}, READ)

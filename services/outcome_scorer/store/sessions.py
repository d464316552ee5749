"""The table of sessions: what all symbols together did at each close."""

from __future__ import annotations

from typing import Final

import polars as pl

from services.outcome_scorer.rows.sessions import READ
from trackrecord.runtime.database import CopyRows, Cursor, copy_rows, execute_planned, read_columns
from trackrecord.runtime.sql_times import micros, moment

TEMPORARY: Final = """
CREATE TEMPORARY TABLE new_sessions (
    timeframe text COLLATE "C", closed_at bigint, partition integer, moved double precision,
    movers bigint, above bigint, compared bigint
) ON COMMIT DELETE ROWS;
"""

_WRITE: Final = f"""
INSERT INTO sessions AS s (timeframe, closed_at, partition, moved, movers, above, compared)
SELECT timeframe, {moment("closed_at")}, partition, moved, movers, above, compared
FROM new_sessions ORDER BY 1, 2, 3
ON CONFLICT (timeframe, closed_at, partition) DO UPDATE
SET moved = s.moved + excluded.moved, movers = s.movers + excluded.movers,
    above = s.above + excluded.above, compared = s.compared + excluded.compared
"""


def write(cursor: Cursor, sessions: pl.DataFrame) -> None:
    """Add what the bars of the batch say of the market as a whole."""
    copy_rows(cursor, "new_sessions", CopyRows.of(sessions))
    execute_planned(cursor, _WRITE, {})


_REGIME: Final = f"""
SELECT {micros("closed_at")} AS closed_at, sum(moved) / nullif(sum(movers), 0) AS moved,
       sum(above)::double precision / nullif(sum(compared), 0) AS breadth
FROM sessions
WHERE timeframe = %(timeframe)s AND closed_at <= {moment("%(until)s")}
  AND closed_at >= coalesce((
      SELECT DISTINCT closed_at FROM sessions
      WHERE timeframe = %(timeframe)s AND closed_at <= {moment("%(since)s")}
      ORDER BY closed_at DESC OFFSET %(moments)s - 1 LIMIT 1), '-infinity')
GROUP BY closed_at ORDER BY closed_at
"""


def regime(cursor: Cursor, timeframe: str, since: int, until: int, moments: int) -> pl.DataFrame:
    """The market at each close: from so many closes before ``since`` up to ``until``."""
    parameters = {"timeframe": timeframe, "since": since, "until": until, "moments": moments}
    return read_columns(cursor, _REGIME, parameters, READ)

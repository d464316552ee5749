"""The table of symbols: their lock, their version, and whether they have ceased to trade."""

from __future__ import annotations

from typing import Final

import polars as pl

from services.outcome_scorer.rows.symbols import Ceased, Claimed
from trackrecord.runtime.database import CopyRows, Cursor, copy_rows, execute_planned, rows, taken
from trackrecord.runtime.sql_times import micros, moment

TEMPORARY: Final = """
CREATE TEMPORARY TABLE touched (
    symbol text COLLATE "C", timeframe text COLLATE "C", last_opened_at bigint,
    last_closed_at bigint
) ON COMMIT DELETE ROWS;
"""

_NAMED: Final = (
    "SELECT symbol, timeframe FROM new_bars UNION SELECT symbol, timeframe FROM new_signals"
)

_CLAIM: Final = f"""
INSERT INTO watched_symbols (symbol, timeframe, version)
SELECT symbol, timeframe, 0 FROM ({_NAMED}) AS named ORDER BY symbol, timeframe
ON CONFLICT DO NOTHING
"""

_LOCK: Final = f"""
SELECT w.symbol, w.timeframe, w.version, {micros("w.last_opened_at")}, w.ceased_at IS NOT NULL
FROM watched_symbols AS w JOIN ({_NAMED}) AS named USING (symbol, timeframe)
ORDER BY w.symbol, w.timeframe FOR UPDATE OF w
"""
"""Lock the symbols of the batch, in one order: bars and signals of a symbol meet here,
whichever consumers they came to. The version tells whether what is in memory is still so."""


def claim(cursor: Cursor) -> list[Claimed]:
    """Lock the symbols of the batch until the commit, those first that come first by name.

    Raises:
        PassingError: Another consumer made one at the same moment.
    """
    with taken("another consumer has just met the same symbol"):
        execute_planned(cursor, _CLAIM, {})
    execute_planned(cursor, _LOCK, {})
    return [Claimed(*row) for row in cursor.fetchall()]


_TOUCH: Final = f"""
UPDATE watched_symbols AS w
SET version = w.version + 1,
    ceased_at = CASE WHEN w.last_opened_at IS NOT DISTINCT FROM {moment("t.last_opened_at")}
                     THEN w.ceased_at END,
    last_opened_at = coalesce({moment("t.last_opened_at")}, w.last_opened_at),
    last_closed_at = coalesce({moment("t.last_closed_at")}, w.last_closed_at)
FROM touched AS t WHERE w.symbol = t.symbol AND w.timeframe = t.timeframe
"""


def touch(cursor: Cursor, touched: pl.DataFrame) -> None:
    """Raise the versions of symbols, and note their last bars."""
    copy_rows(cursor, "touched", CopyRows.of(touched))
    execute_planned(cursor, _TOUCH, {})


_WAITS: Final = """EXISTS (
    SELECT FROM watched_signals AS s
    WHERE s.symbol = w.symbol AND s.timeframe = w.timeframe
      AND s.ends_at IS NULL AND s.problem IS NULL AND s.emitted_at <= w.last_opened_at)"""

_CEASED: Final = f"""
    SELECT w.symbol, w.timeframe, w.ceased_at, told.closed_at
    FROM watched_symbols AS w CROSS JOIN LATERAL (
        SELECT DISTINCT closed_at FROM sessions AS s
        WHERE s.timeframe = w.timeframe AND s.closed_at > w.last_closed_at
        ORDER BY closed_at OFFSET %(sessions)s - 1 LIMIT 1) AS told
    WHERE w.timeframe = %(timeframe)s AND w.last_closed_at < (
        SELECT DISTINCT closed_at FROM sessions WHERE timeframe = %(timeframe)s
        ORDER BY closed_at DESC OFFSET %(sessions)s - 1 LIMIT 1)
      AND (w.ceased_at IS NOT NULL OR {_WAITS})
      AND (w.ceased_at <> told.closed_at OR {_WAITS})"""

_HAVE_CEASED: Final = f"SELECT EXISTS ({_CEASED})"
"""Whether :data:`_CEASED` has anything to find; locks nothing."""


def have_ceased(cursor: Cursor, timeframe: str, sessions: int) -> bool:
    """Whether a symbol that has signals to end has had no bar for so many sessions."""
    [(found,)] = rows(cursor, _HAVE_CEASED, {"timeframe": timeframe, "sessions": sessions})
    return bool(found)


_LOCK_CEASED: Final = f"""
SELECT found.symbol FROM ({_CEASED} ORDER BY w.symbol LIMIT %(most)s
    FOR UPDATE OF w SKIP LOCKED) AS found
"""
"""Lock some. What it says of them may be of before the lock, so that is asked again."""

_END_CEASED: Final = f"""
UPDATE watched_symbols AS w SET version = w.version + 1, ceased_at = ceased.closed_at
FROM ({_CEASED} AND w.symbol = ANY (%(symbols)s)) AS ceased
WHERE w.symbol = ceased.symbol AND w.timeframe = ceased.timeframe
RETURNING w.symbol, w.timeframe, w.version, {micros("ceased.closed_at")},
          {micros("ceased.ceased_at")}
"""
"""Symbols that have had no bar for so many sessions: where signals wait, and where a session that
came late shows that this could be told sooner; when it could be, and what was said before."""


def end_ceased(cursor: Cursor, timeframe: str, sessions: int, most: int) -> list[Ceased]:
    """Lock some symbols that have ceased to trade, and note since when that can be told.

    Args:
        cursor: In the transaction.
        timeframe: Of the symbols.
        sessions: So many without a bar, while others traded.
        most: Symbols at most.
    """
    parameters = {"timeframe": timeframe, "sessions": sessions, "most": most}
    symbols = [symbol for (symbol,) in rows(cursor, _LOCK_CEASED, parameters)]
    if not symbols:
        return []
    found = rows(cursor, _END_CEASED, {**parameters, "symbols": symbols})
    return [Ceased(*row) for row in found]


_TAKE_TURNS: Final = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 0))"
"""Wait until no other member is between its question and its commit."""


def take_turns(cursor: Cursor) -> None:
    """Serialise the final check of consumers that finish at once.

    The second must see the rows of the first: otherwise each could miss what the other brings.
    """
    cursor.execute(_TAKE_TURNS)

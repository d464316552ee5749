"""The table of symbols: their lock, their version, and whether they have ceased to trade."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from services.strategy_runner.rows import Claimed, Key, Touched, copied
from trackrecord.outcomes.model import DELISTED_AFTER
from trackrecord.runtime.database import Cursor, copy_rows, execute_planned, rows, taken
from trackrecord.runtime.sql_times import micros, moment

TEMPORARY: Final = """
CREATE TEMPORARY TABLE touched (
    symbol text COLLATE "C", timeframe text COLLATE "C", folded_at bigint
) ON COMMIT DELETE ROWS;
"""

_NAMED: Final = "SELECT DISTINCT symbol, timeframe FROM new_bars"

_CLAIM: Final = f"""
INSERT INTO strategy_symbols (symbol, timeframe, version)
SELECT symbol, timeframe, 0 FROM ({_NAMED}) AS named ORDER BY symbol, timeframe
ON CONFLICT DO NOTHING
"""

_LOCK: Final = f"""
SELECT s.symbol, s.timeframe, s.version, {micros("s.folded_at")},
       s.last_day - '1970-01-01'::date
FROM strategy_symbols AS s JOIN ({_NAMED}) AS named USING (symbol, timeframe)
ORDER BY s.symbol, s.timeframe FOR UPDATE OF s
"""


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
UPDATE strategy_symbols AS s
SET version = s.version + 1, folded_at = coalesce({moment("t.folded_at")}, s.folded_at),
    last_day = greatest(s.last_day, n.day)
FROM touched AS t LEFT JOIN (
    SELECT symbol, timeframe, max((opened_at AT TIME ZONE 'UTC')::date) AS day
    FROM new_bars GROUP BY symbol, timeframe) AS n USING (symbol, timeframe)
WHERE s.symbol = t.symbol AND s.timeframe = t.timeframe
"""


def touch(cursor: Cursor, touched: Iterable[Touched]) -> None:
    """Raise the versions of symbols, and note how far their bars have been decided on."""
    copy_rows(cursor, "touched", copied(touched))
    execute_planned(cursor, _TOUCH, {})


_TAKE_TURNS: Final = """
SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' strategy_runner', 0))
"""


def take_turns(cursor: Cursor) -> None:
    """Wait until no other member is between the question who has ceased and its commit.

    Of members that finish at once the second must see what the first has read: else each could
    miss what the other brings.
    """
    cursor.execute(_TAKE_TURNS)


_CEASED: Final = f"""
SELECT s.symbol, s.timeframe FROM strategy_symbols AS s
WHERE s.timeframe = ANY(%(timeframes)s)
  AND EXISTS (SELECT FROM strategy_positions AS p
              WHERE p.symbol = s.symbol AND p.timeframe = s.timeframe)
  AND (SELECT count(DISTINCT day) FROM strategy_sessions AS each
       WHERE each.timeframe = s.timeframe AND each.day > s.last_day) >= {DELISTED_AFTER}
"""


def have_ceased(cursor: Cursor, timeframes: Sequence[str]) -> bool:
    """Whether a symbol with positions has had no bar for ten sessions; locks nothing."""
    [(found,)] = rows(cursor, f"SELECT EXISTS ({_CEASED})", {"timeframes": list(timeframes)})
    return bool(found)


_LOCK_CEASED: Final = f"""
SELECT symbol, timeframe, version, {micros("folded_at")}, last_day - '1970-01-01'::date
FROM strategy_symbols
WHERE (symbol, timeframe) IN ({_CEASED})
ORDER BY symbol, timeframe FOR UPDATE SKIP LOCKED
"""


def lock_ceased(cursor: Cursor, timeframes: Sequence[str]) -> list[Claimed]:
    """Lock the symbols with positions that have had no bar for ten sessions."""
    found = [Claimed(*row) for row in rows(cursor, _LOCK_CEASED, {"timeframes": list(timeframes)})]
    # What it said of them may have been of before the lock.
    still = set(rows(cursor, _CEASED, {"timeframes": list(timeframes)}))
    return [each for each in found if each.key in still]


_RAISE: Final = """
UPDATE strategy_symbols AS s SET version = s.version + 1
FROM unnest(%(symbols)s::text[], %(timeframes)s::text[]) AS named (symbol, timeframe)
WHERE s.symbol = named.symbol AND s.timeframe = named.timeframe
"""


def raise_version(cursor: Cursor, keys: Sequence[Key]) -> None:
    """Have others read symbols again: something of them has changed."""
    named = {"symbols": [key[0] for key in keys], "timeframes": [key[1] for key in keys]}
    cursor.execute(_RAISE, named)

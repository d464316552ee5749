"""The tables of decisions, of how many there were, and of failures in a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from psycopg2.extras import execute_values

from services.strategy_runner.rows import Corrected, Decided, Key, VersionKey, copied
from trackrecord.runtime.database import Cursor, copy_rows, execute_planned, rows
from trackrecord.runtime.sql_times import moment

COUNTS: Final = ("decisions", "entries", "exits", "faults", "missed", "corrected")
"""What ``strategy_counts`` adds up."""

TEMPORARY: Final = """
CREATE TEMPORARY TABLE new_decisions (
    strategy_id uuid, version integer, symbol text COLLATE "C", timeframe text COLLATE "C",
    opened_at bigint, action text, signal_id text COLLATE "C", closes boolean, stop_loss numeric,
    target_price numeric, horizon_bars integer, confidence double precision, reason text,
    fault_code text, fault text, bar_source text COLLATE "C", bar_revision integer
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE corrected_bars (
    symbol text COLLATE "C", timeframe text COLLATE "C", opened_at bigint
) ON COMMIT DELETE ROWS;
"""

_CONTENT: Final = (
    "action, signal_id, closes, stop_loss, target_price, horizon_bars, confidence, reason,"
    " fault_code, fault, bar_source, bar_revision"
)

_WRITE: Final = f"""
INSERT INTO strategy_decisions (strategy_id, version, symbol, timeframe, opened_at, {_CONTENT},
                                decided_at)
SELECT strategy_id, version, symbol, timeframe, {moment("opened_at")},
       {
    _CONTENT.replace("closes, ", "coalesce(closes, false), ").replace(
        "reason,", "coalesce(reason, ''),"
    )
}, %(now)s
FROM new_decisions ORDER BY strategy_id, version, symbol, timeframe, opened_at
"""


def write(cursor: Cursor, decided: Iterable[Decided], now: datetime) -> None:
    """Record decisions; each is made once."""
    loaded = copied(decided)
    if loaded.count:
        copy_rows(cursor, "new_decisions", loaded)
        execute_planned(cursor, _WRITE, {"now": now})


_CORRECT: Final = f"""
UPDATE strategy_decisions AS d SET corrected = true FROM corrected_bars AS c
WHERE d.symbol = c.symbol AND d.timeframe = c.timeframe AND d.opened_at = {moment("c.opened_at")}
"""


def correct(cursor: Cursor, corrected: Iterable[Corrected]) -> None:
    """Note that bars were corrected on which something had been decided."""
    loaded = copied(corrected)
    if loaded.count:
        copy_rows(cursor, "corrected_bars", loaded)
        execute_planned(cursor, _CORRECT, {})


_ADD: Final = f"""
INSERT INTO strategy_counts AS c (strategy_id, version, lane, {", ".join(COUNTS)}, failed_in_a_row)
VALUES %s
ON CONFLICT (strategy_id, version, lane) DO UPDATE
SET {", ".join(f"{name} = c.{name} + excluded.{name}" for name in COUNTS)},
    failed_in_a_row = excluded.failed_in_a_row
"""


def add(
    cursor: Cursor,
    lane: int,
    counts: Mapping[VersionKey, Mapping[str, int]],
    failed: Mapping[VersionKey, int],
) -> None:
    """Add to what strategies were asked and answered, and set how often in a row they failed."""
    values = [
        (key[0], key[1], lane, *(each.get(name, 0) for name in COUNTS), failed.get(key, 0))
        for key, each in sorted(counts.items())
    ]
    if values:
        execute_values(cursor, _ADD, values, page_size=1000)


def failed_in_a_row(cursor: Cursor, lane: int) -> dict[VersionKey, int]:
    """How often in a row versions have failed when this lane asked them last."""
    found = rows(
        cursor,
        "SELECT strategy_id::text, version, failed_in_a_row FROM strategy_counts"
        " WHERE lane = %(lane)s AND failed_in_a_row > 0",
        {"lane": lane},
    )
    return {(strategy, version): count for strategy, version, count in found}


_FAILURES: Final = """
SELECT f.symbol, f.timeframe, f.strategy_id::text, f.version, f.in_a_row
FROM unnest(%(symbols)s::text[], %(timeframes)s::text[]) AS asked (symbol, timeframe)
JOIN strategy_failures AS f USING (symbol, timeframe)
"""


def failures(cursor: Cursor, keys: Sequence[Key]) -> dict[Key, dict[VersionKey, int]]:
    """How often in a row strategies have failed on symbols."""
    found: dict[Key, dict[VersionKey, int]] = {key: {} for key in keys}
    asked = {"symbols": [key[0] for key in keys], "timeframes": [key[1] for key in keys]}
    for symbol, timeframe, strategy, version, count in rows(cursor, _FAILURES, asked):
        found[symbol, timeframe][strategy, version] = count
    return found


_SET_FAILURES: Final = """
INSERT INTO strategy_failures (strategy_id, version, symbol, timeframe, in_a_row) VALUES %s
ON CONFLICT (strategy_id, version, symbol, timeframe) DO UPDATE SET in_a_row = excluded.in_a_row
"""

_FORGET_FAILURES: Final = """
DELETE FROM strategy_failures AS f USING (VALUES %s) AS v (strategy_id, version, symbol, timeframe)
WHERE f.strategy_id = v.strategy_id::uuid AND f.version = v.version AND f.symbol = v.symbol
  AND f.timeframe = v.timeframe
"""


def set_failures(cursor: Cursor, changed: Mapping[tuple[VersionKey, Key], int]) -> None:
    """Write how often in a row strategies have failed on symbols; without a failure, no row."""
    named = [((v[0], v[1], *key), count) for (v, key), count in sorted(changed.items())]
    failing = [(*name, count) for name, count in named if count]
    if failing:
        execute_values(cursor, _SET_FAILURES, failing, page_size=1000)
    if mended := [name for name, count in named if not count]:
        execute_values(cursor, _FORGET_FAILURES, mended, page_size=1000)

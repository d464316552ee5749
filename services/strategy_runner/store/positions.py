"""The table of what strategies hold, and of what waits for the next open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from services.strategy_runner.rows import Key, Stood, VersionKey, copied
from trackrecord.runtime.database import Cursor, copy_rows, execute_planned, rows
from trackrecord.strategies.live.standing import Standing

TEMPORARY: Final = """
CREATE TEMPORARY TABLE new_positions (
    symbol text COLLATE "C", timeframe text COLLATE "C", strategy_id uuid, version integer,
    source text COLLATE "C", standing text
) ON COMMIT DELETE ROWS;
"""

_READ: Final = """
SELECT p.symbol, p.timeframe, p.strategy_id::text, p.version, p.source, p.standing::text
FROM unnest(%(symbols)s::text[], %(timeframes)s::text[]) AS asked (symbol, timeframe)
JOIN strategy_positions AS p ON p.symbol = asked.symbol AND p.timeframe = asked.timeframe
ORDER BY p.symbol, p.timeframe, p.strategy_id, p.version
"""


def read(
    cursor: Cursor, keys: Sequence[Key]
) -> dict[Key, dict[VersionKey, tuple[str | None, Standing]]]:
    """What is held of symbols: by strategy and version, the source of its bars and its standing."""
    found: dict[Key, dict[VersionKey, tuple[str | None, Standing]]] = {key: {} for key in keys}
    asked = {"symbols": [key[0] for key in keys], "timeframes": [key[1] for key in keys]}
    for symbol, timeframe, strategy, version, source, text in rows(cursor, _READ, asked):
        standing = Standing.from_text(text)
        found[symbol, timeframe][strategy, version] = (source, standing)
    return found


_WRITE: Final = """
INSERT INTO strategy_positions AS p (symbol, timeframe, strategy_id, version, source, standing)
SELECT symbol, timeframe, strategy_id, version, source, standing::json FROM new_positions
WHERE standing IS NOT NULL ORDER BY symbol, timeframe, strategy_id, version
ON CONFLICT (symbol, timeframe, strategy_id, version) DO UPDATE
SET source = excluded.source, standing = excluded.standing
"""

_DELETE: Final = """
DELETE FROM strategy_positions AS p USING new_positions AS n
WHERE n.standing IS NULL AND p.symbol = n.symbol AND p.timeframe = n.timeframe
  AND p.strategy_id = n.strategy_id AND p.version = n.version
"""


def write(cursor: Cursor, stood: Iterable[Stood]) -> None:
    """Write what strategies hold now; where it is nothing, no row stays."""
    loaded = copied(stood)
    if loaded.count:
        cursor.execute("DELETE FROM new_positions")  # those that were written before
        copy_rows(cursor, "new_positions", loaded)
        execute_planned(cursor, _DELETE, {})
        execute_planned(cursor, _WRITE, {})

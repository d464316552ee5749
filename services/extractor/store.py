"""The tables of the extractor; nobody else writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.extractor.tables import SUMS, TOTALS
from trackrecord.runtime.database import CopyRows, Cursor, copy_rows, rows

TEMPORARY = """
CREATE TEMPORARY TABLE new_executions (
    position integer, execution_id text COLLATE "C", script text,
    program text, symbol text, started_at timestamptz, finished_at timestamptz,
    exit_code integer, output_bytes integer, digest text COLLATE "C", final_action text,
    return_pct numeric, outcome text, extractor_version text, appended_at timestamptz
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE new_recommendations (
    position integer, execution_id text COLLATE "C", number integer, script text, action text,
    symbol text, entry_price numeric, target_price numeric, stop_loss numeric,
    confidence double precision, said_at timestamptz, signal_id text, no_signal text
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE new_refusals (
    position integer, rule text COLLATE "C", reason text COLLATE "C", excerpt text
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE fresh_executions (
    position integer, execution_id text COLLATE "C"
) ON COMMIT DELETE ROWS;
"""

_COLUMNS = (
    "execution_id, script, program, symbol, started_at, finished_at, exit_code, output_bytes,"
    " digest, final_action, return_pct, outcome, extractor_version, appended_at"
)

# Of an id that the batch names twice, the first counts.
_WRITE_EXECUTIONS = f"""
WITH first AS (
    SELECT DISTINCT ON (execution_id) * FROM new_executions ORDER BY execution_id, position
), written AS (
    INSERT INTO executions ({_COLUMNS})
    SELECT {_COLUMNS} FROM first ORDER BY execution_id
    ON CONFLICT DO NOTHING RETURNING execution_id
)
INSERT INTO fresh_executions
SELECT first.position, execution_id FROM first JOIN written USING (execution_id)
"""

_CONFLICTS = """
SELECT n.position FROM new_executions AS n JOIN executions AS e USING (execution_id)
WHERE e.digest <> n.digest ORDER BY n.position
"""

_WRITE_RECOMMENDATIONS = """
INSERT INTO recommendations (execution_id, number, script, action, symbol, entry_price,
    target_price, stop_loss, confidence, said_at, signal_id, no_signal)
SELECT r.execution_id, number, script, action, symbol, entry_price, target_price, stop_loss,
       confidence, said_at, signal_id, no_signal
FROM new_recommendations AS r JOIN fresh_executions USING (position)
"""

_COUNTED = {
    "runs": "count(*)",
    "failures": "count(*) FILTER (WHERE exit_code <> 0)",
    "buys": "count(*) FILTER (WHERE final_action IN ('BUY', 'STRONG_BUY', 'BTST_BUY'))",
    "sells": "count(*) FILTER (WHERE final_action IN ('SELL', 'STRONG_SELL'))",
    "holds": "count(*) FILTER (WHERE final_action = 'HOLD')",
    "undecided": "count(*) FILTER (WHERE final_action IS NULL)",
    "profits": "count(*) FILTER (WHERE outcome = 'profit')",
    "losses": "count(*) FILTER (WHERE outcome = 'loss')",
    "breakevens": "count(*) FILTER (WHERE outcome = 'breakeven')",
    "results": "count(return_pct)",
    "sum_return_pct": "coalesce(sum(return_pct), 0)",
}

_MOVE_DAYS = f"""
INSERT INTO script_days AS days (script, day, lane, {", ".join(SUMS)})
SELECT script, (finished_at AT TIME ZONE %(timezone)s)::date, %(lane)s::integer,
       {", ".join(_COUNTED[name] for name in SUMS)}
FROM new_executions JOIN fresh_executions USING (position)
GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (script, day, lane) DO UPDATE
SET {", ".join(f"{name} = days.{name} + excluded.{name}" for name in SUMS)}
"""

_MOVE_TOTALS = f"""
INSERT INTO script_totals AS totals (script, action, lane, {", ".join(TOTALS)}, last_run)
SELECT script, coalesce(final_action, 'NONE'), %(lane)s::integer,
       {", ".join(_COUNTED[name] for name in TOTALS)}, max(finished_at)
FROM new_executions JOIN fresh_executions USING (position)
GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (script, action, lane) DO UPDATE
SET {", ".join(f"{name} = totals.{name} + excluded.{name}" for name in TOTALS)},
    last_run = greatest(totals.last_run, excluded.last_run)
"""

# The latest run is the example, of those at one time the one with the highest id: whichever order
# they come in, and whichever lane they are counted in.
_COUNT_REFUSALS = """
INSERT INTO refused_outputs AS held
    (script, rule, reason, lane, outputs, first_at, last_at, last_run, excerpt)
SELECT DISTINCT ON (script, rule, reason)
       script COLLATE "C", rule, reason, %(lane)s::integer, count(*) OVER alike,
       min(finished_at) OVER alike, finished_at, execution_id, excerpt
FROM new_refusals JOIN fresh_executions USING (position)
JOIN new_executions USING (position, execution_id)
WINDOW alike AS (PARTITION BY script COLLATE "C", rule, reason)
ORDER BY script COLLATE "C", rule, reason, finished_at DESC, execution_id DESC
ON CONFLICT (script, rule, reason, lane) DO UPDATE
SET outputs = held.outputs + excluded.outputs,
    first_at = least(held.first_at, excluded.first_at),
    (last_at, last_run, excerpt) = (
        SELECT last_at, last_run, excerpt
        FROM (VALUES (held.last_at, held.last_run, held.excerpt),
                     (excluded.last_at, excluded.last_run, excluded.excerpt))
             AS either (last_at, last_run, excerpt)
        ORDER BY last_at DESC, last_run DESC LIMIT 1
    )
"""

_CLOSE_LONGS = """
WITH closed AS (
    UPDATE recommendations SET closed_by = %(execution_id)s
    WHERE script = %(script)s AND symbol = %(symbol)s AND signal_id IS NOT NULL
      AND closed_by IS NULL AND action IN ('BUY', 'STRONG_BUY', 'BTST_BUY')
      AND CASE WHEN execution_id = %(execution_id)s THEN number < %(number)s
               ELSE execution_id NOT IN (
                   SELECT execution_id FROM fresh_executions WHERE position > %(position)s) END
    RETURNING signal_id, said_at
)
SELECT signal_id FROM closed ORDER BY said_at, signal_id
"""


@dataclass(frozen=True)
class Applied:
    """Positions of the runs that are new, and of those that contradict a known one."""

    fresh: set[int]
    conflicts: list[int]


def load(
    cursor: Cursor, executions: CopyRows, recommendations: CopyRows, refusals: CopyRows
) -> None:
    """COPY a batch into temporary tables; locks nothing that others use."""
    copy_rows(cursor, "new_executions", executions)
    copy_rows(cursor, "new_recommendations", recommendations)
    copy_rows(cursor, "new_refusals", refusals)


def apply(cursor: Cursor, *, timezone: str, lane: int, refusals: bool) -> Applied:
    """Write the runs that are new, their recommendations, and the sums.

    Args:
        cursor: In the transaction of :func:`load`.
        timezone: Whose midnight ends a day.
        lane: Which rows of sums are moved.
        refusals: Whether any output of the batch was refused.
    """
    cursor.execute(_WRITE_EXECUTIONS)
    conflicts = [position for (position,) in rows(cursor, _CONFLICTS)]
    cursor.execute(_WRITE_RECOMMENDATIONS)
    cursor.execute(_MOVE_DAYS, {"timezone": timezone, "lane": lane})
    cursor.execute(_MOVE_TOTALS, {"lane": lane})
    if refusals:
        cursor.execute(_COUNT_REFUSALS, {"lane": lane})
    fresh = {position for (position,) in rows(cursor, "SELECT position FROM fresh_executions")}
    return Applied(fresh, conflicts)


def close_longs(cursor: Cursor, run: Mapping[str, Any], number: int, symbol: str) -> list[str]:
    """Mark a script's open longs in a symbol as closed; returns their signals, oldest first.

    What was printed after the SELL stays open: in the same output, or by a later run of the batch.

    Args:
        cursor: In the transaction, once the recommendations of the batch are written.
        run: That says SELL: its ``script``, ``execution_id`` and ``position`` in the batch.
        number: Of the SELL among what the run recommends.
        symbol: What it is of.
    """
    names = ("script", "execution_id", "position")
    parameters = {name: run[name] for name in names} | {"number": number, "symbol": symbol}
    found = rows(cursor, _CLOSE_LONGS, parameters)
    return [signal_id for (signal_id,) in found]

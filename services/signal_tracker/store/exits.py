"""Exits and sums of any batch: exits are folded, written, those from before folded again."""

from __future__ import annotations

from typing import Final

from services.signal_tracker.store import fold_statements as fold
from services.signal_tracker.store import revisions
from services.signal_tracker.store import sum_statements as sums
from services.signal_tracker.store.signals import BACKDATED
from services.signal_tracker.tables import (
    DAYS,
    EXIT_COLUMNS,
    EXIT_CONTENT,
    REALISED,
    TOLD_LATE,
    listed,
)
from trackrecord.runtime.database import Cursor, execute_planned

WRITE_OR_CORRECT_EXITS: Final = f"""
INSERT INTO exits ({EXIT_COLUMNS})
SELECT n.signal_id, n.exit_id, n.revision, {listed(EXIT_CONTENT, "n")}, n.appended_at,
       n.appended_at, n.revision, false, {TOLD_LATE.format("n")},
       coalesce(f.closed_quantity, 0), coalesce(f.realised_pnl, 0), coalesce(f.fees, 0),
       coalesce(f.carry, 0), f.signal_pnl, f."return", f.outcome, coalesce(f.before_entry, false)
FROM new_exits AS n LEFT JOIN folded AS f USING (position)
ORDER BY n.signal_id, n.exit_id
ON CONFLICT (signal_id, exit_id) DO UPDATE
SET revision = excluded.revision, appended_at = excluded.appended_at,
    {", ".join(f"{name} = excluded.{name}" for name in (*EXIT_CONTENT, *REALISED))}
"""

REFOLD_OLD_EXITS: Final = f"""
UPDATE exits AS e
SET {", ".join(f"{name} = f.{name}" for name in REALISED)}
FROM folded AS f
WHERE f.position IS NULL AND e.signal_id = f.signal_id AND e.exit_id = f.exit_id
  AND ({listed(REALISED, "e")}) IS DISTINCT FROM ({listed(REALISED, "f")})
"""
"""An exit that came late changes what the exits after it realised."""


COUNTS: Final = f"""
SELECT entries - corrected, corrected, backdated, exits - corrected_exits, corrected_exits,
       excess, before_entry
FROM (SELECT (SELECT count(*) FROM new_entries) AS entries,
             (SELECT count(*) FROM new_entries JOIN old_signals AS o USING (signal_id)
              WHERE o.revision >= 0) AS corrected,
             (SELECT count(*) FROM new_entries AS n WHERE {BACKDATED}) AS backdated,
             (SELECT count(*) FROM new_exits) AS exits,
             (SELECT count(*) FROM new_exits JOIN old_exits USING (signal_id, exit_id))
                 AS corrected_exits) AS counted,
     (SELECT count(*) FILTER (WHERE closed_quantity = 0) AS excess,
             count(*) FILTER (WHERE before_entry) AS before_entry
      FROM folded WHERE position IS NOT NULL) AS without_effect
"""
"""What a batch did: new and corrected signals, backdated ones, new and corrected exits, those of
them that closed nothing, and of these the ones from before their entry."""


def write(cursor: Cursor, parameters: dict[str, object], *, revised: bool) -> tuple[int, ...]:
    """Write the batch's exits, fold those from before again, and move the sums.

    Args:
        cursor: The batch's signals are written; what changes nothing is dropped.
        parameters: Of the statements.
        revised: Whether a revision came that was not kept before.

    Returns:
        What :data:`COUNTS` gives.
    """
    execute_planned(cursor, fold.FIND_SEVERAL, {})
    if cursor.rowcount:
        execute_planned(cursor, fold.FOLD_SEVERAL, parameters)
    execute_planned(cursor, fold.FOLD_ONE, parameters)
    execute_planned(cursor, WRITE_OR_CORRECT_EXITS, parameters)
    execute_planned(cursor, REFOLD_OLD_EXITS, {})
    if revised:
        revisions.mark(cursor, parameters)
    for statement in sums.CHANGES:
        execute_planned(cursor, statement, parameters)
    for table, owner in DAYS:
        execute_planned(cursor, sums.move_days(table, owner), parameters)
    execute_planned(cursor, sums.move_totals("deltas"), parameters)
    execute_planned(cursor, COUNTS, parameters)
    [counts] = cursor.fetchall()
    return counts

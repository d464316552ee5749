"""The one statement for what most batches are: nothing of them was there before.

Each signal has at most one exit, none of which was there, and no entry is a correction. Then
an exit is folded, written and summed in one go, and no row of it is kept in between.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from services.signal_tracker.store.fold_statements import ONE_EXIT
from services.signal_tracker.store.signals import BACKDATED
from services.signal_tracker.store.sum_statements import add_days, move_totals, new_days
from services.signal_tracker.tables import DAYS, EXIT_COLUMNS, EXIT_CONTENT, listed

# Its exits come in the order in which they were loaded, which is that of the key.
_EXITS: Final = f"""
realised AS MATERIALIZED ({ONE_EXIT}),
written AS (
    INSERT INTO exits ({EXIT_COLUMNS})
    SELECT signal_id, exit_id, revision, {listed(EXIT_CONTENT)}, appended_at,
           appended_at, revision, false, backdated,
           coalesce(closed_quantity, 0), coalesce(realised_pnl, 0),
           CASE WHEN closed_quantity IS NULL THEN 0 ELSE fees END,
           CASE WHEN closed_quantity IS NULL THEN 0 ELSE carry END, signal_pnl, "return", outcome,
           coalesce(before_entry, false)
    FROM realised
),
"""


@cache
def write(*, entries: bool, exits: bool) -> str:
    """Write a batch's exits and move the sums; its entries are written already.

    Args:
        entries: Whether it has entries.
        exits: Whether it has exits.

    Returns:
        A statement that gives the number of entries, of backdated ones, of exits, of exits that
        closed nothing, and of these the ones from before their entry.
    """
    days = ",\n".join(
        f"{owner}_sums AS MATERIALIZED ({new_days(owner, entries=entries, exits=exits)}),\n"
        f"{table} AS ({add_days(table, owner, f'{owner}_sums')})"
        for table, owner in DAYS
    )
    without_effect = (
        "(SELECT count(*) FROM realised WHERE closed_quantity = 0),"
        " (SELECT count(*) FROM realised WHERE before_entry)"
        if exits
        else "0, 0"
    )
    return f"""
WITH {_EXITS if exits else ""} {days},
strategy_totals AS ({move_totals("strategy_sums")})
SELECT (SELECT count(*) FROM new_entries),
       (SELECT count(*) FROM new_entries AS n WHERE {BACKDATED}),
       (SELECT count(*) FROM new_exits), {without_effect}
"""

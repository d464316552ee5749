"""The tables of the signal_tracker; nobody else writes them.

The rules are :mod:`trackrecord.tracking`; here they stand as statements over
whole batches, because moving every signal out of the database and back costs
more than all the rest (docs/decisions). tests/integration holds the two
against each other on random histories, to the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from services.signal_tracker import statements as sql
from trackrecord.runtime.database import Cursor, copy_frame, rows
from trackrecord.runtime.errors import PassingError
from trackrecord.runtime.stage import DerivedTable

TABLES = (
    DerivedTable("signals", sql.SIGNALS_CONTENT, ("signal_id",)),
    DerivedTable("exits", sql.EXITS_CONTENT, ("signal_id", "exit_id")),
    DerivedTable(
        "strategy_days",
        sql.days_content("strategy_days", "strategy"),
        ("strategy", "currency", "day"),
    ),
    DerivedTable(
        "symbol_days", sql.days_content("symbol_days", "symbol"), ("symbol", "currency", "day")
    ),
)


@dataclass
class Applied:
    """What a batch did: counts, and the positions of messages in conflict."""

    conflicts: set[int]
    new_signals: int
    corrected_signals: int
    backdated: int
    new_exits: int
    corrected_exits: int
    excess_exits: int


def may_repeat(entries: pl.DataFrame, exits: pl.DataFrame) -> bool:
    """Whether a batch names an entry or an exit more than once."""
    return (
        entries["signal_id"].n_unique() < entries.height
        or exits.select(pl.struct("signal_id", "exit_id").n_unique()).item() < exits.height
    )


def load(cursor: Cursor, entries: pl.DataFrame, exits: pl.DataFrame) -> None:
    """COPY a batch into temporary tables; locks nothing that others use."""
    cursor.execute(sql.MAKE_TEMPORARY)
    for table, frame in (("new_entries", entries), ("new_exits", exits)):
        if frame.height:
            copy_frame(
                cursor, table, frame.with_columns(pl.from_epoch("appended_at", time_unit="ms"))
            )


def apply(
    cursor: Cursor, *, backdated_after: int, timezone: str, repeats_possible: bool
) -> Applied:
    """Apply what was loaded.

    Args:
        cursor: In the transaction of :func:`load`.
        backdated_after: Seconds between the publisher's time and the broker's that are tolerated.
        timezone: Whose midnight ends a day.
        repeats_possible: Whether the batch may name something twice.

    Raises:
        PassingError: Another consumer made a row of the batch at the same moment; the next
            try will find it.
    """
    parameters = {"backdated_after": backdated_after, "timezone": timezone}
    cursor.execute(sql.TOUCH)
    touched = cursor.rowcount
    cursor.execute(sql.LOCK_KNOWN)
    known = cursor.rowcount
    cursor.execute(sql.READ_EXITS)
    conflicts = {position for (position,) in rows(cursor, sql.CONFLICTS)}
    if repeats_possible:
        conflicts |= {position for (position,) in rows(cursor, sql.CONFLICTS_WITHIN)}
        cursor.execute(sql.DROP_REPEATS)
    cursor.execute(sql.DROP_KNOWN)
    cursor.execute(sql.MAKE_SIGNALS, parameters)
    if known + cursor.rowcount != touched:
        raise PassingError("another consumer has just made the other side of a signal")
    cursor.execute(sql.CORRECT_SIGNALS, parameters)
    cursor.execute(sql.FOLD, parameters)
    cursor.execute(sql.WRITE_NEW_EXITS)
    cursor.execute(sql.WRITE_OLD_EXITS)
    cursor.execute(sql.POSITIONS)
    cursor.execute(sql.WRITE_POSITIONS)
    cursor.execute(sql.MAKE_DELTAS, parameters)
    cursor.execute(sql.move_days("strategy_days", "strategy"))
    cursor.execute(sql.move_days("symbol_days", "symbol"))
    return Applied(conflicts, *rows(cursor, sql.COUNTS, parameters)[0])

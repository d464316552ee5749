"""The tables of the signal_tracker; nobody else writes them.

The rules are :mod:`trackrecord.tracking`; here they stand as statements over
whole batches, because moving every signal out of the database and back costs
more than all the rest (docs/decisions). tests/integration holds the two
against each other on random histories, to the last digit.

What most batches do not need is left out: for a batch of new entries, and of the
one exit of each of its signals, four statements do.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from services.signal_tracker import fold_statements as fold
from services.signal_tracker import plain_statements as plain
from services.signal_tracker import statements as sql
from services.signal_tracker import sum_statements as sums
from trackrecord.runtime.database import CopyRows, Cursor, copy_rows, execute_planned, rows, taken

TEMPORARY = sql.TEMPORARY
"""The temporary tables that a batch is loaded into."""


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


@dataclass(frozen=True)
class Shape:
    """What a batch can need, seen from its frames.

    Attributes:
        entries: How many entries it has.
        exits: How many exits.
        signals: How many signals they are of.
        repeats: Whether an entry or an exit is named more than once.
        several: Whether a signal has more than one exit.
    """

    entries: int
    exits: int
    signals: int
    repeats: bool
    several: bool

    @classmethod
    def of(cls, entries: pl.DataFrame, exits: pl.DataFrame) -> Shape:
        """The shape of a batch."""
        opened, closed = entries["signal_id"], exits["signal_id"]
        different = opened.n_unique()
        several = closed.n_unique() < exits.height
        return cls(
            entries.height,
            exits.height,
            pl.concat([opened, closed]).n_unique(),
            different < entries.height
            or (
                several
                and exits.select(pl.struct("signal_id", "exit_id").n_unique()).item() < exits.height
            ),
            several,
        )


def as_rows(frame: pl.DataFrame) -> CopyRows:
    """Entries or exits as they are loaded.

    They are in the order of the index: neighbours are found, and inserted, in the same pages.
    """
    rows = frame.clone()
    rows.drop_in_place("partition")
    return CopyRows.of(rows.sort("signal_id", multithreaded=False))


def load(cursor: Cursor, entries: CopyRows, exits: CopyRows) -> None:
    """COPY a batch into temporary tables; locks nothing that others use."""
    copy_rows(cursor, "new_entries", entries)
    copy_rows(cursor, "new_exits", exits)


def apply(
    cursor: Cursor, shape: Shape, *, backdated_after: int, timezone: str, lane: int
) -> Applied:
    """Apply what was loaded.

    Args:
        cursor: In the transaction of :func:`load`.
        shape: Of the batch.
        backdated_after: Seconds between the publisher's time and the broker's that are tolerated.
        timezone: Whose midnight ends a day.
        lane: Which rows of sums are moved.

    Raises:
        PassingError: Another consumer made a row of the batch at the same moment; the next
            try will find it.
    """
    if not shape.signals:  # all were refused on reading
        return Applied(set(), 0, 0, 0, 0, 0, 0)
    parameters = {"backdated_after": backdated_after, "timezone": timezone, "lane": lane}
    execute_planned(cursor, sql.LOCK_KNOWN, {})
    [(known, met)] = cursor.fetchall()
    old_exits = 0
    if known:
        execute_planned(cursor, sql.READ_EXITS, {})
        old_exits = cursor.rowcount
    conflicts: set[int] = set()
    if met or old_exits or shape.repeats:
        conflicts = _drop_what_changes_nothing(cursor, shape)
    _make_signals(cursor, shape, known, met, parameters)
    if not (met or old_exits or shape.several):
        return _write_plainly(cursor, shape, conflicts, parameters)
    return _write_thoroughly(cursor, conflicts, parameters)


def _drop_what_changes_nothing(cursor: Cursor, shape: Shape) -> set[int]:
    conflicts = {position for (position,) in rows(cursor, sql.CONFLICTS)}
    if shape.repeats:
        conflicts |= {position for (position,) in rows(cursor, sql.CONFLICTS_WITHIN)}
        cursor.execute(sql.DROP_REPEATS)
    cursor.execute(sql.DROP_KNOWN)
    return conflicts


def _make_signals(
    cursor: Cursor, shape: Shape, known: int, met: int, parameters: dict[str, object]
) -> None:
    """Make the signals that are not there, and those that wait for their entries."""
    made = 0
    with taken("another consumer has just made the other side of a signal"):
        if known < shape.signals and shape.entries:
            execute_planned(cursor, sql.MAKE_SIGNALS, parameters)
            made = cursor.rowcount
        if known + made < shape.signals:
            execute_planned(cursor, sql.MAKE_WAITING, {})
    if met:
        cursor.execute(sql.CORRECT_SIGNALS, parameters)


def _write_plainly(
    cursor: Cursor, shape: Shape, conflicts: set[int], parameters: dict[str, object]
) -> Applied:
    """Exits and sums, where nothing was there: what :mod:`plain_statements` says."""
    statement = plain.write(entries=shape.entries > 0, exits=shape.exits > 0)
    execute_planned(cursor, statement, parameters)
    [(entries, backdated, exits, excess)] = cursor.fetchall()
    return Applied(conflicts, entries, 0, backdated, exits, 0, excess)


def _write_thoroughly(
    cursor: Cursor, conflicts: set[int], parameters: dict[str, object]
) -> Applied:
    """Exits and sums, whatever was there."""
    execute_planned(cursor, fold.FIND_SEVERAL, {})
    if cursor.rowcount:
        execute_planned(cursor, fold.FOLD_SEVERAL, parameters)
    execute_planned(cursor, fold.FOLD_ONE, parameters)
    execute_planned(cursor, sql.WRITE_OR_CORRECT_EXITS, {})
    execute_planned(cursor, sql.REFOLD_OLD_EXITS, {})
    for statement in sums.CHANGES:
        execute_planned(cursor, statement, parameters)
    for table, owner in plain.DAYS:
        execute_planned(cursor, sums.move_days(table, owner), parameters)
    execute_planned(cursor, sql.COUNTS, parameters)
    return Applied(conflicts, *cursor.fetchall()[0])

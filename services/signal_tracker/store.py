"""The tables of the signal_tracker; nobody else writes them.

The rules are :mod:`trackrecord.tracking`; here they stand as statements over
whole batches, because moving every signal out of the database and back costs
more than all the rest (docs/decisions). tests/integration holds the two
against each other on random histories, to the last digit.

What most batches do not need is left out: a batch of new entries, or of the one
exit of each of its signals, takes half the statements.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from services.signal_tracker import fold_statements as fold
from services.signal_tracker import statements as sql
from services.signal_tracker import sum_statements as sums
from trackrecord.runtime.database import CopyRows, Cursor, copy_rows, rows, taken
from trackrecord.runtime.errors import PassingError

DAYS = (("strategy_days", "strategy"), ("symbol_days", "symbol"))
"""Tables of sums, and whose they are."""


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
        repeats: Whether an entry or an exit is named more than once.
        several: Whether a signal has more than one exit.
    """

    entries: int
    exits: int
    repeats: bool
    several: bool

    @classmethod
    def of(cls, entries: pl.DataFrame, exits: pl.DataFrame) -> Shape:
        """The shape of a batch."""
        several = exits["signal_id"].n_unique() < exits.height
        return cls(
            entries.height,
            exits.height,
            entries["signal_id"].n_unique() < entries.height
            or (
                several
                and exits.select(pl.struct("signal_id", "exit_id").n_unique()).item() < exits.height
            ),
            several,
        )

    @property
    def named(self) -> sql.Named:
        """Where each signal of the batch is named once."""
        if self.exits == 0 and not self.repeats:
            return "new_entries"
        if self.entries == 0 and not self.several:
            return "new_exits"
        return "touched"


def as_rows(frame: pl.DataFrame) -> CopyRows:
    """Entries or exits as they are loaded.

    They are in the order of the index: neighbours are found, and inserted, in the same pages.
    """
    return CopyRows.of(
        frame.sort("signal_id").with_columns(pl.from_epoch("appended_at", time_unit="ms"))
    )


def load(cursor: Cursor, entries: CopyRows, exits: CopyRows) -> None:
    """COPY a batch into temporary tables; locks nothing that others use."""
    cursor.execute(sql.MAKE_TEMPORARY)
    copy_rows(cursor, "new_entries", entries)
    copy_rows(cursor, "new_exits", exits)


def apply(cursor: Cursor, shape: Shape, *, backdated_after: int, timezone: str) -> Applied:
    """Apply what was loaded.

    Args:
        cursor: In the transaction of :func:`load`.
        shape: Of the batch.
        backdated_after: Seconds between the publisher's time and the broker's that are tolerated.
        timezone: Whose midnight ends a day.

    Raises:
        PassingError: Another consumer made a row of the batch at the same moment; the next
            try will find it.
    """
    parameters = {"backdated_after": backdated_after, "timezone": timezone}
    named = shape.named
    touched = shape.entries + shape.exits
    if named == "touched":
        cursor.execute(sql.TOUCH)
        touched = cursor.rowcount
    cursor.execute(sql.lock_known(named))
    known = cursor.rowcount
    old_exits = 0
    if known:
        cursor.execute(sql.READ_EXITS)
        old_exits = cursor.rowcount
    conflicts = _drop_what_changes_nothing(cursor, shape, known)
    corrected = _write_signals(cursor, named, known, touched, parameters)
    several = bool(shape.several or old_exits)
    _fold(cursor, shape, several, parameters)
    if shape.exits:
        cursor.execute(sql.WRITE_OR_CORRECT_EXITS if old_exits else sql.WRITE_NEW_EXITS)
    if old_exits:
        cursor.execute(sql.REFOLD_OLD_EXITS)
    _move_sums(cursor, shape, corrected, old_exits, parameters)
    counted = sql.counts(known=known > 0, old_exits=old_exits > 0)
    return Applied(conflicts, *rows(cursor, counted, parameters)[0])


def _drop_what_changes_nothing(cursor: Cursor, shape: Shape, known: int) -> set[int]:
    conflicts: set[int] = set()
    if known:
        conflicts |= {position for (position,) in rows(cursor, sql.CONFLICTS)}
    if shape.repeats:
        conflicts |= {position for (position,) in rows(cursor, sql.CONFLICTS_WITHIN)}
        cursor.execute(sql.DROP_REPEATS)
    if known:
        cursor.execute(sql.DROP_KNOWN)
    return conflicts


def _write_signals(
    cursor: Cursor,
    named: sql.Named,
    known: int,
    touched: int,
    parameters: dict[str, object],
) -> int:
    """Make and correct signals; returns how many that were there have an entry in the batch."""
    if known < touched:
        every = named == "new_entries" and not known
        with taken("another consumer has just made the other side of a signal"):
            cursor.execute(
                sql.MAKE_SIGNALS if every else sql.make_missing_signals(named), parameters
            )
        if known + cursor.rowcount != touched:
            raise PassingError("another consumer has just made the other side of a signal")
    if not known:
        return 0
    cursor.execute(sql.CORRECT_SIGNALS, parameters)
    return cursor.rowcount


def _fold(cursor: Cursor, shape: Shape, several: bool, parameters: dict[str, object]) -> None:
    if several:
        cursor.execute(fold.FIND_SEVERAL)
        cursor.execute(fold.FOLD_SEVERAL, parameters)
    if shape.exits:
        cursor.execute(fold.fold_one(entries=shape.entries > 0, several=several), parameters)


def _move_sums(
    cursor: Cursor, shape: Shape, corrected: int, old_exits: int, parameters: dict[str, object]
) -> None:
    nothing_to_take = not corrected and not old_exits
    if nothing_to_take:
        for table, owner in DAYS:
            if shape.entries:
                cursor.execute(sums.add_entries(table, owner), parameters)
            if shape.exits:
                cursor.execute(sums.add_exits(table, owner))
        return
    if shape.entries:
        cursor.execute(sums.ADD_ENTRIES, parameters)
        cursor.execute(sums.TAKE_OLD_ENTRIES, parameters)
    cursor.execute(sums.ADD_EXITS)
    if old_exits:
        cursor.execute(sums.TAKE_OLD_EXITS, parameters)
    for table, owner in DAYS:
        cursor.execute(sums.move_days(table, owner))

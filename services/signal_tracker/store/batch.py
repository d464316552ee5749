"""A batch in the tables of the signal_tracker, which nobody else writes.

The rules are :mod:`trackrecord.tracking`; here they stand as statements over
whole batches, because moving every signal out of the database and back costs
more than all the rest (docs/decisions). tests/integration holds the two
against each other on random histories, to the last digit. The statements as they
run, one file each, stand in ``services/signal_tracker/sql``.

What most batches do not need is left out: for a batch of new entries, and of the
one exit of each of its signals, four statements do.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.signal_tracker.rows import Shape
from services.signal_tracker.store import exits, revisions, signals
from services.signal_tracker.store import known as known_signals
from services.signal_tracker.store import plain_statements as plain
from trackrecord.runtime.database import CopyRows, Cursor, copy_rows, execute_planned


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
    exits_before_entry: int


def load(cursor: Cursor, new_entries: CopyRows, new_exits: CopyRows) -> None:
    """COPY a batch into temporary tables; locks nothing that others use."""
    copy_rows(cursor, "new_entries", new_entries)
    copy_rows(cursor, "new_exits", new_exits)


def apply(
    cursor: Cursor, shape: Shape, *, backdated_after: int, timezone: str, lane: int
) -> Applied:
    """Apply what was loaded.

    Args:
        cursor: In the transaction of :func:`load`.
        shape: Of the batch.
        backdated_after: Seconds that are tolerated between the publisher's time and the broker's,
            and by which an exit may be older than its entry.
        timezone: Whose midnight ends a day.
        lane: Which rows of sums are moved.

    Raises:
        PassingError: Another consumer made a row of the batch at the same moment; the next
            try will find it.
    """
    if not shape.signals:  # all were refused on reading
        return Applied(set(), 0, 0, 0, 0, 0, 0, 0)
    parameters = {"backdated_after": backdated_after, "timezone": timezone, "lane": lane}
    known, met = known_signals.lock(cursor)
    old_exits = known_signals.read_exits(cursor) if known else 0
    conflicts: set[int] = set()
    revised = False
    if met or old_exits or shape.repeats:
        conflicts = known_signals.drop_conflicts(cursor, repeats=shape.repeats)
        revised = revisions.keep(cursor)
        known_signals.drop_what_changes_nothing(cursor, repeats=shape.repeats)
    signals.write(
        cursor,
        signals=shape.signals,
        entries=shape.entries,
        known=known,
        met=met,
        parameters=parameters,
    )
    if met or old_exits or shape.several or revised:
        return Applied(conflicts, *exits.write(cursor, parameters, revised=revised))
    execute_planned(
        cursor, plain.write(entries=shape.entries > 0, exits=shape.exits > 0), parameters
    )
    [(made, backdated, closed, excess, before_entry)] = cursor.fetchall()
    return Applied(conflicts, made, 0, backdated, closed, 0, excess, before_entry)

"""What is there already of a batch's signals: lock it, read it, drop what is only repeated."""

from __future__ import annotations

from typing import Final

from services.signal_tracker.tables import ENTRY_CONTENT, EXIT_CONTENT, REALISED, listed
from trackrecord.runtime.database import Cursor, execute_planned, rows

LOCK_KNOWN: Final = """
WITH locked AS (
    INSERT INTO old_signals
    SELECT signal_id, revision, strategy, symbol, side, price, quantity, currency, emitted_at,
           fee, fee_rate, leverage, entry, backdated, said_revision, corrected_late,
           account
    FROM signals
    WHERE signal_id = ANY (ARRAY(SELECT signal_id FROM new_entries
                                 UNION ALL SELECT signal_id FROM new_exits))
    ORDER BY signal_id
    FOR UPDATE
    RETURNING signal_id
)
SELECT count(*), count(*) FILTER (WHERE signal_id IN (SELECT signal_id FROM new_entries))
FROM locked
"""
"""Lock the signals that are there, in one order, before anything else of them is read.

Both sides of a signal meet at this lock, whichever consumers they came to. How many there
are, and how many of them have an entry in the batch.
"""

# One descent into the index for all keys in order, where a join makes one for each.
_AMONG_KNOWN: Final = "ANY (ARRAY(SELECT signal_id FROM old_signals))"

READ_EXITS: Final = f"""
INSERT INTO old_exits
SELECT e.signal_id, e.exit_id, e.revision, {listed(EXIT_CONTENT, "e")}, {listed(REALISED, "e")},
       e.backdated, e.corrected_late
FROM exits AS e WHERE signal_id = {_AMONG_KNOWN}
"""


def _conflicts(new: str, old: str, key: tuple[str, ...], content: tuple[str, ...]) -> str:
    same = " AND ".join(f"o.{name} = n.{name}" for name in key)
    later = " AND ".join(f"h.{name} = n.{name}" for name in key)
    return f"""
SELECT n.position
FROM {new} AS n JOIN {old} AS o ON {same} AND o.revision = n.revision
WHERE ({listed(content, "n")}) IS DISTINCT FROM ({listed(content, "o")})
AND NOT EXISTS (SELECT FROM {new} AS h WHERE {later}
                AND h.revision > n.revision AND h.position < n.position)
"""


def _conflicts_within(new: str, known: str, key: tuple[str, ...], content: tuple[str, ...]) -> str:
    first = (
        f"(SELECT DISTINCT ON ({listed(key)}, revision) * FROM {new}"
        f" ORDER BY {listed(key)}, revision, position)"
    )
    same = " AND ".join(f"k.{name} = n.{name}" for name in key)
    return (
        _conflicts(new, first, key, content)
        + f"AND NOT EXISTS (SELECT FROM {known} AS k WHERE {same} AND k.revision >= n.revision)"
    )


CONFLICTS: Final = " UNION ".join(
    (
        _conflicts(
            "new_entries",
            f"(SELECT * FROM signals WHERE signal_id = {_AMONG_KNOWN})",
            ("signal_id",),
            ENTRY_CONTENT,
        ),
        _conflicts("new_exits", "old_exits", ("signal_id", "exit_id"), EXIT_CONTENT),
    )
)
"""Positions of events whose id and revision are there with other content."""

CONFLICTS_WITHIN: Final = " UNION ".join(
    (
        _conflicts_within("new_entries", "old_signals", ("signal_id",), ENTRY_CONTENT),
        _conflicts_within("new_exits", "old_exits", ("signal_id", "exit_id"), EXIT_CONTENT),
    )
)
"""The same, among the events of the batch."""

DROP_REPEATS: Final = """
DELETE FROM new_entries USING (
    SELECT position, row_number() OVER (
        PARTITION BY signal_id ORDER BY revision DESC, position) AS place
    FROM new_entries) AS ranked
WHERE new_entries.position = ranked.position AND place > 1;
DELETE FROM new_exits USING (
    SELECT position, row_number() OVER (
        PARTITION BY signal_id, exit_id ORDER BY revision DESC, position) AS place
    FROM new_exits) AS ranked
WHERE new_exits.position = ranked.position AND place > 1;
"""
"""Of what the batch names twice, the highest revision stays, and of that the first."""

DROP_KNOWN: Final = """
DELETE FROM new_entries AS n USING old_signals AS o
WHERE o.signal_id = n.signal_id AND o.revision >= n.revision;
DELETE FROM new_exits AS n USING old_exits AS o
WHERE o.signal_id = n.signal_id AND o.exit_id = n.exit_id AND o.revision >= n.revision;
"""


def lock(cursor: Cursor) -> tuple[int, int]:
    """Lock the batch's signals that are there.

    Returns:
        How many there are, and how many of them have an entry in the batch.
    """
    execute_planned(cursor, LOCK_KNOWN, {})
    [(known, met)] = cursor.fetchall()
    return known, met


def read_exits(cursor: Cursor) -> int:
    """Read the exits of the locked signals; returns how many there are."""
    execute_planned(cursor, READ_EXITS, {})
    return cursor.rowcount


DROP_CONFLICTS: Final = """
DELETE FROM new_entries WHERE position = ANY (%(conflicts)s::integer[]);
DELETE FROM new_exits WHERE position = ANY (%(conflicts)s::integer[]);
"""


def drop_conflicts(cursor: Cursor, *, repeats: bool) -> set[int]:
    """Drop events of the batch that contradict what is there.

    Args:
        cursor: Known signals are locked, their exits read.
        repeats: Whether the batch names an entry or an exit more than once.

    Returns:
        Positions of events whose id and revision are there with other content.
    """
    conflicts = {position for (position,) in rows(cursor, CONFLICTS)}
    if repeats:
        conflicts |= {position for (position,) in rows(cursor, CONFLICTS_WITHIN)}
    if conflicts:
        cursor.execute(DROP_CONFLICTS, {"conflicts": sorted(conflicts)})
    return conflicts


def drop_what_changes_nothing(cursor: Cursor, *, repeats: bool) -> None:
    """Drop events of the batch that are there already, in this revision or a higher one.

    Args:
        cursor: Known signals are locked, their exits read.
        repeats: Whether the batch names an entry or an exit more than once.
    """
    if repeats:
        cursor.execute(DROP_REPEATS)
    cursor.execute(DROP_KNOWN)

"""All revisions of what was corrected, and which of them was said in time.

Most signals and exits have one revision, which their own row holds. Once there are several, all
are kept here, so that whoever comes late, and in whatever order, changes nothing of what counts as
first said: the last revision that the broker got within the tolerance of the first.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from services.signal_tracker.tables import ENTRY_CONTENT, EXIT_CONTENT, NAMED, listed
from trackrecord.runtime.database import Cursor, execute_planned


class _Kind(NamedTuple):
    """Signals or exits: their tables, their key, and what they say."""

    table: str
    revisions: str
    new: str
    old: str
    key: tuple[str, ...]
    content: tuple[str, ...]
    also: str = ""
    """What else is marked, as SQL of an assignment."""

    def same(self, left: str, right: str) -> str:
        return " AND ".join(f"{left}.{name} = {right}.{name}" for name in self.key)


_SIGNALS: Final = _Kind(
    "signals", "signal_revisions", "new_entries", "old_signals", ("signal_id",), ENTRY_CONTENT
)
_EXITS: Final = _Kind(
    "exits",
    "exit_revisions",
    "new_exits",
    "old_exits",
    ("signal_id", "exit_id"),
    EXIT_CONTENT,
    ", backdated = m.first - t.closed_at > make_interval(secs => %(backdated_after)s)",
)


def _keep_stored(kind: _Kind) -> str:
    return f"""
WITH revised AS MATERIALIZED (
    SELECT DISTINCT {listed(kind.key, "o")}
    FROM {kind.old} AS o JOIN {kind.new} AS n ON {kind.same("n", "o")}
    WHERE o.revision >= 0 AND o.revision <> n.revision
)
INSERT INTO {kind.revisions} ({listed(kind.key)}, revision, {listed(kind.content)}, appended_at)
SELECT {listed(kind.key, "t")}, t.revision, {listed(kind.content, "t")}, t.appended_at
FROM revised JOIN {kind.table} AS t ON {kind.same("t", "revised")}
ON CONFLICT DO NOTHING
"""


def _keep_new(kind: _Kind) -> str:
    return f"""
WITH coming AS MATERIALIZED (
    SELECT DISTINCT ON ({listed(kind.key)}, revision) * FROM {kind.new}
    ORDER BY {listed(kind.key)}, revision, position
), known AS (
    SELECT {listed(kind.key)}, revision FROM coming
    UNION SELECT {listed(kind.key)}, revision FROM {kind.old} WHERE revision >= 0
), revised AS (
    SELECT {listed(kind.key)} FROM known GROUP BY {listed(kind.key)} HAVING count(*) > 1
)
INSERT INTO {kind.revisions} ({listed(kind.key)}, revision, {listed(kind.content)}, appended_at)
SELECT {listed(kind.key, "n")}, n.revision, {listed(kind.content, "n")}, n.appended_at
FROM coming AS n JOIN revised ON {kind.same("n", "revised")}
ON CONFLICT DO NOTHING
"""


def _mark(kind: _Kind) -> str:
    said = ", ".join(f"said.{name}" for name in kind.content)
    now = ", ".join(f"t.{name}" for name in kind.content)
    return f"""
WITH {NAMED}, kept AS (
    SELECT r.*, min(r.appended_at) OVER (PARTITION BY {listed(kind.key, "r")}) AS first
    FROM named JOIN {kind.revisions} AS r USING (signal_id)
), said AS (
    SELECT DISTINCT ON ({listed(kind.key)}) * FROM kept
    WHERE appended_at - first <= make_interval(secs => %(backdated_after)s)
    ORDER BY {listed(kind.key)}, revision DESC
), m AS (
    SELECT {listed(kind.key, "said")}, said.first, said.revision,
           ({now}) IS DISTINCT FROM ({said}) AS late
    FROM said JOIN {kind.table} AS t ON {kind.same("t", "said")}
)
UPDATE {kind.table} AS t
SET first_appended_at = m.first, said_revision = m.revision, corrected_late = m.late{kind.also}
FROM m WHERE {kind.same("t", "m")}
"""


KEEP_STORED_SIGNALS: Final = _keep_stored(_SIGNALS)
KEEP_NEW_SIGNALS: Final = _keep_new(_SIGNALS)
KEEP_STORED_EXITS: Final = _keep_stored(_EXITS)
KEEP_NEW_EXITS: Final = _keep_new(_EXITS)
MARK_SIGNALS: Final = _mark(_SIGNALS)
"""When each was first said, which revision was said in time, and whether another holds now."""
MARK_EXITS: Final = _mark(_EXITS)
"""The same of exits, and whether they were first told late."""


def keep(cursor: Cursor) -> bool:
    """Keep what the batch brings of signals and exits that have other revisions.

    Args:
        cursor: Known signals are locked, their exits read; conflicts are gone, repeats are not.

    Returns:
        Whether there is any that was not kept before.
    """
    kept = 0
    for statement in (KEEP_STORED_SIGNALS, KEEP_NEW_SIGNALS, KEEP_STORED_EXITS, KEEP_NEW_EXITS):
        execute_planned(cursor, statement, {})
        kept += cursor.rowcount
    return kept > 0


def mark(cursor: Cursor, parameters: dict[str, object]) -> None:
    """Mark the batch's signals and exits by their revisions; all of them are written."""
    for statement in (MARK_SIGNALS, MARK_EXITS):
        execute_planned(cursor, statement, parameters)

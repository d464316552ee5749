"""The rows of signals: made for what is new, corrected for what was there."""

from __future__ import annotations

from typing import Final

from services.signal_tracker.tables import ENTRY_CONTENT, FIRST_SAID, MARKS, listed
from trackrecord.runtime.database import Cursor, execute_planned, taken

BACKDATED: Final = "n.appended_at - n.emitted_at > make_interval(secs => %(backdated_after)s)"
_AHEAD: Final = "n.emitted_at - n.appended_at > make_interval(secs => %(backdated_after)s)"

# Not ON CONFLICT DO NOTHING: it costs a third more, and whoever meets a row that another
# consumer makes at the same moment has to begin again in any case.
MAKE_SIGNALS: Final = f"""
INSERT INTO signals (signal_id, revision, {listed(ENTRY_CONTENT)}, appended_at,
                     {listed(FIRST_SAID)}, {listed(MARKS)})
SELECT signal_id, revision, {listed(ENTRY_CONTENT)}, appended_at,
       appended_at, revision, false, {BACKDATED}, {_AHEAD}
FROM new_entries AS n
WHERE NOT EXISTS (SELECT FROM old_signals AS o WHERE o.signal_id = n.signal_id)
ORDER BY signal_id
"""

MAKE_WAITING: Final = """
INSERT INTO signals (signal_id, revision)
SELECT DISTINCT signal_id, -1
FROM new_exits AS x
WHERE NOT EXISTS (SELECT FROM old_signals AS o WHERE o.signal_id = x.signal_id)
  AND NOT EXISTS (SELECT FROM new_entries AS n WHERE n.signal_id = x.signal_id)
ORDER BY signal_id
"""
"""A signal of which only exits are known gets a row that waits for its entry."""

CORRECT_SIGNALS: Final = f"""
UPDATE signals AS s
SET revision = n.revision, {", ".join(f"{name} = n.{name}" for name in ENTRY_CONTENT)},
    appended_at = n.appended_at, backdated = {BACKDATED}, ahead = {_AHEAD},
    first_appended_at = CASE WHEN o.revision < 0 THEN n.appended_at ELSE s.first_appended_at END,
    said_revision = CASE WHEN o.revision < 0 THEN n.revision ELSE s.said_revision END
FROM new_entries AS n JOIN old_signals AS o USING (signal_id)
WHERE s.signal_id = n.signal_id
"""


def write(
    cursor: Cursor,
    *,
    signals: int,
    entries: int,
    known: int,
    met: int,
    parameters: dict[str, object],
) -> None:
    """Make the signals that are not there, and those that wait for their entries.

    Args:
        cursor: Known signals are locked.
        signals: How many signals the batch is of.
        entries: How many entries it has.
        known: How many of its signals are there.
        met: How many of those have an entry in the batch.
        parameters: Of the statements.

    Raises:
        PassingError: Another consumer made a row of the batch at the same moment.
    """
    made = 0
    with taken("another consumer has just made the other side of a signal"):
        if known < signals and entries:
            execute_planned(cursor, MAKE_SIGNALS, parameters)
            made = cursor.rowcount
        if known + made < signals:
            execute_planned(cursor, MAKE_WAITING, {})
    if met:
        cursor.execute(CORRECT_SIGNALS, parameters)

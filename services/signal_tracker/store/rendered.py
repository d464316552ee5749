"""Every statement that the store runs, whole, with what it does: for readers and for a check.

``python -m tools.sql`` writes them to ``services/signal_tracker/sql``, one file each, in the
order in which a batch meets them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from services.signal_tracker.store import exits, known, plain_statements, revisions, signals
from services.signal_tracker.store import fold_statements as fold
from services.signal_tracker.store import sum_statements as sums
from services.signal_tracker.store.temporary import TEMPORARY
from services.signal_tracker.tables import DAYS


class Statement(NamedTuple):
    """A statement, as it runs; parameters stand as ``%(name)s``."""

    purpose: str
    sql: str


_PLAIN: Final = (
    "The one statement of most batches, in which no signal has more than one exit and none was "
    "there before: fold {what}, write them, and add to the sums of strategies and symbols."
)

STATEMENTS: Final[dict[str, Statement]] = {
    "00_temporary_tables": Statement(
        "Make the temporary tables of a session. COPY brings a batch into new_entries and "
        "new_exits; a commit empties them all.",
        TEMPORARY,
    ),
    "01_lock_known_signals": Statement(
        "Lock the batch's signals that are there, in one order, and read them into old_signals. "
        "Both sides of a signal meet at this lock, whichever consumers they came to.",
        known.LOCK_KNOWN,
    ),
    "02_read_known_exits": Statement(
        "Read all exits of the locked signals into old_exits.", known.READ_EXITS
    ),
    "03_find_conflicts": Statement(
        "Find events whose id and revision are on record with other content; they are refused.",
        known.CONFLICTS,
    ),
    "04_find_conflicts_within_the_batch": Statement(
        "Find events that contradict an earlier one of the same batch; they are refused.",
        known.CONFLICTS_WITHIN,
    ),
    "05_drop_conflicts": Statement("Drop what is refused.", known.DROP_CONFLICTS),
    "06_keep_stored_signals": Statement(
        "Keep the revision on record of each signal of which another one comes.",
        revisions.KEEP_STORED_SIGNALS,
    ),
    "07_keep_new_signals": Statement(
        "Keep what the batch brings of signals that have several revisions.",
        revisions.KEEP_NEW_SIGNALS,
    ),
    "08_keep_stored_exits": Statement(
        "Keep the revision on record of each exit of which another one comes.",
        revisions.KEEP_STORED_EXITS,
    ),
    "09_keep_new_exits": Statement(
        "Keep what the batch brings of exits that have several revisions.",
        revisions.KEEP_NEW_EXITS,
    ),
    "10_drop_repeats": Statement(
        "Of what the batch names twice, keep the highest revision, and of that the first.",
        known.DROP_REPEATS,
    ),
    "11_drop_known": Statement(
        "Drop what is on record already, in this revision or a higher one.", known.DROP_KNOWN
    ),
    "12_make_signals": Statement(
        "Insert the entries of signals that are not there.", signals.MAKE_SIGNALS
    ),
    "13_make_awaited_signals": Statement(
        "Insert a row that waits for its entry for each signal of which only exits came.",
        signals.MAKE_WAITING,
    ),
    "14_correct_signals": Statement(
        "Write entries into rows that are there: those that waited, and those that are corrected.",
        signals.CORRECT_SIGNALS,
    ),
    "15_plain_entries": Statement(
        "The one statement of most batches of entries alone: add to the sums of strategies and "
        "symbols.",
        plain_statements.write(entries=True, exits=False),
    ),
    "16_plain_exits": Statement(
        _PLAIN.format(what="exits"), plain_statements.write(entries=False, exits=True)
    ),
    "17_plain_entries_and_exits": Statement(
        _PLAIN.format(what="exits, beside entries,"),
        plain_statements.write(entries=True, exits=True),
    ),
    "20_find_several": Statement(
        "In all other batches: find the signals with exits from before, or with several new ones.",
        fold.FIND_SEVERAL,
    ),
    "21_fold_several": Statement(
        "Work out what each exit of those signals realises, in the order of (closed_at, exit_id).",
        fold.FOLD_SEVERAL,
    ),
    "22_fold_one": Statement(
        "Work out what the exit of each other signal realises; one exit needs no order.",
        fold.FOLD_ONE,
    ),
    "23_write_exits": Statement(
        "Insert new exits and correct those that are there.", exits.WRITE_OR_CORRECT_EXITS
    ),
    "24_refold_old_exits": Statement(
        "Change what exits from before realise, where the batch changes it.",
        exits.REFOLD_OLD_EXITS,
    ),
    "25_mark_signals": Statement(
        "Where another revision came: note when each signal was first said, which revision was "
        "said in time, and whether another one holds now.",
        revisions.MARK_SIGNALS,
    ),
    "26_mark_exits": Statement(
        "The same of exits, and whether they were first told late.", revisions.MARK_EXITS
    ),
    **{
        f"{number}_sum_{name}": Statement(f"Note what the sums {change}.", statement)
        for number, (name, change), statement in zip(
            range(27, 33),
            (
                ("new_entries", "gain by new entries"),
                ("old_entries", "lose by entries that are corrected"),
                ("new_exits", "gain by what exits realise now"),
                ("old_exits", "lose by what they realised before"),
                ("old_marks", "lose by what was marked as late before"),
                ("new_marks", "gain by what is marked as late now"),
            ),
            sums.CHANGES,
            strict=True,
        )
    },
    **{
        f"{number}_move_{table}": Statement(
            f"Add what was noted to {table}, in the rows of this consumer's own lane.",
            sums.move_days(table, owner),
        )
        for number, (table, owner) in enumerate(DAYS, 33)
    },
    "35_move_strategy_totals": Statement(
        "Add it to strategy_totals too, and note that something of those strategies has changed.",
        sums.move_totals("deltas"),
    ),
    "36_count": Statement("Count what the batch did, for the metrics.", exits.COUNTS),
}
"""By the name of its file, without the ending."""

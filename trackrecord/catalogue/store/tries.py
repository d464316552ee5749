"""What was ever backtested, by identities: noted, counted, and never taken away.

What is counted is :func:`trackrecord.strategies.tries.tries_of`; what a user of the HTTP API tried
and what was tried elsewhere under the same owner's name are one and the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from trackrecord.runtime.database import Cursor, rows
from trackrecord.strategies.tries import Run, code_identity, tries_of

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema || ' tries', 0))"


def note_and_count(cursor: Cursor, run: Run, now: datetime) -> int:
    """Write down what was tried, and say how many tries stand behind the strategy.

    One transaction at a time, so that two backtests at once count each other: it should do nothing
    else, and be committed whatever comes of the backtest.

    Args:
        cursor: Inside a transaction.
        run: What was tried now.
        now: The time.
    """
    cursor.execute(_LOCK)
    runs = _runs(cursor)
    known = {(each.owner, each.code, each.copied_from, p) for each in runs for p in each.parameters}
    fresh = tuple(
        p for p in run.parameters if (run.owner, run.code, run.copied_from, p) not in known
    )
    if fresh:
        added = Run(run.owner, run.code, fresh, run.copied_from)
        _write(cursor, added, now)
        runs.append(added)
    return tries_of(run.owner, run.code, runs, run.copied_from)


def count(cursor: Cursor, owner: str, source: str, copied_from: Sequence[str] = ()) -> int:
    """How many tries stand behind a strategy by now; nothing is noted.

    Args:
        cursor: Inside a transaction.
        owner: Whose it is.
        source: Its code.
        copied_from: Identities of the strategies that it was made from.
    """
    return tries_of(owner, code_identity(source), _runs(cursor), copied_from)


def inherit(cursor: Cursor, owner: str, origin: str, source: str, now: datetime) -> None:
    """Note that an owner has taken over a strategy: all tries behind it are its new owner's too.

    Args:
        cursor: Inside a transaction.
        owner: Who has taken it over.
        origin: Whose it was.
        source: Its code.
        now: The time.
    """
    if owner == origin:
        return
    cursor.execute(_LOCK)
    code = code_identity(source)
    if not rows(
        cursor, "SELECT FROM strategy_tries WHERE owner = %s AND code = %s LIMIT 1", (origin, code)
    ):
        _write(cursor, Run(origin, code, ()), now)
    # Runs that tried nothing: they only say when the code was whose.
    _write(cursor, Run(owner, code, ()), now)


def _runs(cursor: Cursor) -> list[Run]:
    found = rows(
        cursor, "SELECT owner, code, parameters, copied_from FROM strategy_tries ORDER BY run_id"
    )
    return [
        Run(owner, code, tuple(parameters), tuple(origins))
        for owner, code, parameters, origins in found
    ]


def _write(cursor: Cursor, run: Run, now: datetime) -> None:
    cursor.execute(
        "INSERT INTO strategy_tries (at, owner, code, copied_from, parameters)"
        " VALUES (%s, %s, %s, %s, %s)",
        (now, run.owner, run.code, list(run.copied_from), list(run.parameters)),
    )

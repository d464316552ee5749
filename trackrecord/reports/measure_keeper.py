"""The keeper of measures: measures strategies anew once something of them has changed.

Any number of processes may run one; only one of them works at a time.
"""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from trackrecord.performance.sums.sums import Sums
from trackrecord.reports.judged import measured_rows, read_own_days
from trackrecord.reports.kept_measures import keep, read_kept, ways
from trackrecord.reports.one_keeper import is_ours
from trackrecord.reports.pictures import keep_pictures
from trackrecord.reports.totals import Owner, read_versions
from trackrecord.runtime.database import Cursor, connect, rows
from trackrecord.runtime.settings import Settings
from trackrecord.times import day_number

TOGETHER: Final = 200
"""Strategies that are measured in one transaction: draws are shared, and readers see progress."""

_LOCK: Final = 723_011_492

_DAYS: Final = f"""
    SELECT strategy AS owner, currency, day, {", ".join(Sums.__annotations__)} FROM strategy_days
"""


def keep_measures(settings: Settings, now: datetime, at_most: int | None = None) -> int | None:
    """Measure the strategies whose kept measures do not hold any more.

    Args:
        settings: Where the tables are, and what is known of the strategies.
        now: What is the last day that counts follows from it.
        at_most: How many; those that were never measured, however many they are, and then those
            that have waited longest. By default all: that may take for ever where strategies
            move faster than they are measured.

    Returns:
        How many were measured; None where another process is at it.

    Raises:
        PassingError: The database does not answer.
    """
    until = now.astimezone(ZoneInfo(settings.day_timezone)).date()
    with closing(connect(settings, application="trackrecord measures")) as connection:
        connection.autocommit = True
        if not is_ours(connection, _LOCK):
            return None
        connection.autocommit = False
        connection.set_session(isolation_level="REPEATABLE READ")
        measured, more = 0, True
        while more:
            with connection, connection.cursor() as cursor:
                versions = read_versions(cursor)
                how = ways(settings, list(versions))
                stale = versions.keys() - read_kept(cursor, versions, until, how).keys()
                never, before = _waiting(cursor, stale)
                left = len(stale) if at_most is None else max(at_most - measured, len(never))
                chosen = [*never, *before][: min(TOGETHER, left)]
                if chosen:
                    days = read_own_days(cursor, _DAYS, {}, chosen)
                    keep(cursor, measured_rows(days, chosen, until, how), versions, until, how)
                    keep_pictures(cursor, days.until(day_number(until)), chosen)
                measured += len(chosen)
                more = len(chosen) < min(len(stale), left)
        return measured


def _waiting(cursor: Cursor, owners: set[Owner]) -> tuple[list[Owner], list[Owner]]:
    """Those that were never measured, and the others, measured longest ago first."""
    at = {
        (strategy, currency): measured_at
        for strategy, currency, measured_at in rows(
            cursor, "SELECT strategy, currency, measured_at FROM strategy_measures"
        )
    }
    never = sorted(owner for owner in owners if owner not in at)
    return never, sorted((owner for owner in owners if owner in at), key=lambda owner: at[owner])

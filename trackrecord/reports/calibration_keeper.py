"""The keeper of calibrations: holds models against what happened anew once outcomes have moved.

To hold one against a hundred thousand signals takes a second, which no request should wait for.
Kept are the version that serves and the newest, its challenger; of others nothing new is heard.
"""

from __future__ import annotations

import json
from contextlib import closing
from datetime import datetime
from typing import Any, Final

from trackrecord.reports.models import calibration_of, newest
from trackrecord.reports.one_keeper import is_ours
from trackrecord.runtime.champion import champion
from trackrecord.runtime.database import Cursor, connect, rows
from trackrecord.runtime.settings import Settings

_FORMULAS: Final = 1
"""To be raised when a formula of :mod:`trackrecord.learning.calibration` changes."""

_LOCK: Final = 723_011_493

_MOVED: Final = """
    SELECT coalesce(md5(string_agg(concat(topic, ' ', partition, ' ', next_offset, ' ', epoch),
                                   ',' ORDER BY topic, partition)), '')
    FROM consumer_offsets WHERE stage = 'outcome_scorer'
"""


def keep_calibrations(settings: Settings, now: datetime) -> int | None:
    """Work out the calibrations that outcomes have moved away from.

    Args:
        settings: Where the tables are, what a success is, and whose versions are meant.
        now: What they are of.

    Returns:
        How many were worked out; None where another process is at it.

    Raises:
        PassingError: The database does not answer.
    """
    with closing(connect(settings, application="trackrecord calibration")) as connection:
        connection.autocommit = True
        if not is_ours(connection, _LOCK):
            return None
        connection.autocommit = False
        connection.set_session(isolation_level="REPEATABLE READ")
        with connection, connection.cursor() as cursor:
            ((moved,),) = rows(cursor, _MOVED)
            wanted = {champion(cursor, settings.model), newest(cursor, settings.model)} - {None}
            held = _held(cursor, moved, method(settings))
            stale = sorted(version for version in wanted if version and version not in held)
            for version in stale:
                found = calibration_of(cursor, settings, version)
                _keep(cursor, version, moved, method(settings), now, found)
        return len(stale)


def method(settings: Settings) -> str:
    """All that a calibration depends on besides what is on record."""
    return (
        f"{_FORMULAS} cost={settings.trainer_cost} success={settings.trainer_success}"
        f" policy={settings.outcome_policy}"
    )


def read_calibrations(
    cursor: Cursor, settings: Settings, version: str | None = None
) -> dict[str, tuple[datetime, dict[str, Any]]]:
    """The calibrations that are kept, by version: when each was worked out, and what it says.

    Args:
        cursor: Inside a transaction.
        settings: What was worked out in another way is left out.
        version: Only of this one.
    """
    found = rows(
        cursor,
        "SELECT version, as_of, content FROM kept_calibration WHERE method = %(method)s"
        " AND (%(version)s::text IS NULL OR version = %(version)s)",
        {"method": method(settings), "version": version},
    )
    return {version: (as_of, content) for version, as_of, content in found}


def _held(cursor: Cursor, moved: str, how: str) -> set[str]:
    found = rows(
        cursor,
        "SELECT version FROM kept_calibration WHERE moved = %s AND method = %s",
        (moved, how),
    )
    return {version for (version,) in found}


def _keep(
    cursor: Cursor,
    version: str,
    moved: str,
    how: str,
    now: datetime,
    content: dict[str, Any] | None,
) -> None:
    cursor.execute(
        """
        INSERT INTO kept_calibration (version, moved, method, as_of, content)
        VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (version) DO UPDATE
        SET moved = excluded.moved, method = excluded.method, as_of = excluded.as_of,
            content = excluded.content
        """,
        (version, moved, how, now, json.dumps(content)),
    )

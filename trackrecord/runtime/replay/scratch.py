"""The schema that a replay works in, and those that replays which were killed have left.

A replay holds an advisory lock for as long as it lives. It is its session's: however it ends,
killed or cut off, the database gives it back. A schema of that name whose lock is free is nobody's.
"""

from __future__ import annotations

import re
import secrets
from typing import Final, Self

import psycopg2

from trackrecord.runtime import database
from trackrecord.runtime.database import Connection, Cursor, rows
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.settings import Settings

_log = get_logger(__name__)

_LOCKS: Final = 723_011_491
"""The first of two numbers of an advisory lock: a replay's; the second is of its schema."""

_NAME: Final = re.compile(r"replay_([0-9a-f]{8})")


class Scratch:
    """A schema of a name that nobody else has; gone at the end of a ``with`` block."""

    def __init__(self, settings: Settings) -> None:
        """Choose a name; nothing is made yet."""
        self.name: Final = f"replay_{secrets.token_hex(4)}"
        self._settings = settings
        self._holder: Connection | None = None

    def __enter__(self) -> Self:
        """Hold the name, and remove the schemas of replays that are dead.

        Raises:
            PassingError: The database does not answer.
        """
        holder = self._connect()
        # A lock is held by the session; no transaction stays open for it.
        holder.autocommit = True
        self._holder = holder
        with holder.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", (_LOCKS, _number(self.name)))
            for name in _abandoned(cursor):
                _log.info("removed what a replay that was killed had left", schema=name)
        return self

    def __exit__(self, *_error: object) -> None:
        """Remove the schema, on a connection of its own: the first may be broken."""
        try:
            connection = self._connect()
            with connection, connection.cursor() as cursor:
                _drop(cursor, self.name)
            connection.close()
        finally:
            if self._holder is not None:
                self._holder.close()

    def _connect(self) -> Connection:
        return database.connect(self._settings, application="trackrecord replay")


def _abandoned(cursor: Cursor) -> list[str]:
    """Remove schemas whose replay is dead, and that we may remove; their names."""
    removed = []
    for (name,) in rows(
        cursor,
        "SELECT nspname FROM pg_namespace WHERE nspname ~ '^replay_[0-9a-f]{8}$'"
        " AND pg_has_role(nspowner, 'USAGE') ORDER BY nspname",
    ):
        lock = (_LOCKS, _number(name))
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", lock)
        if cursor.fetchone() == (True,):
            try:
                _drop(cursor, name)
                removed.append(name)
            except psycopg2.Error as error:
                # It is in nobody's way; this replay goes on.
                _log.warning("cannot remove a schema", schema=name, reason=str(error).strip())
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", lock)
    return removed


def _drop(cursor: Cursor, name: str) -> None:
    cursor.execute(f'DROP SCHEMA IF EXISTS "{name}" CASCADE')


def _number(name: str) -> int:
    """The name's digits as the database's four-byte number, which has a sign."""
    digits = _NAME.fullmatch(name)
    if digits is None:
        raise ValueError(f"{name} is no schema of a replay")
    value = int(digits[1], 16)
    return value - (1 << 32) if value >= 1 << 31 else value

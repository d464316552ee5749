"""Logins that failed lately, counted by user and by address, in all processes together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from trackrecord.access import attempts
from trackrecord.access.attempts import TooManyAttemptsError
from trackrecord.runtime.database import Cursor, rows

_LOCKS: Final = 723_011_494
"""The first of two numbers of an advisory lock: of one subject at a time."""


def begin(cursor: Cursor, user: str, address: str, now: datetime) -> None:
    """Count an attempt as failed before it is made: who tries many at once gains nothing.

    Args:
        cursor: Of a transaction that is committed before the password is looked at.
        user: The name that was given, whether there is such a user or not.
        address: From where.
        now: The time.

    Raises:
        TooManyAttemptsError: Too many have failed; this one is not counted.
    """
    most = _subjects(user, address)
    for subject in sorted(most):
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCKS, subject))
    cursor.execute("DELETE FROM login_attempts WHERE at < %s", (now - attempts.WINDOW,))
    found = rows(
        cursor,
        "SELECT subject, at FROM login_attempts WHERE subject = ANY(%s)",
        (list(most),),
    )
    seconds = max(
        attempts.seconds_to_wait([at for each, at in found if each == subject], limit, now)
        for subject, limit in most.items()
    )
    if seconds:
        raise TooManyAttemptsError(seconds)
    for subject in most:
        cursor.execute("INSERT INTO login_attempts (subject, at) VALUES (%s, %s)", (subject, now))


def succeeded(cursor: Cursor, user: str, address: str, now: datetime) -> None:
    """Forget the failures of a user who has logged in, and this attempt of an address.

    The other failures from that address stay: its own password opens no more tries of others'.
    """
    cursor.execute("DELETE FROM login_attempts WHERE subject = %s", (f"user:{user}",))
    cursor.execute(
        "DELETE FROM login_attempts WHERE ctid IN ("
        "SELECT ctid FROM login_attempts WHERE subject = %s AND at = %s LIMIT 1)",
        (f"address:{address}", now),
    )


def _subjects(user: str, address: str) -> Mapping[str, int]:
    return {f"user:{user}": attempts.OF_USER, f"address:{address}": attempts.OF_ADDRESS}

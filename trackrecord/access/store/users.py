"""Users: added, listed, given another role or password, disabled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import psycopg2.errors

from trackrecord.access.roles import Role
from trackrecord.access.store.audit import Actor, note
from trackrecord.errors import TrackrecordError
from trackrecord.runtime.database import Cursor, rows

_COLUMNS: Final = "user_id, name, role, created_at, password_set_at, disabled_at"


class UserRefusedError(TrackrecordError):
    """A user is not there, is there already, or may not be changed so."""


@dataclass(frozen=True)
class User:
    """One user.

    Attributes:
        user_id: What stays when all else changes.
        name: In small letters.
        role: What the user may.
        created_at: When the user was added.
        password_set_at: Since when the password is this one; None: there is none.
        disabled_at: Since when the user may do nothing; None: may.
    """

    user_id: UUID
    name: str
    role: Role
    created_at: datetime
    password_set_at: datetime | None
    disabled_at: datetime | None


def add(
    cursor: Cursor, actor: Actor, name: str, role: Role, password_hash: str | None, now: datetime
) -> User:
    """Add a user.

    Raises:
        UserRefusedError: The name is taken.
    """
    try:
        cursor.execute("SAVEPOINT adding")
        cursor.execute(
            "INSERT INTO users (name, role, password_hash, password_set_at)"
            " VALUES (%s, %s, %s, %s)",
            (name, role, password_hash, None if password_hash is None else now),
        )
    except psycopg2.errors.UniqueViolation:
        cursor.execute("ROLLBACK TO SAVEPOINT adding")
        raise UserRefusedError(f"there is a user {name!r} already") from None
    note(cursor, actor, "user added", name, role=role)
    return find(cursor, name)


def everyone(cursor: Cursor, after: str = "", limit: int | None = None) -> list[User]:
    """Users by name, those whom this session may see.

    Args:
        cursor: Inside a transaction.
        after: The last name of the page before.
        limit: How many at most; None: all.
    """
    found = rows(
        cursor, f"SELECT {_COLUMNS} FROM users WHERE name > %s ORDER BY name LIMIT %s",
        (after, limit),
    )  # fmt: skip
    return [_user(row) for row in found]


def find(cursor: Cursor, name: str) -> User:
    """One user.

    Raises:
        UserRefusedError: There is none of that name, for this session to see.
    """
    found = rows(cursor, f"SELECT {_COLUMNS} FROM users WHERE name = %s", (name,))
    if not found:
        raise UserRefusedError(f"there is no user {name!r}")
    return _user(found[0])


def set_role(cursor: Cursor, actor: Actor, name: str, role: Role) -> User:
    """Give a user another role, which holds from the next request on.

    Raises:
        UserRefusedError: There is no such user, or no admin would be left.
    """
    user = find(cursor, name)
    if role != "admin":
        _leave_an_admin(cursor, user)
    cursor.execute("UPDATE users SET role = %s WHERE name = %s", (role, name))
    note(cursor, actor, "role changed", name, before=user.role, role=role)
    return find(cursor, name)


def set_password(
    cursor: Cursor, actor: Actor, name: str, password_hash: str, now: datetime
) -> User:
    """Give a user another password; all logins of the user end.

    Raises:
        UserRefusedError: There is no such user.
    """
    user = find(cursor, name)
    cursor.execute(
        "UPDATE users SET password_hash = %s, password_set_at = %s WHERE name = %s",
        (password_hash, now, name),
    )
    _end_logins(cursor, user, "password", now)
    note(cursor, actor, "password changed", name)
    return find(cursor, name)


def set_disabled(cursor: Cursor, actor: Actor, name: str, *, disabled: bool, now: datetime) -> User:
    """Take everything from a user, or give it back; keys, claims and record stay.

    Raises:
        UserRefusedError: There is no such user, or no admin would be left.
    """
    user = find(cursor, name)
    if disabled:
        _leave_an_admin(cursor, user)
        _end_logins(cursor, user, "disabled", now)
    cursor.execute(
        "UPDATE users SET disabled_at = CASE WHEN %s THEN coalesce(disabled_at, %s) END"
        " WHERE name = %s",
        (disabled, now, name),
    )
    note(cursor, actor, "user disabled" if disabled else "user enabled", name)
    return find(cursor, name)


def count(cursor: Cursor) -> int:
    """How many users there are, for this session to see."""
    return int(rows(cursor, "SELECT count(*) FROM users")[0][0])


def _leave_an_admin(cursor: Cursor, user: User) -> None:
    if user.role != "admin" or user.disabled_at is not None:
        return
    # Two who take the right from one another at once do not both succeed.
    cursor.execute("SELECT pg_advisory_xact_lock(723011493, hashtext(current_schema()))")
    others = rows(
        cursor,
        "SELECT FROM users WHERE role = 'admin' AND disabled_at IS NULL AND name <> %s LIMIT 1",
        (user.name,),
    )
    if not others:
        raise UserRefusedError(f"{user.name!r} is the only admin: make another one first")


def _end_logins(cursor: Cursor, user: User, why: str, now: datetime) -> None:
    cursor.execute(
        "UPDATE logins SET ended_at = %s, ended_why = %s WHERE user_id = %s AND ended_at IS NULL",
        (now, why, str(user.user_id)),
    )


def _user(row: tuple[object, ...]) -> User:
    user_id, *rest = row
    return User(UUID(str(user_id)), *rest)  # type: ignore[arg-type]

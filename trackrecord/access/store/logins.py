"""Logins: each begins with a password, and ends with all of its tokens at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from trackrecord.access.names import NameRefusedError, user_name
from trackrecord.access.store import attempts
from trackrecord.access.store.audit import Actor, note
from trackrecord.access.store.session import act_for
from trackrecord.access.tokens import (
    LOGIN_FOR,
    REFRESH_FOR,
    SESSION_FOR,
    Bearer,
    digest,
    opaque_token,
)
from trackrecord.errors import TrackrecordError
from trackrecord.runtime.database import Cursor, rows

Why = Literal["logout", "reuse"]

_KEPT_ENDED: Final = "7 days"
"""Logins that have ended, and tokens that were used, are kept for so long."""


class LoginRefusedError(TrackrecordError):
    """A name and password, or a refresh token, open nothing."""


@dataclass(frozen=True)
class Candidate:
    """Who may be about to log in.

    Attributes:
        name: As it is kept, or would be.
        user_id: None: there is no such user, or not any more.
        password_hash: What the password is compared with; None: with nobody's.
    """

    name: str
    user_id: UUID | None
    password_hash: str | None


def attempt(cursor: Cursor, name: str, address: str, now: datetime) -> Candidate:
    """Begin a login: count it, and find what the password is to be compared with.

    Args:
        cursor: Of a transaction that is committed before the password is looked at.
        name: As it was given.
        address: From where.
        now: The time.

    Raises:
        TooManyAttemptsError: Too many have failed.
    """
    try:
        known = user_name(name)
    except NameRefusedError:
        # Nobody is called so; it is counted all the same, as one name.
        known = "?"
    attempts.begin(cursor, known, address, now)
    found = rows(cursor, "SELECT * FROM access_find_user(%s)", (known,))
    if not found:
        return Candidate(known, None, None)
    [(user_id, _role, password_hash)] = found
    return Candidate(known, UUID(str(user_id)), password_hash)


def failed(cursor: Cursor, who: Candidate, address: str) -> None:
    """Write down that a login has failed."""
    note(cursor, Actor("nobody", None, address), "login failed", who.name)


def begin_tokens(
    cursor: Cursor, who: Candidate, address: str, tried_at: datetime, now: datetime
) -> tuple[Bearer, str]:
    """Log in a user whose password fits, for a program.

    Args:
        cursor: Of a transaction.
        who: From :func:`attempt`.
        address: From where.
        tried_at: The time that the attempt was given.
        now: The time.

    Returns:
        What access tokens name, and the first refresh token.
    """
    user_id = _opened(cursor, who, address, tried_at)
    [(login_id,)] = rows(
        cursor,
        "INSERT INTO logins (user_id, kind, began_at, expires_at) VALUES (%s, 'tokens', %s, %s)"
        " RETURNING login_id",
        (str(user_id), now, now + LOGIN_FOR),
    )
    bearer = Bearer(user_id, UUID(str(login_id)))
    note(cursor, Actor(who.name, user_id, address), "logged in", who.name)
    return bearer, _issued(cursor, bearer, now)


def begin_session(
    cursor: Cursor, who: Candidate, address: str, tried_at: datetime, now: datetime
) -> str:
    """Log in a user whose password fits, in a browser.

    Returns:
        What stands in the cookie.
    """
    user_id = _opened(cursor, who, address, tried_at)
    cookie = opaque_token()
    cursor.execute(
        "INSERT INTO logins (user_id, kind, session_hash, began_at, expires_at)"
        " VALUES (%s, 'session', %s, %s, %s)",
        (str(user_id), digest(cookie), now, now + SESSION_FOR),
    )
    note(cursor, Actor(who.name, user_id, address), "logged in", who.name, kind="session")
    return cookie


def refreshed(cursor: Cursor, token: str, now: datetime) -> tuple[Bearer, str] | None:
    """Give another refresh token for one that is good, once.

    Args:
        cursor: Of a transaction, which is to be committed whatever the answer is.
        token: As it was handed out.
        now: The time.

    Returns:
        What access tokens name, and the next refresh token. None where the token is not good; if
        it was good once before, its login has ended: somebody else has a copy of it.
    """
    found = rows(cursor, "SELECT * FROM access_find_refresh(%s)", (digest(token),))
    if not found:
        return None
    [(login_id, user_id, token_until, login_until, used, ended)] = found
    if ended or now >= min(token_until, login_until):
        return None
    bearer = Bearer(UUID(str(user_id)), UUID(str(login_id)))
    act_for(cursor, bearer.user_id)
    if not used:
        # Of two at once one waits here for the other, and then finds it used.
        cursor.execute(
            "UPDATE refresh_tokens SET used_at = %s WHERE token_hash = %s AND used_at IS NULL",
            (now, digest(token)),
        )
        used = not cursor.rowcount
    if used:
        end(cursor, bearer, "reuse", now)
        note(cursor, Actor("nobody", bearer.user_id), "refresh token reused", str(bearer.login_id))
        return None
    return bearer, _issued(cursor, bearer, now)


def owner_of_refresh(cursor: Cursor, token: str) -> Bearer | None:
    """Which login a refresh token belongs to, good or not; None: it is none of ours."""
    found = rows(cursor, "SELECT user_id, login_id FROM access_find_refresh(%s)", (digest(token),))
    return Bearer(UUID(str(found[0][0])), UUID(str(found[0][1]))) if found else None


def end(cursor: Cursor, bearer: Bearer, why: Why, now: datetime) -> bool:
    """End a login with all of its tokens, in a transaction for its user; whether it was open."""
    cursor.execute(
        "UPDATE logins SET ended_at = %s, ended_why = %s"
        " WHERE login_id = %s AND user_id = %s AND ended_at IS NULL",
        (now, why, str(bearer.login_id), str(bearer.user_id)),
    )
    return bool(cursor.rowcount)


def _opened(cursor: Cursor, who: Candidate, address: str, tried_at: datetime) -> UUID:
    if who.user_id is None:
        raise LoginRefusedError("there is no such user")
    act_for(cursor, who.user_id)
    attempts.succeeded(cursor, who.name, address, tried_at)
    # An old password may have been replaced, or the user disabled, while this one was compared.
    now = rows(cursor, "SELECT password_hash FROM access_find_user(%s)", (who.name,))
    if now != [(who.password_hash,)]:
        raise LoginRefusedError("the password has been changed meanwhile")
    return who.user_id


def _issued(cursor: Cursor, bearer: Bearer, now: datetime) -> str:
    token = opaque_token()
    cursor.execute(
        "INSERT INTO refresh_tokens (token_hash, login_id, user_id, issued_at, expires_at)"
        " VALUES (%s, %s, %s, %s, %s)",
        (digest(token), str(bearer.login_id), str(bearer.user_id), now, now + REFRESH_FOR),
    )
    # What could be told from reuse any more only as long as it is of a login that goes on.
    cursor.execute(
        "DELETE FROM refresh_tokens AS t USING logins AS l WHERE l.login_id = t.login_id"
        " AND t.user_id = %s"
        " AND coalesce(l.ended_at, l.expires_at) < %s::timestamptz - %s::interval",
        (str(bearer.user_id), now, _KEPT_ENDED),
    )
    return token

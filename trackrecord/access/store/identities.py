"""Who a token, a cookie or a key stands for now, and which names they must not see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from trackrecord.access.keys import looks_like_one
from trackrecord.access.roles import Permission, Role, of_key, of_role
from trackrecord.access.tokens import Bearer, digest
from trackrecord.events.types import Account
from trackrecord.runtime.database import Cursor, rows


@dataclass(frozen=True)
class UsedKey:
    """A key that a request bears.

    Attributes:
        key_id: Which.
        names: The strategies and scripts that it may publish; None: whatever is its user's.
        account: The account kind of its signals where they do not say.
        last_used_at: As it was kept before.
    """

    key_id: UUID
    names: frozenset[str] | None
    account: Account | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class Identity:
    """Who asks.

    Attributes:
        user_id: The user.
        name: What the user is called.
        role: What the user may, as of now.
        permissions: What this request may: less, where a key is limited.
        login_id: The login of a token or cookie.
        key: The key, where it is one.
    """

    user_id: UUID
    name: str
    role: Role
    permissions: frozenset[Permission]
    login_id: UUID | None = None
    key: UsedKey | None = None


def of_login(cursor: Cursor, bearer: Bearer, now: datetime) -> Identity | None:
    """The user of a login, with the role of now; None: it has ended."""
    found = rows(
        cursor,
        "SELECT name, role, expires_at FROM access_reader(%s, %s)",
        (str(bearer.user_id), str(bearer.login_id)),
    )
    if not found or now >= found[0][2]:
        return None
    name, role, _ = found[0]
    return Identity(bearer.user_id, name, role, of_role(role), login_id=bearer.login_id)


def of_session(cursor: Cursor, cookie: str, now: datetime) -> Identity | None:
    """The user whose browser has a cookie; None: it is not good."""
    found = rows(cursor, "SELECT user_id, login_id FROM access_find_session(%s)", (digest(cookie),))
    if not found:
        return None
    user_id, login_id = found[0]
    return of_login(cursor, Bearer(UUID(str(user_id)), UUID(str(login_id))), now)


def of_api_key(cursor: Cursor, text: str, now: datetime) -> Identity | None:
    """The user whose key it is; None: it is not good."""
    if not looks_like_one(text):
        return None
    found = rows(cursor, "SELECT * FROM access_find_key(%s)", (digest(text),))
    if not found:
        return None
    [(key_id, user_id, name, role, scopes, names, account, expires_at, last_used_at)] = found
    if expires_at is not None and now >= expires_at:
        return None
    key = UsedKey(
        UUID(str(key_id)), None if names is None else frozenset(names), account, last_used_at
    )
    return Identity(UUID(str(user_id)), name, role, of_key(role, scopes), key=key)


@dataclass(frozen=True)
class View:
    """What somebody sees of the record.

    Attributes:
        hidden: The names of strategies and scripts that must not even be told to be there.
        version: Another text once any claim has changed, or for somebody else.
    """

    hidden: frozenset[str]
    version: str


def view_of(cursor: Cursor, identity: Identity) -> View:
    """What somebody sees, as of now."""
    own = str(identity.user_id) if "read_own" in identity.permissions else None
    [(names, changed_at, count)] = rows(
        cursor, "SELECT names, changed_at, claims FROM access_hidden(%s)", (own,)
    )
    hidden = frozenset[str]() if "read_all" in identity.permissions else frozenset(names)
    whose = f"{identity.user_id}/{sorted(identity.permissions)}"
    return View(hidden, f"{whose}/{changed_at}/{count}")

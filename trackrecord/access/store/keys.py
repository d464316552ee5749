"""API keys as they are kept: made, listed, revoked, found by what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from trackrecord.access import keys
from trackrecord.access.keys import KeyRefusedError, NewKey
from trackrecord.access.names import label
from trackrecord.access.roles import Scope
from trackrecord.access.store.audit import Actor, note
from trackrecord.events.types import Account
from trackrecord.runtime.database import Cursor, rows

_COLUMNS: Final = """
    k.key_id, u.name, k.name, k.prefix, k.scopes, k.names, k.account, k.created_at, k.expires_at,
    k.last_used_at, k.revoked_at
"""
_KEYS: Final = f"SELECT {_COLUMNS} FROM api_keys AS k JOIN users AS u USING (user_id)"

MOST_OF_USER: Final = 100
"""Keys of one user that are good at a time."""


@dataclass(frozen=True)
class Key:
    """What is known of a key; not the key itself, which nobody has but its user.

    Attributes:
        key_id: By which it is revoked.
        user: Whose it is.
        name: What its user calls it.
        prefix: How it begins.
        scopes: What it may be used for.
        names: The strategies and scripts that it may publish; None: whatever is its user's.
        account: The account kind of its signals where they do not say.
        created_at: When it was made.
        expires_at: Until when it is good; None: until it is revoked.
        last_used_at: To the minute; None: never.
        revoked_at: Since when it is not good any more.
    """

    key_id: UUID
    user: str
    name: str
    prefix: str
    scopes: list[Scope]
    names: list[str] | None
    account: Account | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


def make(
    cursor: Cursor,
    actor: Actor,
    user_id: UUID,
    name: str,
    scopes: Sequence[Scope],
    now: datetime,
    *,
    names: Sequence[str] | None = None,
    account: Account | None = None,
    expires_at: datetime | None = None,
) -> tuple[Key, NewKey]:
    """Make a key for a user.

    Args:
        cursor: Inside a transaction for that user, or of the tables' owner.
        actor: Who makes it.
        user_id: For whom.
        name: What it is called.
        scopes: What it may be used for.
        now: The time.
        names: The strategies and scripts that it may publish; None: whatever is its user's.
        account: The account kind of its signals where they do not say.
        expires_at: Until when it is good; None: until it is revoked.

    Returns:
        What is kept of it, and the key, which is shown this once.

    Raises:
        KeyRefusedError: It would make no sense, or the user has too many.
        NameRefusedError: It may not be called so.
    """
    keys.check(scopes, names, account)
    if expires_at is not None and expires_at <= now:
        raise KeyRefusedError("a key cannot have expired before it is made")
    [(good,)] = rows(
        cursor,
        "SELECT count(*) FROM api_keys WHERE user_id = %s AND revoked_at IS NULL",
        (str(user_id),),
    )
    if good >= MOST_OF_USER:
        raise KeyRefusedError(f"there are {good} keys already: revoke one that is not used")
    new = keys.new_key()
    [(key_id,)] = rows(
        cursor,
        "INSERT INTO api_keys (user_id, name, prefix, key_hash, scopes, names, account,"
        " created_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING key_id",
        (
            str(user_id),
            label(name),
            new.prefix,
            new.digest,
            list(scopes),
            None if names is None else list(names),
            account,
            now,
            expires_at,
        ),
    )
    note(cursor, actor, "key made", new.prefix, scopes=list(scopes), names=names, account=account)
    return _key(rows(cursor, f"{_KEYS} WHERE k.key_id = %s", (key_id,))[0]), new


def listed(cursor: Cursor, *, user_id: UUID | None = None, revoked: bool = False) -> list[Key]:
    """Keys that this session may see, the newest first.

    Args:
        cursor: Inside a transaction.
        user_id: Of this user only.
        revoked: Whether those that are not good any more are told as well.
    """
    found = rows(
        cursor,
        f"{_KEYS} WHERE (%(user)s::uuid IS NULL OR k.user_id = %(user)s)"
        " AND (%(revoked)s OR k.revoked_at IS NULL) ORDER BY k.created_at DESC, k.key_id",
        {"user": None if user_id is None else str(user_id), "revoked": revoked},
    )
    return [_key(row) for row in found]


def revoke(cursor: Cursor, actor: Actor, key_id: UUID, now: datetime) -> Key | None:
    """Make a key good for nothing, from the next request on.

    Returns:
        The key; None where this session may see none of that id.
    """
    cursor.execute(
        "UPDATE api_keys SET revoked_at = %s WHERE key_id = %s AND revoked_at IS NULL",
        (now, str(key_id)),
    )
    changed = bool(cursor.rowcount)
    found = rows(cursor, f"{_KEYS} WHERE k.key_id = %s", (str(key_id),))
    if not found:
        return None
    key = _key(found[0])
    if changed:
        note(cursor, actor, "key revoked", key.prefix, user=key.user)
    return key


def note_use(cursor: Cursor, key_id: UUID, now: datetime) -> None:
    """Keep when a key was last used, to the minute; in a transaction for its user."""
    cursor.execute(
        "UPDATE api_keys SET last_used_at = date_trunc('minute', %s::timestamptz)"
        " WHERE key_id = %s",
        (now, str(key_id)),
    )


def _key(row: tuple[object, ...]) -> Key:
    key_id, *rest = row
    return Key(UUID(str(key_id)), *rest)  # type: ignore[arg-type]

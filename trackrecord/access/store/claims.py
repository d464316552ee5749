"""Claims: whose the names of strategies and scripts are, and whether all may see them.

There is one claim for a name. A script that recommends trades has a strategy of the same name, and
it would be no use to hide one of the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from trackrecord.access.store.audit import Actor, note
from trackrecord.errors import TrackrecordError
from trackrecord.runtime.database import Cursor, rows

Standing = Literal["public", "private", "unclaimed"]
"""What is known of a name: whose it is not, or who may see it."""

_ON_RECORD: Final = """
    SELECT strategy FROM strategy_totals WHERE strategy = ANY(%(names)s)
    UNION SELECT script FROM script_totals WHERE script = ANY(%(names)s)
"""
_CLAIMS: Final = """
    SELECT c.name, u.name, c.user_id, c.public, c.how, c.claimed_at
    FROM claims AS c LEFT JOIN users AS u USING (user_id)
"""


class ClaimRefusedError(TrackrecordError):
    """A name is somebody else's, or nobody's."""


@dataclass(frozen=True)
class Claim:
    """Whose a name is.

    Attributes:
        name: Of strategies and scripts.
        user: The name of its user; None: not for this session to know.
        user_id: The user.
        public: Whether all may see what is published under it.
        how: ``published`` by its user first, or ``given`` by an admin.
        claimed_at: Since when.
    """

    name: str
    user: str | None
    user_id: UUID
    public: bool
    how: str
    claimed_at: datetime


def claim_published(cursor: Cursor, actor: Actor, names: Iterable[str], now: datetime) -> list[str]:
    """Claim names that a user publishes under, where nobody has yet.

    A name that is on record already was there for all to see, and stays so; a new one is its
    user's alone until it is made public.

    Args:
        cursor: Inside a transaction for that user.
        actor: The user.
        names: Of strategies and scripts.
        now: The time.

    Returns:
        Those that are somebody else's.
    """
    wanted = sorted(set(names))
    mine = _mine(cursor, actor, wanted)
    missing = [name for name in wanted if name not in mine]
    if not missing:
        return []
    known = {name for (name,) in rows(cursor, _ON_RECORD, {"names": missing})}
    for name in missing:
        cursor.execute(
            "INSERT INTO claims (name, user_id, public, how, claimed_at)"
            " VALUES (%s, %s, %s, 'published', %s) ON CONFLICT (name) DO NOTHING",
            (name, str(actor.user_id), name in known, now),
        )
        if cursor.rowcount:
            note(cursor, actor, "name claimed", name, public=name in known)
    mine = _mine(cursor, actor, missing)
    return [name for name in missing if name not in mine]


def _mine(cursor: Cursor, actor: Actor, names: list[str]) -> set[str]:
    found = rows(
        cursor,
        "SELECT name FROM claims WHERE user_id = %s AND name = ANY(%s)",
        (str(actor.user_id), names),
    )
    return {name for (name,) in found}


def give(cursor: Cursor, actor: Actor, name: str, user_id: UUID, now: datetime) -> Claim:
    """Give a name to a user, whosever it was; who may see it stays as it was.

    Args:
        cursor: Inside a transaction of an admin, or of the tables' owner.
        actor: Who gives.
        name: Of strategies and scripts.
        user_id: To whom.
        now: The time.
    """
    before = {each.name: each for each in listed(cursor, names=[name])}.get(name)
    cursor.execute(
        "INSERT INTO claims (name, user_id, public, how, claimed_at)"
        " VALUES (%s, %s, %s, 'given', %s) ON CONFLICT (name) DO UPDATE"
        " SET user_id = excluded.user_id, how = excluded.how, claimed_at = excluded.claimed_at,"
        " changed_at = clock_timestamp()",
        (name, str(user_id), bool(rows(cursor, _ON_RECORD, {"names": [name]})), now),
    )
    found = _one(cursor, name)
    note(cursor, actor, "name given", name, to=found.user, was=before and before.user)
    return found


def release(cursor: Cursor, actor: Actor, name: str) -> None:
    """Make a name nobody's: all may see it, and whoever publishes next with a key claims it.

    Raises:
        ClaimRefusedError: It is nobody's, or not for this session to change.
    """
    found = _one(cursor, name)
    cursor.execute("DELETE FROM claims WHERE name = %s", (name,))
    if not cursor.rowcount:
        raise ClaimRefusedError(f"{name!r} is not yours to release")
    note(cursor, actor, "name released", name, was=found.user)


def set_public(cursor: Cursor, actor: Actor, name: str, *, public: bool) -> Claim:
    """Show what is published under a name to all, or to its user alone.

    Raises:
        ClaimRefusedError: It is nobody's, or somebody else's.
    """
    found = _one(cursor, name)
    cursor.execute(
        "UPDATE claims SET public = %s, changed_at = clock_timestamp() WHERE name = %s",
        (public, name),
    )
    if not cursor.rowcount:
        raise ClaimRefusedError(f"{name!r} is somebody else's")
    if found.public != public:
        note(cursor, actor, "name made public" if public else "name hidden", name)
    return _one(cursor, name)


def listed(
    cursor: Cursor,
    *,
    names: list[str] | None = None,
    user_id: UUID | None = None,
    after: str = "",
    limit: int | None = None,
) -> list[Claim]:
    """Claims by name, those that this session may see.

    Args:
        cursor: Inside a transaction.
        names: Of these only.
        user_id: Of this user only.
        after: The last name of the page before.
        limit: How many at most; None: all.
    """
    found = rows(
        cursor,
        f"{_CLAIMS} WHERE c.name > %(after)s"
        " AND (%(names)s::text[] IS NULL OR c.name = ANY(%(names)s))"
        " AND (%(user)s::uuid IS NULL OR c.user_id = %(user)s)"
        " ORDER BY c.name LIMIT %(limit)s",
        {
            "after": after,
            "names": names,
            "user": None if user_id is None else str(user_id),
            "limit": limit,
        },
    )
    return [
        Claim(name, user, UUID(str(owner)), public, how, at)
        for name, user, owner, public, how, at in found
    ]


def standings(cursor: Cursor, names: list[str]) -> dict[str, Standing]:
    """Who may see what is published under some names, as far as this session may know."""
    known = dict(rows(cursor, "SELECT name, public FROM claims WHERE name = ANY(%s)", (names,)))
    return {
        name: "unclaimed" if name not in known else "public" if known[name] else "private"
        for name in names
    }


def _one(cursor: Cursor, name: str) -> Claim:
    found = listed(cursor, names=[name])
    if not found:
        raise ClaimRefusedError(f"{name!r} is nobody's")
    return found[0]

"""Strategies and their versions, found; and one locked, to be changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg2.errors

from trackrecord.catalogue import life
from trackrecord.catalogue.life import NoStrategyError, Status, StrategyRefusedError
from trackrecord.catalogue.store.rows import (
    Place,
    Strategy,
    Version,
    read_strategies,
    read_versions,
)
from trackrecord.runtime.database import Cursor, rows


def find(cursor: Cursor, strategy_id: UUID) -> Strategy:
    """One strategy.

    Raises:
        NoStrategyError: There is none, it was deleted, or it is not for this session to see.
    """
    return _one(cursor, "strategy_id = %(id)s", {"id": str(strategy_id)}, str(strategy_id))


def find_named(cursor: Cursor, owner: str, name: str) -> Strategy:
    """The strategy that an owner calls so.

    Raises:
        NoStrategyError: As :func:`find`.
    """
    return _one(cursor, "owner = %(owner)s AND name = %(name)s", {"owner": owner, "name": name},
                repr(name))  # fmt: skip


def version(cursor: Cursor, strategy_id: UUID, version: int | None = None) -> Version:
    """One version of a strategy; None: the present one.

    Raises:
        NoStrategyError: There is no such version, or it is not for this session to see.
    """
    found = read_versions(
        cursor,
        "WHERE strategy_id = %(id)s AND version = coalesce(%(version)s,"
        " (SELECT s.version FROM strategies AS s WHERE s.strategy_id = %(id)s))",
        {"id": str(strategy_id), "version": version},
    )
    if not found:
        which = "" if version is None else f" with a version {version}"
        raise NoStrategyError(f"there is no strategy {strategy_id}{which}")
    return found[0]


def versions(cursor: Cursor, strategy_id: UUID) -> list[Version]:
    """All versions of a strategy, the latest first."""
    return read_versions(
        cursor, "WHERE strategy_id = %(id)s ORDER BY version DESC", {"id": str(strategy_id)}
    )


def listed(
    cursor: Cursor,
    *,
    owner: str | None = None,
    user_id: UUID | None = None,
    status: Status | None = None,
    search: str | None = None,
    public: bool | None = None,
    after: Place | None = None,
    limit: int | None = None,
) -> list[Strategy]:
    """Strategies that this session may see, the newest first, without the deleted ones.

    Args:
        cursor: Inside a transaction.
        owner: Only of this owner.
        user_id: Only of this user.
        status: Only those that stand so.
        search: Only those with this text in their name or description, in letters of any size.
        public: Only those that are public, or are not.
        after: The last one of the page before: its ``created_at`` and ``strategy_id``.
        limit: How many at most; None: all.
    """
    return read_strategies(
        cursor,
        "WHERE deleted_at IS NULL"
        " AND (%(owner)s::text IS NULL OR owner = %(owner)s)"
        " AND (%(user)s::uuid IS NULL OR user_id = %(user)s)"
        " AND (%(status)s::text IS NULL OR status = %(status)s)"
        " AND (%(public)s::boolean IS NULL OR public = %(public)s)"
        " AND (%(search)s::text IS NULL"
        "      OR strpos(lower(name || ' ' || description), lower(%(search)s)) > 0)"
        " AND (%(at)s::timestamptz IS NULL OR (created_at, strategy_id) < (%(at)s, %(id)s::uuid))"
        " ORDER BY created_at DESC, strategy_id DESC LIMIT %(limit)s",
        {
            "owner": owner,
            "user": text(user_id),
            "status": status,
            "public": public,
            "search": search,
            "at": None if after is None else after[0],
            "id": None if after is None else str(after[1]),
            "limit": limit,
        },
    )


def symbols_without_bars(cursor: Cursor, found: Strategy) -> list[str]:
    """Which of a strategy's symbols have had no bar of its timeframe so far.

    Of one that trades all symbols: ``*``, where there is no bar of its timeframe at all.
    """
    wanted = list(found.symbols)
    if wanted == [life.EVERY_SYMBOL]:
        known = rows(
            cursor,
            "SELECT FROM watched_symbols WHERE timeframe = %s AND last_opened_at IS NOT NULL"
            " LIMIT 1",
            (found.timeframe,),
        )
        return [] if known else wanted
    with_bars = rows(
        cursor,
        "SELECT symbol FROM watched_symbols WHERE symbol = ANY(%s) AND timeframe = %s"
        " AND last_opened_at IS NOT NULL",
        (wanted, found.timeframe),
    )
    known_symbols = {symbol for (symbol,) in with_bars}
    return [symbol for symbol in wanted if symbol not in known_symbols]


def locked(cursor: Cursor, strategy_id: UUID) -> Strategy:
    """A strategy that nobody else changes until the transaction ends."""
    values = {"id": str(strategy_id)}
    found = read_strategies(
        cursor, "WHERE strategy_id = %(id)s AND deleted_at IS NULL FOR UPDATE", values
    )
    if found:
        return found[0]
    # What may be read and not changed, policies leave out here.
    seen = find(cursor, strategy_id)
    raise StrategyRefusedError(f"{seen.name!r} is somebody else's: copy it, and change the copy")


def update(cursor: Cursor, strategy_id: UUID, columns: Mapping[str, Any], now: datetime) -> None:
    """Write columns of a strategy that is locked."""
    setting = ", ".join(f"{name} = %({name})s" for name in columns)
    cursor.execute(
        f"UPDATE strategies SET {setting}, changed_at = %(now)s WHERE strategy_id = %(id)s",
        {**columns, "now": now, "id": str(strategy_id)},
    )


@contextmanager
def taken(cursor: Cursor, words: str) -> Iterator[None]:
    """A statement that gives a name; where that is another's, the transaction can go on."""
    cursor.execute("SAVEPOINT naming")
    try:
        yield
    except psycopg2.errors.UniqueViolation:
        cursor.execute("ROLLBACK TO SAVEPOINT naming")
        raise StrategyRefusedError(words) from None
    cursor.execute("RELEASE SAVEPOINT naming")


def text(user_id: UUID | None) -> str | None:
    """An id as the database is given it."""
    return None if user_id is None else str(user_id)


def _one(cursor: Cursor, condition: str, values: Mapping[str, Any], called: str) -> Strategy:
    found = read_strategies(cursor, f"WHERE {condition} AND deleted_at IS NULL", values)
    if not found:
        raise NoStrategyError(f"there is no strategy {called}")
    return found[0]

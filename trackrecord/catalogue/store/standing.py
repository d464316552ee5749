"""Where a strategy stands: activated, archived, deleted, suspended, asked again."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from trackrecord.access.store import claims
from trackrecord.access.store.audit import Actor, note
from trackrecord.catalogue import life
from trackrecord.catalogue.life import Standing, StrategyRefusedError
from trackrecord.catalogue.store.reading import find, locked, taken, update, version
from trackrecord.catalogue.store.rows import Strategy
from trackrecord.runtime.database import Cursor, rows

_IS_RECORD: Final = """
    SELECT FROM strategy_totals WHERE strategy = %(name)s
    UNION ALL SELECT FROM script_totals WHERE script = %(name)s LIMIT 1
"""


def activate(cursor: Cursor, actor: Actor, strategy_id: UUID, now: datetime) -> Strategy:
    """Have a strategy decide on every bar from now on, on record under its name.

    The first time its name becomes that of its record, and its user's; no other strategy, script or
    user can have it any more. One that is active and suspended is asked again from now on.

    Raises:
        NoStrategyError: There is none, for this session to see.
        StrategyRefusedError: It may not become active, or the name is another's; says which.
    """
    before = locked(cursor, strategy_id)
    if before.suspended_at is not None and before.status == "active":
        return resume(cursor, actor, strategy_id, now)
    is_valid = version(cursor, strategy_id).is_valid
    life.require_activable(
        Standing(before.name, before.status, is_valid, before.symbols, before.timeframe)
    )
    name = before.record_name
    if name is None:
        name = before.name
        _claim(cursor, actor, name, before.user_id, now)
    columns = {"status": "active", "record_name": name, "activated_at": now,
               "suspended_at": None, "suspended_why": None}  # fmt: skip
    with taken(cursor, _is_anothers(name)):
        update(cursor, strategy_id, columns, now)
    note(cursor, actor, "strategy activated", before.name, strategy_id=strategy_id, record=name)
    return find(cursor, strategy_id)


def archive(cursor: Cursor, actor: Actor, strategy_id: UUID, now: datetime) -> Strategy:
    """Have a strategy decide no more; what it holds runs to its end, and its record stays.

    Raises:
        NoStrategyError: There is none, for this session to see.
        StrategyRefusedError: It is archived already, or a draft.
    """
    before = locked(cursor, strategy_id)
    life.require_archivable(before.name, before.status)
    update(cursor, strategy_id, {"status": "archived"}, now)
    note(cursor, actor, "strategy archived", before.name, strategy_id=strategy_id)
    return find(cursor, strategy_id)


def delete(cursor: Cursor, actor: Actor, strategy_id: UUID, now: datetime) -> None:
    """Take a strategy out of every list; one that is active is archived first.

    Its record, what it was, what was asked for it and how often it was tried stay, and what it
    holds runs to its end. Its name can be given to another strategy, but not that of its record.

    Raises:
        NoStrategyError: There is none, for this session to see.
    """
    before = locked(cursor, strategy_id)
    if before.status == "active":
        archive(cursor, actor, strategy_id, now)
    note(cursor, actor, "strategy deleted", before.name, strategy_id=strategy_id)
    cursor.execute(
        "UPDATE strategies SET deleted_at = %s, changed_at = %s WHERE strategy_id = %s",
        (now, now, str(strategy_id)),
    )


def suspend(cursor: Cursor, actor: Actor, strategy_id: UUID, why: str, now: datetime) -> Strategy:
    """Ask an active strategy for nothing more, until its owner has looked.

    Raises:
        NoStrategyError: There is none, for this session to see.
        StrategyRefusedError: It is not active.
    """
    before = locked(cursor, strategy_id)
    if before.status != "active":
        raise StrategyRefusedError(f"{before.name!r} is not active, so nothing is asked of it")
    columns = {"suspended_at": before.suspended_at or now, "suspended_why": why[:2000]}
    update(cursor, strategy_id, columns, now)
    note(cursor, actor, "strategy suspended", before.name, strategy_id=strategy_id, why=why[:2000])
    return find(cursor, strategy_id)


def resume(cursor: Cursor, actor: Actor, strategy_id: UUID, now: datetime) -> Strategy:
    """Ask a suspended strategy again.

    Raises:
        NoStrategyError: There is none, for this session to see.
        StrategyRefusedError: It is not suspended.
    """
    before = locked(cursor, strategy_id)
    if before.suspended_at is None:
        raise StrategyRefusedError(f"{before.name!r} is not suspended")
    update(cursor, strategy_id, {"suspended_at": None, "suspended_why": None}, now)
    note(cursor, actor, "strategy resumed", before.name, strategy_id=strategy_id)
    return find(cursor, strategy_id)


def _claim(cursor: Cursor, actor: Actor, name: str, user_id: UUID | None, now: datetime) -> None:
    """Make a name the one of a strategy's record, or say whose it is."""
    if rows(cursor, _IS_RECORD, {"name": name}):
        raise StrategyRefusedError(
            f"there is a record under {name!r} already: give the strategy another name, for its "
            "record begins empty"
        )
    claimed = {each.name: each for each in claims.listed(cursor, names=[name])}.get(name)
    if claimed is not None and claimed.user_id != user_id:
        raise StrategyRefusedError(_is_anothers(name))
    if user_id is None:
        return
    if actor.user_id != user_id:
        if claimed is None:
            claims.give(cursor, actor, name, user_id, now)
    elif claims.claim_published(cursor, actor, [name], now):
        raise StrategyRefusedError(_is_anothers(name))


def _is_anothers(name: str) -> str:
    return f"the name {name!r} is somebody else's: give the strategy another one"

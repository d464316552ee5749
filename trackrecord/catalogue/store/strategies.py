"""Strategies and their versions: added, found, changed, activated, archived, deleted, copied.

Every function takes the cursor of a transaction, and each change is noted in the audit log. Where
the session is that of a user (:func:`trackrecord.access.store.session.act_for`), policies of the
database choose what it sees and may change; the tables' owner may all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from trackrecord.access.store.audit import Actor, note
from trackrecord.catalogue import life
from trackrecord.catalogue.life import StrategyRefusedError
from trackrecord.catalogue.store import tries
from trackrecord.catalogue.store.checks import checked_changes, checked_parameters
from trackrecord.catalogue.store.reading import (
    find,
    find_named,
    listed,
    locked,
    symbols_without_bars,
    taken,
    text,
    update,
    version,
    versions,
)
from trackrecord.catalogue.store.rows import (
    Changes,
    Made,
    Place,
    Strategy,
    Version,
    as_json,
    write_version,
)
from trackrecord.catalogue.store.standing import activate, archive, delete, resume, suspend
from trackrecord.runtime.database import Cursor, rows

__all__ = [
    "Changes",
    "Made",
    "Place",
    "Strategy",
    "Version",
    "activate",
    "add",
    "add_version",
    "archive",
    "change",
    "copy",
    "delete",
    "find",
    "find_named",
    "keep_backtest",
    "listed",
    "resume",
    "suspend",
    "symbols_without_bars",
    "version",
    "versions",
]


def add(
    cursor: Cursor,
    actor: Actor,
    made: Made,
    *,
    owner: str,
    user_id: UUID | None,
    now: datetime,
    symbols: Sequence[str] = (),
    timeframe: str = "1d",
    strategy_id: UUID | None = None,
) -> Strategy:
    """Keep what was made as a strategy's first version.

    Args:
        cursor: Inside a transaction.
        actor: Who adds it.
        made: The version; its ``name`` becomes the strategy's, and where that is empty a name is
            made from its words.
        owner: Whose it is.
        user_id: The user whose it is; None: nobody's.
        now: The time.
        symbols: What it is to trade; may be said later.
        timeframe: The bars that it decides on.
        strategy_id: Its id; None: a new one.

    Raises:
        StrategyRefusedError: The owner has one of that name, or something about it cannot be.
    """
    life.require_symbols(symbols)
    life.require_timeframe(timeframe)
    name = made.name or life.name_of(made.prompt or made.reads_as, _names(cursor, owner))
    life.require_name(name)
    found = uuid4() if strategy_id is None else strategy_id
    with _named(owner, name, cursor):
        cursor.execute(
            "INSERT INTO strategies (strategy_id, owner, user_id, name, description, kind, status,"
            " symbols, timeframe, created_at, changed_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                str(found),
                owner,
                text(user_id),
                name,
                made.description[: life.LONGEST_DESCRIPTION],
                made.kind,
                life.first_status(is_valid=made.is_valid),
                list(symbols),
                timeframe,
                now,
                now,
            ),
        )
    write_version(cursor, found, 1, made, now)
    note(cursor, actor, "strategy added", name, strategy_id=found, owner=owner)
    return find(cursor, found)


def change(
    cursor: Cursor, actor: Actor, strategy_id: UUID, changes: Changes, now: datetime
) -> Strategy:
    """Change what a strategy is called, does with, or who may read it; not its code.

    While it is active, what would make it decide otherwise (parameters, timeframe, source of bars,
    currency) stays as it is. Its record keeps the name of its first activation.

    Raises:
        NoStrategyError: There is none, for this session to see.
        StrategyRefusedError: A value cannot be, or may not change now.
    """
    before = locked(cursor, strategy_id)
    wanted = checked_changes(before, version(cursor, strategy_id).code, changes)
    if not wanted:
        return before
    columns = {
        name: as_json(value) if name == "parameters" else value for name, value in wanted.items()
    }
    with _named(before.owner, str(wanted.get("name", before.name)), cursor):
        update(cursor, strategy_id, columns, now)
    note(cursor, actor, "strategy changed", before.name, strategy_id=strategy_id, **wanted)
    return find(cursor, strategy_id)


def add_version(
    cursor: Cursor,
    actor: Actor,
    strategy_id: UUID,
    made: Made,
    now: datetime,
    *,
    parameters: Mapping[str, Any] | None = None,
) -> Strategy:
    """Make something else of a strategy; what it was stays as the version before.

    Args:
        cursor: Inside a transaction.
        actor: Who does.
        strategy_id: Of the strategy.
        made: The new version; its name and description are not looked at.
        now: The time.
        parameters: Values of its parameters; None: those that the strategy has.

    Raises:
        NoStrategyError: There is none, for this session to see.
        StrategyRefusedError: It is active and this version is not valid, the code is the same as
            now, or the parameters do not fit it.
    """
    before = locked(cursor, strategy_id)
    if version(cursor, strategy_id).code_digest == made.code_digest:
        raise StrategyRefusedError(f"that is what {before.name!r} does already")
    status = life.status_with(before.name, before.status, is_valid=made.is_valid)
    values = before.parameters if parameters is None else parameters
    checked_parameters(made.code, values)
    number = before.version + 1
    write_version(cursor, strategy_id, number, made, now)
    columns = {"version": number, "kind": made.kind, "status": status,
               "parameters": as_json(values)}  # fmt: skip
    update(cursor, strategy_id, columns, now)
    note(cursor, actor, "strategy version added", before.name,
         strategy_id=strategy_id, version=number)  # fmt: skip
    return find(cursor, strategy_id)


def copy(
    cursor: Cursor,
    actor: Actor,
    strategy_id: UUID,
    *,
    owner: str,
    user_id: UUID | None,
    name: str | None,
    now: datetime,
) -> Strategy:
    """Make a strategy of one's own from a public one, or from another of one's own.

    The copy knows its origin, and begins with the tries of whoever the original was of: it was
    chosen among those.

    Args:
        cursor: Inside a transaction.
        actor: Who copies.
        strategy_id: Of the original.
        owner: Whose the copy is.
        user_id: The user whose it is; None: nobody's.
        name: What it is called; None: as the original, numbered where that is taken.
        now: The time.

    Raises:
        NoStrategyError: There is no such original, for this session to see.
        StrategyRefusedError: The original is somebody else's and not public, or the name is taken.
    """
    original = find(cursor, strategy_id)
    is_mine = original.user_id == user_id if user_id is not None else original.owner == owner
    if not (original.public or is_mine):
        raise StrategyRefusedError(f"{original.name!r} is somebody else's, and not public")
    present = version(cursor, strategy_id)
    made = _made_of(original, present)
    if name is None:
        known = _names(cursor, owner)
        name = original.name if original.name not in known else life.name_of(original.name, known)
    made = Made(**{**vars(made), "name": name})
    found = add(
        cursor, actor, made, owner=owner, user_id=user_id, now=now,
        symbols=original.symbols, timeframe=original.timeframe,
    )  # fmt: skip
    update(
        cursor,
        found.strategy_id,
        {"copied_from": str(strategy_id), "parameters": as_json(original.parameters)},
        now,
    )
    if present.code is not None:
        tries.inherit(cursor, owner, original.owner, present.code, now)
    # Who copies may not change the original's row: this is all that a copy does to it.
    cursor.execute("SELECT strategy_copied(%s)", (str(strategy_id),))
    note(cursor, actor, "strategy copied", name,
         strategy_id=found.strategy_id, origin=strategy_id)  # fmt: skip
    return find(cursor, found.strategy_id)


def keep_backtest(
    cursor: Cursor, strategy_id: UUID, number: int, backtest: Mapping[str, Any]
) -> None:
    """Keep what the last backtest of a version came to."""
    cursor.execute(
        "UPDATE strategy_versions SET backtest = %s WHERE strategy_id = %s AND version = %s",
        (as_json(backtest), str(strategy_id), number),
    )


def _names(cursor: Cursor, owner: str) -> list[str]:
    found = rows(
        cursor, "SELECT name FROM strategies WHERE owner = %s AND deleted_at IS NULL", (owner,)
    )
    return [name for (name,) in found]


def _named(owner: str, name: str, cursor: Cursor) -> AbstractContextManager[None]:
    return taken(cursor, f"{owner} has a strategy {name!r} already: choose another name")


def _made_of(original: Strategy, present: Version) -> Made:
    kept = asdict(present)
    for name in ("strategy_id", "version", "code_digest", "created_at", "backtest"):
        del kept[name]
    return Made(kind=original.kind, name="", description=original.description, **kept)

"""What the commands on strategies that are kept share: the database, who is meant, how it shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from trackrecord.cli.common import InputError, load, notes, screen
from trackrecord.cli.text import printable

if TYPE_CHECKING:
    from trackrecord.catalogue.store.rows import Strategy, Version
    from trackrecord.runtime.database import Cursor

OWNER = "me"
"""Whose strategies are where none is named."""

OwnerOption = Annotated[
    str,
    typer.Option(
        "--owner", help="Whose it is; the name of a user of the HTTP API makes it that user's."
    ),
]
OnlyOwnerOption = Annotated[
    str | None, typer.Option("--owner", help="Whose it is, where several call one so.")
]
StrategyArgument = Annotated[
    str, typer.Argument(metavar="STRATEGY", help="Its id, or its name where one is called so.")
]
SymbolsOption = Annotated[
    str | None,
    typer.Option("--symbols", help="What it trades, with commas between; * is whatever has bars."),
]


@contextmanager
def transaction(home: Path) -> Iterator[Cursor]:
    """A transaction on the kept strategies; what is refused is said in a line, exit code 1."""
    import psycopg2

    from trackrecord.access.store.claims import ClaimRefusedError
    from trackrecord.catalogue.life import NoStrategyError, StrategyRefusedError
    from trackrecord.runtime.database import classify, session

    try:
        with session(load(home, database=True), application="trackrecord strategy") as cursor:
            yield cursor
    except psycopg2.Error as error:
        raise classify(error) from error
    except (NoStrategyError, StrategyRefusedError, ClaimRefusedError) as error:
        notes.print(f"trackrecord strategy: {printable(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from None


def user_of(cursor: Cursor, owner: str) -> UUID | None:
    """The user of an owner's name; None: there is none."""
    from trackrecord.runtime.database import rows

    found = rows(cursor, "SELECT user_id FROM users WHERE name = %s", (owner,))
    return UUID(str(found[0][0])) if found else None


def meant(cursor: Cursor, text: str, owner: str | None) -> Strategy:
    """The strategy of an id, or of a name that one strategy has.

    Raises:
        NoStrategyError: There is none.
        InputError: Several are called so.
    """
    from trackrecord.catalogue.life import NoStrategyError
    from trackrecord.catalogue.store import strategies

    try:
        found = strategies.find(cursor, UUID(text))
    except ValueError:
        named = [
            each
            for each in strategies.listed(cursor, owner=owner, search=text)
            if each.name == text
        ]
        if not named:
            raise NoStrategyError(
                f"there is no strategy {text!r}: `trackrecord strategy list` shows which there are"
            ) from None
        if len(named) > 1:
            owners = ", ".join(sorted(each.owner for each in named))
            raise InputError(
                f"{len(named)} strategies are called {printable(text)}: name one of their owners "
                f"with --owner ({printable(owners)})"
            ) from None
        return named[0]
    if owner is not None and found.owner != owner:
        raise NoStrategyError(f"strategy {text} is not {owner}'s")
    return found


def split(text: str | None) -> list[str] | None:
    """What stands between commas; None where nothing was said."""
    if text is None:
        return None
    return list(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))


def as_dict(found: Strategy, version: Version | None = None) -> dict[str, Any]:
    """A strategy as ``--json`` answers it, with one of its versions."""
    told = asdict(found)
    if version is not None:
        kept = asdict(version)
        del kept["strategy_id"]
        told["shown_version"] = kept
    return told


def standing(found: Strategy) -> str:
    """Where a strategy stands, in a few words."""
    if found.suspended_why is not None:
        return f"{found.status}, suspended: {found.suspended_why}"
    return found.status


def say_without_bars(cursor: Cursor, found: Strategy) -> None:
    """Tell which of an active strategy's symbols nothing has come of yet."""
    from trackrecord.catalogue.store import strategies

    missing = strategies.symbols_without_bars(cursor, found)
    if missing:
        named = ", ".join(missing[:10]) + (", ..." if len(missing) > 10 else "")  # noqa: PLR2004
        notes.print(
            printable(
                f"no bar of {named} ({found.timeframe}) has come so far: it decides once one does"
            ),
            soft_wrap=True,
        )


def show_one(found: Strategy) -> None:
    """One line about a strategy."""
    screen.print(
        f"{found.strategy_id}  {printable(found.name)}  version {found.version}  "
        f"{printable(standing(found))}",
        soft_wrap=True,
    )

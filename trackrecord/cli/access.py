"""What the commands on users, keys and claims share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.table import Table

from trackrecord.cli.common import InputError, load, notes, screen
from trackrecord.cli.text import printable

if TYPE_CHECKING:
    from trackrecord.runtime.database import Cursor


@contextmanager
def changing(home: Path) -> Iterator[Cursor]:
    """A transaction on the users' tables; what they refuse is said in a line, exit code 1."""
    from trackrecord.access.keys import KeyRefusedError
    from trackrecord.access.names import NameRefusedError
    from trackrecord.access.passwords import PasswordRefusedError
    from trackrecord.access.store.claims import ClaimRefusedError
    from trackrecord.access.store.users import UserRefusedError
    from trackrecord.runtime.database import session

    refusals: Final = (
        UserRefusedError, ClaimRefusedError, KeyRefusedError, NameRefusedError,
        PasswordRefusedError,
    )  # fmt: skip
    try:
        with session(load(home, database=True), application="trackrecord access") as cursor:
            yield cursor
    except refusals as error:
        notes.print(printable(str(error)), soft_wrap=True)
        raise typer.Exit(1) from None


def table_of(names: tuple[str, ...], found: list[tuple[Any, ...]]) -> None:
    """Print rows; times to the minute, nothing as a dash, what came from outside as text."""
    table = Table(box=None, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    for row in found:
        table.add_row(*(_cell(value) for value in row))
    screen.print(table)


def _cell(value: Any) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, list):
        return printable(", ".join(map(str, value)))
    return printable(str(value))


def asked_password(user: str) -> str:
    """A password from the terminal, asked for twice, or else the first line of standard input.

    Raises:
        InputError: There is none, or the two differ.
    """
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        if not line.rstrip("\r\n"):
            raise InputError("no password: write it on standard input, or use --generate")
        return line.rstrip("\r\n")
    shown = f"password of {printable(user)}"
    first: str = typer.prompt(shown, hide_input=True, err=True)
    if typer.prompt(f"{shown}, again", hide_input=True, err=True) != first:
        raise InputError("the two passwords differ: nothing was changed")
    return first

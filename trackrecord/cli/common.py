"""What the commands share: the home folder, the settings, and two ways of answering."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from trackrecord.cli.text import TextConsole, json_text
from trackrecord.errors import TrackrecordError
from trackrecord.kafka import local_stack

if TYPE_CHECKING:
    from trackrecord.runtime.settings import Settings


class InputError(TrackrecordError):
    """The input cannot be read; the message says where and what to do."""


def _folder(text: str | Path) -> Path:
    """A folder as it was typed; an empty text would be the current one."""
    if not str(text).strip():
        raise InputError("--home names no folder: leave it out, or name one")
    return Path(text)


def _home(context: typer.Context, parameter: typer.CallbackParam, value: Path) -> Path:
    """The home of a command: where none is named, that of the folder it is given in."""
    source = context.get_parameter_source(parameter.name or "")
    if source is not None and source.name != "DEFAULT":
        return value.expanduser()
    found = local_stack.found_from(local_stack.current_folder(), os.environ)
    if found is None:
        return value
    # As short as it was typed where it lies in the current folder.
    return value if found == Path.cwd() / value else found


HomeOption = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="TRACKRECORD_HOME",
        metavar="DIR",
        parser=_folder,
        callback=_home,
        help="The folder of the local stack; if left out, the nearest .trackrecord in this folder "
        "or one above it.",
        show_default=True,
    ),
]


def read_input(file: Path | None) -> tuple[bytes, str]:
    """What a file holds, or standard input where it is left out or ``-``, and its name.

    Raises:
        InputError: It cannot be read.
    """
    given = file if file is not None and str(file) != "-" else None
    if given is None:
        return sys.stdin.buffer.read(), "standard input"
    try:
        return given.read_bytes(), str(given)
    except OSError as error:
        raise InputError(f"cannot read {given}: {error.strerror}") from None


PolicyOption = Literal["stop_first", "target_first", "open_proximity"]
"""What counts where a signal's target and stop lie inside one bar."""

JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]

DEFAULT_HOME = Path(local_stack.HOME_NAME)

_WIDE = 160
"""Columns where no terminal says how many it has: a table in a file is not squeezed."""

screen = TextConsole(width=None if sys.stdout.isatty() else _WIDE)
"""Tables for people, on stdout; whatever it is given is shown as text."""

notes = TextConsole(stderr=True, width=None if sys.stderr.isatty() else _WIDE)
"""Everything that is not data."""


def answer(value: Any) -> None:
    """Print data as JSON on stdout."""
    sys.stdout.write(json_text(value) + "\n")
    sys.stdout.flush()


def environment(home: Path) -> dict[str, str]:
    """The environment, completed by the stack that runs under ``home``, if one does."""
    environ = local_stack.completed(os.environ, home.absolute())
    stack = local_stack.running(home)
    if stack is not None and environ.get("DATABASE_URL") == stack.database_url:
        forget_other_databases()
    return environ


def forget_other_databases() -> None:
    """Before a local database is asked: drop libpq's variables from this process.

    libpq takes what an address does not say from these, and they are meant for others.
    """
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]


def load(home: Path, *, broker: bool = False, database: bool = False) -> Settings:
    """The settings of a command, once what it needs is there.

    Args:
        home: The folder of the local stack.
        broker: Whether it needs the broker.
        database: Whether it needs the database.

    Raises:
        ConfigurationError: Names every variable that is wrong.
        UnreachableError: Says in one line what is not there, and what to start.
    """
    from trackrecord.runtime.settings import load_settings

    settings = load_settings(environment(home))
    if database:
        from trackrecord.runtime.database import connect
        from trackrecord.runtime.errors import UnreachableError

        try:
            connect(settings, application="trackrecord").close()
        except TrackrecordError as error:
            advice = _advice(home, local_stack.DATABASE_VARIABLE)
            raise UnreachableError(f"{error}; {advice}") from None
    if broker:
        from trackrecord.runtime.reach import require_brokers

        require_brokers(settings, _advice(home, local_stack.BROKERS_VARIABLE))
    return settings


def _advice(home: Path, variable: str) -> str:
    """What to do where nobody answers at what a variable names, or would name."""
    if os.environ.get(variable, "").strip():
        return f"see {variable}, or unset it and start a local stack with `trackrecord up`"
    home = home.absolute()
    if local_stack.running(home) is not None:
        return f"a local stack runs under {home}: see `trackrecord status`"
    return (
        f"nothing runs under {home}: start it with `trackrecord up`, name another with --home, or "
        f"name yours in {variable}"
    )

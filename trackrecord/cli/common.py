"""What the commands share: the home folder, the settings, and two ways of answering."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from trackrecord.errors import TrackrecordError

if TYPE_CHECKING:
    from trackrecord.runtime.settings import Settings

HomeOption = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="TRACKRECORD_HOME",
        help="The folder that keeps the local stack's state.",
        show_default=True,
    ),
]


class InputError(TrackrecordError):
    """The input cannot be read; the message says where and what to do."""


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

DEFAULT_HOME = Path(".trackrecord")

_WIDE = 160
"""Columns where no terminal says how many it has: a table in a file is not squeezed."""

screen = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
"""Tables for people, on stdout."""

notes = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _WIDE)
"""Everything that is not data."""


def answer(value: Any) -> None:
    """Print data as JSON on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def environment(home: Path) -> dict[str, str]:
    """The environment, completed by the stack that runs under ``home``, if one does."""
    environ = dict(os.environ)
    environ["TRACKRECORD_HOME"] = str(home)
    try:
        from trackrecord.local.stack import Stack
    except ModuleNotFoundError:
        return environ
    state = Stack.read_state(home)
    if state is not None:
        if not environ.get("TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"):
            environ["TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"] = state.kafka
        if not environ.get("DATABASE_URL"):
            environ["DATABASE_URL"] = state.database_url
    return environ


def load(home: Path) -> Settings:
    """The settings of a command.

    Raises:
        ConfigurationError: Names every variable that is wrong.
    """
    from trackrecord.runtime.settings import load_settings

    return load_settings(environment(home))

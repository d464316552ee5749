"""Dead letters: messages that had no effect, and why."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, JsonOption, answer, load, notes, screen

app = typer.Typer(
    help="Messages that could not be read or broke a rule: list, show, replay.",
    no_args_is_help=True,
)


@app.command("list")
def list_(
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="How many; 50 on a screen, all with --json."),
    ] = None,
    replayed: Annotated[bool, typer.Option("--all", help="Those that were replayed, too.")] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List dead letters, oldest first, with where they came from and the reason."""
    from trackrecord.runtime.admin.dead_letter_queue import read_letters

    most = limit if limit is not None else (None if as_json else 50)
    letters = read_letters(load(home, database=True), limit=most, replayed=replayed)
    if as_json:
        answer(letters)
        return
    if not letters:
        screen.print("no dead letters")
        return
    table = Table(box=None, header_style="bold")
    for name in ("id", "topic", "at", "stage", "class", "reason"):
        table.add_column(name, overflow="fold")
    for letter in letters:
        table.add_row(
            letter["id"],
            letter["topic"],
            f"{letter['partition']}/{letter['offset']}",
            letter["stage"],
            letter["error_class"],
            letter["reason"][:200],
        )
    screen.print(table)


@app.command()
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Show one dead letter with its headers and bytes."""
    from trackrecord.runtime.admin.dead_letter_queue import read_letter

    letter = read_letter(load(home, database=True), letter_id)
    if letter is None:
        notes.print(f"there is no dead letter {letter_id}", markup=False)
        raise typer.Exit(1)
    shown: dict[str, Any] = {
        **letter,
        "key": _text(letter["key"]),
        "value": _text(letter["value"]),
        "headers": [[name, _text(value)] for name, value in letter["headers"]],
    }
    if as_json:
        answer(shown)
        return
    for name, value in shown.items():
        screen.print(f"{name:12} {value}", markup=False)


@app.command()
def replay(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID ...]")] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Publish dead letters again, after what was wrong is mended; all of them if none is named.

    Bytes and event id stay the same. What is refused again is a new dead
    letter with the next attempt number.
    """
    from trackrecord.runtime.admin.dead_letter_queue import replay_letters

    published, missing = replay_letters(load(home, broker=True, database=True), ids or [])
    if as_json:
        answer({"replayed": published, "missing": missing})
    else:
        screen.print(f"replayed {published}")
    for each in missing:
        notes.print(f"there is no dead letter {each}", markup=False)
    if missing:
        raise typer.Exit(1)


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode(errors="backslashreplace")

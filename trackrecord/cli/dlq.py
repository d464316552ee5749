"""Dead letters: messages that had no effect, and why."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, JsonOption, answer, load, notes, screen
from trackrecord.cli.ending import if_stopped
from trackrecord.cli.text import printable, printable_bytes

app = typer.Typer(
    help="Messages that could not be read or broke a rule: list, show, replay, dismiss.",
    no_args_is_help=True,
)

_MOST_WORDS = 200


@app.command("list", epilog="Example: trackrecord dlq list --limit 10")
def list_(
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", min=1, help="How many to show; by default 50 on a screen, all with --json."
        ),
    ] = None,
    replayed: Annotated[
        bool, typer.Option("--all", help="Also show letters that were replayed or dismissed.")
    ] = False,
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
        screen.print("no dead letters" if replayed else "no open dead letters")
        return
    table = Table(box=None, header_style="bold")
    for name in ("id", "topic", "at", "stage", "class", "reason", *(["state"] if replayed else [])):
        table.add_column(name, overflow="fold")
    for letter in letters:
        table.add_row(
            letter["id"],
            printable(letter["topic"]),
            f"{letter['partition']}/{letter['offset']}",
            letter["stage"],
            letter["error_class"],
            printable(letter["reason"][:200]),
            *([_state(letter)] if replayed else []),
        )
    screen.print(table)


def _state(letter: dict[str, Any]) -> str:
    if letter["dismissed_at"]:
        return f"dismissed: {printable(letter['dismissed_why'])}"
    return "replayed" if letter["replayed_at"] else "open"


@app.command(epilog="Example: trackrecord dlq show 0c6f2b0e-6f4c-5d0a-9a53-7f1f5d0a4c11")
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="The id that `dlq list` shows.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Show one dead letter with its headers and bytes."""
    from trackrecord.runtime.admin.dead_letter_queue import read_letter

    letter = read_letter(load(home, database=True), letter_id)
    if letter is None:
        notes.print(f"there is no dead letter {letter_id}")
        raise typer.Exit(1)
    if as_json:
        answer(
            {
                **letter,
                "key": _text(letter["key"]),
                "value": _text(letter["value"]),
                "headers": [[name, _text(value)] for name, value in letter["headers"]],
            }
        )
        return
    headers = letter.pop("headers")
    shown = {
        **letter,
        "state": _state(letter),
        "key": printable_bytes(letter["key"]),
        "value": printable_bytes(letter["value"]),
    }
    for name, value in shown.items():
        if value is not None:
            screen.print(f"{name:13} {printable(str(value))}", soft_wrap=True)
    for name, value in headers:
        words = printable_bytes(value)
        screen.print(
            f"{'header':13} {printable(name)}{'' if words is None else f': {words}'}",
            soft_wrap=True,
        )


@app.command(epilog="Example: trackrecord dlq replay")
def replay(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID ...]", help="The ids that `dlq list` shows; all open ones if left out."
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Publish dead letters again, after the cause is mended; all open ones if none is named.

    Bytes and event id stay the same. A message that several stages refused is
    sent once. If it is refused again, it becomes a new dead letter with the next
    attempt number. Exit code 1 if a letter does not exist or the broker does not
    take it; the others are replayed all the same.
    """
    from trackrecord.runtime.admin.dead_letter_queue import replay_letters

    settings = load(home, broker=True, database=True)
    with if_stopped(lambda: "what the broker acknowledged counts as replayed; run it again"):
        done = replay_letters(settings, ids or [])
    if as_json:
        answer(
            {
                "replayed": done.letters,
                "messages": done.messages,
                "missing": done.missing,
                "failed": done.failed,
            }
        )
    else:
        count = "1 message" if done.messages == 1 else f"{done.messages:,} messages"
        screen.print(f"replayed {done.letters:,} ({count} sent)")
    _name_missing(done.missing)
    for each in done.failed:
        notes.print(f"{each['id']} is not replayed: {printable(each['reason'])}", soft_wrap=True)
    if done.missing or done.failed:
        raise typer.Exit(1)


@app.command(epilog='Example: trackrecord dlq dismiss 0c6f2b0e-… --why "a test of the feed"')
def dismiss(
    ids: Annotated[
        list[str], typer.Argument(metavar="ID ...", help="The ids that `dlq list` shows.")
    ],
    why: Annotated[str, typer.Option("--why", help="The reason, for whoever looks later.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Dismiss dead letters that are not wanted; they are kept, and counted apart.

    `dlq list` shows them only with --all, and `dlq replay` sends them only if
    they are named. Exit code 1 if one of them does not exist or was replayed
    already.
    """
    from trackrecord.runtime.admin.dead_letter_queue import dismiss_letters

    words = why.strip()
    if not words or len(words) > _MOST_WORDS:
        raise typer.BadParameter(f"--why takes 1 to {_MOST_WORDS} characters")
    if "\x00" in words:
        raise typer.BadParameter("--why holds a NUL character")
    outcome = dismiss_letters(load(home), ids, words)
    dismissed = [letter for letter, state in outcome.items() if state == "dismissed"]
    missing = [letter for letter, state in outcome.items() if state == "missing"]
    left = {letter: state for letter, state in outcome.items()
            if state not in {"dismissed", "missing"}}  # fmt: skip
    if as_json:
        answer({"dismissed": dismissed, "missing": missing, "unchanged": left})
    else:
        screen.print(f"dismissed {len(dismissed):,}")
    _name_missing(missing)
    for letter, state in left.items():
        notes.print(f"{letter} is as it was: {state}")
    if missing or "replayed" in left.values():
        raise typer.Exit(1)


def _name_missing(ids: list[str]) -> None:
    for each in ids:
        notes.print(f"there is no dead letter {printable(each)}")


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode(errors="backslashreplace")

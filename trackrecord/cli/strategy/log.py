"""``trackrecord strategy log``: every attempt at a strategy, and what it came to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from trackrecord.cli.common import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    answer,
    environment,
    notes,
    screen,
)
from trackrecord.cli.strategy import app
from trackrecord.kafka import local_stack

if TYPE_CHECKING:
    from trackrecord.providers.attempts import Attempt

_ON_SCREEN: Final = 20
_MOST_WORDS: Final = 160


@app.command("log", epilog="Example: trackrecord strategy log --limit 5")
def log_command(
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", min=1, help="How many to show; by default 20 on a screen, all with --json."
        ),
    ] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only this owner's.")] = None,
    request: Annotated[
        str | None, typer.Option("--request", help="Only attempts at this request, by its id.")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List every attempt at a strategy, the latest first.

    Those of this command line are in a file of the home folder; those of strategy_gen are in the
    database, and are listed as well where one is configured. Each attempt has its sentence, prompt,
    raw answer, code, status, error, tokens and seconds; --json shows all of it. One that was being
    asked when its process ended is a failure, and may have been billed.
    """
    from trackrecord.providers.attempt_file import AttemptFile

    log = AttemptFile(home)
    most = limit if limit is not None else (None if as_json else _ON_SCREEN)
    attempts = [
        each
        for each in log.attempts()
        if owner in (None, each.question.owner) and request in (None, each.question.generation_id)
    ]
    if log.damaged:
        notes.print(f"{log.path}: {log.damaged} line(s) cannot be read and are left out")
    attempts += _in_database(home, owner, request, most)
    attempts.sort(key=lambda each: each.question.asked_at, reverse=True)
    del attempts[len(attempts) if most is None else most :]
    if as_json:
        answer([each.as_json() for each in attempts])
    elif not attempts:
        screen.print("no strategy was asked for yet")
    else:
        _show(attempts)


def _in_database(
    home: Path, owner: str | None, request: str | None, most: int | None
) -> list[Attempt]:
    """What strategy_gen has logged; nothing where no database is configured."""
    if not environment(home).get(local_stack.DATABASE_VARIABLE):
        return []
    from trackrecord.catalogue.store.attempts import logged
    from trackrecord.cli.strategy.kept import transaction

    with transaction(home) as cursor:
        found = logged(cursor, owner=owner, request_id=request, limit=most)
    return [each.attempt for each in found]


def _show(attempts: list[Attempt]) -> None:
    from rich.table import Table

    from trackrecord.cli.text import printable

    table = Table(box=None, header_style="bold")
    for name in ("asked at", "by", "of", "no.", "status", "tokens", "seconds", "sentence, error"):
        table.add_column(name, overflow="fold")
    for each in attempts:
        asked, result = each.question, each.result
        told = [_short(asked.sentence), *([_short(result.error)] if result.error else [])]
        table.add_row(
            asked.asked_at.strftime("%Y-%m-%d %H:%M:%S"),
            printable(asked.owner),
            printable(f"{asked.provider} {asked.model}"),
            str(asked.number),
            result.status,
            _tokens(result.input_tokens, result.output_tokens),
            "" if result.seconds is None else f"{result.seconds:.1f}",
            "\n".join(printable(line) for line in told),
        )
    screen.print(table)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_WORDS else f"{line[:_MOST_WORDS]}..."


def _tokens(asked: int | None, answered: int | None) -> str:
    if asked is None and answered is None:
        return ""
    return f"{'?' if asked is None else asked} + {'?' if answered is None else answered}"

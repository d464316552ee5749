"""``trackrecord strategy add``: a strategy from a file, or a template, into the database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, InputError, JsonOption, answer, notes
from trackrecord.cli.strategy import app
from trackrecord.cli.strategy.kept import (
    OWNER,
    OwnerOption,
    SymbolsOption,
    as_dict,
    meant,
    show_one,
    split,
    transaction,
    user_of,
)
from trackrecord.cli.text import printable
from trackrecord.strategies.source import LONGEST_SOURCE

if TYPE_CHECKING:
    from trackrecord.catalogue.laboratory import Laboratory
    from trackrecord.catalogue.store.rows import Made

_NO: Final = 1


@app.command("add", epilog="Example: trackrecord strategy add cross.py --symbols AAPL,MSFT")
def add_command(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="The strategy: Python, or the JSON that `strategy generate --json` answered."
        ),
    ] = None,
    *,
    template: Annotated[
        str | None,
        typer.Option(help="One that is ready to take instead; see `strategy templates`."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What it is called; if left out, as the file or template.")
    ] = None,
    symbols: SymbolsOption = None,
    timeframe: Annotated[str, typer.Option(help="The bars that it decides on.")] = "1d",
    version_of: Annotated[
        str | None,
        typer.Option(
            "--version-of", metavar="STRATEGY", help="Make it a new version of this one instead."
        ),
    ] = None,
    owner: OwnerOption = OWNER,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Validate a strategy and keep it, ready to be activated.

    Code that a rule made stays one, and is quicker in backtests and live. Exit code 1: it is not
    valid, and kept as a draft; or the name is taken.
    """
    from trackrecord.access.store.audit import COMMAND_LINE
    from trackrecord.catalogue.store import strategies
    from trackrecord.cli.strategy.generate import laboratory
    from trackrecord.clock import SYSTEM_CLOCK

    if (file is None) == (template is None):
        raise InputError("name a FILE, or a template with --template")
    with laboratory() as tried:
        made = _made(file, tried) if file is not None else _taken(str(template), tried)
    if name is not None:
        made = replace(made, name=name)
    now = SYSTEM_CLOCK.now()
    with transaction(home) as cursor:
        if version_of is not None:
            known = meant(cursor, version_of, None if owner == OWNER else owner)
            found = strategies.add_version(cursor, COMMAND_LINE, known.strategy_id, made, now)
        else:
            found = strategies.add(
                cursor,
                COMMAND_LINE,
                made,
                owner=owner,
                user_id=user_of(cursor, owner),
                now=now,
                symbols=split(symbols) or [],
                timeframe=timeframe,
            )
    if as_json:
        answer(as_dict(found) | {"problems": list(made.problems)})
    else:
        show_one(found)
        for each in made.problems:
            line = f"line {each['line']}: " if each.get("line") else ""
            notes.print(f"{line}{printable(str(each['message']))}", soft_wrap=True)
    if not made.is_valid:
        raise typer.Exit(_NO)


def _made(file: Path, tried: Laboratory) -> Made:
    from trackrecord.catalogue.making import version_of
    from trackrecord.cli.strategy.strategy_file import read_file

    code, told = read_file(file)
    if len(code) > LONGEST_SOURCE:
        raise InputError(f"{file} has {len(code):,} characters: a strategy is shorter")
    return version_of(code, tried, name=file.stem, rule=told.get("rule"))


def _taken(name: str, tried: Laboratory) -> Made:
    from trackrecord.catalogue.life import NoStrategyError
    from trackrecord.catalogue.making import version_of_rule
    from trackrecord.catalogue.templates import template
    from trackrecord.strategies.generate import generate

    try:
        chosen = template(name)
    except NoStrategyError as error:
        raise InputError(str(error)) from None
    made = generate(chosen.sentence, tried.of_rule)
    return replace(
        version_of_rule(made, name=chosen.name, prompt=chosen.sentence),
        description=chosen.description,
    )

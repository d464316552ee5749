"""``trackrecord extract``: what a printed text recommends, what happened, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def extract_command(
    file: Annotated[
        Path | None, typer.Argument(help="The text; standard input where it is left out or '-'.")
    ] = None,
    *,
    jsonl: Annotated[
        bool,
        typer.Option("--jsonl", help='Read lines {"id", "text"} and answer each with a JSON line.'),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="Show which rule read what from which words, and what was rejected."
        ),
    ] = False,
    rules: Annotated[
        list[Path] | None,
        typer.Option("--rules", help="Add a rule pack of your own; may be repeated."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help='Read lines {"text", "gold"}, labelled with what should be read of each text '
            "(docs/printing.md), and show how many are read so, and why the others are not.",
        ),
    ] = False,
    check_packs: Annotated[
        bool, typer.Option("--check-rules", help="Run the tests inside the rule packs and exit.")
    ] = False,
    symbol: Annotated[
        str | None, typer.Option("--symbol", help="The symbol to use where the text names none.")
    ] = None,
) -> None:
    """Read what a trading script printed: recommendations, result, final action.

    docs/printing.md shows how to print so that any reader gets it. With --check,
    exit code 0 means that all is read as labelled, 1 that some is not, 2 that
    the file is wrong.
    """
    for given, words in (
        (check and jsonl, "--check goes without --jsonl: it reads lines anyway"),
        (check and check_packs, "--check goes without --check-rules"),
    ):
        if given:
            raise typer.BadParameter(words)
    # Reading takes half a second to load, which other commands need not wait for.
    from trackrecord.cli.extract_texts import (
        check_labels,
        check_packs_of,
        read_lines,
        read_text,
        rules_with,
    )

    used = rules_with(rules or [])
    if check_packs:
        check_packs_of(used, as_json=as_json)
    elif check:
        check_labels(file, used, symbol, as_json=as_json)
    elif jsonl:
        read_lines(file, used, symbol, explain=explain)
    else:
        read_text(file, used, symbol, as_json=as_json, explain=explain)

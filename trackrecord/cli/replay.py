"""Rebuilding the derived tables from the topics."""

from __future__ import annotations

from dataclasses import asdict
from importlib import import_module
from typing import Annotated

import typer
from rich.progress import Progress, TaskID
from rich.table import Table

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, JsonOption, answer, load, notes, screen


def replay(
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Only compare; exit code 1 if anything differs."),
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Work out every derived table again from the topics.

    With --verify the result is compared with the live tables, which may go on
    changing meanwhile, and thrown away. Without it, it takes their place.
    Nothing is published.
    """
    from services import STAGES
    from trackrecord.runtime.errors import PassingError, UnreachableError
    from trackrecord.runtime.replay import Replay

    stages = [import_module(f"services.{name}.service").STAGE for name in STAGES]
    tasks: dict[str, TaskID] = {}
    with Progress(console=notes, transient=True, disable=as_json) as bar:

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        run = Replay(load(home), stages)
        try:
            tables = run.verify(progress) if verify else run.rebuild(progress)
        except PassingError as error:
            raise UnreachableError(str(error)) from None
    identical = not any(table.differences for table in tables.values())
    if as_json:
        answer(
            {
                "identical": identical,
                "tables": {name: asdict(table) for name, table in tables.items()},
            }
        )
    else:
        shown = Table("table", "rows", "differences", box=None)
        for name, table in tables.items():
            shown.add_row(name, f"{table.rows:,}", f"{table.differences:,}")
        screen.print(shown)
        words = "identical" if identical else "they differ"
        screen.print(words if verify else f"rebuilt; before: {words}")
    if verify and not identical:
        raise typer.Exit(1)

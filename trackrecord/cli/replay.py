"""``trackrecord replay``: rebuild the derived tables from the topics."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, JsonOption, answer, load, notes, screen
from trackrecord.cli.ending import if_stopped
from trackrecord.cli.progress import Shown, shown
from trackrecord.cli.text import printable

if TYPE_CHECKING:
    from trackrecord.runtime.replay.comparison import Difference


def replay(
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Only compare; exit code 1 if anything differs."),
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Compute every derived table again from the topics.

    With --verify the result is compared with the live tables and thrown away;
    stages may go on writing meanwhile. Without --verify the result replaces the
    live tables: use that to read all of history again after the extraction
    rules have changed. Either way it shows what differs, and publishes nothing.
    It works in a temporary schema and removes it at the end; if a run is killed,
    the next run removes the schema that it left.
    """
    from services import STAGES, stage_named
    from trackrecord.runtime.errors import PassingError, UnreachableError
    from trackrecord.runtime.replay.replay import Replay
    from trackrecord.runtime.stage import Stage

    found = [stage_named(name) for name in STAGES]
    # What a stage of the job plane decided is a recorded fact.
    stages = [stage for stage in found if isinstance(stage, Stage)]
    with shown(notes) as progress, if_stopped(lambda: _so_far(progress)):
        run = Replay(load(home, broker=True, database=True), stages)
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
        compared = Table("table", "rows", "differences", box=None)
        for name, table in tables.items():
            compared.add_row(name, f"{table.rows:,}", f"{table.differences:,}")
        screen.print(compared)
        for name, table in tables.items():
            _changes(name, table)
        words = "identical" if identical else "they differ"
        screen.print(words if verify else f"rebuilt; before: {words}")
    if verify and not identical:
        raise typer.Exit(1)


def _so_far(progress: Shown) -> str:
    words = progress.words()
    return f"{words or 'nothing was read yet'}; the live tables are as they were: run it again"


def _changes(name: str, table: Difference) -> None:
    for column, count in table.changed_columns.items():
        screen.print(f"{name}: {column} in {count:,} row(s)", markup=False)
    for example in table.examples:
        changed = example["changed"]
        words = (
            changed
            if isinstance(changed, str)
            else ", ".join(f"{column} {was} -> {now}" for column, (was, now) in changed.items())
        )
        screen.print(printable(f"  {example['key']}: {words}"), style="dim")

"""``trackrecord strategy validate``: whether a strategy may be run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from trackrecord.cli.common import JsonOption, answer, notes, screen
from trackrecord.cli.strategy import app

if TYPE_CHECKING:
    from trackrecord.strategies.validation import Validation

_NO: Final = 1


@app.command("validate", epilog="Example: trackrecord strategy validate my_strategy.py")
def validate_command(
    file: Annotated[Path, typer.Argument(help="The strategy; '-' is standard input.")],
    *,
    as_json: JsonOption = False,
    bars: Annotated[
        Path | None,
        typer.Option(
            help="A CSV or Parquet file with the fields of market_bar to try it on; if left out, "
            "real daily bars of four shares."
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Try it on fewer bars, in a tenth of the time.")
    ] = False,
) -> None:
    """Say whether a strategy may be run, and if not, what to change.

    It is read (syntax, contract, constructs that are not there), its types are checked, and then it
    runs in the sandbox on real bars: whether it fails, keeps something between bars, knows the
    future, decides otherwise when run again, or is slow. Exit code 1: it is not valid.
    """
    from trackrecord.cli.strategy.reading import dry_run_bars, read_strategy
    from trackrecord.runtime.settings import load_settings
    from trackrecord.sandbox.from_settings import executor_of
    from trackrecord.strategies.validation import QUICK, THOROUGH, validate

    code = read_strategy(file)
    settings = load_settings()
    rows, note = dry_run_bars(bars)
    with executor_of(settings) as executor:
        found = validate(code, executor, rows, effort=QUICK if quick else THOROUGH)
    if as_json:
        answer(as_dict(found) | ({"bars": note} if note else {}))
    else:
        if note:
            notes.print(f"trackrecord strategy: {note}")
        _show(found, file)
    if not found.valid:
        raise typer.Exit(_NO)


def as_dict(found: Validation) -> dict[str, Any]:
    """What ``--json`` answers."""
    return {
        "valid": found.valid,
        "problems": [each._asdict() for each in found.problems],
        "notes": [each._asdict() for each in found.notes],
        "decisions": found.decisions,
        "microseconds_per_decision": round(found.seconds * 1e6, 1),
        "actions": dict(found.actions),
    }


def _show(found: Validation, file: Path) -> None:
    for problem in found.problems:
        at = f"{file}:{problem.line}" if problem.line else str(file)
        screen.print(f"{at}: {problem.code}: {problem.message}", soft_wrap=True)
    for note in found.notes:
        at = f"{file}:{note.line}" if note.line else str(file)
        notes.print(f"{at}: note: {note.message}", soft_wrap=True)
    if found.valid:
        actions = ", ".join(f"{number} {name}" for name, number in sorted(found.actions.items()))
        screen.print(
            f"valid: {found.decisions} decisions ({actions}), "
            f"{found.seconds * 1e6:,.0f} microseconds each"
        )

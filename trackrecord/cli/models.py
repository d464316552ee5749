"""The models that were trained: which there are, what they said, and back to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from trackrecord.cli.calibration import calibration
from trackrecord.cli.common import DEFAULT_HOME, HomeOption, JsonOption, answer, load, notes, screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from trackrecord.runtime.database import Cursor
    from trackrecord.runtime.settings import Settings

app = typer.Typer(
    help="Trained models: list, history, calibration, rollback.",
    no_args_is_help=True,
)

_T = TypeVar("_T")
_SHOWN = ("auc", "brier", "log_loss")


@app.command("list", epilog="Example: trackrecord models list")
def list_(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """List every version, newest first, with how it was judged and whether it serves."""
    settings = load(home, database=True)
    found, runs = _asked(settings, "versions")
    if as_json:
        answer({"model": settings.model, "versions": found, "runs": runs})
        return
    if not found:
        screen.print(f"{settings.model} has no version yet: `trackrecord train` makes one")
        _show_runs(runs)
        return
    from rich.table import Table

    table = Table("version", "made", "", *_SHOWN, "why", box=None)
    for each in found:
        state = "live" if each["live"] else "promoted" if each["promoted"] else ""
        numbers = [each["metrics"].get(name) for name in _SHOWN]
        table.add_row(
            each["version"],
            f"{each['created_at']:%Y-%m-%d %H:%M}",
            state,
            *("" if number is None else f"{number:.4f}" for number in numbers),
            each["reason"] or "",
        )
    screen.print(table)
    _show_runs(runs)


@app.command(epilog="Example: trackrecord models history")
def history(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Show which version was live at which time, the present one first."""
    settings = load(home, database=True)
    found, runs = _asked(settings, "history")
    if as_json:
        answer({"model": settings.model, "history": found, "runs": runs})
        return
    if not found:
        screen.print(f"no version of {settings.model} has served yet")
        _show_runs(runs)
        return
    from rich.table import Table

    table = Table("version", "from", "until", "why", box=None)
    for each in found:
        until = each["live_until"]
        table.add_row(
            each["version"] or "none",
            f"{each['live_from']:%Y-%m-%d %H:%M:%S}",
            "now" if until is None else f"{until:%Y-%m-%d %H:%M:%S}",
            each["reason"],
        )
    screen.print(table)
    _show_runs(runs)


@app.command(epilog="Example: trackrecord models rollback")
def rollback(
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="VERSION",
            help="The version to go back to, or none; by default the one before the champion.",
        ),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Go back to an earlier version, which then judges all new signals.

    Exit code 1, and nothing is changed, if there is no earlier version, if the named version does
    not exist, or if its files were changed since they were written.
    """
    settings = load(home, database=True)
    _need_checkout()
    from services.trainer.handler.champion_changes import RefusedError, roll_back

    def change(cursor: Cursor) -> str | None:
        none = to == "none"
        return roll_back(cursor, settings.model, None if none else to, none=none)

    try:
        version = _in_transaction(settings, change)
    except RefusedError as error:
        if as_json:
            answer({"model": settings.model, "changed": False, "reason": str(error)})
        notes.print(f"trackrecord models rollback: {error}", markup=False)
        raise typer.Exit(1) from None
    if as_json:
        answer({"model": settings.model, "changed": True, "live": version})
    else:
        screen.print(f"live now: {version or 'none'}")


app.command(epilog="Example: trackrecord models calibration --strategy momentum")(calibration)


def _asked(settings: Settings, name: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What is asked for, and how the runs of the model ended."""
    _need_checkout()
    from services.trainer.handler import champion_changes

    question: Callable[[Cursor, str], list[dict[str, Any]]] = getattr(champion_changes, name)
    model = settings.model
    return _in_transaction(
        settings, lambda cursor: (question(cursor, model), champion_changes.runs(cursor, model))
    )


def _show_runs(runs: dict[str, Any]) -> None:
    success = runs["retraining_success"]
    if success["value"] is None:
        return
    screen.print(
        f"runs: {runs['completed']:,} completed, {runs['refused']:,} refused, {runs['failed']:,} "
        f"failed; {success['value']:.1%} ended well, target {success['target']:.0%}: "
        + ("met" if success["met"] else "missed")
    )


def _in_transaction(settings: Settings, do: Callable[[Cursor], _T]) -> _T:
    from trackrecord.runtime.database import session
    from trackrecord.runtime.errors import PassingError, UnreachableError

    try:
        with session(settings, application="trackrecord models") as cursor:
            return do(cursor)
    except PassingError as error:
        raise UnreachableError(str(error)) from None


def _need_checkout() -> None:
    from importlib.util import find_spec

    from trackrecord.runtime.errors import ConfigurationError

    if find_spec("services") is None:
        raise ConfigurationError(
            "models are kept by a stage, and stages run from the checkout or the image: the "
            "installed package holds the rules and the SDK only"
        )

"""``trackrecord strategy activate``: a strategy decides on every bar from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, InputError, JsonOption, answer
from trackrecord.cli.strategy import app
from trackrecord.cli.strategy.kept import (
    OnlyOwnerOption,
    StrategyArgument,
    SymbolsOption,
    as_dict,
    meant,
    say_without_bars,
    show_one,
    split,
    transaction,
)

if TYPE_CHECKING:
    from trackrecord.catalogue.store.rows import Changes


@app.command("activate", epilog="Example: trackrecord strategy activate cross --symbols AAPL,MSFT")
def activate_command(
    strategy: StrategyArgument,
    *,
    symbols: SymbolsOption = None,
    timeframe: Annotated[
        str | None, typer.Option(help="The bars that it decides on, such as 1d or 15m.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Of these bars; the first by name where none is chosen.")
    ] = None,
    quantity: Annotated[str | None, typer.Option(help="Of each of its signals.")] = None,
    currency: Annotated[str | None, typer.Option(help="Of each of its signals.")] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter's value; may be repeated."),
    ] = None,
    takes_over: Annotated[
        bool | None,
        typer.Option(
            "--takes-over/--runs-out",
            help="Whether a new version takes over the positions of the one before, or these run "
            "to their end.",
        ),
    ] = None,
    owner: OnlyOwnerOption = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Have a strategy decide on every closed bar from now on, on record under its name.

    What the options say is set first. Its name becomes that of its record, for good; a name that
    is on record already, or somebody else's, is refused. Exit code 1: it may not become active.
    """
    from trackrecord.access.store.audit import COMMAND_LINE
    from trackrecord.catalogue.store import strategies
    from trackrecord.clock import SYSTEM_CLOCK

    now = SYSTEM_CLOCK.now()
    changes = _changes(
        symbols=split(symbols),
        timeframe=timeframe,
        source=source,
        quantity=None if quantity is None else _decimal(quantity),
        currency=currency,
        takes_over=takes_over,
    )
    with transaction(home) as cursor:
        before = meant(cursor, strategy, owner)
        if given:
            changes["parameters"] = {**before.parameters, **_values(given)}
        if changes:
            strategies.change(cursor, COMMAND_LINE, before.strategy_id, changes, now)
        found = strategies.activate(cursor, COMMAND_LINE, before.strategy_id, now)
        say_without_bars(cursor, found)
    if as_json:
        answer(as_dict(found))
    else:
        show_one(found)


def _changes(**given: Any) -> Changes:
    found: Any = {name: value for name, value in given.items() if value is not None}
    return found  # type: ignore[no-any-return]


def _decimal(text: str) -> Any:
    from decimal import Decimal, InvalidOperation

    try:
        return Decimal(text)
    except InvalidOperation:
        raise InputError(f"--quantity is a number, not {text}") from None


def _values(given: list[str]) -> dict[str, Any]:
    from trackrecord.cli.strategy.backtest import values_of

    return values_of(given)

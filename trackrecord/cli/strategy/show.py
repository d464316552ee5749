"""``trackrecord strategy show``: all that is known of one strategy that is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, JsonOption, answer, screen
from trackrecord.cli.strategy import app
from trackrecord.cli.strategy.kept import (
    OnlyOwnerOption,
    StrategyArgument,
    as_dict,
    meant,
    standing,
    transaction,
)
from trackrecord.cli.text import printable

if TYPE_CHECKING:
    from trackrecord.catalogue.store.rows import Strategy, Version


@app.command("show", epilog="Example: trackrecord strategy show cross --code > cross.py")
def show_command(
    strategy: StrategyArgument,
    *,
    version: Annotated[
        int | None, typer.Option(min=1, help="Which version; if left out, the present one.")
    ] = None,
    code: Annotated[bool, typer.Option("--code", help="Print its code, and nothing else.")] = False,
    owner: OnlyOwnerOption = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Show a strategy: where it stands, how it was read, what is open, what a backtest said."""
    from trackrecord.catalogue.life import NoStrategyError
    from trackrecord.catalogue.store import strategies

    with transaction(home) as cursor:
        found = meant(cursor, strategy, owner)
        chosen = strategies.version(cursor, found.strategy_id, version)
        if code and chosen.code is None:
            raise NoStrategyError(f"version {chosen.version} of {found.name!r} has no code")
    if as_json:
        answer(as_dict(found, chosen))
    elif code:
        typer.echo(chosen.code, nl=False)
    else:
        _show(found, chosen)


def _show(found: Strategy, version: Version) -> None:
    symbols = ", ".join(found.symbols) or "none yet"
    facts = {
        "id": found.strategy_id,
        "owner": found.owner,
        "status": standing(found),
        "version": f"{version.version} of {found.version}",
        "made by": " ".join(filter(None, (version.provider, version.model))) or "hand",
        "symbols": f"{symbols} ({found.timeframe})",
        "quantity": f"{found.quantity:f} {found.currency}",
        "parameters": ", ".join(f"{name}={value}" for name, value in found.parameters.items()),
        "record": found.record_name,
        "active since": found.activated_at if found.status == "active" else None,
        "public": "yes" if found.public else "no",
        "copied from": found.copied_from,
        "copies": found.copies or None,
    }
    screen.print(printable(found.name))
    for name, value in facts.items():
        if value not in (None, ""):
            screen.print(f"  {name}: {printable(str(value))}", soft_wrap=True)
    asked = version.prompt.strip()
    verdict = version.backtest or {}
    for title, lines in (
        ("asked for", [asked] if asked else []),
        ("reads as", [version.reads_as] if version.reads_as else []),
        ("assumed", version.assumptions),
        ("not understood", version.not_understood),
        ("problems", [str(each.get("message")) for each in version.problems]),
        ("backtest", [f"{verdict['verdict']}: {verdict['why']}"] if verdict else []),
    ):
        if lines:
            screen.print(f"\n{title}:")
            for line in lines:
                screen.print(f"  - {printable(line)}", soft_wrap=True)

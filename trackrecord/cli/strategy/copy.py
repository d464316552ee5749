"""``trackrecord strategy copy``: a strategy of one's own from one that is there."""

from __future__ import annotations

from typing import Annotated

import typer

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, JsonOption, answer
from trackrecord.cli.strategy import app
from trackrecord.cli.strategy.kept import (
    OWNER,
    StrategyArgument,
    as_dict,
    meant,
    show_one,
    transaction,
    user_of,
)


@app.command("copy", epilog="Example: trackrecord strategy copy cross --from alice --owner bob")
def copy_command(
    strategy: StrategyArgument,
    *,
    name: Annotated[
        str | None, typer.Option(help="What the copy is called; if left out, as the original.")
    ] = None,
    origin: Annotated[
        str | None, typer.Option("--from", help="Whose the original is, where several call one so.")
    ] = None,
    owner: Annotated[str, typer.Option("--owner", help="Whose the copy is.")] = OWNER,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Copy a public strategy, or one's own; the tries behind the original come along.

    Exit code 1: it is somebody else's and not public, or the name is taken.
    """
    from trackrecord.access.store.audit import COMMAND_LINE
    from trackrecord.catalogue.store import strategies
    from trackrecord.clock import SYSTEM_CLOCK

    with transaction(home) as cursor:
        original = meant(cursor, strategy, origin)
        found = strategies.copy(
            cursor,
            COMMAND_LINE,
            original.strategy_id,
            owner=owner,
            user_id=user_of(cursor, owner),
            name=name,
            now=SYSTEM_CLOCK.now(),
        )
    if as_json:
        answer(as_dict(found))
    else:
        show_one(found)

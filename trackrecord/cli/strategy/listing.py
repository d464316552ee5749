"""``trackrecord strategy list``: the strategies that are kept."""

from __future__ import annotations

from typing import Annotated

import typer

from trackrecord.cli.access import table_of
from trackrecord.cli.common import DEFAULT_HOME, HomeOption, InputError, JsonOption, answer, screen
from trackrecord.cli.strategy import app
from trackrecord.cli.strategy.kept import OnlyOwnerOption, as_dict, standing, transaction


@app.command("list", epilog="Example: trackrecord strategy list --status active")
def list_command(
    *,
    owner: OnlyOwnerOption = None,
    status: Annotated[
        str | None, typer.Option(help="Only those that are draft, validated, active or archived.")
    ] = None,
    search: Annotated[
        str | None, typer.Option(help="Only those with this text in their name or description.")
    ] = None,
    public: Annotated[
        bool | None, typer.Option("--public/--private", help="Only those that all may read.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="How many at most.")] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """List the strategies that are kept, the newest first."""
    from trackrecord.catalogue.life import STATUSES
    from trackrecord.catalogue.store import strategies

    chosen = next((each for each in STATUSES if each == status), None)
    if status is not None and chosen is None:
        raise InputError(f"--status is one of {', '.join(STATUSES)}, not {status}")
    with transaction(home) as cursor:
        found = strategies.listed(
            cursor, owner=owner, status=chosen, search=search, public=public, limit=limit
        )
    if as_json:
        answer([as_dict(each) for each in found])
    elif not found:
        screen.print(
            'no strategies: ask for one with `trackrecord strategy request "buy when ..."`'
        )
    else:
        table_of(
            ("id", "owner", "name", "version", "status", "symbols", "bars", "record", "made"),
            [
                (
                    each.strategy_id, each.owner, each.name, each.version, standing(each),
                    list(each.symbols[:5]), each.timeframe, each.record_name, each.created_at,
                )
                for each in found
            ],
        )  # fmt: skip

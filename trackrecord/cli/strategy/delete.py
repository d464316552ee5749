"""``trackrecord strategy delete``: a strategy is in no list any more."""

from __future__ import annotations

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, JsonOption, answer, screen
from trackrecord.cli.strategy import app
from trackrecord.cli.strategy.kept import OnlyOwnerOption, StrategyArgument, meant, transaction
from trackrecord.cli.text import printable


@app.command("delete", epilog="Example: trackrecord strategy delete cross")
def delete_command(
    strategy: StrategyArgument,
    *,
    owner: OnlyOwnerOption = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Take a strategy out of every list; one that is active is archived first.

    Its record, its log and how often it was tried stay: deleting makes nobody luckier.
    """
    from trackrecord.access.store.audit import COMMAND_LINE
    from trackrecord.catalogue.store import strategies
    from trackrecord.clock import SYSTEM_CLOCK

    with transaction(home) as cursor:
        found = meant(cursor, strategy, owner)
        strategies.delete(cursor, COMMAND_LINE, found.strategy_id, SYSTEM_CLOCK.now())
    if as_json:
        answer({"strategy_id": found.strategy_id, "deleted": True})
    else:
        screen.print(f"{printable(found.name)} is deleted; its record stays")

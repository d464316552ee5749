"""``trackrecord strategy archive``: a strategy decides no more."""

from __future__ import annotations

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, JsonOption, answer
from trackrecord.cli.strategy import app
from trackrecord.cli.strategy.kept import (
    OnlyOwnerOption,
    StrategyArgument,
    as_dict,
    meant,
    show_one,
    transaction,
)


@app.command("archive", epilog="Example: trackrecord strategy archive cross")
def archive_command(
    strategy: StrategyArgument,
    *,
    owner: OnlyOwnerOption = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Have a strategy decide no more; its positions run to their end, and its record stays.

    `strategy activate` has it go on under the same name. Exit code 1: it is archived already, or a
    draft.
    """
    from trackrecord.access.store.audit import COMMAND_LINE
    from trackrecord.catalogue.store import strategies
    from trackrecord.clock import SYSTEM_CLOCK

    with transaction(home) as cursor:
        before = meant(cursor, strategy, owner)
        now = SYSTEM_CLOCK.now()
        found = strategies.archive(cursor, COMMAND_LINE, before.strategy_id, now)
    if as_json:
        answer(as_dict(found))
    else:
        show_one(found)

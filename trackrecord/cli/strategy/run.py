"""``trackrecord strategy run``: one decision of a strategy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from trackrecord.cli.common import InputError, answer, notes
from trackrecord.cli.strategy import app

_NO: Final = 1


@app.command("run", epilog="Example: trackrecord strategy run my_strategy.py < market_data.json")
def run_command(
    file: Annotated[Path, typer.Argument(help="The strategy.")],
    *,
    as_json: Annotated[  # noqa: ARG001 - it always answers in JSON
        bool, typer.Option("--json", help="Answer in JSON, which it does anyway.")
    ] = False,
) -> None:
    """Ask a strategy for one decision, in the sandbox.

    Standard input is {"market_data": {"symbol", "timeframe", "bars": [{"time", "open", "high",
    "low", "close", "volume"}, ...], "position"?}, "strategy_params"?: {...}}. It prints the
    decision; or {"error", "message"} where there is none, with exit code 1.
    """
    from trackrecord.cli.strategy.reading import read_call, read_strategy
    from trackrecord.runtime.settings import load_settings
    from trackrecord.sandbox.from_settings import executor_of
    from trackrecord.strategies.contract import Fault
    from trackrecord.strategies.market_data import read_market_data

    code = read_strategy(file)
    given, parameters = read_call()
    read = read_market_data(given)
    if isinstance(read, str):
        raise InputError(f"standard input: {read}")
    with executor_of(load_settings()) as executor:
        found = executor.decide(code, read, parameters)
    if isinstance(found, Fault):
        answer({"error": found.code, "message": found.message})
        notes.print(f"trackrecord strategy: {file}: {found.message}")
        raise typer.Exit(_NO)
    answer(
        {
            "action": found.action,
            "confidence": found.confidence,
            "reason": found.reason,
            "metadata": found.metadata,
        }
    )

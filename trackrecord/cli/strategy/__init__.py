"""``trackrecord strategy``: from a sentence to a strategy, and what a backtest says of it."""

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="Make a strategy from a sentence, check it, run it, and judge it on bars.",
)

# Each registers its command on `app`.
from trackrecord.cli.strategy import backtest, generate, log, run, sandbox, validate  # noqa: E402

__all__ = ["app", "backtest", "generate", "log", "run", "sandbox", "validate"]

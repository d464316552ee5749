"""``trackrecord strategy``: from a sentence to a strategy, and what a backtest says of it."""

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="Make a strategy from a sentence, check it, judge it on bars, keep it and run it.",
)

# Each registers its command on `app`.
from trackrecord.cli.strategy import (  # noqa: E402
    activate,
    add,
    archive,
    backtest,
    copy,
    delete,
    generate,
    listing,
    log,
    request,
    run,
    sandbox,
    show,
    templates,
    validate,
)

__all__ = [
    "activate",
    "add",
    "app",
    "archive",
    "backtest",
    "copy",
    "delete",
    "generate",
    "listing",
    "log",
    "request",
    "run",
    "sandbox",
    "show",
    "templates",
    "validate",
]

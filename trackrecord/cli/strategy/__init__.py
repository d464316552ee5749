"""``trackrecord strategy``: from a sentence to a strategy, and what a backtest says of it."""

import typer

from trackrecord.cli.strategy import backtest

app = typer.Typer(
    no_args_is_help=True,
    help="Make a strategy from a sentence, check it, run it, and judge it on bars.",
)
app.command(
    "backtest",
    epilog="Example: trackrecord strategy backtest cross.py --bars bars.csv --html report.html",
)(backtest.backtest_command)

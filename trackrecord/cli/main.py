"""The ``trackrecord`` command."""

from __future__ import annotations

import inspect
import io
import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from rich.markup import escape

from trackrecord.cli import (
    claims,
    demo,
    dlq,
    ending,
    extract,
    keys,
    label,
    metrics,
    models,
    processes,
    psql,
    publish,
    replay,
    report,
    run_script,
    score,
    services,
    stack,
    strategy,
    train,
    users,
)
from trackrecord.cli.common import notes
from trackrecord.stages import STAGES

app = typer.Typer(
    name="trackrecord",
    help="A verified track record for trading scripts, models and strategies.",
    epilog="Begin with `trackrecord demo`, or `trackrecord up` for a stack of your own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(version("trackrecord"))
        except PackageNotFoundError:
            typer.echo("not installed: run from its folder, as in the image")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    _show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """A verified track record for trading scripts, models and strategies."""
    _name_unknown_variables(context.invoked_subcommand)


def _name_unknown_variables(command: str | None) -> None:
    """A misspelt setting is named by whatever command is run; a stage logs it itself."""
    if command == "run" or not any(name.startswith("TRACKRECORD_") for name in os.environ):
        return
    from trackrecord.runtime.settings.misspelt import unknown_variables

    for unknown in unknown_variables(os.environ):
        notes.print(f"trackrecord: {unknown}", style="yellow")


_COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "demo": (demo.demo, "trackrecord demo --serve"),
    "up": (stack.up, "trackrecord up --workers signal_tracker=2"),
    "down": (stack.down, "trackrecord down"),
    "status": (stack.status, "trackrecord status --json"),
    "restart": (processes.restart, "trackrecord restart extractor"),
    "stop": (processes.stop, "trackrecord stop trainer"),
    "start": (processes.start, "trackrecord start trainer"),
    "logs": (processes.logs, "trackrecord logs signal_tracker --follow"),
    "psql": (psql.psql, "trackrecord psql -c 'SELECT count(*) FROM signals'"),
    "run": (services.run, "trackrecord run signal_tracker"),
    "publish": (publish.publish, "trackrecord publish signals.jsonl"),
    "run-script": (
        run_script.run_script,
        "trackrecord run-script --symbol AAPL my_scanner.py --fast 20",
    ),
    "extract": (extract.extract_command, "my_scanner.py | trackrecord extract --explain"),
    "report": (report.report, "trackrecord report --strategy momentum --by day"),
    "metrics": (metrics.metrics_command, "trackrecord metrics trades.csv --starting-equity 10000"),
    "label": (label.label_command, "trackrecord label --json signals_with_bars.jsonl"),
    "score": (
        score.score_command,
        "trackrecord score signals.jsonl --bars bars.csv --model model",
    ),
    "train": (
        train.train_command,
        "trackrecord train --signals signals.jsonl --bars bars.csv --output model",
    ),
    "replay": (replay.replay, "trackrecord replay --verify"),
    "migrate": (services.migrate, "trackrecord migrate"),
    "topics": (services.topics, "trackrecord topics"),
    "settings": (services.settings, "trackrecord settings"),
}
"""Each command, and an example of it that its help ends with."""

_CONTEXT: dict[str, dict[str, Any]] = {
    # What follows is psql's.
    "psql": {"ignore_unknown_options": True, "allow_extra_args": True},
    # What follows the script's path is the script's, also what looks like an option of ours.
    "run-script": {"allow_interspersed_args": False},
}

for _name, (_function, _example) in _COMMANDS.items():
    app.command(
        _name,
        help=escape(inspect.getdoc(_function) or ""),  # brackets are JSON there, not markup
        epilog=f"Example: {_example}",
        context_settings=_CONTEXT.get(_name),
    )(_function)

# A stage's own command is the file of its name in this package, with a function `command`.
for _name in STAGES:
    if find_spec(f"trackrecord.cli.{_name}") is not None:
        app.command(_name)(import_module(f"trackrecord.cli.{_name}").command)
app.add_typer(dlq.app, name="dlq")
app.add_typer(models.app, name="models")
app.add_typer(users.app, name="users")
app.add_typer(keys.app, name="keys")
app.add_typer(claims.app, name="claims")
app.add_typer(strategy.app, name="strategy")


def main() -> None:
    """Run the command; whatever it could not do is one line on stderr and exit code 2."""
    argv = sys.argv[1:]
    if argv[:1] != ["run"]:
        # A stage has its own way to stop in good order.
        ending.stop_on_signals()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What a terminal of another encoding cannot show is no reason to show nothing.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(ending.run(lambda: _invoke(argv), argv))


def _invoke(argv: list[str]) -> None:
    """What typer's own main does, but for how it ends."""
    command = typer.main.get_command(app)
    with command.make_context("trackrecord", list(argv)) as context:
        command.invoke(context)


if __name__ == "__main__":
    main()

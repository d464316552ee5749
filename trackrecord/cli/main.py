"""The ``trackrecord`` command."""

from __future__ import annotations

import io
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from trackrecord.cli import (
    demo,
    dlq,
    ending,
    extract,
    label,
    metrics,
    models,
    publish,
    replay,
    report,
    run_script,
    score,
    services,
    stack,
    train,
)
from trackrecord.cli.common import notes

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
        typer.Option("--version", callback=_version, is_eager=True, help="Say it and end."),
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


for _name, _function in (
    ("demo", demo.demo),
    ("up", stack.up),
    ("down", stack.down),
    ("status", stack.status),
    ("run", services.run),
    ("publish", publish.publish),
    ("extract", extract.extract_command),
    ("report", report.report),
    ("metrics", metrics.metrics_command),
    ("label", label.label_command),
    ("score", score.score_command),
    ("train", train.train_command),
    ("replay", replay.replay),
    ("migrate", services.migrate),
    ("topics", services.topics),
    ("settings", services.settings),
):
    app.command(_name)(_function)
# Whatever follows the script's path is the script's, also what looks like an option of ours.
app.command("run-script", context_settings={"allow_interspersed_args": False})(
    run_script.run_script
)
app.add_typer(dlq.app, name="dlq")
app.add_typer(models.app, name="models")


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

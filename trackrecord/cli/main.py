"""The ``trackrecord`` command."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from trackrecord.cli import (
    demo,
    dlq,
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
from trackrecord.errors import TrackrecordError

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
    _show_version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Say it and end."),
    ] = False,
) -> None:
    """A verified track record for trading scripts, models and strategies."""


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
    """Run the command; an error of ours is one line on stderr and exit code 2."""
    try:
        app()
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in {"trackrecord", "services"}:
            raise
        sys.stderr.write(
            f"trackrecord: this command needs the package {error.name!r}: install "
            "'trackrecord[services,local,learning]', or use the checkout's `make setup`\n"
        )
        sys.exit(2)
    except Exception as error:
        words = words_for(error)
        if words is None:
            raise
        sys.stderr.write(f"trackrecord: {words}\n")
        sys.exit(2)


def words_for(error: Exception) -> str | None:
    """What to tell the person at the terminal; None for a mistake of the program's."""
    if isinstance(error, TrackrecordError):
        return str(error)
    source = type(error).__module__.split(".")[0]
    if source == "psycopg2":
        from trackrecord.runtime.database import classify

        return str(classify(error))  # type: ignore[arg-type]
    if source == "cimpl":
        from trackrecord.runtime.kafka import explain

        return explain(error)
    return None


if __name__ == "__main__":
    main()

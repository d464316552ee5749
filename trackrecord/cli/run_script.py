"""Running a script, and putting on record what it printed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trackrecord.cli.common import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    answer,
    environment,
    load,
    notes,
    screen,
)
from trackrecord.kafka import local_stack

if TYPE_CHECKING:
    from trackrecord.events import ScriptExecuted
    from trackrecord.publishing.run_script import Execution
    from trackrecord.runtime.settings import Settings

_DELIVERY_SECONDS = 5.0
_SIGNALLED = 128


def run_script(
    path: Annotated[Path, typer.Argument(help="The script: Python, or anything executable.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="Arguments of the script.")] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="The script's name in its record.")
    ] = None,
    symbol: Annotated[
        str | None, typer.Option("--symbol", help="The symbol that the script is about.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option("--timeout", help="How many seconds the script may run.", min=0.1),
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Run a script and publish what it printed, for the extractor to read.

    Put options of this command before the script's path; everything after the
    path is passed to the script. The broker and the home are set in the script's
    environment, so that it may use the SDK itself. If this command is interrupted
    or terminated, it ends the script and every process that the script started,
    publishes what was printed until then, and exits with 128 plus the signal's
    number. Otherwise the exit code is 0 once the output is published, whatever
    the script's own exit code was.
    """
    from trackrecord.publishing.processes import StopRequests
    from trackrecord.publishing.run_script import execute, need_script

    need_script(path)
    for_the_script = _handed_over(home)
    # Asked before it runs: without a broker it would run for nothing.
    settings = load(home, broker=True)
    _need_topic(settings)
    with StopRequests() as stop:
        run = execute(
            path,
            arguments or [],
            name=name,
            symbol=symbol,
            timeout=timeout or settings.script_timeout_seconds,
            output_limit=settings.script_output_bytes,
            environ=for_the_script,
            stop=stop,
        )
        problem = _publish(run.event, home)
    _show(run, settings, problem, as_json=as_json)
    if stop.first is not None:
        raise typer.Exit(_SIGNALLED + stop.first)
    if problem is not None:
        raise typer.Exit(2)


def _handed_over(home: Path) -> dict[str, str]:
    """The script's environment: ours, and where the broker and the home are."""
    environ = local_stack.completed(os.environ, home.absolute())
    if local_stack.DATABASE_VARIABLE not in os.environ:
        # A script publishes; what it wants to read, it asks our commands for.
        environ.pop(local_stack.DATABASE_VARIABLE, None)
    return environ


def _need_topic(settings: Settings) -> None:
    from trackrecord.events import ScriptExecuted
    from trackrecord.runtime import kafka
    from trackrecord.runtime.errors import UnreachableError

    topic = settings.topic(ScriptExecuted.event_type)
    if not kafka.partitions_of(kafka.admin(settings), [topic]):
        raise UnreachableError(
            f"the broker has no topic {topic}: make it with `trackrecord topics`"
        )


def _publish(event: ScriptExecuted, home: Path) -> str | None:
    """Publish a run; what the broker does not take stays in the spool, which is said.

    Returns:
        None, or what became of it instead.
    """
    from trackrecord.sdk import Publisher

    environ = environment(home)
    if not home.is_dir():
        environ.pop(local_stack.HOME_VARIABLE, None)  # nothing was kept there so far
    with Publisher(event.script, environ=environ) as publisher:
        publisher.publish(event)
        publisher.close(_DELIVERY_SECONDS)
    stats = publisher.stats
    if stats.delivered:
        return None
    if stats.rejected:
        return f"the broker refuses it ({stats.last_error})"
    return f"it waits in {publisher.spool_dir} for the next run of a script or the next publisher"


def _show(run: Execution, settings: Settings, problem: str | None, *, as_json: bool) -> None:
    from trackrecord.publishing.run_script import how_it_ended

    event = run.event
    seconds = (event.finished_at - event.started_at).total_seconds()
    if as_json:
        answer(
            {
                **json.loads(event.to_json()),
                "seconds": seconds,
                "bytes_cut": run.bytes_cut,
                "ended_early": run.ended_early,
                "published": problem is None,
            }
        )
    else:
        screen.print(event.output, markup=False, end="")
    words = [f"{event.script}: {how_it_ended(event.exit_code)} after {seconds:.1f} s"]
    if run.ended_early:
        words.append(f"ended {run.ended_early}")
    if run.bytes_cut:
        words.append(
            f"{run.bytes_cut:,} bytes of its output were cut (TRACKRECORD_SCRIPT_OUTPUT_BYTES is "
            f"{settings.script_output_bytes})"
        )
    words.append(
        f"published as {event.execution_id}"
        if problem is None
        else f"NOT published as {event.execution_id}: {problem}"
    )
    if not as_json or run.ended_early or run.bytes_cut or problem:
        notes.print("; ".join(words), markup=False, soft_wrap=True)

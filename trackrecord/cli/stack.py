"""The local stack: up, down, status."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from trackrecord.cli.changes import Asked, change
from trackrecord.cli.common import (
    DEFAULT_HOME,
    HomeOption,
    JsonOption,
    answer,
    load,
    notes,
    screen,
)
from trackrecord.cli.ending import if_stopped
from trackrecord.cli.text import printable

if TYPE_CHECKING:
    from trackrecord.local.state import StackState, StageSpec


def specs(workers: dict[str, int], *, api: bool = True) -> tuple[list[Any], list[list[str]]]:
    """What a stack runs: the stages, the HTTP API, and the commands that prepare for them.

    What lacks its packages is left out, and said to be.

    Args:
        workers: How many processes of a stage, by its name; one of those that are not named.
        api: Whether the API is wanted.
    """
    from services import STAGES, lacking
    from trackrecord.local.state import StageSpec

    absent = {stage: missing for stage in STAGES if (missing := lacking(stage))}
    for stage, missing in absent.items():
        if workers.get(stage, 1):
            notes.print(
                f"{stage} is left out: it needs {', '.join(missing)}; install "
                "'trackrecord[learning]'",
                style="yellow",
                markup=False,
            )

    command = [sys.executable, "-m", "trackrecord.cli.main"]
    stages = [
        StageSpec(name=stage, workers=workers.get(stage, 1), argv=[*command, "run", stage])
        for stage in STAGES
        if workers.get(stage, 1) and stage not in absent
    ]
    served = _api(command) if api else []
    migrate = [*command, "migrate", *(["--local-access"] if served else [])]
    return [*stages, *served], [migrate, [*command, "topics"]]


def _api(command: list[str]) -> list[StageSpec]:
    """The process of the HTTP API, where its packages are installed."""
    from importlib.util import find_spec

    from trackrecord.local.state import API, StageSpec

    needed = ("argon2", "fastapi", "jwt", "orjson", "python_multipart", "uvicorn")
    if missing := [name for name in needed if find_spec(name) is None]:
        notes.print(
            f"the API is left out: it needs {', '.join(missing)}; install 'trackrecord[api]'",
            style="yellow",
            markup=False,
        )
        return []
    only_here = {"TRACKRECORD_API_HOST": "127.0.0.1"}
    return [StageSpec(API, 1, [*command, "run", API], only_here, "TRACKRECORD_API_PORT")]


def _workers(named: list[str] | None) -> dict[str, int]:
    from services import STAGES

    result: dict[str, int] = {}
    for text in named or []:
        stage, _, count = text.partition("=")
        if stage not in STAGES or not count.isdecimal():
            raise typer.BadParameter(
                f"--workers takes stage=number, with a stage of {', '.join(STAGES)}"
            )
        result[stage] = int(count)
    return result


def up(
    workers: Annotated[
        list[str] | None,
        typer.Option(
            "--workers",
            help="How many processes to run of a stage, as stage=number; may be "
            "repeated; 0 leaves a stage out.",
        ),
    ] = None,
    restart: Annotated[
        bool | None,
        typer.Option(
            "--restart/--no-restart",
            help="Restart processes that die, with growing pauses. (default: restart)",
            show_default=False,
        ),
    ] = None,
    kafka_port: Annotated[
        int | None,
        typer.Option("--kafka-port", min=1, max=65535, help="Kafka's port; by default a free one."),
    ] = None,
    postgres_port: Annotated[
        int | None,
        typer.Option(
            "--postgres-port", min=1, max=65535, help="Postgres's port; by default a free one."
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", min=1, help="How many seconds each part may take to start or stop."
        ),
    ] = 60.0,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Start Kafka, Postgres and all stages here, and return when all is healthy.

    Everything listens on the loopback address only and keeps its state in one
    folder. If the stack of that folder already runs, --workers and --no-restart
    change it while it runs, and parts that are down are started. A port cannot
    be changed while it runs: that is refused.
    """
    from trackrecord.local.stack import Stack

    wanted = _workers(workers)
    running = Stack.read_state(home)
    if running is not None and not running.ending:
        asked = Asked(
            wanted, restart, {"kafka": kafka_port, "postgres": postgres_port},
            load(home).topic_prefix,
        )  # fmt: skip
        show(change(home, asked, specs(wanted)[0], timeout), home, as_json)
        return
    stages, prepare = specs(wanted)
    with if_stopped(lambda: "what was started is stopped again; its data stays"):
        state = Stack.up(
            home,
            stages,
            prepare,
            restart=restart is not False,
            kafka_port=kafka_port,
            postgres_port=postgres_port,
            topic_prefix=load(home).topic_prefix,
            timeout=timeout,
            on_progress=lambda line: notes.print(line, style="dim", markup=False),
        )
    show(state, home, as_json)


def down(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Stop the stack; its data stays."""
    from trackrecord.local.stack import Stack

    stopped = Stack.down(home)
    if as_json:
        answer({"stopped": stopped})
    else:
        screen.print("stopped" if stopped else f"nothing runs under {home}")


def status(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Show what runs, whether it is healthy, and how far behind it is; exit code 1 if unhealthy."""
    from trackrecord.local.stack import Stack

    state = Stack.read_state(home)
    if state is None:
        if as_json:
            answer({"healthy": False, "kafka": None, "database_url": None, "api": None,
                    "credentials_file": None, "processes": []})  # fmt: skip
        else:
            screen.print(f"nothing runs under {home}: start it with `trackrecord up`")
        raise typer.Exit(1)
    if not show(state, home, as_json):
        raise typer.Exit(1)


def show(state: StackState, home: Path, as_json: bool) -> bool:
    """Print how each process of a stack is doing; returns whether all are well."""
    from trackrecord.cli.stack_status import lags, why_not
    from trackrecord.redaction import hide_secrets

    behind = lags(state, load(home))
    credentials = _credentials(state, home)
    processes = [
        {
            "stage": process.stage,
            "instance": process.instance,
            "pid": process.pid,
            "healthy": process.healthy,
            "state": process.state,
            "why": why_not(process, behind.told.get((process.stage, process.instance))),
            "restarts": process.restarts,
            "lag": behind.of(process.stage, process.instance),
            **_counted(behind.told.get((process.stage, process.instance))),
            "metrics_url": process.metrics_url,
            "log": process.log,
        }
        for process in state.processes
    ]
    if as_json:
        answer(
            {
                "healthy": state.healthy,
                "kafka": state.kafka,
                "database_url": hide_secrets(state.database_url),
                "api": state.api,
                "credentials_file": credentials,
                "lag": behind.total,
                "outbox_pending": behind.outbox,
                "dead_letters": behind.dead_letters,
                "dead_letters_dismissed": behind.dismissed,
                "dead_letters_by_reason": behind.refused,
                "processes": processes,
            }
        )
        return state.healthy
    screen.print(_table(processes))
    for each in processes:
        if each["why"]:
            screen.print(f"{each['stage']}/{each['instance']} is {each['state']}: {each['why']}")
    screen.print(f"Kafka     {state.kafka}")
    screen.print(f"Postgres  {hide_secrets(state.database_url)}", markup=False)
    if state.api:
        screen.print(f"API       {state.api}  (paths: {state.api}/api/v1/openapi.json)")
    if credentials:
        screen.print(f"log in    with the name and password in {credentials}")
    screen.print(f"state     {home}  (logs in {home}/logs)")
    if behind.dead_letters or behind.dismissed:
        word = "dead letter" if behind.dead_letters == 1 else "dead letters"
        apart = f", and {behind.dismissed:,} dismissed" if behind.dismissed else ""
        screen.print(f"{behind.dead_letters or 0:,} {word}{apart}: see `trackrecord dlq list`")
        for each in behind.refused:
            screen.print(
                f"  {each['count']:,} x {each['error_class']} from {each['topic']}, by "
                f"{each['stage']}; the latest: {printable(each['reason'][:100])}"
            )
    return state.healthy


def _credentials(state: StackState, home: Path) -> str | None:
    """Where the first admin's name and password are, where there is an API to log in to."""
    from trackrecord.local.layout import Home

    file = Home.at(home).credentials
    return str(file) if state.api and file.is_file() else None


def _counted(told: dict[str, Any] | None) -> dict[str, Any]:
    """What a stage's process has counted since it started; nothing for Kafka and Postgres."""
    if told is None:
        return {}
    return {
        "last_commit_age": told.get("last_commit_age"),
        "retries": told.get("retries"),
        "fenced": told.get("fenced"),
        "dead_letters": told.get("dead_letters"),
    }


def _table(processes: list[dict[str, Any]]) -> Table:
    table = Table(box=None, header_style="bold")
    for name in ("process", "state", "pid", "lag", "committed", "retries", "fenced", "refused",
                 "restarts", "metrics"):  # fmt: skip
        table.add_column(name)
    for each in processes:
        age, refused = each.get("last_commit_age"), each.get("dead_letters")
        table.add_row(
            f"{each['stage']}/{each['instance']}",
            str(each["state"]),
            str(each["pid"] or "-"),
            _number(each["lag"]),
            "-" if age is None else f"{age:,.0f} s ago",
            _number(each.get("retries")),
            _number(each.get("fenced")),
            _number(None if refused is None else sum(refused.values())),
            str(each["restarts"]),
            str(each["metrics_url"] or ""),
            style=None if each["healthy"] else "red",
        )
    return table


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"

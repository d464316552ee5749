"""The demo: real scripts and strategies on real prices, through the real pipeline."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from trackrecord.cli.common import DEFAULT_HOME, HomeOption, JsonOption, answer, notes, screen
from trackrecord.runtime.errors import FatalError

if TYPE_CHECKING:
    from trackrecord.events import MarketBar, ScriptExecuted
    from trackrecord.local.state import StackState
    from trackrecord.runtime.settings import Settings

_FROM, _WARM, _TO = date(2010, 1, 4), date(2011, 1, 3), date(2013, 3, 1)
_ENDED = datetime(_TO.year, _TO.month, _TO.day, tzinfo=UTC) + timedelta(days=1)
_SESSIONS_BETWEEN_RUNS = 10
_SCRIPTS = ("stock_analyzer_v1", "btst_analyzer", "momentum_trader", "sector_rotation")
_STRATEGIES = ("moving_average_cross", "mean_reversion")
_SETTLE_SECONDS = 60.0


def demo(
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Keep everything running at the end.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Watch real scripts and strategies run on real prices, and read the record of each.

    Starts Kafka (or a mock broker where its jars cannot be had), Postgres
    and all stages in a folder of its own, plays two
    years of daily bars of five US shares, runs four scripts every ten sessions
    of that time and two strategies over all of it, and prints what each said
    and what it came to. Every number is computed from what happens in it.
    """
    from trackrecord.local.stack import Stack

    started = time.monotonic()
    place = home / "demo"
    Stack.down(place)
    shutil.rmtree(place, ignore_errors=True)
    state = _start(place)
    try:
        report = _play(place, state, show=not as_json)
        report["seconds"] = round(time.monotonic() - started, 1)
        if as_json:
            answer(report)
        else:
            _show(report, place, serve)
        if serve:
            _wait()
    finally:
        Stack.down(place)


def _start(place: Path) -> StackState:
    from trackrecord.cli.stack import specs
    from trackrecord.local.errors import PartsUnavailable
    from trackrecord.local.parts import ensure_parts
    from trackrecord.local.stack import Stack

    def say(line: str) -> None:
        notes.print(line, style="dim", markup=False)

    broker = "kafka"
    try:
        ensure_parts(say)
    except PartsUnavailable as error:
        broker = "mock"
        reason = " ".join(error.reason.split())
        notes.print(
            f"Kafka's jars cannot be had ({reason}): using librdkafka's mock broker instead; "
            "nothing is kept when it ends, and it does not survive a crash as Kafka does",
            style="yellow",
            markup=False,
            soft_wrap=True,  # one line, however wide the terminal
        )
    stages, prepare = specs({})
    return Stack.up(place, stages, prepare, end_with_caller=True, broker=broker, on_progress=say)


def _play(place: Path, state: StackState, *, show: bool) -> dict[str, Any]:
    from trackrecord.cli.lag import lags
    from trackrecord.local.demo_data import SYMBOLS, daily_bars, write_csv
    from trackrecord.runtime.outcome_records import read_outcomes, read_verdicts
    from trackrecord.runtime.records import read_report
    from trackrecord.runtime.script_records import read_scripts
    from trackrecord.runtime.send import send
    from trackrecord.runtime.settings import load_settings

    settings = load_settings(
        {
            "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": state.kafka,
            "DATABASE_URL": state.database_url,
            "TRACKRECORD_HOME": str(place),
        }
    )
    bars = daily_bars(_FROM, _TO)
    csv = place / "bars.csv"
    write_csv(bars, csv)
    columns = (TextColumn("{task.description:34}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=notes, disable=not show) as bar:
        task = bar.add_task("playing daily bars through Kafka", total=len(bars))
        strategies = _start_strategies(settings, place, SYMBOLS)
        for start in range(0, len(bars), 1000):
            send(settings, [(each, None) for each in bars[start : start + 1000]], source="/demo")
            bar.update(task, completed=min(start + 1000, len(bars)))
        runs = _script_runs(bars)
        task = bar.add_task("running scripts", total=len(runs))
        _run_scripts(settings, csv, runs, lambda: bar.advance(task))
        task = bar.add_task("waiting for strategies", total=len(strategies))
        for name, process in strategies.items():
            if process.wait(_SETTLE_SECONDS):
                raise FatalError(f"the strategy {name} failed: see {place}/logs/{name}.log")
            bar.advance(task)
        task = bar.add_task("waiting for the stages to catch up", total=1)
        _settle(settings, state, lags)
        bar.advance(task)
    behind = lags(state, settings)
    return {
        "seconds": 0.0,
        "events": _events(settings),
        "stages": {
            process.stage: {
                "healthy": process.healthy,
                "lag": behind.of(process.stage, process.instance),
                "dead_letters": behind.dead_letters,
            }
            for process in state.stages
        },
        "scripts": read_scripts(settings),
        # As of the last bar played: years without a trade since then are none of theirs.
        "strategies": read_report(settings, as_of=_ENDED).records,
        "outcomes": read_outcomes(settings).get(settings.outcome_policy, {}),
        "verdicts": read_verdicts(settings),
        "urls": {process.label: process.metrics_url for process in state.stages},
    }


def _start_strategies(
    settings: Settings, place: Path, symbols: tuple[str, ...]
) -> dict[str, subprocess.Popen[bytes]]:
    import os

    environ = {
        **os.environ,
        "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "TRACKRECORD_HOME": str(place),
    }
    processes = {}
    for name in _STRATEGIES:
        with (place / "logs" / f"{name}.log").open("wb") as log:
            processes[name] = subprocess.Popen(
                [sys.executable, str(_examples() / "strategies" / f"{name}.py"),
                 "--symbols", *symbols, "--until", _TO.isoformat()],
                env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
    return processes


def _script_runs(bars: list[MarketBar]) -> list[tuple[str, datetime]]:
    """Which script runs after which session's close: each every ten sessions, taking turns."""
    closes = sorted({bar.closed_at for bar in bars if bar.closed_at.date() >= _WARM})
    step = _SESSIONS_BETWEEN_RUNS // len(_SCRIPTS)
    return sorted(
        (
            (script, close)
            for number, script in enumerate(_SCRIPTS)
            for close in closes[number * step :: _SESSIONS_BETWEEN_RUNS]
        ),
        key=lambda run: (run[1], run[0]),
    )


def _run_scripts(
    settings: Settings,
    csv: Path,
    runs: list[tuple[str, datetime]],
    advance: Callable[[], None],
) -> None:
    """Run scripts as processes, each as it would have run after the close that it is asked about.

    The run is dated to that close, so that what a script says stands beside the
    prices that it knew; the broker's own time shows that it was played later.
    """
    from trackrecord.runtime.scripts import execute
    from trackrecord.runtime.send import send

    def one(run: tuple[str, datetime]) -> ScriptExecuted:
        script, close = run
        day = close.date().isoformat()
        event = execute(
            _examples() / "scripts" / f"{script}.py",
            ["--bars", str(csv), "--as-of", day],
            timeout=settings.script_timeout_seconds,
            output_limit=settings.script_output_bytes,
        )
        advance()
        played = {
            "started_at": close,
            "finished_at": close + (event.finished_at - event.started_at),
        }
        return event.model_copy(update={**played, "parameters": {"as_of": day}})

    with ThreadPoolExecutor(2) as pool:
        events = list(pool.map(one, runs))
    send(settings, [(event, None) for event in events], source="/demo")


def _settle(settings: Settings, state: StackState, lags: Any) -> None:
    until = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < until:
        behind = lags(state, settings)
        if not any(behind.total.values()) and not behind.outbox:
            return
        time.sleep(0.2)
    raise FatalError("the stages did not catch up: see the logs")


def _events(settings: Settings) -> dict[str, int]:
    from trackrecord.events.topics import TOPICS
    from trackrecord.runtime import kafka

    client = kafka.admin(settings)
    places = kafka.partitions_of(client, [settings.topic(name) for name in TOPICS])
    counts: dict[str, int] = {}
    for (topic, _), end in kafka.end_offsets(client, places).items():
        counts[topic] = counts.get(topic, 0) + end
    return {topic: count for topic, count in counts.items() if count}


def _examples() -> Path:
    from trackrecord.runtime.migrate import migrations_folder

    return migrations_folder().parent / "examples"


def _show(report: dict[str, Any], place: Path, serve: bool) -> None:
    from trackrecord.cli.report import (
        outcomes_table,
        scripts_table,
        strategies_table,
        what_it_rests_on,
    )

    screen.print("\nWhat the scripts said, and what they say they earned\n", style="bold")
    screen.print(scripts_table(report["scripts"]))
    screen.print("\nWhat the strategies earned, net of fees\n", style="bold")
    screen.print(strategies_table(report["strategies"]))
    screen.print(what_it_rests_on(report["strategies"]), style="dim")
    screen.print(
        "\nWhat the market answered, on the bars that followed each signal\n", style="bold"
    )
    screen.print(outcomes_table(report["outcomes"]))
    if set(report["verdicts"]) == {"none"}:
        screen.print(
            "No model judged these signals: there are too few outcomes here to train one that must "
            "be better beyond noise. docs/learning.md says how.",
            style="dim",
        )
    events = ", ".join(f"{count:,} {topic}" for topic, count in report["events"].items())
    screen.print(f"\n{events} in {report['seconds']} s")
    if serve:
        screen.print(f"still running: try `trackrecord report --by symbol --home {place}`,")
        screen.print(f"`trackrecord status --home {place}`; Ctrl-C ends it")
    else:
        screen.print("next: `trackrecord demo --serve` keeps it running to look around;")
        screen.print("`trackrecord up` starts a stack of your own, and `trackrecord run-script`")
        screen.print("or the SDK (docs/sdk.md) puts your scripts and strategies on record")


def _wait() -> None:
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        notes.print("stopping")

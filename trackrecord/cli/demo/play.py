"""What happens in the demo: bars, strategies and scripts, and a training in between."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from trackrecord.cli.common import notes
from trackrecord.cli.demo.sentence import STAGES, FromSentence, put_to_work
from trackrecord.runtime.errors import FatalError

if TYPE_CHECKING:
    from trackrecord.events import MarketBar, ScriptExecuted
    from trackrecord.local.state import StackState
    from trackrecord.runtime.settings import Settings

_HISTORY, _LEARN, _CUT = date(2005, 1, 3), date(2006, 1, 3), date(2009, 12, 31)
"""The bars that are learnt from, the first session of a signal, and the last that is known."""

_FROM, _WARM, _TO = date(2010, 1, 4), date(2011, 1, 3), date(2013, 3, 1)
_ENDED = datetime(_TO.year, _TO.month, _TO.day, tzinfo=UTC) + timedelta(days=1)
_SESSIONS_BETWEEN_RUNS = 10
_SCRIPTS = ("stock_analyzer_v1", "btst_analyzer", "momentum_trader", "sector_rotation")
_LEARNT_FROM = "brackets"
_STRATEGIES = ("moving_average_cross", "mean_reversion", _LEARNT_FROM)
_TRAINING = {"seed": 0, "budget_seconds": 0, "trials": 1}
_SETTLE_SECONDS = 60.0
_TRAINING_SECONDS = 180.0
_GLANCE = 0.2


def play(place: Path, state: StackState, *, show: bool) -> dict[str, Any]:
    """Play all of it, and read what it came to.

    Args:
        place: The stack's folder.
        state: The stack, which runs.
        show: Whether progress is shown.

    Raises:
        FatalError: A strategy failed, or something does not get done in time.
    """
    from trackrecord.local.demo_data import daily_bars, write_csv
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
    with Progress(*columns, console=notes, disable=not show) as shown:
        stage = _Stage(settings, place, state, shown)
        # A script knows what its file holds up to its day, so it can run at any time.
        with _scripts(settings, csv, bars) as executed:
            running = {each.stage for each in state.stages}
            symbols = tuple(sorted({bar.symbol for bar in bars}))
            training = stage.learn() if "trainer" in running else None
            sentence = stage.from_sentence(symbols) if running >= STAGES else None
            stage.play(bars)
            strategies = stage.start(_STRATEGIES, symbols, _FROM, _TO)
            stage.publish(executed)
            stage.await_strategies(strategies)
        stage.settle()
    return {
        **_read(settings, state),
        "training": training,
        "sentence": None if sentence is None else sentence.as_json(),
    }


class _Stage:
    """Where it is played: the stack, and a bar for each thing that takes a while."""

    def __init__(self, settings: Settings, place: Path, state: StackState, shown: Progress) -> None:
        self._settings = settings
        self._place = place
        self._state = state
        self._shown = shown

    def learn(self) -> dict[str, Any]:
        """Play the time before to one strategy, and have the trainer learn from its outcomes.

        Nothing later is on the topics yet, so whatever the model says of what comes, it cannot
        have seen it.
        """
        from trackrecord.local.demo_data import daily_bars

        bars = daily_bars(_HISTORY, _CUT)
        self.play(bars)
        symbols = tuple(sorted({bar.symbol for bar in bars}))
        self.await_strategies(self.start([_LEARNT_FROM], symbols, _LEARN, _CUT))
        self.settle()
        return self._train()

    def _train(self) -> dict[str, Any]:
        from trackrecord.cli.train.stored import request
        from trackrecord.reports.models import read_training

        task = self._shown.add_task("training a model", total=1)
        training_id = request(self._settings, _TRAINING)["training_id"]
        until = time.monotonic() + _TRAINING_SECONDS
        while time.monotonic() < until:
            ended = read_training(self._settings, training_id)
            if ended is not None:
                self._shown.advance(task)
                return ended
            time.sleep(_GLANCE)
        raise FatalError(f"the training did not end: see {self._place}/logs")

    def from_sentence(self, symbols: Sequence[str]) -> FromSentence:
        """Have a sentence made a strategy, and put it to work before the next bars come."""
        task = self._shown.add_task("making a strategy of a sentence", total=1)
        made = put_to_work(self._settings, symbols)
        self._shown.advance(task)
        return made

    def play(self, bars: Sequence[MarketBar]) -> None:
        """Publish bars, and wait until they are known before anything is said of them."""
        from trackrecord.publishing.send import send

        years = f"{bars[0].opened_at:%Y} to {bars[-1].opened_at:%Y}"
        task = self._shown.add_task(f"playing the bars of {years}", total=len(bars))
        for start in range(0, len(bars), 1000):
            events = [(each, None) for each in bars[start : start + 1000]]
            send(self._settings, events, source="/demo")
            self._shown.update(task, completed=start + len(events))
        self.settle()

    def start(
        self, names: Sequence[str], symbols: Sequence[str], since: date, until: date
    ) -> dict[str, subprocess.Popen[bytes]]:
        """Start strategies as processes."""
        from trackrecord.local.environment import for_the_stack

        environ = {
            **for_the_stack(),
            "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": self._settings.kafka_bootstrap_servers,
            "TRACKRECORD_HOME": str(self._place),
        }
        processes = {}
        for name in names:
            with (self._place / "logs" / f"{name}.log").open("ab") as log:
                processes[name] = subprocess.Popen(
                    [sys.executable, str(_examples() / "strategies" / f"{name}.py"), "--symbols",
                     *symbols, "--since", since.isoformat(), "--until", until.isoformat()],
                    env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                )  # fmt: skip
        return processes

    def await_strategies(self, processes: dict[str, subprocess.Popen[bytes]]) -> None:
        """Wait until each has published all that it has to say."""
        task = self._shown.add_task("waiting for strategies", total=len(processes))
        for name, process in processes.items():
            if process.wait(_SETTLE_SECONDS):
                raise FatalError(f"the strategy {name} failed: see {self._place}/logs/{name}.log")
            self._shown.advance(task)

    def publish(self, executed: Sequence[Future[ScriptExecuted]]) -> None:
        """Publish what scripts printed, in the order of the days that they were asked about."""
        from trackrecord.publishing.send import send

        task = self._shown.add_task("running scripts", total=len(executed))
        events = []
        for each in executed:
            events.append((each.result(), None))
            self._shown.advance(task)
        send(self._settings, events, source="/demo")

    def settle(self) -> None:
        """Wait until every event has had its effect."""
        from trackrecord.cli.stack_status import lags

        until = time.monotonic() + _SETTLE_SECONDS
        while time.monotonic() < until:
            behind = lags(self._state, self._settings)
            if behind.total and not any(behind.total.values()) and not behind.outbox:
                return
            time.sleep(_GLANCE)
        raise FatalError(f"the stages did not catch up: see {self._place}/logs")


@contextmanager
def _scripts(
    settings: Settings, csv: Path, bars: Sequence[MarketBar]
) -> Iterator[list[Future[ScriptExecuted]]]:
    """Run scripts as processes, each as it would have run after the close that it is asked about.

    The run is dated to that close, so that what a script says stands beside the
    prices that it knew; the broker's own time shows that it was played later.
    """
    from trackrecord.publishing.run_script import execute

    def one(script: str, close: datetime) -> ScriptExecuted:
        day = close.date().isoformat()
        event = execute(
            _examples() / "scripts" / f"{script}.py",
            ["--bars", str(csv), "--as-of", day],
            timeout=settings.script_timeout_seconds,
            output_limit=settings.script_output_bytes,
        ).event
        played = {
            "started_at": close,
            "finished_at": close + (event.finished_at - event.started_at),
        }
        return event.model_copy(update={**played, "parameters": {"as_of": day}})

    pool = ThreadPoolExecutor(2)
    try:
        yield [pool.submit(one, *run) for run in _script_runs(bars)]
    finally:
        pool.shutdown(cancel_futures=True)


def _script_runs(bars: Sequence[MarketBar]) -> list[tuple[str, datetime]]:
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


def _read(settings: Settings, state: StackState) -> dict[str, Any]:
    """What all of it came to."""
    from trackrecord.cli.stack_status import lags
    from trackrecord.reports.outcomes import read_outcomes, read_verdicts
    from trackrecord.reports.scripts import read_scripts
    from trackrecord.reports.strategies import read_report

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
        "calibration": _calibration(settings, state),
        "urls": {process.label: process.metrics_url for process in state.stages},
    }


def _calibration(settings: Settings, state: StackState) -> dict[str, Any] | None:
    if "trainer" not in {process.stage for process in state.stages}:
        return None
    from trackrecord.reports.models import read_calibration

    return read_calibration(settings)


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
    from trackrecord.runtime.tables_version import migrations_folder

    return migrations_folder().parent / "examples"

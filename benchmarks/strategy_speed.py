"""How long a backtest takes, beside backtesting.py and vectorbt, each in an environment of its own.

The five symbols of the demo (12,154 daily bars): averages of 20 and 50 closes that cross, a stop of
5 %, costs. Ours as a rule, once for what the peers are asked for too (trades, equity, return,
Sharpe ratio) and once with prices and money in decimals and every number that is reported, but
intervals by the bootstrap; its code in the sandbox, whose workers' seconds are in the wall's only;
and 1,000 sets of parameters. Seconds are the processor's, as the machine may be shared; peers are
warm, and what is compiled or imported first is not counted. Where the registry is away, a peer is
left out by name.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import result
from trackrecord.cli.strategy.bar_file import read_history
from trackrecord.local.demo_data import daily_bars, write_csv
from trackrecord.local.parts import cache_folder
from trackrecord.sandbox.monty import MontyExecutor
from trackrecord.strategies.drive import Code, Strategy, Stretch
from trackrecord.strategies.history import History
from trackrecord.strategies.record import Curve, annual_sharpe, numbers_of, record_of
from trackrecord.strategies.rule_answers import columnar
from trackrecord.strategies.rules.canonical import finished
from trackrecord.strategies.rules.code import code
from trackrecord.strategies.rules.model import Cross, Field, Indicator, Percent, Rule
from trackrecord.strategies.rules.parameters import with_parameters
from trackrecord.strategies.trades import by_session, earned_by_bar
from trackrecord.strategies.walk import in_sample

RUNS: Final = 5
SEED: Final = 7
SETS: Final = 1_000
PEERS: Final = {"backtesting": "backtesting==0.6.6", "vectorbt": "vectorbt==1.2.0"}
_SECONDS: Final = 900.0
_RULE_SECONDS: Final = 0.05
_SETS_SECONDS: Final = 5.0


def average(days: int) -> Indicator:
    """The simple one of closes."""
    return Indicator("sma", (days,), Field("close"))


RULE: Final = finished(
    Rule(
        entry=Cross(average(20), "above", average(50)),
        exit=Cross(average(20), "below", average(50)),
        stop=Percent(5.0),
    )
)


def run() -> dict[str, Any]:
    """Measure all of it."""
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        bars = Path(folder) / "bars.csv"
        write_csv(daily_bars(date(2000, 1, 1), date(2013, 12, 31)), bars)
        history, _ = read_history(bars)
        runs += _ours(history)
        for peer, package in PEERS.items():
            runs += _peer(peer, package, bars)
    outcome = result("strategy_speed", SEED, runs, "rule", "cpu_seconds", more_is_better=False)
    median = outcome["median"]
    limits = {
        "a rule, exact, all numbers, five symbols: seconds": (
            "rule, exact, all numbers",
            _RULE_SECONDS,
        ),
        "1,000 sets of parameters: seconds": ("rule, 1,000 sets", _SETS_SECONDS),
    }
    outcome["targets"] = {}
    for name, (way, limit) in limits.items():
        value = median[way]["cpu_seconds"]
        outcome["targets"][name] = {"target": limit, "value": value, "met": value <= limit}
    return outcome


def _ours(history: History) -> list[dict[str, Any]]:
    first = int(history.sessions[0])

    def whole(strategy: Strategy) -> int:
        trades = strategy.trades(history, [Stretch(first, {})])
        numbers_of(record_of(history, trades, first), 252.0, tries=1)
        return sum(trade.outcome != "void" for trade in trades)

    def as_rule() -> int:
        strategy = columnar(lambda values: with_parameters(RULE, values), {})
        trips = strategy.trips(history, Stretch(first, {}))
        earned = {
            name: earned_by_bar(history.series[name], each, 0.001) for name, each in trips.items()
        }
        curve = Curve.of(history.sessions, by_session(history, earned, first))
        assert curve.total > 0  # noqa: S101 - as the peers find, too
        assert annual_sharpe(curve, 252.0) is not None  # noqa: S101
        return sum(len(each.direction) for each in trips.values())

    def as_rule_exactly() -> int:
        return whole(columnar(lambda values: with_parameters(RULE, values), {}))

    def sets() -> int:
        draw = random.Random(SEED)
        strategy = columnar(lambda values: with_parameters(RULE, values), {})
        for _ in range(SETS):
            parameters = {
                "sma_fast": draw.randint(2, 40),
                "sma_slow": draw.randint(20, 100),
                "stop_percent": draw.uniform(1, 20),
            }
            in_sample(strategy, history, parameters, 0.001)
        return SETS

    runs = _timed("rule", as_rule)
    runs += _timed("rule, exact, all numbers", as_rule_exactly)
    runs += _timed("rule, 1,000 sets", sets, times=3)
    with MontyExecutor() as executor:
        runs += _timed(
            "code in the sandbox", lambda: whole(Code(executor, code(RULE), "long")), times=3
        )
    return runs


def _timed(way: str, work: Callable[[], int], times: int = RUNS) -> list[dict[str, Any]]:
    began = time.process_time()
    work()
    first = time.process_time() - began
    runs = []
    for _ in range(times):
        began, wall = time.process_time(), time.perf_counter()
        trades = work()
        runs.append(
            {
                "way": way,
                "cpu_seconds": time.process_time() - began,
                "wall_seconds": time.perf_counter() - wall,
                "first_cpu_seconds": first,
                "trades": trades,
            }
        )
    return runs


def _peer(peer: str, package: str, bars: Path) -> list[dict[str, Any]]:
    folder = cache_folder() / f"peer-{package}"
    python = folder / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    try:
        if not (folder / "whole").exists():
            _step([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
            _step([*uv, "pip", "install", "--quiet", "--python", str(python), package])
            (folder / "whole").touch()
        script = Path(__file__).with_name("strategy_peers.py")
        told = _step([str(python), str(script), peer, str(bars), str(RUNS)])
    except (OSError, subprocess.SubprocessError) as error:
        words = getattr(error, "stderr", None) or str(error)
        print(f"{package} is left out: {words.strip().splitlines()[-1]}", file=sys.stderr)
        return []
    return [{"way": package, **json.loads(line)} for line in told.splitlines()]


def _step(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True)
    return done.stdout

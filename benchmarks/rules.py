"""How long a sentence and a rule take: ``make bench`` writes ``benchmarks/results/rules.json``.

Processor time, on one core. The sentences are those of the tests, in every wording; the bars
those of the demo's five symbols. ``evaluate`` is what a rule decides on every bar, without the fold
that trades it.
"""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
import yaml

from benchmarks.harness import result
from trackrecord.cli.strategy.generate import laboratory
from trackrecord.local.demo_data import daily_bars
from trackrecord.strategies.generate import generate
from trackrecord.strategies.rules import Columns, Rule, Series, evaluate
from trackrecord.strategies.rules.parameters import with_parameters
from trackrecord.strategies.sentences import read

SEED: Final = 22
RUNS: Final = 1
REPEATS: Final = 3
SENTENCES: Final = Path(__file__).parent.parent / "tests/unit/strategies/sentences.yaml"
CROSS: Final = (
    "buy when the 20 day average crosses above the 50 day average, sell when it crosses back "
    "below, stop 5 %"
)
RSI: Final = "buy when RSI(14) drops under 30, exit when RSI is over 70"
PAIRS: Final = [(fast, slow) for fast in range(5, 37) for slow in range(37, 69)][:1_000]


def five_symbols() -> dict[str, Columns]:
    """The demo's bars."""
    rows: dict[str, list[Any]] = defaultdict(list)
    for bar in daily_bars(date(2000, 1, 1), date(2013, 12, 31)):
        rows[bar.symbol].append(bar)
    found = {}
    for symbol, bars in rows.items():
        times = np.array(
            [bar.opened_at.replace(tzinfo=None) for bar in bars], dtype="datetime64[s]"
        )
        numbers = [
            np.array([float(getattr(bar, name)) for bar in bars])
            for name in ("open", "high", "low", "close", "volume")
        ]
        found[symbol] = Columns.of(times, *numbers)
    return found


def _rule(sentence: str) -> Rule:
    rule = read(sentence).rule
    assert rule is not None  # noqa: S101 - these two are read in the tests
    return rule


def run() -> dict[str, Any]:
    """Measure everything."""
    sentences = [
        text for entry in yaml.safe_load(SENTENCES.read_text("utf-8")) for text in entry["wordings"]
    ]
    symbols = five_symbols()
    runs: list[dict[str, Any]] = []
    for _ in range(RUNS):
        runs += _sentences(sentences)
        runs += _rules(symbols)
    outcome = result(
        "rules", SEED, runs, "read and write code", "milliseconds", more_is_better=False
    )
    median = outcome["median"]
    outcome["targets"] = {
        name: {"target": target, "value": median[way]["milliseconds"],
               "met": median[way]["milliseconds"] < target}
        for name, way, target in (
            ("a sentence validated, p95, ms", "read, write and validate", 150.0),
            ("a rule on five symbols, ms", "evaluate a cross on five symbols", 50.0),
            ("1,000 parameter sets on five symbols, ms", "evaluate 1,000 sets on five symbols",
             5_000.0),
        )
    }  # fmt: skip
    outcome["sentences"] = len(sentences)
    outcome["bars"] = sum(len(columns) for columns in symbols.values())
    return outcome


def _p95(times: list[float]) -> float:
    return sorted(times)[int(0.95 * len(times))] * 1e3


def _spent(process: psutil.Process) -> float:
    """Seconds of processor time of this process and its workers, which never work at once."""
    own = process.cpu_times()
    spent: float = own.user + own.system + own.children_user + own.children_system
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            times = child.cpu_times()
            spent += times.user + times.system
    return spent


def _sentences(sentences: list[str]) -> list[dict[str, Any]]:
    plain, checked = [], []
    for text in sentences:
        began = time.thread_time()
        generate(text, lambda _: [])
        plain.append(time.thread_time() - began)
    process = psutil.Process()
    with laboratory() as tried:
        generate(CROSS, tried.of_rule)
        for text in sentences[::5]:
            # The system counts a worker's time in hundredths of a second.
            began = _spent(process)
            for _ in range(REPEATS):
                generate(text, tried.of_rule)
            checked.append((_spent(process) - began) / REPEATS)
    return [
        {"way": "read and write code", "milliseconds": _p95(plain)},
        {"way": "read, write and validate", "milliseconds": _p95(checked)},
    ]


def _rules(symbols: dict[str, Columns]) -> list[dict[str, Any]]:
    found = []
    for name, sentence in (("a cross", CROSS), ("RSI", RSI)):
        rule = _rule(sentence)
        began = time.process_time()
        for columns in symbols.values():
            evaluate(rule, Series(columns))
        spent = (time.process_time() - began) * 1e3
        found.append({"way": f"evaluate {name} on five symbols", "milliseconds": spent})
    rule = _rule(CROSS)
    kept = [Series(columns) for columns in symbols.values()]
    began = time.process_time()
    for fast, slow in PAIRS:
        varied = with_parameters(rule, {"sma_fast": fast, "sma_slow": slow})
        for series in kept:
            evaluate(varied, series)
    spent = (time.process_time() - began) * 1e3
    return [*found, {"way": "evaluate 1,000 sets on five symbols", "milliseconds": spent}]

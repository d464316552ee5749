"""Shared by all benchmarks: the machine, the versions, medians, the result file and its table."""

from __future__ import annotations

import json
import os
import platform
import statistics
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("confluent-kafka", "polars", "psycopg2-binary", "pydantic", "msgspec", "numpy")


class MissingDataError(RuntimeError):
    """What a benchmark measures on is not on this machine; the message says what and where."""


def machine() -> dict[str, Any]:
    """What this ran on."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return {"cpu": model, "cores": os.cpu_count(), "system": platform.platform()}


def versions() -> dict[str, str]:
    """What it ran with."""
    return {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}


def result(
    name: str,
    seed: int,
    runs: list[dict[str, Any]],
    ours: str,
    value: str,
    *,
    more_is_better: bool = True,
) -> dict[str, Any]:
    """Summarise runs; each holds its ``way`` and numbers.

    Args:
        name: The benchmark's name.
        seed: Of its data.
        runs: Every run of every way.
        ours: The way that is ours.
        value: The number that ratios compare.
        more_is_better: False for times: the ratio is then theirs / ours.
    """
    ways = sorted({run["way"] for run in runs})
    median = {
        way: {
            key: statistics.median(run[key] for run in runs if run["way"] == way)
            for key in next(run for run in runs if run["way"] == way)
            if key != "way"
        }
        for way in ways
    }
    own = median[ours][value]
    ratios = {
        way: round(own / median[way][value] if more_is_better else median[way][value] / own, 3)
        for way in ways
        if way != ours
    }
    return {
        "name": name,
        "machine": machine(),
        "versions": versions(),
        "seed": seed,
        "runs": runs,
        "median": median,
        "ratios": ratios,
    }


def show(name: str, outcome: dict[str, Any], folder: Path = RESULTS) -> None:
    """Write a result to its file in ``folder`` and print it."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(outcome, indent=1) + "\n")
    table = Table(title=f"{name} (medians; ratio: ours against it, more is better)", box=None)
    table.add_column("way")
    numbers = list(next(iter(outcome["median"].values())))
    for number in numbers:
        table.add_column(number.replace("_", " "), justify="right")
    table.add_column("ratio", justify="right")
    for way, values in outcome["median"].items():
        ratio = outcome["ratios"].get(way)
        table.add_row(
            way,
            *(f"{values[number]:,.4g}" for number in numbers),
            "" if ratio is None else f"{ratio:.2f}",
        )
    console = Console(width=140)
    console.print(table)
    for target, state in outcome.get("targets", {}).items():
        verdict = "met" if state["met"] else "not met"
        console.print(f"{target}: {state['value']:,.4g}, target {state['target']:g}: {verdict}")
    console.print(f"written to {path}")

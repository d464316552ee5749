"""Compare throughput, latency and memory of another commit with this one, measured in turn.

Both commits run on the same machine within minutes of one another, so that other load on the
machine affects both; only the ratio counts. The other commit is checked out
into a folder of its own and runs with the packages of this environment.

    python -m benchmarks.before_and_now 015d0fa --rounds 3
    python -m benchmarks.before_and_now b7b83cf --rounds 5 --only throughput --output totals.json
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import RESULTS, machine, versions

ROOT = Path(__file__).resolve().parent.parent
FILE = "before_and_now.json"
MEASURED = {
    "throughput": ("pipeline", ("events_per_second", "peak_mb", "cpu_seconds_per_million")),
    "latency": ("latency", ("p50_ms", "p99_ms")),
}
"""Benchmark of the pipeline: name of its result, and the figures compared."""
ONLY = {"throughput": ("signal_tracker",), "latency": ()}
"""Ways that are run; the peers are the same in both commits."""


def measure(tree: Path, name: str, *, quick: bool) -> dict[str, dict[str, float]]:
    """Run one round of a benchmark in a checkout.

    Returns:
        The figures compared, for each way.

    Raises:
        subprocess.CalledProcessError: The benchmark failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.pipeline", name, "--rounds", "1"]
        for way in ONLY[name]:
            command += ["--only", way]
        command += ["--output", folder, *(["--quick"] if quick else [])]
        subprocess.run(
            command,
            cwd=tree,
            env=os.environ | {"PYTHONPATH": str(tree)},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        result, figures = MEASURED[name]
        runs = json.loads((Path(folder) / f"{result}.json").read_text())["runs"]
    return {run["way"]: {figure: run[figure] for figure in figures} for run in runs}


def compare(
    commit: str, rounds: int, only: Sequence[str] = tuple(MEASURED), *, quick: bool = False
) -> dict[str, Any]:
    """Measure another commit and this checkout in turn.

    Returns:
        Every run, the medians, and each figure of this code divided by the other's.
    """
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "tree"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(other), commit], check=True)
        try:
            for number in range(rounds):
                for name in only:
                    for code, tree in (("before", other), ("now", ROOT)):
                        sys.stderr.write(f"round {number + 1} of {rounds}: {name}, {code}\n")
                        for way, figures in measure(tree, name, quick=quick).items():
                            runs.append({"code": code, "benchmark": name, "way": way, **figures})
        finally:
            subprocess.run([*git, "remove", "--force", str(other)], check=True)
    medians: dict[str, dict[str, dict[str, float]]] = {}
    for run in runs:
        name = f"{run['benchmark']}: {run['way']}"
        for figure in MEASURED[run["benchmark"]][1]:
            same = [
                other[figure]
                for other in runs
                if (other["code"], other["benchmark"], other["way"])
                == (run["code"], run["benchmark"], run["way"])
            ]
            medians.setdefault(name, {}).setdefault(figure, {})[run["code"]] = statistics.median(
                same
            )
    for measured in medians.values():
        for values in measured.values():
            if len(values) > 1:
                values["now / before"] = round(values["now"] / values["before"], 3)
    return {
        "name": "before_and_now",
        "machine": machine(),
        "versions": versions(),
        "before": commit,
        "rounds": rounds,
        "median": medians,
        "runs": runs,
    }


def main() -> None:
    """Measure, print the ratios and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit", help="the commit to compare with")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default 3)")
    parser.add_argument(
        "--only", choices=sorted(MEASURED), help="this benchmark alone (default: all)"
    )
    parser.add_argument(
        "--output", default=FILE, help=f"the file in benchmarks/results (default {FILE})"
    )
    parser.add_argument("--quick", action="store_true", help="in miniature; nothing is written")
    options = parser.parse_args()
    only = [options.only] if options.only else list(MEASURED)
    outcome = compare(options.commit, options.rounds, only, quick=options.quick)
    for name, measured in outcome["median"].items():
        for figure, values in measured.items():
            print(f"{name}, {figure.replace('_', ' ')}: {values}")
    if not options.quick:
        (RESULTS / options.output).write_text(json.dumps(outcome, indent=1) + "\n")


if __name__ == "__main__":
    main()

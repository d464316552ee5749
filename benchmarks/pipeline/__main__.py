"""``python -m benchmarks.pipeline [NAME ...]``: throughput, latency, growth, waiting, profile.

``make bench`` runs all of them in full. Use this command for a part of them, fewer rounds, or a
small run.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.harness import RESULTS, show
from benchmarks.pipeline.common import Options

NAMES = {
    "throughput": "pipeline",
    "latency": "latency",
    "growth": "growth",
    "waiting": "waiting",
    "profile": "profile",
}
"""Module here: name of the result."""


def main(arguments: list[str]) -> int:
    """Run what was asked for.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("name", nargs="*", default=[], help=", ".join(NAMES))
    parser.add_argument("--rounds", type=int, help="runs of each way (default 3)")
    parser.add_argument("--seed", type=int, default=7, help="of the events (default 7)")
    parser.add_argument(
        "--quick", action="store_true", help="in miniature; the numbers say nothing"
    )
    parser.add_argument("--full", action="store_true", help="growth: 50 million signals too")
    parser.add_argument("--only", action="append", default=[], help="ways whose name holds this")
    parser.add_argument("--output", type=Path, help=f"folder for the result (default {RESULTS})")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.name) - set(NAMES))
    if unknown or (given.rounds is not None and given.rounds < 1):
        parser.error(
            f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}"
            if unknown
            else "--rounds takes 1 or more"
        )
    if given.output is None and (given.quick or given.only):
        parser.error("say with --output where a result goes that is not the whole one")
    options = Options(
        rounds=given.rounds or (1 if given.quick else 3),
        seed=given.seed,
        quick=given.quick,
        full=given.full,
        only=tuple(given.only),
    )
    folder = given.output or RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    for name in given.name or ["throughput"]:
        module = import_module(f"benchmarks.pipeline.{name}")
        outcome = module.run(options)
        show(NAMES[name], outcome, folder)
        if hasattr(module, "draw"):
            module.draw(outcome, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

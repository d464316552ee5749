"""Measure every claim: ``make bench`` (or ``python -m benchmarks NAME ...`` for some).

Each benchmark writes ``benchmarks/results/NAME.json``: the machine, the
versions, the seed, every run, medians, and ratios in which more is better.
"""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.harness import RESULTS, MissingDataError, show

NAMES = {
    "extraction": "benchmarks.extraction",
    "extractor": "benchmarks.extractor",
    "scoring": "benchmarks.scoring",
    "performance": "benchmarks.performance",
    "publishing": "benchmarks.publishing",
    "pipeline": "benchmarks.pipeline.throughput",
    "latency": "benchmarks.pipeline.latency",
    "growth": "benchmarks.pipeline.growth",
    "reading": "benchmarks.reading.run",
    "waiting": "benchmarks.pipeline.waiting",
    "profile": "benchmarks.pipeline.profile",
    "noise": "benchmarks.learning.noise",
    "planted": "benchmarks.learning.planted",
    "real_bars": "benchmarks.learning.real_bars",
    "learning_speed": "benchmarks.learning.speed",
    "sandbox_speed": "benchmarks.sandbox_speed",
    "rules": "benchmarks.rules",
    "strategy_noise": "benchmarks.strategy_noise",
    "strategy_speed": "benchmarks.strategy_speed",
    "strategy_runner": "benchmarks.strategy_runner",
    "strategy_requests": "benchmarks.strategy_requests",
}
"""Name of a benchmark, and of its result: the module that runs it."""


def main(names: list[str]) -> int:
    """Run benchmarks by name, all of them if none is named."""
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        sys.stderr.write(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}\n")
        return 2
    missing = 0
    for name in names or NAMES:
        module = import_module(NAMES[name])
        try:
            outcome = module.run()
        except MissingDataError as error:
            sys.stderr.write(f"{name} is left out: {error}\n")
            missing += 1
            continue
        show(name, outcome)
        if hasattr(module, "draw"):
            module.draw(outcome, RESULTS)
    # What was asked for by name must be there.
    return 1 if names and missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""``python -m benchmarks.reading [--quick]``: measure it alone, and print a table."""

from __future__ import annotations

import sys

from benchmarks.harness import show
from benchmarks.pipeline.common import Options
from benchmarks.reading.run import run

if __name__ == "__main__":
    quick = "--quick" in sys.argv[1:]
    outcome = run(Options(rounds=1, quick=quick))
    if quick:
        sys.stdout.write(f"{outcome['median']}\n")
    else:
        show("reading", outcome)

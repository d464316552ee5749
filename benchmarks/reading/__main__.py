"""Measure how the HTTP API answers, alone, and print a table.

python -m benchmarks.reading                     # ten million signals, about 15 minutes
python -m benchmarks.reading --signals 1000000   # a shorter history; nothing is written

The first writes ``benchmarks/results/reading.json``.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.harness import show
from benchmarks.pipeline.common import Options
from benchmarks.reading.run import SIGNALS, run

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reading",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=1, help="runs of each (default 1)")
    parser.add_argument("--signals", type=int, default=SIGNALS, help="how long the history is")
    parser.add_argument("--quick", action="store_true", help="in miniature; nothing is written")
    options = parser.parse_args()
    outcome = run(Options(rounds=options.rounds, quick=options.quick), signals=options.signals)
    if options.quick or options.signals != SIGNALS:
        sys.stdout.write(f"{outcome['median']}\n{outcome['targets']}\n")
    else:
        show("reading", outcome)

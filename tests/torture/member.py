"""One member of a stage, as the torture starts it: the real stage, or one with something broken.

    python -m tests.torture.member STAGE [--mutant NAME] [--fault NAME NUMBER] [--shift SECONDS]

Without options it is what ``trackrecord run STAGE`` runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.faults.faulty_stage import FAULTS
from tests.support.clocks import ShiftedClock
from tests.support.pipeline import stage_named
from tests.torture.mutants import MUTANTS
from trackrecord.runtime.process.run import run
from trackrecord.runtime.settings import load_settings


def main(arguments: Sequence[str]) -> int:
    """Run a stage until it is told to stop; returns its exit code."""
    parser = argparse.ArgumentParser(prog="tests.torture.member", description=__doc__)
    parser.add_argument("stage")
    parser.add_argument("--mutant", choices=sorted(MUTANTS))
    parser.add_argument("--fault", nargs=2, metavar=("NAME", "NUMBER"))
    parser.add_argument("--shift", type=int, default=0)
    options = parser.parse_args(arguments)
    stage = stage_named(options.stage)
    if options.mutant:
        MUTANTS[options.mutant].break_it()
    if options.fault:
        name, number = options.fault
        FAULTS[name](stage, int(number))
    return run(stage, load_settings(), ShiftedClock(options.shift))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

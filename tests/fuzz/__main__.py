"""``python -m tests.fuzz --count 1000000 --seed 7``: fuzz the decode path, and write what came.

Exit code 0: every payload was applied or refused with a reason, and all ways of
reading agree. 1: not so; the payloads are printed.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from benchmarks.harness import RESULTS, machine, versions
from tests.fuzz import campaign
from tests.fuzz.differential import Judge, explained
from tests.fuzz.payloads import payloads


def main(arguments: list[str] | None = None) -> int:
    """Run a campaign."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="how many payloads")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--output", type=Path, default=RESULTS / "fuzz.json")
    chosen = parser.parse_args(arguments)
    notes = Console(stderr=True)
    notes.print(f"seed {chosen.seed}")
    started = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=notes) as progress:
        task = progress.add_task("payloads", total=chosen.count)

        def on_batch(so_far: campaign.Outcome) -> None:
            bad = len(so_far.raised) + len(so_far.differences)
            progress.update(
                task,
                completed=so_far.payloads,
                description=f"payloads ({bad} bad)" if bad else "payloads",
            )

        outcome = campaign.run(payloads(chosen.seed, chosen.count), Judge(), on_batch)
    result = _result(chosen.seed, outcome, time.monotonic() - started)
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    notes.print(f"written to {chosen.output}")
    if outcome.differences:
        notes.print(explained(outcome), markup=False)
    for payload, error in outcome.raised[:20]:
        notes.print(f"{payload.event_type} ({payload.kind}) raised {error!r}", markup=False)
    return 1 if outcome.differences or outcome.raised else 0


def _result(seed: int, outcome: campaign.Outcome, seconds: float) -> dict[str, Any]:
    return {
        "name": "fuzz",
        "machine": machine(),
        "versions": versions(),
        "seed": seed,
        "payloads": outcome.payloads,
        "applied": outcome.applied,
        "applied_by_the_fast_path_alone": outcome.fast,
        "refused": outcome.refused.total(),
        "refused_by_error_class": dict(sorted(outcome.refused.items())),
        "raised": len(outcome.raised),
        "differences": len(outcome.differences),
        "kinds": dict(sorted(outcome.kinds.items())),
        "seconds": round(seconds, 1),
        "slowdown": campaign.slowdown(seed),
    }


if __name__ == "__main__":
    sys.exit(main())

"""Torture the pipeline with seeded episodes of random faults.

    python -m tests.torture --runs 200 --seed 1
    python -m tests.torture --runs 1 --seed 57 --keep       # episode 57 of that campaign, again
    python -m tests.torture --runs 50 --mutant no_row_lock  # a broken version: it must be found

Exit code: 0 if every run was exact (or the mutant was found), 1 if not, 2 if it could not run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.support.servers import HOW_TO_GET_IT
from tests.torture.campaign import Campaign, Report, found_by, run
from tests.torture.episode import Outcome
from tests.torture.mutants import MUTANTS
from tests.torture.plan import KINDS
from trackrecord.local.errors import PartsUnavailable

RESULT = Path(__file__).parents[2] / "benchmarks" / "results" / "torture.json"
_WORTH_KEEPING = 100
_SUMMARY_EVERY = 25


def parse(arguments: Sequence[str]) -> tuple[Campaign, Path]:
    """Read the command line; returns the campaign and the file for its result."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.torture",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--runs", type=int, default=20, help="how many episodes (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the first one (%(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (%(default)s)")
    parser.add_argument(
        "--only", default="", metavar="KIND,...", help="choose faults from these kinds only"
    )
    parser.add_argument(
        "--judged",
        action="store_true",
        help="bars judge signals in every episode, not in a quarter",
    )
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="break the stages like this")
    parser.add_argument("--keep", action="store_true", help="keep the logs of every episode")
    parser.add_argument(
        "--result",
        type=Path,
        default=RESULT,
        help=f"written after {_WORTH_KEEPING} runs or more of all kinds (%(default)s)",
    )
    options = parser.parse_args(arguments)
    only = tuple(filter(None, options.only.split(",")))
    if unknown := set(only) - set(KINDS):
        parser.error(f"no fault {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    if options.runs < 1 or options.jobs < 1:
        parser.error("--runs and --jobs must be 1 or more")
    folder = Path(tempfile.mkdtemp(prefix="trackrecord-torture-"))
    # The database's account must reach the small disks in it.
    folder.chmod(0o755)
    campaign = Campaign(
        seed=options.seed,
        runs=options.runs,
        jobs=options.jobs,
        folder=folder,
        only=only,
        mutant=options.mutant,
        judged=options.judged or None,
        keep=options.keep,
    )
    return campaign, options.result


def line(outcome: Outcome) -> str:
    """One episode in one line."""
    faults = " ".join(
        f"({kind})" if note else f"{kind}{'*' if hit else '-'}"
        for kind, hit, note in outcome.faults
    )
    told = "ok" if outcome.is_ok else "FAILED"
    if outcome.verified and outcome.is_ok:
        told += ", replayed"
    where = f"  {outcome.folder}" if outcome.folder else ""
    return (
        f"{outcome.seed:>8}  {outcome.seconds:5.1f} s  {outcome.verdict.events:>5} events  "
        f"{told:<13}  {faults}{where}"
    )


def table(report: Report) -> Table:
    """How often each fault was injected, and hit."""
    result = Table(title="faults", box=None)
    result.add_column("kind")
    result.add_column("injected", justify="right")
    result.add_column("hit", justify="right")
    result.add_column("not injected")
    skipped = report.skipped()
    for kind, counts in report.faults().items():
        notes = "; ".join(f"{count}: {note}" for note, count in skipped.get(kind, {}).items())
        result.add_row(kind, str(counts["injected"]), str(counts["hit"]), notes)
    return result


def main(arguments: Sequence[str]) -> int:
    """Play a campaign and tell of it."""
    campaign, file = parse(arguments)
    # Whoever ends it by kill gets the report of what was played too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(width=140, highlight=False)
    report = Report()
    died = False
    console.print("  (*: hit what was under way; -: not seen to; in parentheses: could not be)")
    try:
        for outcome in run(campaign, report):
            console.print(line(outcome), markup=False, soft_wrap=True)
            for problem in outcome.verdict.problems:
                console.print(problem.rstrip(), markup=False, soft_wrap=True)
            count = len(report.outcomes)
            if count % _SUMMARY_EVERY == 0:
                console.print(
                    f"-- {count} of {campaign.runs} runs, {len(report.failed)} failed, "
                    f"{report.seconds:.0f} s"
                )
    except PartsUnavailable as error:
        sys.stderr.write(f"no real Kafka and Postgres: {error.reason}\n{HOW_TO_GET_IT}\n")
        return 2
    except BrokenProcessPool:
        died = True
        sys.stderr.write(
            "processes that play episodes died again and again (out of memory?): "
            f"{len(report.outcomes)} of {campaign.runs} episodes were played\n"
        )
    except KeyboardInterrupt:
        console.print("interrupted")
    finally:
        with contextlib.suppress(OSError):
            campaign.folder.rmdir()  # unless something was kept in it
    told = _tell(console, campaign, file, report) if report.outcomes else 2
    return 2 if died else told


def _tell(console: Console, campaign: Campaign, file: Path, report: Report) -> int:
    console.print(table(report))
    result = report.result(campaign.seed)
    console.print(
        f"{result['runs']} runs, {result['events']:,} events, {result['replays_verified']} replays "
        f"verified: {result['failed']} failed, {result['lost']} lost, {result['doubled']} doubled; "
        f"{result['seconds']} s, median {result['median_seconds_of_a_run']} s a run"
    )
    if campaign.mutant:
        return _tell_mutant(console, campaign.mutant, report)
    if len(report.outcomes) >= _WORTH_KEEPING and not (campaign.only or campaign.judged):
        file.write_text(json.dumps(result, indent=1) + "\n")
        console.print(f"written to {file}")
    return 1 if report.failed else 0


def _tell_mutant(console: Console, name: str, report: Report) -> int:
    if not any(outcome.mutated for outcome in report.outcomes):
        console.print(f"the mutant {name} found nothing to break: it does not fit the code")
        return 2
    number = found_by(report.outcomes)
    console.print(
        f"the mutant {name} ({MUTANTS[name].meaning}) was "
        + (f"found in run {number}" if number else "NOT found")
    )
    return 0 if number else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

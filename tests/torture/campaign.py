"""Many episodes, some at a time: lines, a table, and a result to keep."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import shutil
import statistics
import time
from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from benchmarks.harness import machine, versions
from tests.support import compare
from tests.support.nursery import Nursery, end_with_parent
from tests.torture.episode import Outcome, play
from tests.torture.mutants import MUTANTS
from tests.torture.plan import KINDS, Plan, plan
from tests.torture.scene import Place
from tests.torture.servers import unmount_left
from trackrecord.local.stack import Stack
from trackrecord.runtime.settings import load_settings

_KAFKA_VERSION_PART = "kafka_2.13-"
_MOST_CRASHES = 10
"""Of the processes that play: the Kafka client aborts now and then when a broker is killed."""

_TRIES = 5
"""Runs in which a mutant must have done what it was made for at least once."""


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """What to play.

    Attributes:
        seed: Of the first episode; the others follow one by one.
        runs: How many episodes.
        jobs: How many at a time.
        only: The kinds of faults to choose from; all if empty.
        mutant: How the stages are broken, if they are; then the first failure is the end.
        judged: Whether there is an outcome_scorer; None to let each seed decide. The mutant
            decides first.
        heavy: Whether to play what needs a stack to itself too; else such seeds are left out.
        keep: Whether to keep the logs of all episodes.
        folder: Where stacks and logs are.
    """

    seed: int
    runs: int
    jobs: int
    folder: Path
    only: tuple[str, ...] = ()
    mutant: str | None = None
    judged: bool | None = None
    heavy: bool = True
    keep: bool = False

    def plans(self) -> list[Plan]:
        """The episodes, in the order of their seeds."""
        judged = MUTANTS[self.mutant].judged if self.mutant else self.judged
        every = (plan(seed, self.only, judged=judged) for seed in itertools.count(self.seed))
        wanted = (each for each in every if self.heavy or not each.is_heavy)
        return list(itertools.islice(wanted, self.runs))


@dataclass
class Report:
    """What came of it.

    Attributes:
        outcomes: Of every episode that was played, in the order of their end.
        seconds: How long it took.
        postgres: The database's version.
        crashes: How often a process that plays died, so that its episodes were played again.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0
    postgres: str = ""
    crashes: int = 0

    @property
    def failed(self) -> list[Outcome]:
        """The episodes that were not exact."""
        return [each for each in self.outcomes if not each.is_ok]

    def faults(self) -> dict[str, dict[str, int]]:
        """Of each kind, how often it was injected, and how often it hit."""
        injected: Counter[str] = Counter()
        hit: Counter[str] = Counter()
        for outcome in self.outcomes:
            for kind, was_hit, note in outcome.faults:
                injected[kind] += not note
                hit[kind] += was_hit and not note
        return {
            kind: {"injected": injected[kind], "hit": hit[kind]}
            for kind in KINDS
            if kind in injected
        }

    def skipped(self) -> dict[str, dict[str, int]]:
        """Of each kind that could not be injected, why, and how often."""
        notes: dict[str, Counter[str]] = {}
        for outcome in self.outcomes:
            for kind, _, note in outcome.faults:
                if note:
                    notes.setdefault(kind, Counter())[note] += 1
        return {kind: dict(counted) for kind, counted in notes.items()}

    def result(self, seed: int) -> dict[str, Any]:
        """The result as it is kept."""
        return {
            "name": "torture",
            "machine": machine(),
            "versions": {**versions(), "postgres": self.postgres, "kafka": _kafka_version()},
            "seed": seed,
            "runs": len(self.outcomes),
            "lost": sum(each.verdict.lost for each in self.outcomes),
            "doubled": sum(each.verdict.doubled for each in self.outcomes),
            "failed": len(self.failed),
            "events": sum(each.verdict.events for each in self.outcomes),
            "replays_verified": sum(each.verified for each in self.outcomes),
            "faults": self.faults(),
            "skipped": self.skipped(),
            "played_again_after_a_crash_of_the_player": self.crashes,
            "seconds": round(self.seconds, 1),
            "median_seconds_of_a_run": round(
                statistics.median(each.seconds for each in self.outcomes), 2
            ),
        }


def _kafka_version() -> str:
    from trackrecord.local.parts import ensure_parts  # noqa: PLC0415 - only for the result

    for path in ensure_parts().class_path.split(os.pathsep):
        if _KAFKA_VERSION_PART in path:
            return Path(path).stem.removeprefix(_KAFKA_VERSION_PART)
    return "unknown"


_nursery: Nursery | None = None


def _play(the_plan: Plan, place: Place, folder: Path, mutant: str | None, keep: bool) -> Outcome:
    """In a process of the pool, which keeps its nursery."""
    global _nursery  # noqa: PLW0603 - one for each process of the pool
    if _nursery is None:
        _nursery = Nursery()
    return play(the_plan, place, _nursery, folder, mutant=mutant, keep=keep)


class Stacks:
    """The stacks of a campaign: one that is shared, and one for whom it may be broken."""

    def __init__(self, folder: Path) -> None:
        """Start none yet."""
        self._folder = folder
        self._places: dict[bool, Place] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for place in self._places.values():
            if place.home is not None:
                Stack.down(place.home)
        unmount_left(self._folder)
        kept = any(self._folder.glob("run-*"))
        for place in self._places.values():
            if place.home is not None:
                # Beside the logs of a failed run, those of the servers may tell something.
                shutil.rmtree(place.home / "data" if kept else place.home, ignore_errors=True)

    def place(self, *, heavy: bool) -> Place:
        """A stack, started at its first use."""
        if heavy not in self._places:
            home = self._folder / ("stack-of-one" if heavy else "stack")
            home.mkdir(parents=True)
            home.chmod(0o755)
            state = Stack.up(home, [], [], end_with_caller=True)
            self._places[heavy] = Place(state.kafka, state.database_url, home)
        return self._places[heavy]

    def renew(self, *, heavy: bool) -> Place:
        """Another stack in the place of one that nobody knows the state of."""
        left = self._places.pop(heavy, None)
        if left is not None and left.home is not None:
            Stack.down(left.home)
            shutil.rmtree(left.home, ignore_errors=True)
        return self.place(heavy=heavy)


def run(campaign: Campaign, report: Report, shared: Place | None = None) -> Iterator[Outcome]:
    """Play a campaign; yields each outcome as it comes, and adds it to the report.

    Args:
        campaign: What to play.
        report: Filled on the way, so that an interrupted campaign has one too.
        shared: The stack of the light episodes, if one runs already.
    """
    plans = campaign.plans()
    waiting = {
        heavy: deque(each for each in plans if each.is_heavy == heavy) for heavy in (False, True)
    }
    started = time.monotonic()
    with ExitStack() as stack:
        stacks = stack.enter_context(Stacks(campaign.folder))
        places = {} if shared is None else {False: shared}
        for heavy, planned in waiting.items():
            if planned and heavy not in places:
                places[heavy] = stacks.place(heavy=heavy)
        report.postgres = _postgres_version(next(iter(places.values())))
        pool = _pool(campaign, stack)
        playing: dict[Future[Outcome], Plan] = {}
        while playing or any(waiting.values()):
            try:
                while len(playing) < campaign.jobs and (chosen := _next(waiting, playing.values())):
                    playing[_submit(pool, campaign, chosen, places)] = chosen
                    waiting[chosen.is_heavy].popleft()
                for future in wait(playing, return_when=FIRST_COMPLETED).done:
                    outcome = future.result()
                    del playing[future]
                    report.outcomes.append(outcome)
                    report.seconds = time.monotonic() - started
                    yield outcome
                    if campaign.mutant and _is_enough(report):
                        return
            except BrokenProcessPool:
                report.crashes += 1
                if report.crashes > _MOST_CRASHES:
                    raise
                lost, playing = list(playing.values()), {}
                _put_back(lost, waiting, campaign.folder)
                if any(each.is_heavy for each in lost):
                    places[True] = stacks.renew(heavy=True)
                pool = _pool(campaign, stack)


def _submit(
    pool: ProcessPoolExecutor, campaign: Campaign, chosen: Plan, places: Mapping[bool, Place]
) -> Future[Outcome]:
    folder = campaign.folder / f"run-{chosen.seed}"
    place = places[chosen.is_heavy]
    return pool.submit(_play, chosen, place, folder, campaign.mutant, campaign.keep)


def _next(waiting: Mapping[bool, deque[Plan]], playing: Collection[Plan]) -> Plan | None:
    """One episode at a time has the stack that may be broken."""
    heavy = bool(waiting[True]) and not any(each.is_heavy for each in playing)
    return waiting[heavy][0] if waiting[heavy] else None


def _put_back(lost: Sequence[Plan], waiting: Mapping[bool, deque[Plan]], folder: Path) -> None:
    """Have episodes played again whose player died."""
    for each in lost:
        shutil.rmtree(folder / f"run-{each.seed}", ignore_errors=True)
        waiting[each.is_heavy].appendleft(each)


def _pool(campaign: Campaign, stack: ExitStack) -> ProcessPoolExecutor:
    pool = stack.enter_context(
        ProcessPoolExecutor(
            campaign.jobs, multiprocessing.get_context("spawn"), initializer=end_with_parent
        )
    )
    stack.callback(pool.shutdown, wait=False, cancel_futures=True)
    return pool


def _is_enough(report: Report) -> bool:
    """Whether a mutant is found, or seems to have nothing to break."""
    return bool(report.failed) or (
        len(report.outcomes) >= _TRIES and not any(each.mutated for each in report.outcomes)
    )


def _postgres_version(place: Place) -> str:
    settings = load_settings(
        {
            "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": place.bootstrap_servers,
            "DATABASE_URL": place.database_url,
        }
    )
    ((version,),) = compare.fetch(settings, "SHOW server_version")
    return str(version)


def found_by(outcomes: Sequence[Outcome]) -> int | None:
    """After how many runs the first failure came; None if there was none."""
    for number, outcome in enumerate(outcomes, 1):
        if not outcome.is_ok:
            return number
    return None

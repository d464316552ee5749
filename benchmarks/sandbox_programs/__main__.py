"""The campaign: ``make sandbox-campaign TREE=250000 TEXT=1000000`` (or ``python -m`` this).

It goes on where the result leaves off, in parts of a few thousand programs, and writes the result
after each; a part can be run again by its seed and numbers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import RESULTS, machine, versions
from benchmarks.sandbox_programs.canaries import Canaries, descendants
from benchmarks.sandbox_programs.run import Outcome, executor, run_program, witness
from benchmarks.sandbox_programs.seeds import digest
from benchmarks.sandbox_programs.texts import text_program
from benchmarks.sandbox_programs.trees import tree_program
from trackrecord.sandbox.launch import Launcher, monty_binary
from trackrecord.sandbox.monty import MontyExecutor

_WAYS: Final[dict[str, Callable[[int, int], str]]] = {"tree": tree_program, "text": text_program}
_KINDS: Final = (
    "answered", "raised", "unread", "time", "memory", "recursion", "died", "killed",
)  # fmt: skip
_PART: Final = {"tree": 2_500, "text": 10_000}
_WITNESS_EVERY: Final = 10
_LOOK_EVERY: Final = 100
_EXAMPLES: Final = 20
_BAD_SYSTEM_CALL: Final = -31


def control() -> int:
    """How a process ends under the same wrapper that makes a forbidden call: by SIGSYS, -31.

    Asked for its version, the worker looks at the terminal, which is on no list.
    """
    with executor() as runner:
        launcher = Launcher(runner.isolation().wrapper, monty_binary())
        try:
            return subprocess.run(
                [launcher.path, "--version"], capture_output=True, timeout=30, check=False
            ).returncode
        finally:
            launcher.close()


class Part:
    """Some programs in a row, and what came of them."""

    def __init__(self, way: str, seed: int, first: int, number: int) -> None:
        self.way, self.seed, self.first, self.number = way, seed, first, number
        self.kinds: Counter[str] = Counter()
        self.reached = self.called = 0
        self.findings: list[str] = []
        self.deaths: list[int] = []

    def run(self) -> dict[str, Any]:
        """Run them all in fresh sessions of a few workers."""
        began = time.perf_counter()
        make = _WAYS[self.way]
        with Canaries() as canaries, executor() as runner:
            expected = witness(runner)
            for index in range(self.first, self.first + self.number):
                outcome = run_program(runner, make(self.seed, index), canaries.names())
                self._count(index, outcome, canaries)
                if index % _WITNESS_EVERY == 0 and witness(runner) != expected:
                    self.findings.append(f"{index}: the next session sees what it left")
                if index % _LOOK_EVERY == 0:
                    self._look(index, canaries, runner)
            self._look(self.first + self.number - 1, canaries, runner)
        left = descendants()
        if left:
            self.findings.append(f"{len(left)} processes are left")
        return {
            "way": self.way,
            "first": self.first,
            "seeds": digest(),
            "programs": self.number,
            "reached": self.reached,
            "called": self.called,
            **{kind: self.kinds[kind] for kind in _KINDS},
            "findings": self.findings,
            "deaths": self.deaths[:_EXAMPLES],
            "seconds": round(time.perf_counter() - began, 1),
        }

    def _count(self, index: int, outcome: Outcome, canaries: Canaries) -> None:
        self.kinds[outcome.kind] += 1
        self.reached += outcome.reached
        self.called += outcome.called
        if outcome.kind == "died":
            self.deaths.append(index)
        if outcome.kind == "killed":
            self.findings.append(f"{index}: a forbidden call")
        if canaries.leaked(outcome.text):
            self.findings.append(f"{index}: it read the canary")

    def _look(self, index: int, canaries: Canaries, runner: MontyExecutor) -> None:
        self.findings.extend(f"{index}: {what}" for what in canaries.touched())
        with runner.checkout() as session:
            session.feed_run("None")
            worker = session.worker_pid
        below = descendants(worker) if worker else []
        if below:
            self.findings.append(f"{index}: the worker has started {len(below)} processes")


def summary(seed: int, runs: list[dict[str, Any]], killed_by: int) -> dict[str, Any]:
    """The result, with sums over all parts in place of medians."""
    totals: dict[str, dict[str, Any]] = {}
    for way in _WAYS:
        parts = [each for each in runs if each["way"] == way]
        if not parts:
            continue
        total: dict[str, Any] = {
            name: sum(each[name] for each in parts)
            for name in ("programs", "reached", "called", *_KINDS, "seconds")
        }
        total["findings"] = sum(len(each["findings"]) for each in parts)
        total["reached_share"] = round(total["reached"] / total["programs"], 4)
        totals[way] = total
    return {
        "name": "sandbox_programs",
        "machine": machine(),
        "versions": {**versions(), "pydantic-monty": version("pydantic-monty")},
        "seed": seed,
        "control": {
            "forbidden_call_ends_with": killed_by,
            "seen": killed_by == _BAD_SYSTEM_CALL,
        },
        "runs": runs,
        "median": totals,
        "ratios": {},
    }


def main(arguments: list[str]) -> int:
    """Run what is still missing; 1 if anything was found, 2 if an attempt would not be seen."""
    reader = argparse.ArgumentParser(prog="python -m benchmarks.sandbox_programs")
    reader.add_argument("--tree", type=int, default=250_000)
    reader.add_argument("--text", type=int, default=1_000_000)
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--minutes", type=float, default=None, help="stop after so many")
    reader.add_argument("--output", type=Path, default=RESULTS / "sandbox_programs.json")
    given = reader.parse_args(arguments)
    runs: list[dict[str, Any]] = []
    if given.output.exists():
        before = json.loads(given.output.read_text())
        if before["seed"] == given.seed:
            runs = before["runs"]
    killed_by = control()
    if killed_by != _BAD_SYSTEM_CALL:
        sys.stderr.write(f"a forbidden call would not be seen: it ends with {killed_by}\n")
        return 2
    ends = None if given.minutes is None else time.monotonic() + 60 * given.minutes
    wanted = {"tree": given.tree, "text": given.text}
    while True:
        done = {
            way: max((each["first"] + each["programs"] for each in runs if each["way"] == way),
                     default=0)
            for way in _WAYS
        }  # fmt: skip
        open_ways = [way for way in _WAYS if done[way] < wanted[way]]
        if not open_ways or (ends is not None and time.monotonic() > ends):
            break
        way = min(open_ways, key=lambda each: done[each] / wanted[each])
        number = min(_PART[way], wanted[way] - done[way])
        part = Part(way, given.seed, done[way], number).run()
        runs.append(part)
        given.output.write_text(json.dumps(summary(given.seed, runs, killed_by), indent=1) + "\n")
        print(f"{way} {part['first']:,}: {part}", flush=True)
    return 1 if any(each["findings"] for each in runs) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

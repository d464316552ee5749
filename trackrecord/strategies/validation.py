"""Whether a strategy is what it has to be: readable, allowed, honest, and fast enough.

First it is only read: syntax, contract, constructs. Then its types are checked, and then it runs on
real bars, in a sandbox, as often as it takes to see that each decision follows from the bars that
it was handed and from nothing else. The one definition of a decision is a fresh call; whatever
answers otherwise in a session that goes on, with another future, or when run again is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from trackrecord.strategies.clashes import clashing_names
from trackrecord.strategies.constructs import construct_problems
from trackrecord.strategies.contract import BarRow, Fault, Problem
from trackrecord.strategies.dry_run import DryRun, Instant, decided, instants, play
from trackrecord.strategies.equality import FRESH_CALLS, Effort, Trial
from trackrecord.strategies.execution import ExaminedSession, Laboratory
from trackrecord.strategies.kept import attribute_names, function_names, kept_expressions
from trackrecord.strategies.source import Source, parameter_values, parse, read_source

__all__ = ["QUICK", "THOROUGH", "Effort", "Validation", "read_problems", "validate"]

SLOWEST_SECONDS: Final = 0.1
"""What a decision may take on average."""
_UNSURE: Final = "types-unsure"


THOROUGH: Final = Effort()
QUICK: Final = Effort(steps=15, fresh=FRESH_CALLS, poisons=1, renewed=False, again=False)
"""For code that was made from a rule: what the rule cannot say need not be looked for so long."""


@dataclass(frozen=True)
class Validation:
    """What came of it.

    Attributes:
        problems: Why it is refused; empty for a valid strategy.
        notes: What is worth knowing and no reason to refuse it.
        source: What the strategy declares, where that could be read.
        decisions: How many decisions the dry run made.
        seconds: What one of them took on average.
        actions: How often it answered what.
    """

    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    source: Source | None = None
    decisions: int = 0
    seconds: float = 0.0
    actions: Mapping[str, int] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        """Whether it may be run."""
        return not self.problems


def read_problems(code: str) -> tuple[Source | None, list[Problem]]:
    """What can be said of a strategy without running anything: the source, or all problems."""
    tree = parse(code)
    if isinstance(tree, Problem):
        return None, [tree]
    read = read_source(code)
    problems = read if isinstance(read, list) else []
    problems = [*problems, *construct_problems(tree), *clashing_names(tree)]
    problems.sort(key=lambda each: each.line or 0)
    return (None if isinstance(read, list) else read), problems


def validate(
    code: str,
    laboratory: Laboratory,
    bars: Mapping[str, Sequence[BarRow]],
    *,
    timeframe: str = "1d",
    parameters: Mapping[str, Any] | None = None,
    effort: Effort = THOROUGH,
) -> Validation:
    """Check a strategy on bars.

    Args:
        code: Its source.
        laboratory: What runs it.
        bars: Real bars by symbol, oldest first; symbols with fewer than it looks back on are left
            out. Made-up ones, held constant or random, would leave most of a strategy unseen.
        timeframe: Of the bars.
        parameters: What overrides its defaults.
        effort: How much is run.
    """
    source, problems = read_problems(code)
    if source is None or problems:
        return Validation(tuple(problems), source=source)
    values = parameter_values(source, parameters or {})
    if isinstance(values, list):
        return Validation(tuple(values), source=source)
    types = laboratory.check_types(code)
    notes = tuple(each for each in types if each.code == _UNSURE)
    problems = [each for each in types if each.code != _UNSURE]
    if problems:
        return Validation(tuple(problems), notes, source)
    return _run(source, laboratory, bars, timeframe, parameters or {}, effort, notes)


def _run(
    source: Source,
    laboratory: Laboratory,
    bars: Mapping[str, Sequence[BarRow]],
    timeframe: str,
    parameters: Mapping[str, Any],
    effort: Effort,
    notes: tuple[Problem, ...],
) -> Validation:
    # As many instants as it takes to compare with enough fresh calls.
    enough = sum(len(rows) >= source.lookback for rows in bars.values())
    steps = max(effort.steps, -(-effort.fresh // max(1, enough)))
    history, plan = instants(bars, source.lookback, steps)
    asked = sum(len(each.bars) for each in plan)
    if not asked:
        needed = f"it looks back on {source.lookback} bars, and no symbol has that many"
        return Validation((Problem(None, "bars", needed),), notes, source)
    trial = Trial(source, laboratory, timeframe, parameters, history, plan)
    session = trial.open()
    try:
        module = _Module(source.code)
        before = module.look(session)
        first = play(session, plan, source.sides)
        problems = _faults(first)
        problems = problems or _written(session, history, plan, source.lookback)
        problems = problems or module.changed(before, session)
        seconds = session.seconds / asked
    finally:
        session.close()
    problems = problems or trial.compared(first, effort)
    if not problems and seconds > SLOWEST_SECONDS:
        problems = [
            Problem(
                None,
                "time",
                f"a decision takes {seconds * 1e3:.0f} ms: {SLOWEST_SECONDS * 1e3:.0f} at most",
            )
        ]
    actions = decided(first)
    if not problems and set(actions) <= {"hold"}:
        held = f"it held on all {asked} bars that it was tried on"
        notes = (*notes, Problem(None, "hold", held))
    return Validation(tuple(problems), notes, source, asked, seconds, actions)


def _faults(run: DryRun) -> list[Problem]:
    """The first fault, with the bar it came on."""
    for instant, answers in zip(run.plan, run.answers, strict=True):
        for symbol, answer in answers.items():
            if isinstance(answer, Fault):
                line, message = _with_line(answer.message)
                at = f"{symbol}, {instant.bars[symbol].time}"
                return [Problem(line, answer.code, f"{message} (on {at})")]
    return []


def _with_line(message: str) -> tuple[int | None, str]:
    """The line that a fault names, apart from its words."""
    head, colon, rest = message.partition(": ")
    number = head.removeprefix("line ")
    if colon and head.startswith("line ") and number.isdigit():
        return int(number), rest
    return None, message


def _written(
    session: ExaminedSession,
    history: Mapping[str, Sequence[BarRow]],
    plan: Sequence[Instant],
    lookback: int,
) -> list[Problem]:
    """Whether the strategy wrote into the bars that it was handed."""
    seen = session.seen()
    if isinstance(seen, Fault):
        return [Problem(None, "contract", seen.message)]
    for symbol in history:
        fed = [*history[symbol], *(each.bars[symbol] for each in plan if symbol in each.bars)]
        if seen.get(symbol, [])[-lookback:] != fed[-lookback:]:
            return [
                Problem(
                    None,
                    "state",
                    "it writes into market_data['bars']: what it leaves there it would find again "
                    "at the next bar; make a list of its own",
                )
            ]
    return []


class _Module:
    """What hangs on the names of a strategy's module, before and after it was run."""

    def __init__(self, code: str) -> None:
        tree = ast.parse(code)
        self._expressions = kept_expressions(tree)
        self._attributes = attribute_names(tree)
        self._functions = function_names(tree)

    def look(self, session: ExaminedSession) -> list[tuple[str, str]] | Fault:
        if not self._expressions:
            return []
        return session.shapes(self._expressions, self._attributes, self._functions)

    def changed(
        self, before: list[tuple[str, str]] | Fault, session: ExaminedSession
    ) -> list[Problem]:
        after = self.look(session)
        if isinstance(before, Fault):
            return []  # the module did not load, which the dry run tells
        if isinstance(after, Fault):
            told = f"what the module holds cannot be looked into ({after.message})"
            return [Problem(None, "state", told)]
        for name, one, other in zip(self._expressions, before, after, strict=False):
            if other[1]:
                return [
                    Problem(
                        None,
                        "state",
                        f"{name} of the module holds {_plainly(other[1])}, which may keep something"
                        " from one bar to the next: make it inside execute_strategy, or write a "
                        "function",
                    )
                ]
            if one != other:
                return [
                    Problem(
                        None,
                        "state",
                        f"it changes {name}, which belongs to the module, and so keeps something "
                        "from one bar to the next: compute it from market_data['bars'] and "
                        "market_data['position']",
                    )
                ]
        return []


def _plainly(kind: str) -> str:
    """A kind as the sandbox writes it, in words."""
    return "a " + kind.removeprefix("<").removesuffix(">").removeprefix("class ").replace("'", "")

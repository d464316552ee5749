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
from typing import Any, Final, Protocol

import numpy as np

from trackrecord.strategies.constructs import construct_problems
from trackrecord.strategies.contract import BarRow, Decision, Fault, Position, Problem
from trackrecord.strategies.dry_run import DryRun, Instant, decided, instants, play, repeat
from trackrecord.strategies.execution import Executor, Session
from trackrecord.strategies.kept import function_names, kept_expressions, shape, unseen
from trackrecord.strategies.market_data import MarketData
from trackrecord.strategies.source import Source, parameter_values, parse, read_source

SLOWEST_SECONDS: Final = 0.1
"""What a decision may take on average."""
FRESH_CALLS: Final = 50
"""Bars on which a fresh call has to decide the same, at least."""
_UNSURE: Final = "types-unsure"
_SEED: Final = 1


class ExaminedSession(Session, Protocol):
    """A session that can be looked into."""

    def seen(self) -> dict[str, list[BarRow]] | Fault:
        """The bars as the strategy sees them now: other ones where it wrote into them."""

    def values(self, expressions: Sequence[str]) -> list[Any] | Fault:
        """What names of the module hold, or ``Class.name``; no calls are made."""

    @property
    def seconds(self) -> float:
        """What its steps took so far."""


class Laboratory(Executor, Protocol):
    """An executor with what validation needs beside."""

    def check_types(self, source: str) -> list[Problem]:
        """What a type checker says, with code ``types``, or ``types-unsure`` where it may err."""

    def decide(
        self, source: str, given: MarketData, parameters: Mapping[str, Any]
    ) -> Decision | Fault:
        """A fresh call on bars that were read before."""

    def open(
        self,
        source: str,
        parameters: Mapping[str, Any],
        *,
        timeframe: str,
        history: Mapping[str, Sequence[BarRow]] | None = None,
        renewed: bool = False,
    ) -> ExaminedSession:
        """A session; ``renewed`` runs the module anew before each step."""


@dataclass(frozen=True)
class Effort:
    """How much is run.

    Attributes:
        steps: Instants at which decisions are asked for, after the strategy's look-back.
        fresh: Decisions that are compared with a fresh call.
        poisons: How often the future is replaced by noise, each time from another bar on.
        renewed: Whether every decision is compared with those of a module that is run anew.
    """

    steps: int = 250
    fresh: int = 80
    poisons: int = 2
    renewed: bool = True


THOROUGH: Final = Effort()
QUICK: Final = Effort(steps=60, fresh=FRESH_CALLS, poisons=1, renewed=False)
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
    problems = [*problems, *construct_problems(tree)]
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
    history, plan = instants(bars, source.lookback, effort.steps)
    asked = sum(len(each.bars) for each in plan)
    if not asked:
        needed = f"it looks back on {source.lookback} bars, and no symbol has that many"
        return Validation((Problem(None, "bars", needed),), notes, source)
    trial = _Trial(source, laboratory, timeframe, parameters, history, plan)
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
        self._code = code
        self._tree = ast.parse(code)
        self._expressions = kept_expressions(self._tree)

    def look(self, session: ExaminedSession) -> list[Any] | Fault:
        return session.values(self._expressions) if self._expressions else []

    def changed(self, before: list[Any] | Fault, session: ExaminedSession) -> list[Problem]:
        after = self.look(session)
        if isinstance(before, Fault) or isinstance(after, Fault):
            return []  # a module that cannot be loaded has told so; a name may be set in a branch
        functions = function_names(self._tree)
        for name, one, other in zip(self._expressions, before, after, strict=True):
            if unseen(other, self._code, functions) is not None:
                return [
                    Problem(
                        None,
                        "state",
                        f"{name} of the module cannot be looked into and may keep something from "
                        "one bar to the next: make it inside execute_strategy, or write a function",
                    )
                ]
            if shape(one) != shape(other):
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


@dataclass(frozen=True)
class _Trial:
    """One strategy, the bars it is tried on, and the ways to run it again."""

    source: Source
    laboratory: Laboratory
    timeframe: str
    parameters: Mapping[str, Any]
    history: Mapping[str, Sequence[BarRow]]
    plan: Sequence[Instant]

    def open(self, *, renewed: bool = False) -> ExaminedSession:
        return self.laboratory.open(
            self.source.code,
            self.parameters,
            timeframe=self.timeframe,
            history=self.history,
            renewed=renewed,
        )

    def again(self, first: DryRun, plan: Sequence[Instant], *, renewed: bool = False) -> DryRun:
        session = self.open(renewed=renewed)
        try:
            return repeat(session, plan, first.positions)
        finally:
            session.close()

    def compared(self, first: DryRun, effort: Effort) -> list[Problem]:
        """Whether every way of running it decides the same."""
        dice = np.random.default_rng(_SEED)
        last = len(self.plan) - 1
        for number in range(effort.poisons):
            cut = min(last, max(0, (number + 1) * len(self.plan) // (effort.poisons + 1)))
            poisoned = self.again(first, poison(self.plan, cut, dice))
            if poisoned.answers[: cut + 1] != first.answers[: cut + 1]:
                return [self._unsteady(first) or _future(first, poisoned)]
        unsteady = self._unsteady(first)
        if unsteady:
            return [unsteady]
        if effort.renewed:
            renewed = self.again(first, self.plan, renewed=True)
            if renewed.answers != first.answers:
                return [_state(first, renewed.answers)]
        return self._fresh(first, max(FRESH_CALLS, effort.fresh), dice)

    def _unsteady(self, first: DryRun) -> Problem | None:
        second = self.again(first, self.plan)
        if second.answers == first.answers:
            return None
        return Problem(
            None,
            "nondeterministic",
            f"run a second time on the same bars it decides otherwise{_where(first, second)}: a "
            "decision follows from the bars alone",
        )

    def _fresh(self, first: DryRun, wanted: int, dice: np.random.Generator) -> list[Problem]:
        for index, symbol in sampled(first, wanted, dice):
            given = self._given(first, index, symbol)
            fresh = self.laboratory.decide(self.source.code, given, self.parameters)
            if fresh == first.answers[index][symbol]:
                continue
            if self.laboratory.decide(self.source.code, given, self.parameters) != fresh:
                return [
                    Problem(
                        None,
                        "nondeterministic",
                        f"two fresh calls on the same bars (until {given.bars[-1].time} of "
                        f"{symbol}) decide differently: a decision follows from the bars alone",
                    )
                ]
            return [_state(first, {index: {symbol: fresh}})]
        return []

    def _given(self, first: DryRun, index: int, symbol: str) -> MarketData:
        before = self.history[symbol]
        since = [each.bars[symbol] for each in self.plan[: index + 1] if symbol in each.bars]
        bars = [*before, *since][-self.source.lookback :]
        position = first.positions[index].get(symbol, Position())
        return MarketData(symbol, self.timeframe, bars, position)


def poison(plan: Sequence[Instant], cut: int, dice: np.random.Generator) -> list[Instant]:
    """The same instants until ``cut``, and noise of the same size after it."""
    changed = list(plan[: cut + 1])
    for instant in plan[cut + 1 :]:
        bars = {}
        for symbol, bar in instant.bars.items():
            factor = float(dice.uniform(0.5, 1.5))
            prices = [price * factor * float(dice.uniform(0.98, 1.02)) for price in bar[1:5]]
            high, low = max(prices), min(prices)
            bars[symbol] = BarRow(
                bar.time, prices[0], high, low, prices[3], bar.volume * float(dice.uniform(0.1, 10))
            )
        changed.append(Instant(bars))
    return changed


def sampled(run: DryRun, wanted: int, dice: np.random.Generator) -> list[tuple[int, str]]:
    """Places to look at: the ends, half of them where something was done, the rest anywhere."""
    places = [
        (index, symbol)
        for index, answers in enumerate(run.answers)
        for symbol, answer in answers.items()
        if answer is not None
    ]
    acted = [
        (index, symbol)
        for index, symbol in places
        if isinstance(answer := run.answers[index][symbol], Decision) and answer.action != "hold"
    ]
    chosen = dict.fromkeys(places[-2:])
    chosen.update(dict.fromkeys(_some(acted, wanted // 2, dice)))
    rest = [each for each in places if each not in chosen]
    chosen.update(dict.fromkeys(_some(rest, wanted - len(chosen), dice)))
    return list(chosen)


def _some(
    places: list[tuple[int, str]], wanted: int, dice: np.random.Generator
) -> list[tuple[int, str]]:
    number = min(len(places), max(0, wanted))
    return [places[index] for index in dice.choice(len(places), number, replace=False)]


def _where(first: DryRun, second: DryRun) -> str:
    for instant, one, other in zip(first.plan, first.answers, second.answers, strict=True):
        for symbol, answer in one.items():
            if other.get(symbol) != answer:
                return f" (first on {symbol}, {instant.bars[symbol].time})"
    return ""


def _future(first: DryRun, poisoned: DryRun) -> Problem:
    return Problem(
        None,
        "future",
        f"with other bars after it, a bar is decided otherwise{_where(first, poisoned)}: it knows "
        "what has not happened yet",
    )


def _state(
    first: DryRun,
    others: Sequence[Mapping[str, object]] | Mapping[int, Mapping[str, object]],
) -> Problem:
    pairs = others.items() if isinstance(others, Mapping) else enumerate(others)
    where = ""
    for index, answers in pairs:
        for symbol, answer in answers.items():
            if first.answers[index].get(symbol) != answer and not where:
                where = f" (first seen on {symbol}, {first.plan[index].bars[symbol].time})"
    return Problem(
        None,
        "state",
        f"a fresh call decides otherwise{where}: it keeps something from one bar to the next, such "
        "as a list of the module, or random numbers drawn on; compute it from "
        "market_data['bars'] and market_data['position']",
    )

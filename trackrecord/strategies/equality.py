"""Whether a strategy decides the same however it is run, which shows what it decides by.

The one definition of a decision is a fresh call. A session that goes on, a module that is loaded
anew before each bar, a second run and one with another future have to agree with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from trackrecord.strategies.contract import BarRow, Decision, Position, Problem
from trackrecord.strategies.dry_run import DryRun, Instant, repeat
from trackrecord.strategies.execution import ExaminedSession, Laboratory
from trackrecord.strategies.market_data import MarketData
from trackrecord.strategies.source import Source

FRESH_CALLS: Final = 50
"""Bars on which a fresh call has to decide the same, where code is not made from a rule."""
_SEED: Final = 1
_NOISES: Final = 4
_BEYOND: Final = 5


@dataclass(frozen=True)
class Effort:
    """How much is run.

    Attributes:
        steps: Instants at which decisions are asked for, after the strategy's look-back.
        fresh: Decisions that are compared with a fresh call.
        poisons: How often the future is replaced by noise, each time from another bar on.
        renewed: Whether every decision is compared with those of a module that is run anew.
        again: Whether all of it is run a second time; a poisoned run does so until its poison.
    """

    steps: int = 250
    fresh: int = 80
    poisons: int = 2
    renewed: bool = True
    again: bool = True


@dataclass(frozen=True)
class Trial:
    """One strategy, the bars it is tried on, and the ways to run it again."""

    source: Source
    laboratory: Laboratory
    timeframe: str
    parameters: Mapping[str, Any]
    history: Mapping[str, Sequence[BarRow]]
    plan: Sequence[Instant]

    def open(self, *, renewed: bool = False) -> ExaminedSession:
        """A session with the bars before the first decision."""
        return self.laboratory.open(
            self.source.code,
            self.parameters,
            timeframe=self.timeframe,
            history=self.history,
            renewed=renewed,
        )

    def again(self, first: DryRun, plan: Sequence[Instant], *, renewed: bool = False) -> DryRun:
        """Another run with the positions of the first one."""
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
            cut = min(last, (number + 1) * len(self.plan) // (effort.poisons + 1))
            # Decisions after the cut are not compared, so they need not be made.
            poisoned = self.again(first, poison(self.plan[: cut + _BEYOND], cut, dice))
            if poisoned.answers[: cut + 1] != first.answers[: cut + 1]:
                return [self._unsteady(first) or _future(first, poisoned)]
        unsteady = self._unsteady(first) if effort.again else None
        if unsteady:
            return [unsteady]
        if effort.renewed:
            renewed = self.again(first, self.plan, renewed=True)
            for index, answers in enumerate(renewed.answers):
                if answers != first.answers[index]:
                    return [self._why(first, index, dice)]
        return self._fresh(first, effort.fresh, dice)

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
            return [self._why(first, index, dice)]
        return []

    def _why(self, first: DryRun, index: int, dice: np.random.Generator) -> Problem:
        """Why a fresh call decides otherwise: it has another future, or nothing from before."""
        for _ in range(_NOISES):
            poisoned = self.again(first, poison(self.plan[: index + _BEYOND], index, dice))
            if poisoned.answers[: index + 1] != first.answers[: index + 1]:
                return _future(first, poisoned)
        return _state(first, index)

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
    for instant, one, other in zip(first.plan, first.answers, second.answers, strict=False):
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


def _state(first: DryRun, index: int) -> Problem:
    times = {bar.time for bar in first.plan[index].bars.values()}
    return Problem(
        None,
        "state",
        f"a fresh call decides otherwise (first seen at {min(times)}): it keeps something from one "
        "bar to the next, such as a list of the module, or random numbers drawn on; compute it "
        "from market_data['bars'] and market_data['position']",
    )

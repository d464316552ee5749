"""Letting a strategy decide on bars one after the other, with positions that follow from it.

This is no backtest: a position opens at the next open and closes at the next open, and that is all
that a strategy needs to be tried, those that ask what they hold included.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trackrecord.strategies.contract import FLAT, BarRow, Decision, Fault, Position, Sides
from trackrecord.strategies.decisions import side_opened
from trackrecord.strategies.execution import Session

Answers = dict[str, Decision | Fault | None]
Positions = dict[str, Position]


@dataclass(frozen=True)
class Instant:
    """The bars that close at one time, by symbol."""

    bars: Mapping[str, BarRow]


@dataclass(frozen=True)
class DryRun:
    """What was asked, with which positions, and what came of it."""

    plan: Sequence[Instant]
    positions: list[Positions]
    answers: list[Answers]


def instants(
    bars: Mapping[str, Sequence[BarRow]], lookback: int, steps: int
) -> tuple[dict[str, Sequence[BarRow]], list[Instant]]:
    """The bars before the first decision, and the instants to decide at: the last ones there are.

    Symbols with fewer bars than ``lookback`` are left out; each step has the next bar of every
    symbol that has one.
    """
    history: dict[str, Sequence[BarRow]] = {}
    rest: dict[str, Sequence[BarRow]] = {}
    for symbol, rows in bars.items():
        asked = min(steps, len(rows) - lookback + 1)
        if asked > 0:
            first = len(rows) - asked
            history[symbol] = rows[max(0, first - lookback + 1) : first]
            rest[symbol] = rows[first:]
    longest = max((len(rows) for rows in rest.values()), default=0)
    plan = [
        Instant({symbol: rows[index] for symbol, rows in rest.items() if index < len(rows)})
        for index in range(longest)
    ]
    return history, plan


def play(session: Session, plan: Sequence[Instant], sides: Sides) -> DryRun:
    """Decide at every instant; each decision changes what is held at the next one."""
    held: Positions = {}
    waiting: dict[str, tuple[str, Position]] = {}
    positions: list[Positions] = []
    answers: list[Answers] = []
    for instant in plan:
        for symbol in [each for each in waiting if each in instant.bars]:
            action, before = waiting.pop(symbol)
            held[symbol] = _after(action, before, sides, instant.bars[symbol])
        given = {symbol: held.get(symbol, FLAT) for symbol in instant.bars}
        answered = session.step(instant.bars, given)
        for symbol, answer in answered.items():
            if isinstance(answer, Decision) and answer.action != "hold":
                waiting[symbol] = (answer.action, given[symbol])
        positions.append(given)
        answers.append(answered)
    return DryRun(plan, positions, answers)


def _after(action: str, before: Position, sides: Sides, bar: BarRow) -> Position:
    """What is held once an action has been done."""
    opened = side_opened(action, before, sides)
    if opened is not None:
        return Position(opened, bar.open, 1.0, bar.time)
    closes = {"buy": "SHORT", "sell": "LONG"}[action]
    return FLAT if before.side == closes else before


def repeat(
    session: Session, plan: Sequence[Instant], positions: Sequence[Mapping[str, Position]]
) -> DryRun:
    """Decide at every instant with the positions of another run: decisions can be compared.

    The plan may be the beginning of the other one only.
    """
    answers = [
        session.step(instant.bars, given) for instant, given in zip(plan, positions, strict=False)
    ]
    return DryRun(plan, [dict(each) for each in positions[: len(plan)]], answers)


def decided(run: DryRun) -> dict[str, int]:
    """How often which action was decided."""
    return dict(
        Counter(
            answer.action
            for answers in run.answers
            for answer in answers.values()
            if isinstance(answer, Decision)
        )
    )

"""A strategy on bars: walked forward, paid, and judged on what it had not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from trackrecord.performance.measure import Numbers
from trackrecord.strategies.drive import Strategy, Stretch
from trackrecord.strategies.history import History
from trackrecord.strategies.record import Record, annual_sharpe, numbers_of, record_of
from trackrecord.strategies.trades import CAPITAL, COST
from trackrecord.strategies.verdict import Record as Judged
from trackrecord.strategies.verdict import Verdict, judge
from trackrecord.strategies.walk import (
    SHARE_IN_SAMPLE,
    WINDOWS,
    Declared,
    Search,
    Told,
    Walk,
    untold,
    walk,
    windows_of,
)

Counted = Callable[[Sequence[str]], int]
"""Notes the identities of the sets of parameters that were tried, and answers N: how many tries
stand behind the strategy, these included."""


@dataclass(frozen=True)
class Settings:
    """How a backtest is made.

    Attributes:
        capital: Money at the start.
        cost: Of each fill, as a fraction of its notional.
        windows: Of the walk forward.
        share_in_sample: Of the sessions, before the first window.
        search: How parameters are looked for before each window; None keeps them.
        by_model: Whether a language model wrote the code.
        known_until: The last date that it may know, days since 1970; None is all there are.
        resamples: Of the bootstrapped intervals; 0 leaves them out, None is the usual number.
    """

    capital: Decimal = CAPITAL
    cost: Decimal = COST
    windows: int = WINDOWS
    share_in_sample: float = SHARE_IN_SAMPLE
    search: Search | None = None
    by_model: bool = False
    known_until: int | None = None
    resamples: int | None = None


@dataclass(frozen=True, eq=False)
class Window:
    """A stretch out of sample.

    Attributes:
        first: Its first session, days since 1970.
        last: Its last session.
        parameters: That it was run with.
        in_sample_sharpe: That these had on all sessions before; None where none was searched.
        sharpe: In the window; None where undefined.
        returned: On the equity at its beginning.
        closed: Trades that were entered in it and closed.
    """

    first: int
    last: int
    parameters: Mapping[str, Any]
    in_sample_sharpe: float | None
    sharpe: float | None
    returned: float
    closed: int


@dataclass(frozen=True, eq=False)
class Backtest:
    """What came out.

    Attributes:
        settings: How it was made.
        history: On what.
        walk: What was chosen, and how much was tried.
        windows: One after the other.
        inside: The sessions before the first window, with the first window's parameters.
        known: The bars that ``inside`` is of.
        outside: All windows as one record, begun with nothing: what is judged.
        numbers_inside: Of the first.
        numbers: Of the second.
        judged: What the verdict is made of.
        verdict: In one phrase.
        why: In one sentence.
    """

    settings: Settings
    history: History
    walk: Walk
    windows: list[Window]
    inside: Record
    known: History
    outside: Record
    numbers_inside: Numbers
    numbers: Numbers
    judged: Judged
    verdict: Verdict
    why: str


def backtest(
    strategy: Strategy,
    history: History,
    declared: Declared,
    parameters: Mapping[str, Any],
    counted: Counted,
    settings: Settings | None = None,
    told: Told = untold,
) -> Backtest:
    """Walk a strategy forward, and judge it.

    Args:
        strategy: What is judged.
        history: The bars.
        declared: The parameters that it declares.
        parameters: Values that are set.
        counted: Called once, as soon as all is known that was tried, before anything is judged.
        settings: How.
        told: How far it is.

    Raises:
        StrategyFaultError: The strategy gave no decision on a bar.
    """
    settings = Settings() if settings is None else settings
    firsts = windows_of(history, settings.windows, settings.share_in_sample)
    cost = float(settings.cost)
    tried: list[str] = []
    try:
        walked = walk(
            strategy, history, declared, parameters, firsts,
            search=settings.search, cost=cost, tried=tried, told=told,
        )  # fmt: skip
    finally:
        # What was tried counts, also where it was broken off.
        tries = counted(tried)
    known = history.until(firsts[0])
    start = Stretch(int(history.sessions[0]), walked.chosen[0].parameters)

    def run(bars: History, plan: Sequence[Stretch], name: str) -> Record:
        trades = strategy.trades(bars, plan, lambda done, total: told(name, done, total))
        return record_of(bars, trades, plan[0].first, capital=settings.capital, cost=settings.cost)

    inside = run(known, [start], "in sample")
    outside = run(history, walked.plan, "out of sample")
    yearly = history.sessions_per_year
    numbers = numbers_of(outside, yearly, tries=tries, resamples=settings.resamples)
    sessions = outside.curve.sessions
    remembered = 0
    if settings.by_model:
        remembered = len(sessions)
        if settings.known_until is not None:
            remembered = int(np.searchsorted(sessions, settings.known_until, "right"))
    judged = Judged(
        closed=len(outside.account.closed),
        sessions=len(sessions),
        sharpe=annual_sharpe(outside.curve, yearly),
        total=outside.curve.total,
        holding_sharpe=annual_sharpe(outside.holding, yearly),
        holding_total=outside.holding.total,
        deflated=numbers.values["deflated_sharpe_ratio"],
        tries=tries,
        remembered=remembered,
    )
    verdict, why = judge(judged)
    return Backtest(
        settings, history, walked, windows_in(history, walked, outside), inside, known, outside,
        numbers_of(inside, yearly, resamples=0), numbers, judged, verdict, why,
    )  # fmt: skip


def windows_in(history: History, walked: Walk, outside: Record) -> list[Window]:
    """Each window's part of what came out of sample."""
    found = []
    ends: list[int | None] = [each.first for each in walked.chosen[1:]]
    entries = [
        int(history.series[trade.symbol].day[trade.entry_row])
        for trade in outside.account.trades
        if trade.is_closed
    ]
    for chosen, end in zip(walked.chosen, [*ends, None], strict=True):
        part = outside.curve.part(chosen.first, end)
        found.append(
            Window(
                chosen.first,
                int(part.sessions[-1]),
                chosen.parameters,
                chosen.sharpe,
                annual_sharpe(part, history.sessions_per_year),
                part.total,
                sum(chosen.first <= day and (end is None or day < end) for day in entries),
            )
        )
    return found

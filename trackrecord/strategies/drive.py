"""Leads a strategy's code through bars: each bar enters only after the decisions before it are out.

The history before is handed in when a session is opened; from then on all bars of one instant go
in together, the answers come back, and what they decided waits for each symbol's next open. What
has not happened yet is nowhere in the process that runs the code.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from trackrecord.errors import TrackrecordError
from trackrecord.outcomes import Policy
from trackrecord.strategies.contract import MOST_LOOKBACK, BarRow, Fault, Sides
from trackrecord.strategies.execution import Executor, Session
from trackrecord.strategies.history import History, instants
from trackrecord.strategies.simulate import NOTHING, State, advance, cease, decide
from trackrecord.strategies.trades import Collected, Trade
from trackrecord.times import moment

Progress = Callable[[int, int], None]
"""Told how many bars of how many are done."""


class Stretch(NamedTuple):
    """From a date on, until the next stretch begins, a strategy runs with these parameters.

    Attributes:
        first: Days since 1970.
        parameters: What is handed in as ``strategy_params``.
    """

    first: int
    parameters: Mapping[str, Any]


class Strategy(Protocol):
    """What can be led through bars, whatever it is made of."""

    def trades(
        self, history: History, plan: Sequence[Stretch], progress: Progress | None = None
    ) -> list[Trade]:
        """Its trades, beginning with nothing at the first stretch; by symbol, and in order.

        A position lives on where a stretch ends, and the next one's parameters decide on it.
        """


class StrategyFaultError(TrackrecordError):
    """A strategy gave no decision on a bar, so nothing can be told of it."""

    def __init__(self, symbol: str, at: int, fault: Fault) -> None:
        """``at`` is when the bar opened; microseconds since 1970 UTC."""
        when = moment(at).isoformat().replace("+00:00", "Z")
        super().__init__(f"on {symbol}'s bar of {when} it gave no decision: {fault.message}")
        self.fault = fault


@dataclass(frozen=True)
class Code:
    """A strategy as code.

    Attributes:
        executor: What runs it.
        source: The code.
        sides: What it may hold.
        policy: Which level counts when one bar reaches both target and stop.
    """

    executor: Executor
    source: str
    sides: Sides
    policy: Policy = "stop_first"

    def trades(
        self, history: History, plan: Sequence[Stretch], progress: Progress | None = None
    ) -> list[Trade]:
        """See :meth:`Strategy.trades`.

        Raises:
            StrategyFaultError: It gave no decision on a bar.
        """
        course = _Course(history, self, progress)
        edges = [stretch.first for stretch in plan[1:]]
        steps: list[list[list[tuple[str, int]]]] = [[] for _ in plan]
        for _, bars in instants(history):
            # Bars of one instant opened on one date, but where timeframes of symbols differ.
            by_stretch: dict[int, list[tuple[str, int]]] = {}
            for name, row in bars:
                day = int(history.series[name].day[row])
                if day >= plan[0].first:
                    place = bisect_left(edges, day + 1)
                    by_stretch.setdefault(place, []).append((name, row))
            for place, some in by_stretch.items():
                steps[place].append(some)
        for stretch, its in zip(plan, steps, strict=True):
            course.run(stretch, its)
        return course.end()


class _Course:
    """One strategy on its way through bars."""

    def __init__(self, history: History, code: Code, progress: Progress | None) -> None:
        self._history = history
        self._code = code
        self._progress = progress
        self._states: dict[str, State] = dict.fromkeys(history.series, NOTHING)
        self._found = {name: Collected(name) for name in history.series}
        self._ceased = history.ceased
        self._done = 0

    def run(self, stretch: Stretch, steps: list[list[tuple[str, int]]]) -> None:
        if not steps:
            return
        before: dict[str, list[BarRow]] = {}
        for name, series in self._history.series.items():
            end = int(np.searchsorted(series.day, stretch.first))
            before[name] = [series.row(row) for row in range(max(0, end - MOST_LOOKBACK), end)]
        session = self._code.executor.open(
            self._code.source,
            stretch.parameters,
            timeframe=self._history.timeframe,
            history=before,
        )
        try:
            for bars in steps:
                self._step(session, bars)
        finally:
            session.close()

    def _step(self, session: Session, bars: list[tuple[str, int]]) -> None:
        series, states = self._history.series, self._states
        rows = {name: series[name].row(row) for name, row in bars}
        for name, row in bars:
            state, events = advance(
                states[name],
                series[name].exact(row),
                self._code.policy,
                series[name].jump_limits,
                opened_at=rows[name].time,
            )
            if events:
                self._found[name].take(row, events)
            states[name] = state
        answers = session.step(
            rows,
            {name: states[name].position for name, _ in bars if states[name].held is not None},
        )
        for name, row in bars:
            answer = answers.get(name)
            if isinstance(answer, Fault):
                raise StrategyFaultError(name, int(series[name].opened_at[row]), answer)
            if answer is not None:
                states[name] = decide(states[name], answer, self._code.sides)
            if self._ceased[name][row]:
                states[name], events = cease(states[name])
                self._found[name].take(row, events)
        self._done += len(bars)
        if self._progress is not None:
            self._progress(self._done, self._history.bars)

    def end(self) -> list[Trade]:
        return [
            trade
            for name, state in self._states.items()
            for trade in self._found[name].end(
                len(self._history.series[name]) - 1, state.held, state.close
            )
        ]

"""What rules answer on the last bar of many windows at once: of symbols, and of bars that piled up.

The windows stand side by side, and each number of each is the one that it is alone
(:class:`trackrecord.strategies.rules.series.Columns`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trackrecord.strategies.contract import Decision, Side
from trackrecord.strategies.live.lines import Counted
from trackrecord.strategies.rules.evaluate import Signals, evaluate
from trackrecord.strategies.rules.model import Rule
from trackrecord.strategies.rules.series import Columns, Series
from trackrecord.strategies.simulate import State

_SIDES: dict[int, Side] = {1: "LONG", -1: "SHORT"}
_HOLD = Decision("hold")


@dataclass(frozen=True, slots=True)
class Answers:
    """What a rule answers on some bars.

    Attributes:
        column: By place of the bar in the panel, the column of what follows; a bar with fewer bars
            up to it than the rule looks back on is not there.
        entering: Places where something is entered by who holds nothing.
    """

    rule: Rule
    column: dict[int, int]
    entering: list[int]
    _signals: Signals
    _opened_at: np.ndarray

    def decision(self, place: int, state: State) -> Decision | None:
        """What is decided by who holds this; None where the rule is not asked yet."""
        column = self.column.get(place)
        if column is None:
            return None
        held = state.held
        if held is None:
            side, entry_row = None, 0
        else:
            side = _SIDES[held.direction]
            if not self._may_leave(column, side):
                return _HOLD
            entry_row = self._row_of(column, held.entry_time)
        signals = self._signals.of(column)
        return signals.decision(self.rule.lookback - 1, side, entry_row)

    def _may_leave(self, column: int, side: Side) -> bool:
        if self.rule.trail is not None:
            return True
        signals = self._signals
        flags = signals.leave_long if side == "LONG" else signals.leave_short
        return bool(flags[-1, column])

    def _row_of(self, column: int, entry_time: str | None) -> int:
        """The row of the entry bar in the window; 0 where it lies further back."""
        if entry_time is None or self.rule.trail is None:
            return 0
        at = np.datetime64(entry_time.removesuffix("Z"), "us").astype(np.int64)
        return int(np.searchsorted(self._opened_at[:, column], at))


class Panel:
    """Bars that rules are asked on together; what several rules share is worked out once."""

    def __init__(self, bars: Sequence[Counted]) -> None:
        """Take the bars; nothing is worked out yet."""
        self.bars = bars
        self._series: dict[tuple[int, tuple[int, ...]], Series] = {}
        self._opened_at: dict[tuple[int, tuple[int, ...]], np.ndarray] = {}

    def ask(self, rule: Rule, places: Sequence[int]) -> Answers:
        """What a rule answers on the bars of some places.

        Raises:
            ValueError: The rule looks further back than its window, or names what is not there.
        """
        lookback = rule.lookback
        known = tuple(place for place in places if self.bars[place].end >= lookback)
        if not known:
            return Answers(rule, {}, [], _NOTHING, np.empty((0, 0), np.int64))
        key = (lookback, known)
        if key not in self._series:
            self._gather(key)
        signals = evaluate(rule, self._series[key])
        entering = np.flatnonzero(signals.enter_long[-1] | signals.enter_short[-1])
        return Answers(
            rule,
            {place: column for column, place in enumerate(known)},
            [known[column] for column in entering.tolist()],
            signals,
            self._opened_at[key],
        )

    def _gather(self, key: tuple[int, tuple[int, ...]]) -> None:
        lookback, places = key
        values = np.empty((5, lookback, len(places)))
        opened_at = np.empty((lookback, len(places)), np.int64)
        for column, place in enumerate(places):
            bar = self.bars[place]
            values[:, :, column] = bar.values(lookback)
            opened_at[:, column] = bar.opened_at(lookback)
        self._opened_at[key] = opened_at
        self._series[key] = Series(Columns.of(opened_at.view("datetime64[us]"), *values))


_NONE = np.zeros((0, 0))
_NO = np.zeros((0, 0), np.bool_)
_NOTHING = Signals(
    Rule(), _NO, _NO, _NO, _NO, _NO, _NONE, _NONE, _NONE, _NONE, None, _NONE, None
)  # fmt: skip

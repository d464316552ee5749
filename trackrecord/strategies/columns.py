"""The fold of :mod:`trackrecord.strategies.simulate` over columns: from trade to trade.

A rule's answers are known for all bars at once, as each depends on its own window and on the entry
of what is held. So nothing has to be done on most bars: the next entry is looked up, then the first
bar that ends it. Doubles decide where they decide as decimals do (:attr:`Series.is_plain`); else
the bars are folded one by one. Prices of fills are exact either way.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal, NamedTuple, Protocol

import numpy as np

from trackrecord.outcomes import Policy
from trackrecord.outcomes.model import ENTRY_NOT_POSITIVE
from trackrecord.strategies.contract import Side, Sides
from trackrecord.strategies.history import Flags, Floats, Series
from trackrecord.strategies.simulate import BEYOND_LEVEL, JUMP, Where
from trackrecord.strategies.trades import Outcome

_FIRST_LOOK: Final = 32
"""Bars that are looked through at first for a level that is touched; then twice as many, ..."""
_SIDES: Final[dict[int, Side]] = {1: "LONG", -1: "SHORT"}


class Answers(Protocol):
    """What a strategy answers on every bar of a symbol.

    Flat, and ``enter_long`` (or else ``enter_short``), of the sides that are allowed: that is the
    decision, with the levels of that row. Holding: it is left where :meth:`leaves` says so; where
    both sides are allowed, that enters the other side, with that side's levels of the row.
    """

    @property
    def enter_long(self) -> Flags:
        """Where a long is entered when flat, (n,)."""

    @property
    def enter_short(self) -> Flags:
        """Where a short is, (n,)."""

    @property
    def stop_long(self) -> Floats:
        """Stop of a long that is decided there; NaN for none, (n,)."""

    @property
    def stop_short(self) -> Floats:
        """Of a short, (n,)."""

    @property
    def target_long(self) -> Floats:
        """Target of a long, likewise, (n,)."""

    @property
    def target_short(self) -> Floats:
        """Of a short, (n,)."""

    @property
    def horizon_bars(self) -> int | None:
        """Of whatever is entered; None for none."""

    def leaves(self, side: Side, row: int, entry_row: int) -> bool:
        """Whether a position that was entered in ``entry_row`` is left, decided at ``row``."""

    def leaves_at(self, side: Side, entry_row: int) -> int:
        """The first row, from ``entry_row`` on, at which it is; the number of bars if none."""


class Part(NamedTuple):
    """Answers, and the row from which on they count, until those of the next part do."""

    first: int
    answers: Answers


class Fold(NamedTuple):
    """One trade as the columns tell it; prices as doubles, NaN for none.

    Attributes:
        decided: The row at whose close it was.
        entry: The row at whose open it was entered.
        row: Where it ended.
        price: It was left at; of what is open, the last close.
        why: It is void.
    """

    direction: int
    decided: int
    entry: int
    entry_price: float
    stop: float
    target: float
    horizon: int | None
    outcome: Outcome
    how: Where | None
    row: int
    price: float
    delisted: bool = False
    why: str = ""


class Columns:
    """What is looked up of one symbol's bars and answers."""

    def __init__(
        self,
        series: Series,
        parts: Sequence[Part],
        ceased: Flags,
        sides: Sides,
        policy: Policy = "stop_first",
    ) -> None:
        """Index them.

        Args:
            series: The bars.
            parts: In order; before the first of them nothing is decided.
            ceased: Behind which bars the symbol had ceased to trade, (n,).
            sides: What may be held.
            policy: Which level counts when one bar reaches both target and stop.
        """
        self.series = series
        self.parts = parts
        self.sides = sides
        self.policy = policy
        self.count = len(series)
        self.ceased = np.flatnonzero(ceased).tolist()
        self.jumps = series.jumps.tolist()
        self._firsts = [part.first for part in parts]
        self._ends = [*self._firsts[1:], self.count]
        self._longs, self._shorts = self._joined("enter_long"), self._joined("enter_short")
        if sides == "long":
            self._shorts = []
        if sides == "short":
            self._longs = []

    def _joined(self, name: Literal["enter_long", "enter_short"]) -> list[int]:
        found: list[int] = []
        for part, end in zip(self.parts, self._ends, strict=True):
            rows = np.flatnonzero(getattr(part.answers, name)[part.first : end])
            found += (rows + part.first).tolist()
        return found

    def entry(self, row: int) -> tuple[int, int]:
        """The next row, from ``row`` on, at which something is entered when flat, and which way.

        The number of bars where there is none; of both at once the long counts.
        """
        long, short = self._next(self._longs, row), self._next(self._shorts, row)
        return (long, 1) if long <= short else (short, -1)

    def _next(self, rows: list[int], row: int) -> int:
        place = bisect_left(rows, row)
        return rows[place] if place < len(rows) else self.count

    def part_of(self, row: int) -> Answers:
        """Whose answer counts at a row."""
        return self.parts[bisect_left(self._firsts, row + 1) - 1].answers

    def leave(self, direction: int, entry: int) -> int:
        """The first row at which what was entered is given up; the number of bars if none."""
        side = _SIDES[direction]
        place = max(0, bisect_left(self._firsts, entry + 1) - 1)
        found = self.parts[place].answers.leaves_at(side, entry)
        while found >= self._ends[place] and place + 1 < len(self.parts):
            # Later parameters decide on what earlier ones have entered.
            place += 1
            answers = self.parts[place].answers
            found = next(
                (
                    row
                    for row in range(self._firsts[place], self._ends[place])
                    if answers.leaves(side, row, entry)
                ),
                self.count,
            )
        return min(found, self.count)

    def levels(self, direction: int, row: int) -> tuple[float, float, int | None]:
        """Stop, target (NaN for none) and horizon of an entry that is decided at a row."""
        answers = self.part_of(row)
        if direction > 0:
            stop, target = answers.stop_long[row], answers.target_long[row]
        else:
            stop, target = answers.stop_short[row], answers.target_short[row]
        return float(stop), float(target), answers.horizon_bars

    def next_jump(self, row: int) -> int:
        """The next row, from ``row`` on, that opens with an unexplained jump."""
        return self._next(self.jumps, row)

    def next_end(self, row: int) -> int:
        """The next row, from ``row`` on, behind which the symbol had ceased to trade."""
        return self._next(self.ceased, row)


def fold(columns: Columns) -> list[Fold]:
    """The trades of a symbol whose bars are plain, in order."""
    found: list[Fold] = []
    last = columns.count - 1
    ceased = set(columns.ceased)
    turned = 0
    row = columns.parts[0].first
    while True:
        if turned:
            # Decided at the row before what it left: it enters where that was left.
            decided, direction = row, turned
        else:
            decided, direction = columns.entry(row)
        if decided >= last:
            return found
        if decided in ceased:
            row, turned = decided + 1, 0
            continue
        one = _one(columns, direction, decided)
        found.append(one)
        if one.outcome == "open":
            return found
        row, turned = _after(columns, one)


def _one(columns: Columns, direction: int, decided: int) -> Fold:
    """The trade that is decided at a row."""
    entry = decided + 1
    price = float(columns.series.open[entry])
    stop, target, horizon = columns.levels(direction, decided)
    begun = Fold(
        direction, decided, entry, price, stop, target, horizon, "void", None, entry, np.nan
    )
    if price <= 0:
        return begun._replace(why=ENTRY_NOT_POSITIVE)
    if direction * (price - target) > 0 or direction * (price - stop) < 0:
        return begun._replace(why=BEYOND_LEVEL)
    last = columns.count - 1
    left = columns.leave(direction, entry) + 1
    jump = columns.next_jump(entry + 1)
    end = columns.next_end(entry)
    expires = columns.count if horizon is None else entry + horizon - 1
    # Up to here its levels are looked at; of what ends it at an open, the gap alone.
    until = min(left, jump, end, expires, last)
    touched = _touched(columns.series, direction, stop, target, entry, until)
    if touched is not None and touched != jump:
        met = _met(columns, begun, touched, at_open_only=touched == left)
        if met is not None:
            return met
    return _ended(columns, begun, until, left=left, jump=jump, expires=expires, end=end)


def _met(columns: Columns, one: Fold, row: int, *, at_open_only: bool) -> Fold | None:
    """A level that is left at in a bar which touches one: at its open, else inside."""
    opened = float(columns.series.open[row])
    if row > one.entry:
        if one.direction * (opened - one.target) >= 0:
            return one._replace(outcome="target", how="gap", row=row, price=opened)
        if one.direction * (opened - one.stop) <= 0:
            return one._replace(outcome="stop", how="gap", row=row, price=opened)
    if at_open_only:
        return None
    if _prefers_target(columns, one, row):
        return one._replace(outcome="target", how="intrabar", row=row, price=one.target)
    return one._replace(outcome="stop", how="intrabar", row=row, price=one.stop)


def _ended(
    columns: Columns, one: Fold, until: int, *, left: int, jump: int, expires: int, end: int
) -> Fold:
    """What ends it where no level does: of all at one bar, what comes first in it."""
    if until == jump:
        return one._replace(row=jump, why=JUMP)
    if until == left:
        opened = float(columns.series.open[left])
        return one._replace(outcome="decision", how="open", row=left, price=opened)
    close = float(columns.series.close[until])
    if until in (expires, end):
        return one._replace(
            outcome="expired", how="expiry", row=until, price=close, delisted=until != expires
        )
    return one._replace(outcome="open", row=until, price=close)


def _prefers_target(columns: Columns, one: Fold, row: int) -> bool:
    """Whether the target counts in a bar that touches one level or both."""
    series, direction = columns.series, one.direction
    best, worst = (series.high, series.low) if direction > 0 else (series.low, series.high)
    if not direction * (float(best[row]) - one.target) >= 0:
        return False
    if not direction * (float(worst[row]) - one.stop) <= 0:
        return True
    if columns.policy == "open_proximity":
        # In decimals: the two distances are differences, and as doubles could be rounded.
        opened, target, stop = (
            Decimal(repr(float(price))) for price in (series.open[row], one.target, one.stop)
        )
        return bool(direction * (target - opened) < direction * (opened - stop))
    return columns.policy == "target_first"


def _touched(
    series: Series, direction: int, stop: float, target: float, first: int, last: int
) -> int | None:
    """The first row, from ``first`` to ``last``, whose prices reach a level."""
    has_stop, has_target = stop == stop, target == target  # noqa: PLR0124 - NaN is none
    if not (has_stop or has_target):
        return None
    start, wide = first, _FIRST_LOOK
    while start <= last:
        rows = slice(start, min(start + wide, last + 1))
        if direction > 0:
            hit = series.low[rows] <= stop
            if has_target:
                hit |= series.high[rows] >= target
        else:
            hit = series.high[rows] >= stop
            if has_target:
                hit |= series.low[rows] <= target
        place = int(hit.argmax())
        if hit[place]:
            return start + place
        start, wide = start + wide, 2 * wide
    return None


def _after(columns: Columns, one: Fold) -> tuple[int, int]:
    """From which row on the next decision is looked for; and where it has been made, its way."""
    if one.outcome == "void" and one.row == one.entry:
        return one.row, 0
    # What was held at the close before an exit at the open was decided upon there.
    at_open = one.how in ("gap", "open") or one.outcome == "void"
    before = one.row - 1
    if at_open and columns.sides == "both" and before >= one.entry:
        answers = columns.part_of(before)
        if answers.leaves(_SIDES[one.direction], before, one.entry):
            return before, -one.direction
    if one.delisted:
        return one.row + 1, 0
    return one.row, 0

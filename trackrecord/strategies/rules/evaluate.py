"""What a rule decides on every bar of a symbol, at once.

The answers are those of the code that is made from the rule, to the last bit: what the code works
out of its window of ``lookback`` bars is worked out here for all windows side by side.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from trackrecord.strategies.contract import Decision, Side
from trackrecord.strategies.rules.model import (
    Always,
    And,
    Compare,
    Condition,
    Cross,
    Not,
    Operand,
    Or,
    Percent,
    Ranges,
    Risk,
    Rule,
    Schedule,
    Stop,
    Target,
    Trail,
    Within,
)
from trackrecord.strategies.rules.series import Columns, Floats, Series, average_range

Flags = NDArray[np.bool_]

_THURSDAY: Final = 3
"""The weekday of 1 January 1970, where day 0 is."""
_OF_EACH_BAR: Final = (
    "asked", "enter_long", "enter_short", "leave_long", "leave_short", "stop_long", "stop_short",
    "target_long", "target_short", "close",
)  # fmt: skip
_CHUNK: Final = 256
"""Bars that a trail is looked for in at a time."""


@dataclass(frozen=True)
class Signals:
    """What a rule decides on each bar of a symbol; each array has one entry per bar.

    Of several symbols side by side each array has a second axis; :meth:`of` gives those of one.

    A fold asks, at each bar: flat, and ``enter_long`` (or ``enter_short``): that is the decision,
    with the ``stop``, ``target`` and ``horizon_bars`` of that row. Holding: :meth:`leaves`. With
    ``rule.sides == "both"`` a long is left, and a short entered, by ``enter_short``.

    Attributes:
        rule: What decides.
        asked: Whether as many bars have closed as it looks back on; nothing is decided before.
        enter_long: Filters, schedule and levels on the right side of the close are in it.
        leave_long: By its exit alone; what a trail does depends on the entry (:meth:`leaves`).
        stop_long: Price of the stop of a long decided there; NaN where there is none.
    """

    rule: Rule
    asked: Flags
    enter_long: Flags
    enter_short: Flags
    leave_long: Flags
    leave_short: Flags
    stop_long: Floats
    stop_short: Floats
    target_long: Floats
    target_short: Floats
    horizon_bars: int | None
    close: Floats
    trail_width: Floats | None
    """Distance of the trail from the best close, by bar, where it is a price; None otherwise."""

    def of(self, column: int) -> Signals:
        """Those of one of several symbols."""
        width = None if self.trail_width is None else self.trail_width[:, column]
        return replace(
            self,
            trail_width=width,
            **{name: getattr(self, name)[:, column] for name in _OF_EACH_BAR},
        )

    def decision(self, row: int, side: Side | None, entry_row: int = 0) -> Decision | None:
        """What is decided at the close of a bar; None where it is not asked yet.

        Args:
            row: The bar.
            side: What is held; None is nothing.
            entry_row: At whose open it was entered.
        """
        if not self.asked[row]:
            return None
        both = self.rule.sides == "both"
        if self.enter_long[row] and (side is None or (both and side == "SHORT")):
            return self._entry(row, "LONG")
        if self.enter_short[row] and (side is None or (both and side == "LONG")):
            return self._entry(row, "SHORT")
        ours = side is not None and side.lower() == self.rule.sides
        if ours and side is not None and self.leaves(side, row, entry_row):
            return Decision("sell" if side == "LONG" else "buy")
        return Decision("hold")

    def _entry(self, row: int, side: Side) -> Decision:
        long = side == "LONG"
        stop = (self.stop_long if long else self.stop_short)[row]
        target = (self.target_long if long else self.target_short)[row]
        return Decision(
            "buy" if long else "sell",
            stop_loss=None if np.isnan(stop) else float(stop),
            target_price=None if np.isnan(target) else float(target),
            horizon_bars=self.horizon_bars,
        )

    def leaves(self, side: Side, row: int, entry_row: int) -> bool:
        """Whether a position that entered at the open of ``entry_row`` is left, decided at ``row``.

        The best close counts from the entry bar on, or from the first bar of the window where
        the entry is further back.
        """
        if not self.asked[row]:
            return False
        if (self.leave_long if side == "LONG" else self.leave_short)[row]:
            return True
        if self.rule.trail is None:
            return False
        since = self.close[max(entry_row, row - self.rule.lookback + 1) : row + 1]
        best = float(since.max() if side == "LONG" else since.min())
        close = float(self.close[row])
        level = _trail_level(self.rule.trail, side, best, self._width(row))
        return bool(close <= level if side == "LONG" else close >= level)

    def leaves_at(self, side: Side, entry_row: int) -> int:
        """The first row, from ``entry_row`` on, at which such a position is left.

        The number of bars where it never is.
        """
        n = len(self.close)
        flags = self.leave_long if side == "LONG" else self.leave_short
        if self.rule.trail is None:
            found = flags[entry_row:].argmax() if entry_row < n else 0
            return entry_row + int(found) if entry_row < n and flags[entry_row + found] else n
        for start in range(entry_row, n, _CHUNK):
            end = min(n, start + _CHUNK)
            left = flags[start:end] | self._trailed(side, entry_row, start, end)
            if left.any():
                return start + int(left.argmax())
        return n

    def _trailed(self, side: Side, entry_row: int, start: int, end: int) -> Flags:
        """Where the trail is met within some bars, for a position of ``entry_row``."""
        assert self.rule.trail is not None  # noqa: S101 - who calls has looked
        lookback = self.rule.lookback
        best = np.empty(end - start)
        # While the entry is in the window, the best close is a running one.
        whole = min(end, entry_row + lookback)
        if whole > start:
            run = self.close[entry_row:whole]
            running = np.maximum.accumulate(run) if side == "LONG" else np.minimum.accumulate(run)
            best[: whole - start] = running[start - entry_row :]
        for row in range(max(start, whole), end):
            since = self.close[row - lookback + 1 : row + 1]
            best[row - start] = since.max() if side == "LONG" else since.min()
        width = None if self.trail_width is None else self.trail_width[start:end]
        level = _trail_level(self.rule.trail, side, best, width)
        close = self.close[start:end]
        met = close <= level if side == "LONG" else close >= level
        return np.asarray(met & self.asked[start:end], dtype=np.bool_)

    def _width(self, row: int) -> float | None:
        return None if self.trail_width is None else float(self.trail_width[row])


_Value = TypeVar("_Value", float, Floats)


def _trail_level(trail: Trail, side: Side, best: _Value, width: _Value | None) -> _Value:
    """Where a trail gives a position up; numbers or arrays."""
    if isinstance(trail, Percent):
        return best * (1 - trail.size / 100) if side == "LONG" else best * (1 + trail.size / 100)
    assert width is not None  # noqa: S101 - a trail of ranges has one
    return best - width if side == "LONG" else best + width


def evaluate(rule: Rule, series: Series) -> Signals:
    """What a rule decides on every bar.

    Args:
        rule: A finished one.
        series: A symbol's bars; keep it, and rules that share an indicator share its values.

    Raises:
        ValueError: The rule looks further back than its window, or names what is not there.
    """
    bars, lookback = series.bars, rule.lookback
    asked = np.zeros_like(bars.close, dtype=np.bool_)
    asked[lookback - 1 :] = True
    holds = _Truth(series, lookback)
    allowed = asked & _scheduled(rule.schedule, bars)
    for condition in rule.filters:
        allowed &= holds.everywhere(condition)
    enter_long = holds.everywhere(rule.entry) & allowed
    enter_short = holds.everywhere(rule.short_entry) & allowed
    stop_long, target_long = _levels(rule, "LONG", enter_long, series)
    stop_short, target_short = _levels(rule, "SHORT", enter_short, series)
    both = rule.sides == "both"
    width = None
    if isinstance(rule.trail, Ranges):
        ranges = series.at(average_range(rule.trail.days), 0, lookback)
        width = series.whole(rule.trail.multiple * ranges, lookback)
    return Signals(
        rule=rule,
        asked=asked,
        enter_long=enter_long,
        enter_short=enter_short,
        leave_long=enter_short if both else holds.everywhere(rule.exit),
        leave_short=enter_long if both else holds.everywhere(rule.short_exit),
        stop_long=stop_long,
        stop_short=stop_short,
        target_long=target_long,
        target_short=target_short,
        horizon_bars=rule.horizon_bars,
        close=bars.close,
        trail_width=width,
    )


def _levels(rule: Rule, side: Side, enter: Flags, series: Series) -> tuple[Floats, Floats]:
    """Stop and target of a side; takes out of ``enter`` the bars where one is on the wrong one."""
    close = series.bars.close
    up = 1.0 if side == "LONG" else -1.0
    stop = target = np.full_like(close, np.nan)
    if rule.stop is not None:
        stop = _level(rule.stop, series, rule.lookback, -up, stop)
        enter &= stop < close if side == "LONG" else stop > close
    if rule.target is not None:
        target = _level(rule.target, series, rule.lookback, up, stop)
        enter &= target > close if side == "LONG" else target < close
    return stop, target


def _level(
    distance: Stop | Target, series: Series, lookback: int, sign: float, stop: Floats
) -> Floats:
    """A price at a distance from the close, ``sign`` saying to which side."""
    close = series.bars.close
    if isinstance(distance, Percent):
        return close * (1 + sign * distance.size / 100)
    if isinstance(distance, Risk):
        return close + distance.multiple * (close - stop)
    if isinstance(distance, Ranges):
        width = distance.multiple * series.at(average_range(distance.days), 0, lookback)
        return close + sign * series.whole(width, lookback)
    return series.whole(series.at(distance.operand, 0, lookback), lookback)


def _scheduled(schedule: Schedule, bars: Columns) -> Flags:
    """On which bars an entry may be decided."""
    found = np.ones_like(bars.day, dtype=np.bool_)
    weekday = (bars.day + _THURSDAY) % 7
    if schedule.weekdays:
        found &= np.isin(weekday, schedule.weekdays)
    if schedule.months:
        found &= np.isin(bars.month % 12 + 1, schedule.months)
    if schedule.first_of is not None:
        part = bars.month if schedule.first_of == "month" else (bars.day + _THURSDAY) // 7
        found[:1] = False
        found[1:] &= part[1:] != part[:-1]
    return found


class _Truth:
    """Where conditions hold, in windows of one length."""

    def __init__(self, series: Series, lookback: int) -> None:
        self._series = series
        self._lookback = lookback
        self._rows = series.rows(lookback)
        self._shape = (self._rows, *series.bars.close.shape[1:])

    def everywhere(self, condition: Condition | None) -> Flags:
        """On all bars; false before there is a window, and for no condition."""
        found = np.zeros_like(self._series.bars.close, dtype=np.bool_)
        if condition is not None and self._rows:
            found[self._lookback - 1 :] = self._at(condition, 0)
        return found

    def _at(self, condition: Condition, ago: int) -> Flags:
        if isinstance(condition, Compare):
            left, right = self._value(condition.left, ago), self._value(condition.right, ago)
            return self._flags(_COMPARED[condition.op](left, right))
        if isinstance(condition, Cross):
            # The earlier bar first: what is stepped is then kept as far back as both need.
            left, right = (
                self._value(condition.left, ago + 1),
                self._value(condition.right, ago + 1),
            )
            above = condition.direction == "above"
            before = left <= right if above else left >= right
            left, right = self._value(condition.left, ago), self._value(condition.right, ago)
            return self._flags((left > right if above else left < right) & before)
        if isinstance(condition, Always):
            return self._flags(True)
        if isinstance(condition, Not):
            return ~self._at(condition.item, ago)
        if isinstance(condition, And | Or):
            return _joined(
                [self._at(item, ago) for item in condition.items], every=isinstance(condition, And)
            )
        times = [self._at(condition.condition, ago + i) for i in reversed(range(condition.bars))]
        return _joined(times, every=not isinstance(condition, Within))

    def _value(self, operand: Operand, ago: int) -> Floats | float:
        return self._series.at(operand, ago, self._lookback)

    def _flags(self, found: Flags | bool) -> Flags:
        """One entry a row, where both sides were constants too."""
        return np.broadcast_to(np.asarray(found, dtype=np.bool_), self._shape)


_COMPARED: Final = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip


def _joined(found: list[Flags], *, every: bool) -> Flags:
    """Where all of some conditions hold, or one of them."""
    return reduce(operator.and_ if every else operator.or_, found)

"""Signals that wait for bars, and the last bars of their symbols, as arrays.

What is judged is the set of bars and the signal: each time a symbol has new bars, all of its
waiting signals are judged anew from their entry bars on. That costs little, as a horizon is
short, and it is the same however the bars came.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from trackrecord.outcomes.label_many import (
    EXPIRY,
    GAP,
    Bars,
    Flags,
    Floats,
    Labels,
    Rows,
    Signals,
    label_many,
    of_old_shares,
)
from trackrecord.outcomes.model import Policy
from trackrecord.outcomes.waiting import BarColumns, Judgement, Known, Waiting
from trackrecord.performance.measure import above_zero
from trackrecord.times import NEVER

KEPT: Final = 512
"""Bars of each symbol that are kept: for the longest features, and horizons of a year."""

_TIMES: Final = ("opened_at", "closed_at")
_VALUES: Final = ("open", "high", "low", "close", "volume", "split_ratio")
_FIRST_ROOM: Final = 64


class Watch:
    """Bars by symbol, and the signals that wait for more."""

    def __init__(self, kept: int = KEPT) -> None:
        """Nothing is watched yet.

        Args:
            kept: Bars of each symbol.
        """
        self._kept = kept
        self.slots: dict[tuple[str, str], int] = {}
        self.version = np.zeros(_FIRST_ROOM, np.int64)
        self.count = np.zeros(_FIRST_ROOM, np.int64)
        self.whole = np.zeros(_FIRST_ROOM, np.bool_)
        columns: list[Any] = [np.zeros((_FIRST_ROOM, kept), np.int64) for _ in _TIMES]
        columns += [np.zeros((_FIRST_ROOM, kept)) for _ in _VALUES]
        self._bars = BarColumns(*columns)
        self._has_splits = False
        self.signals = Waiting.nothing()

    # -- bars -------------------------------------------------------------------------------

    def slot(self, key: tuple[str, str]) -> int:
        """The place of a symbol, made if there is none."""
        found = self.slots.get(key)
        if found is None:
            found = self.slots[key] = len(self.slots)
            if found == len(self.count):
                self._grow()
            self.version[found], self.count[found], self.whole[found] = -1, 0, False
        return found

    def _grow(self) -> None:
        room = 2 * len(self.count)
        self.version = np.resize(self.version, room)
        self.count = np.concatenate([self.count, np.zeros(room - len(self.count), np.int64)])
        self.whole = np.resize(self.whole, room)
        # Only what holds bars is touched: the rest takes no memory until bars come.
        deepest = int(self.count.max())
        columns: list[Any] = []
        for column in self._bars:
            larger = np.zeros((room, self._kept), column.dtype)
            larger[: len(column), :deepest] = column[:, :deepest]
            columns.append(larger)
        self._bars = BarColumns(*columns)

    def put_bars(self, slot: int, bars: BarColumns, *, whole: bool) -> None:
        """Set the bars of a symbol.

        Args:
            slot: Its place.
            bars: In order.
            whole: Whether there are none before.
        """
        last = bars.take(slice(-self._kept, None))
        self._has_splits |= bool((last.split_ratio != 1).any())
        self.count[slot] = len(last.open)
        self.whole[slot] = whole and len(bars.open) <= self._kept
        for column, values in zip(self._bars, last, strict=True):
            column[slot, : len(values)] = values

    def append(self, slot: Rows, bars: BarColumns) -> None:
        """Add bars behind those of their symbols.

        Args:
            slot: Of each bar, ascending.
            bars: In order within each slot.
        """
        if not len(slot):
            return
        self._has_splits |= bool((bars.split_ratio != 1).any())
        slots, first, more = np.unique(slot, return_index=True, return_counts=True)
        for each, start, number in zip(slots, first, more, strict=True):
            if self.count[each] + number > self._kept:
                self._make_room(int(each), bars.take(slice(start, start + number)))
        kept = np.repeat(np.minimum(more, self._kept), more)
        rank = np.arange(len(slot)) - np.repeat(first, more) - (np.repeat(more, more) - kept)
        there = rank >= 0
        place = self.count[slot] + rank
        for column, values in zip(self._bars, bars, strict=True):
            column[slot[there], place[there]] = values[there]
        self.count[slots] += np.minimum(more, self._kept)

    def _make_room(self, slot: int, coming: BarColumns) -> None:
        """Drop the oldest bars of a symbol, a quarter more than is needed now."""
        number = min(len(coming.open), self._kept)
        left = max(min(self._kept - number, self._kept * 3 // 4), 0)
        drop = max(int(self.count[slot]) - left, 0)
        end = int(self.count[slot])
        for column in self._bars:
            column[slot, : end - drop] = column[slot, drop:end].copy()
        self.count[slot] = end - drop
        if drop or len(coming.open) > self._kept:
            self.whole[slot] = False

    def bars_of(self, slot: int) -> BarColumns:
        """The bars of a symbol that are kept."""
        columns: list[Any] = [column[slot, : self.count[slot]] for column in self._bars]
        return BarColumns(*columns)

    def last_opened_at(self, slot: Rows) -> Rows:
        """When the last bar of each symbol opened; NEVER where there is none."""
        return self._last(self._bars.opened_at, slot)

    def last_closed_at(self, slot: Rows) -> Rows:
        """When it closed; NEVER where there is none."""
        return self._last(self._bars.closed_at, slot)

    def _last(self, column: Rows, slot: Rows) -> Rows:
        count = self.count[slot]
        return np.where(count > 0, column[slot, np.maximum(count - 1, 0)], NEVER)

    def moves(self, slot: Rows, opened_at: Rows, average_of: int) -> tuple[Floats, Floats]:
        """What bars say of the market.

        Args:
            slot: Of each bar.
            opened_at: Names the bar.
            average_of: Bars of the average.

        Returns:
            The return since the close before, and whether the close stands above its average
            (1 or 0); NaN where there are too few bars, or one of them closed at 0 or below.
            (n,) arrays.
        """
        place = self._place(slot, opened_at)
        close = self._bars.close
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = (
                above_zero(close[slot, place]) / above_zero(close[slot, np.maximum(place - 1, 0)])
                - 1
            )
            moved[place < 1] = np.nan
            total = np.zeros(len(slot))
            for lag in range(average_of - 1, -1, -1):
                total += above_zero(close[slot, np.maximum(place - lag, 0)])
            gap = close[slot, place] / (total / average_of) - 1
            above = np.where(np.isnan(gap), np.nan, (gap > 0).astype(np.float64))
            above[place < average_of - 1] = np.nan
        return moved, above

    def _place(self, slot: Rows, opened_at: Rows) -> Rows:
        """The first bar of each symbol that opened at or after a moment; behind all if none did."""
        low, high = np.zeros(len(slot), np.int64), self.count[slot].copy()
        while True:
            open_ = low < high
            if not open_.any():
                return low
            middle = (low + high) // 2
            before = open_ & (
                self._bars.opened_at[slot, np.minimum(middle, self._kept - 1)] < opened_at
            )
            low = np.where(before, middle + 1, low)
            high = np.where(open_ & ~before, middle, high)

    # -- signals ----------------------------------------------------------------------------

    def put_signals(self, signals: Waiting) -> None:
        """Let signals wait."""
        self.signals = self.signals.joined(signals)

    def forget_signals(self, slots: Iterable[int]) -> None:
        """Take all signals of symbols away."""
        self.signals = self.signals.take(~self._of(slots))

    def _of(self, slots: Iterable[int]) -> Flags:
        wanted = np.zeros(len(self.count), np.bool_)
        wanted[list(slots)] = True
        return np.asarray(wanted[self.signals.slot])

    # -- judging ----------------------------------------------------------------------------

    def judge(
        self, slots: Iterable[int], policy: Policy, ceased: dict[int, int] | None = None
    ) -> tuple[Judgement, Waiting]:
        """Judge the waiting signals of symbols.

        Those whose horizon has elapsed wait no longer; of the others, what is said here counts
        as being on record from now on.

        Args:
            slots: Places of symbols that have changed.
            policy: Which level counts when one bar reaches both target and stop.
            ceased: Symbols that have ceased to trade, and when that could be told
                (microseconds since 1970 UTC): what waits there expires at the last close.

        Returns:
            What the bars say; and the signals that entered before the first bar that is kept.
        """
        mine = np.flatnonzero(self._of(slots))
        signals = self.signals.take(mine)
        oldest = self._bars.opened_at[signals.slot, 0]
        deep = ~self.whole[signals.slot] & (
            (self.count[signals.slot] == 0) | (signals.emitted_at <= oldest)
        )
        too_old = signals.take(deep)
        mine, signals = mine[~deep], signals.take(~deep)
        judged = self._judge(signals, policy, ceased or {})
        records: list[tuple[Any, Any]] = list(zip(self.signals.known, judged.now, strict=True))
        for record, found in records:
            record[mine] = found
        stay = np.ones(len(self.signals.slot), np.bool_)
        stay[mine[judged.ends_at > NEVER]] = False
        if not stay.all():
            self.signals = self.signals.take(stay)
        return judged, too_old

    def _judge(self, signals: Waiting, policy: Policy, ceased: dict[int, int]) -> Judgement:
        slot = signals.slot
        place = self._place(slot, signals.emitted_at)
        first = slot * self._kept + place
        end = slot * self._kept + self.count[slot]
        told = np.full(len(self.count), NEVER)
        told[list(ceased)] = list(ceased.values())
        told_at = told[slot]
        there = place < self.count[slot]
        over = there & (told_at > NEVER) & (first + signals.horizon > end)
        columns: list[Any] = [column.reshape(-1) for column in self._bars]
        flat = BarColumns(*columns)
        entry_bar = np.minimum(first, len(flat.open) - 1)
        opens = flat.open[entry_bar]
        later = flat.opened_at[entry_bar] > signals.emitted_at
        if self._has_splits:
            opens = of_old_shares(opens, np.where(there & later, flat.split_ratio[entry_bar], 1.0))
        labels = label_many(
            Bars(
                flat.open,
                flat.high,
                flat.low,
                flat.close,
                flat.split_ratio if self._has_splits else None,
            ),
            Signals(
                signals.direction,
                np.where(signals.next_open & there, opens, signals.price),
                signals.target,
                signals.stop,
                np.where(over, end - first, signals.horizon),
                first,
                end,
                later,
            ),
            policy,
        )
        delisted = over & _at_last(labels, end)
        now = _known(labels, flat, first, delisted, told_at)
        last = first + signals.horizon - 1
        ends_at = np.where(last < end, flat.closed_at[np.minimum(last, len(flat.open) - 1)], NEVER)
        ends_at = np.where(over, told_at, ends_at)
        row = np.maximum(labels.exit_row, 0)
        closed_at = np.where(labels.exit_row >= 0, flat.closed_at[row], NEVER)
        exit_at = np.where(labels.how == GAP, flat.opened_at[row], closed_at)
        return Judgement(signals, now, now.differs(signals.known), exit_at, ends_at)


def _at_last(labels: Labels, end: Rows) -> Flags:
    """Which expired, at the last bar there is."""
    return np.asarray((labels.how == EXPIRY) & (labels.exit_row == end - 1))


def _known(labels: Labels, bars: BarColumns, first: Rows, delisted: Flags, told_at: Rows) -> Known:
    left = labels.exit_row >= 0
    row = np.maximum(labels.exit_row, 0)
    return Known(
        labels.outcome,
        labels.how,
        labels.ambiguous,
        np.where(left, bars.opened_at[row], NEVER),
        labels.exit_price,
        labels.returned,
        labels.mae,
        labels.mfe,
        delisted,
        np.where(left, labels.exit_row - first + 1, 0),
        np.where(delisted, told_at, np.where(left, bars.closed_at[row], NEVER)),
    )

"""The outcomes of many signals at once, in columns.

The rules are those of :mod:`trackrecord.outcomes.label_one`.

All signals that are still open advance by one bar at a time, so that the work is a few passes
over arrays for each bar of the longest horizon, however many signals there are. Prices are
compared, negated and, for fractions, divided; so floats give the outcomes of the decimals that
they were read from, as long as these have no more than 15 digits. A signal that meets a split
leaves the columns: a price times a ratio need be no float, so it is judged alone, in decimals.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trackrecord.outcomes.label_one import label
from trackrecord.outcomes.model import JUMP_LIMITS, Bar, Policy, Signal

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Small = NDArray[np.int8]
Flags = NDArray[np.bool_]

PENDING, TARGET, STOP, EXPIRED, VOID = range(5)
OUTCOMES: Final = ("pending", "target", "stop", "expired", "void")
"""Names of the codes of :attr:`Labels.outcome`."""

NOT_YET, GAP, INTRABAR, EXPIRY = range(4)
HOWS: Final = (None, "gap", "intrabar", "expiry")
"""Names of the codes of :attr:`Labels.how`."""

_AT_ONCE: Final = 65_536
"""Signals that advance together: few enough that their arrays stay in the processor's cache."""


class Bars(NamedTuple):
    """Bars of any number of symbols, those of each in order and one symbol behind the other.

    Each array has one entry per bar; prices in the money of the symbol.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    split_ratio: Floats | None = None
    """New shares for an old one, from each bar on; 1 without a split, None where no bar has any."""


class Signals(NamedTuple):
    """Signals; each array has one entry per signal."""

    direction: Small
    """+1 for a long, -1 for a short."""
    price: Floats
    """Of the entry."""
    target: Floats
    """NaN where there is none."""
    stop: Floats
    """NaN where there is none."""
    horizon: Rows
    """Bars, the entry bar included."""
    first: Rows
    """Row of the entry bar."""
    end: Rows
    """Row behind the last bar of its symbol; equal to ``first`` where none has come yet."""
    enters_later: Flags | None = None
    """Whether the entry bar opened after the emission, so that the signal was open over a split
    of that bar; None where all did."""


class Labels(NamedTuple):
    """What happened; each array has one entry per signal."""

    outcome: Small
    """A code of ``OUTCOMES``."""
    how: Small
    """A code of ``HOWS``."""
    ambiguous: Flags
    """Target and stop lay inside one bar."""
    exit_row: Rows
    """Row of the exit bar; -1 while pending or void."""
    exit_price: Floats
    """NaN while pending or void, as are the next three."""
    returned: Floats
    """Gross return on the entry price, as a fraction."""
    mae: Floats
    """Maximum adverse excursion, as a fraction of the entry price; at most 0."""
    mfe: Floats
    """Maximum favourable excursion, likewise; at least 0."""

    @property
    def label(self) -> Floats:
        """+1 target, -1 stop, 0 expired, NaN while pending or void."""
        return np.array([np.nan, 1.0, -1.0, 0.0, np.nan])[self.outcome]


def label_many(
    bars: Bars,
    signals: Signals,
    policy: Policy = "stop_first",
    jump_limits: tuple[Any, Any] | None = JUMP_LIMITS,
) -> Labels:
    """Judge signals; see :func:`trackrecord.outcomes.label` for the rules.

    Args:
        bars: All bars, (b,) arrays.
        signals: (n,) arrays.
        policy: Which level counts when one bar reaches both target and stop.
        jump_limits: An open outside these multiples of the close before makes a signal that is
            open at that time void; None to believe every price.

    Returns:
        (n,) arrays.
    """
    count = len(signals.first)
    labels = Labels(
        np.zeros(count, np.int8),
        np.zeros(count, np.int8),
        np.zeros(count, np.bool_),
        np.full(count, -1, np.int64),
        *(np.full(count, np.nan) for _ in range(4)),
    )
    limits = None if jump_limits is None else (float(jump_limits[0]), float(jump_limits[1]))
    over_splits: list[int] = []
    # Neighbours in time share bars.
    order = np.argsort(signals.first, kind="stable")
    for start in range(0, count, _AT_ONCE):
        sweep = _Sweep(bars, limits, signals, policy, order[start : start + _AT_ONCE])
        over_splits += sweep.run(labels)
    for place in over_splits:
        _judge_alone(labels, place, bars, signals, policy, jump_limits)
    return labels


def _judge_alone(
    labels: Labels,
    place: int,
    bars: Bars,
    signals: Signals,
    policy: Policy,
    jump_limits: tuple[Any, Any] | None,
) -> None:
    """Judge a signal that meets a split, and note what happened."""
    first, horizon = int(signals.first[place]), int(signals.horizon[place])
    rows = range(first, min(int(signals.end[place]), first + horizon))
    columns = (bars.open, bars.high, bars.low, bars.close, bars.split_ratio)
    window = [
        Bar(*(Decimal(1) if column is None else _exact(column[row]) for column in columns))
        for row in rows
    ]
    if signals.enters_later is not None and not signals.enters_later[place]:
        window[0] = window[0]._replace(split_ratio=Decimal(1))
    target, stop = (
        None if np.isnan(level) else _exact(level)
        for level in (signals.target[place], signals.stop[place])
    )
    signal = Signal(
        int(signals.direction[place]), _exact(signals.price[place]), target, stop, horizon
    )
    limits = None if jump_limits is None else (_exact(jump_limits[0]), _exact(jump_limits[1]))
    judged = label(signal, window, policy, limits)
    labels.outcome[place] = OUTCOMES.index(judged.outcome)
    if judged.exit_index is None:
        return
    labels.how[place] = HOWS.index(judged.how)
    labels.ambiguous[place] = judged.ambiguous
    labels.exit_row[place] = first + judged.exit_index
    found = (judged.exit_price, judged.returned, judged.mae, judged.mfe)
    for column, value in zip(labels[4:], found, strict=True):
        column[place] = value


def of_old_shares(prices: Floats, split_ratio: Floats) -> Floats:
    """Prices of new shares as those of old ones, (n,): the floats nearest to the products."""
    found = prices.copy()
    for place in np.flatnonzero((split_ratio != 1) & ~np.isnan(prices)):
        found[place] = float(_exact(prices[place]) * _exact(split_ratio[place]))
    return found


def _exact(value: Any) -> Decimal:
    """The decimal that a float was read from, of 15 digits or fewer."""
    return value if isinstance(value, Decimal) else Decimal(repr(float(value)))


def won(returned: Floats, *, cost: float, threshold: float) -> Flags:
    """:meth:`trackrecord.outcomes.model.Judged.won` for many, (n,); false without a return."""
    return np.asarray(returned - cost > threshold)


class _Sweep:
    """Signals that advance together. Shorts are seen in a mirror, as longs of negative prices."""

    def __init__(
        self,
        bars: Bars,
        limits: tuple[float, float] | None,
        signals: Signals,
        policy: Policy,
        which: Rows,
    ) -> None:
        self._bars = bars
        self._limits = limits
        self._policy = policy
        self._which = which
        self._later = signals.enters_later
        self._up = signals.direction[which].astype(np.float64)
        self._price = signals.price[which]
        self._entry = self._up * self._price
        # Never touched where there is none.
        self._target = np.nan_to_num(self._up * signals.target[which], nan=np.inf)
        self._stop = np.nan_to_num(self._up * signals.stop[which], nan=-np.inf)
        self._row = signals.first[which]
        self._end = np.minimum(signals.end[which], self._row + signals.horizon[which])
        self._expires = self._row + signals.horizon[which] - 1
        self._worst = self._entry.copy()
        self._best = self._entry.copy()

    def run(self, labels: Labels) -> list[int]:
        """Advance until all are judged or out of bars; returns those that met a split first."""
        self._keep(self._row < self._end)
        left: list[int] = []
        is_entry = True
        while len(self._which):
            if self._bars.split_ratio is not None:
                left += self._leave(self._bars.split_ratio, is_entry=is_entry)
            self._step(labels, is_entry=is_entry)
            is_entry = False
        return left

    def _leave(self, split_ratio: Floats, *, is_entry: bool) -> list[int]:
        """Take out those that are open over a split of their next bar."""
        over = split_ratio[self._row] != 1
        if is_entry and self._later is not None:
            over &= self._later[self._which]
        left: list[int] = self._which[over].tolist()
        if left:
            self._keep(~over)
        return left

    def _keep(self, kept: Flags) -> None:
        for name in ("_which", "_up", "_price", "_entry", "_target", "_stop", "_row", "_end",
                     "_expires", "_worst", "_best"):  # fmt: skip
            setattr(self, name, getattr(self, name)[kept])

    def _step(self, labels: Labels, *, is_entry: bool) -> None:
        row, up, target, stop = self._row, self._up, self._target, self._stop
        opened, close = up * self._bars.open[row], up * self._bars.close[row]
        one, other = up * self._bars.high[row], up * self._bars.low[row]
        high, low = np.maximum(one, other), np.minimum(one, other)
        if is_entry:
            gapped = np.zeros(len(row), np.bool_)
            void = (opened > target) | (opened < stop) | (self._price <= 0)
        else:
            gapped = (opened >= target) | (opened <= stop)
            void = self._jumped(row)
        to_target, to_stop = high >= target, low <= stop
        both = to_target & to_stop & ~gapped
        if self._policy == "target_first":
            prefers_target = both
        elif self._policy == "open_proximity":
            prefers_target = both & (target - opened < opened - stop)
        else:
            prefers_target = np.zeros(len(row), np.bool_)
        won = np.where(gapped, opened >= target, to_target & (~to_stop | prefers_target))
        touched = gapped | to_target | to_stop
        expired = ~touched & (row == self._expires)
        done = touched | expired | void
        if done.any():
            at = np.where(gapped, opened, np.where(expired, close, np.where(won, target, stop)))
            outcome = np.where(expired, EXPIRED, np.where(won, TARGET, STOP))
            how = np.where(gapped, GAP, np.where(expired, EXPIRY, INTRABAR))
            # Who leaves at the close has lived through the whole bar.
            lowest = np.where(expired, low, np.minimum(opened, at))
            highest = np.where(expired, high, np.maximum(opened, at))
            self._note(labels, done & ~void, outcome, how, both, at, lowest, highest)
            labels.outcome[self._which[void]] = VOID
        np.minimum(self._worst, low, out=self._worst)
        np.maximum(self._best, high, out=self._best)
        self._row = row + 1
        self._keep(~done & (self._row < self._end))

    def _jumped(self, row: Rows) -> Flags:
        """Which bars open too far from the close before."""
        if self._limits is None:
            return np.zeros(len(row), np.bool_)
        least, most = self._limits
        before, opened = self._bars.close[row - 1], self._bars.open[row]
        fits = (opened >= least * before) & (opened <= most * before)
        return np.asarray(~fits & (before > 0) & (opened > 0))

    def _note(
        self,
        labels: Labels,
        done: Flags,
        outcome: NDArray[Any],
        how: NDArray[Any],
        both: Flags,
        at: Floats,
        lowest: Floats,
        highest: Floats,
    ) -> None:
        """Note outcomes; the last two are what counts of the exit bar for the excursions."""
        which = self._which[done]
        price, entry, at = self._price[done], self._entry[done], at[done]
        labels.outcome[which] = outcome[done]
        labels.how[which] = how[done]
        labels.ambiguous[which] = both[done]
        labels.exit_row[which] = self._row[done]
        labels.exit_price[which] = self._up[done] * at
        labels.returned[which] = (at - entry) / price
        worst = np.minimum(self._worst[done], lowest[done])
        best = np.maximum(self._best[done], highest[done])
        labels.mae[which] = (worst - entry) / price
        labels.mfe[which] = (best - entry) / price

"""Bars, signals that wait for them, and what is said of those, in columns."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trackrecord.outcomes.label_many import Flags, Floats, Rows
from trackrecord.times import NEVER

_NEAR: Final = 1e-12
"""Prices that differ by such a fraction or less are the same."""


class BarColumns(NamedTuple):
    """Bars, (b,) arrays; times in microseconds since 1970 UTC."""

    opened_at: Rows
    closed_at: Rows
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    split_ratio: Floats
    """New shares for an old one, from each bar on; 1 without a split."""

    def take(self, rows: Any) -> BarColumns:
        """A part of them."""
        columns: list[Any] = [column[rows] for column in self]
        return BarColumns(*columns)


class Waiting(NamedTuple):
    """Signals, (n,) arrays."""

    signal_id: NDArray[np.object_]
    slot: Rows
    """Of the symbol, in the watch."""
    direction: NDArray[np.int8]
    price: Floats
    """As published, also where the entry is the next open."""
    target: Floats
    """NaN where there is none."""
    stop: Floats
    horizon: Rows
    next_open: Flags
    emitted_at: Rows
    known: Known
    """What is on record of them."""

    def take(self, rows: Any) -> Waiting:
        """A part of them."""
        *columns, known = self
        taken: list[Any] = [column[rows] for column in columns]
        return Waiting(*[*taken, known.take(rows)])

    @classmethod
    def nothing(cls) -> Waiting:
        """No signals."""
        none = np.zeros(0, np.int64)
        prices = np.zeros(0)
        return cls(
            np.zeros(0, np.object_),
            none,
            np.zeros(0, np.int8),
            prices,
            prices,
            prices,
            none,
            np.zeros(0, np.bool_),
            none,
            Known.nothing(0),
        )

    def joined(self, others: Waiting) -> Waiting:
        """These, and others behind them."""
        pairs: list[tuple[Any, Any]] = list(zip(self.known, others.known, strict=True))
        known = Known(*[np.concatenate(pair) for pair in pairs])
        pairs = list(zip(self[:-1], others[:-1], strict=True))
        columns: list[Any] = [np.concatenate(pair) for pair in pairs]
        return Waiting(*[*columns, known])


class Known(NamedTuple):
    """What is on record, (n,) arrays; what has no exit has 0, NEVER or NaN in its place."""

    outcome: NDArray[np.int8]
    how: NDArray[np.int8]
    ambiguous: Flags
    exit_opened_at: Rows
    exit_price: Floats
    returned: Floats
    mae: Floats
    mfe: Floats
    delisted: Flags
    bars_held: Rows
    """The entry and the exit bar included."""
    known_at: Rows
    """When the exit bar had closed, or it could be told that the symbol has ceased to trade."""

    @classmethod
    def nothing(cls, count: int) -> Known:
        """Of signals of which nothing is."""
        unknown = [np.full(count, np.nan) for _ in range(4)]
        return cls(
            np.zeros(count, np.int8),
            np.zeros(count, np.int8),
            np.zeros(count, np.bool_),
            np.full(count, NEVER),
            unknown[0],
            unknown[1],
            unknown[2],
            unknown[3],
            np.zeros(count, np.bool_),
            np.zeros(count, np.int64),
            np.full(count, NEVER),
        )

    def take(self, rows: Any) -> Known:
        """A part of it."""
        columns: list[Any] = [column[rows] for column in self]
        return Known(*columns)

    def differs(self, other: Known) -> Flags:
        """Where the two say something else."""
        found = np.zeros(len(self.outcome), np.bool_)
        columns: list[tuple[Any, Any]] = list(zip(self, other, strict=True))
        for name, (one, two) in zip(self._fields, columns, strict=True):
            differ = one != two
            if name == "exit_price":
                # On record it is the exact product of a price and the splits, here of floats.
                differ &= ~(np.abs(one - two) <= _NEAR * np.abs(one))
            if one.dtype.kind == "f":
                differ &= ~(np.isnan(one) & np.isnan(two))
            found |= differ
        return found


class Judgement(NamedTuple):
    """What bars say of signals, (n,) arrays."""

    signals: Waiting
    now: Known
    changed: Flags
    """Whether that is something else than what is on record."""
    exit_at: Rows
    """The moment of the exit: the exit bar's open where a gap jumped the level, else its close."""
    ends_at: Rows
    """When the whole horizon had elapsed; NEVER where it has not."""

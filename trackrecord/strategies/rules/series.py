"""The operands of a rule on every bar of a symbol, each worked out of its own window.

A decision row is a bar that has ``lookback`` bars up to itself; arrays named ``rows`` have one
entry for each. An indicator that is worked out of a fixed number of bars is carried out once for
all bars. One that never forgets begins anew at the first bar of every window, so it is stepped
along the window, all windows at a time. Either way the floats are added and multiplied in the
order of :mod:`trackrecord.strategies.prelude_functions`, so the results are the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from trackrecord.strategies.rules.catalogue import CATALOGUE, bars_needed
from trackrecord.strategies.rules.model import (
    Ago,
    Apart,
    Away,
    Field,
    Indicator,
    Multiple,
    Number,
    Operand,
)
from trackrecord.strategies.rules.recursive import RECURSIVE
from trackrecord.strategies.rules.windowed import WINDOWED

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
_LEAST_KEPT = 4
"""Values of a stepped indicator that are kept at first: a cross and a short run need no more."""


@dataclass(frozen=True)
class Columns:
    """A symbol's bars, oldest first; each array has one entry per bar, (n,).

    Or those of several symbols side by side, (n, symbols): then all that is worked out of them has
    that second axis too, and each symbol's numbers are the same as alone.

    Attributes:
        day: Days since 1 January 1970 of the bar's time, UTC.
        month: Months since January 1970 of the same.
    """

    day: Whole
    month: Whole
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    @classmethod
    def of(
        cls,
        times: NDArray[np.datetime64],
        opens: Floats,
        high: Floats,
        low: Floats,
        close: Floats,
        volume: Floats,
    ) -> Columns:
        """Bars from their opening times (UTC) and fields."""
        return cls(
            day=times.astype("datetime64[D]").astype(np.int64),
            month=times.astype("datetime64[M]").astype(np.int64),
            open=np.asarray(opens, dtype=np.float64),
            high=np.asarray(high, dtype=np.float64),
            low=np.asarray(low, dtype=np.float64),
            close=np.asarray(close, dtype=np.float64),
            volume=np.asarray(volume, dtype=np.float64),
        )

    def __len__(self) -> int:
        return len(self.close)


def average_range(days: int) -> Indicator:
    """The average true range that distances are measured in."""
    return Indicator("atr", (days,))


def never_forgets(operand: Operand) -> bool:
    """Whether something in it begins anew at the first bar of a window."""
    if isinstance(operand, Indicator):
        if CATALOGUE[operand.name].memory != "none":
            return True
        return operand.source is not None and never_forgets(operand.source)
    return any(
        never_forgets(part)
        for field in fields(operand)
        if not isinstance(part := getattr(operand, field.name), (int, float, str))
    )


class Series:
    """A symbol's bars, with the values of all operands that rules have asked for.

    Values are kept for as long as it is: a thousand rules that share their averages have each
    worked out once. Not for several threads.
    """

    def __init__(self, bars: Columns) -> None:
        self.bars = bars
        self._all: dict[Operand, Floats] = {}
        self._stepped: dict[tuple[Operand, int], list[Floats]] = {}
        self._over_stepped: dict[tuple[Operand, int, int], Floats] = {}

    def rows(self, lookback: int) -> int:
        """How many bars have ``lookback`` bars up to themselves."""
        return max(0, len(self.bars) - lookback + 1)

    def whole(self, rows: Floats | float, lookback: int) -> Floats:
        """An array of decision rows as one of all bars, with NaN before the first row."""
        found = np.full_like(self.bars.close, np.nan)
        if self.rows(lookback):
            found[lookback - 1 :] = rows
        return found

    def at(self, operand: Operand, ago: int, lookback: int) -> Floats | float:
        """What an operand was ``ago`` bars before each decision row; a constant is a number.

        Raises:
            ValueError: The window does not reach that far, or an indicator is not there.
        """
        if isinstance(operand, Number):
            return operand.value
        if isinstance(operand, Ago):
            return self.at(operand.operand, ago + operand.bars, lookback)
        if isinstance(operand, Multiple):
            return operand.factor * self.at(operand.operand, ago, lookback)
        if isinstance(operand, Away):
            return self.at(operand.operand, ago, lookback) * (1 + operand.percent / 100)
        if isinstance(operand, Apart):
            base = self.at(operand.operand, ago, lookback)
            return base + operand.factor * self.at(operand.width, ago, lookback)
        if ago >= lookback:
            raise ValueError(f"{ago} bars before are not within a window of {lookback}")
        if isinstance(operand, Indicator) and never_forgets(operand):
            return self._of_window(operand, ago, lookback)
        n = len(self.bars)
        return self._everywhere(operand)[lookback - 1 - ago : max(lookback - 1, n) - ago]

    def _everywhere(self, operand: Operand) -> Floats:
        """A field, or an indicator of a fixed number of bars, on every bar; NaN before it is."""
        if isinstance(operand, Field):
            return _field(self.bars, operand.name)
        found = self._all.get(operand)
        if found is None:
            found = self._all[operand] = self._worked_out(operand)
        return found

    def _worked_out(self, operand: Operand) -> Floats:
        if not isinstance(operand, Indicator):
            raise ValueError("an indicator is worked out of a field or another indicator")  # noqa: TRY004 - a rule's fault
        n = len(self.bars)
        span = bars_needed(operand.name, operand.settings)
        found = np.full_like(self.bars.close, np.nan)
        if n < span:
            return found
        inputs = [
            self._everywhere(operand.source)
            if name == "source" and operand.source is not None
            else _field(self.bars, name)
            for name in CATALOGUE[operand.name].inputs
        ]

        def back(which: int, ago: int) -> Floats:
            return inputs[which][span - 1 - ago : n - ago]

        with np.errstate(all="ignore"):
            found[span - 1 :] = WINDOWED[operand.name](operand.settings, back)
        return found

    def _of_window(self, operand: Indicator, ago: int, lookback: int) -> Floats:
        if operand.name in RECURSIVE:
            kept = self._stepped.get((operand, lookback), [])
            if len(kept) <= ago:
                kept = self._step(operand, max(_LEAST_KEPT, ago + 1), lookback)
                self._stepped[operand, lookback] = kept
            return kept[ago]
        key = (operand, ago, lookback)
        found = self._over_stepped.get(key)
        if found is None:
            source = operand.source
            assert source is not None  # noqa: S101 - only a source can be what never forgets

            def back(_which: int, earlier: int) -> Floats:
                return np.asarray(self.at(source, ago + earlier, lookback))

            with np.errstate(all="ignore"):
                found = WINDOWED[operand.name](operand.settings, back)
            self._over_stepped[key] = found
        return found

    def _step(self, operand: Indicator, keep: int, lookback: int) -> list[Floats]:
        """The last values of a stepped indicator in each window, the newest first."""
        entry = CATALOGUE[operand.name]
        if operand.source is not None and not isinstance(operand.source, Field):
            raise ValueError(f"{entry.title} is worked out of a field of the bar only")
        rows = self.rows(lookback)
        inputs = [
            _field(self.bars, operand.source.name if name == "source" and operand.source else name)
            for name in entry.inputs
        ]
        if rows == 0:
            return [self.bars.close[:0]] * keep
        with np.errstate(all="ignore"):
            found = RECURSIVE[operand.name](operand.settings, inputs, rows, lookback, keep)
        unknown = np.full_like(self.bars.close[:rows], np.nan)
        return found + [unknown] * (keep - len(found))


def _field(bars: Columns, name: str) -> Floats:
    found: Floats = getattr(bars, "close" if name == "source" else name)
    return found


def reach(operand: Operand, *, least: bool = False) -> int:
    """Bars that an operand is worked out of, its own included."""
    if isinstance(operand, Ago):
        return operand.bars + reach(operand.operand, least=least)
    if isinstance(operand, Multiple | Away):
        return reach(operand.operand, least=least)
    if isinstance(operand, Apart):
        return max(reach(operand.operand, least=least), reach(operand.width, least=least))
    if isinstance(operand, Indicator):
        inner = 1 if operand.source is None else reach(operand.source, least=least)
        return bars_needed(operand.name, operand.settings, least=least) + inner - 1
    return 1

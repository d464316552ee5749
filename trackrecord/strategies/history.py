"""Bars to judge a strategy on: of several symbols, in columns, and exact where a price is paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trackrecord.errors import TrackrecordError
from trackrecord.outcomes import JUMP_LIMITS, Bar
from trackrecord.outcomes.model import DELISTED_AFTER
from trackrecord.strategies.contract import BarRow
from trackrecord.times import DAY, moment

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]

_ONE: Final = Decimal(1)
_SATURDAY: Final = 2
"""Of days since 1970-01-01, which was a Thursday, modulo 7."""
_WEEK: Final = 7
_A_YEAR: Final = 365.25
_DAILY: Final = 3.0
"""Days from a session to the next, on average, up to which bars count as daily."""


class BadBarsError(TrackrecordError, ValueError):
    """Bars that nothing can be judged on; the message says which and why."""


@dataclass(frozen=True, eq=False)
class Series:
    """The bars of one symbol, oldest first; (n,) arrays.

    Attributes:
        symbol: Its name.
        opened_at: Microseconds since 1970 UTC, ascending.
        closed_at: When the bar was known; not after the next bar's open.
        open: Prices as doubles, as strategies see them.
        high: Likewise.
        low: Likewise.
        close: Likewise.
        volume: Units traded.
        split_ratio: New shares for an old one, from each bar on; None where no bar tells any.
        texts: Open, high, low and close as the file writes them; None where their shortest
            decimals are meant.
        believed: Whether every price is, so that no open is an unexplained jump.
    """

    symbol: str
    opened_at: Rows
    closed_at: Rows
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    split_ratio: tuple[Decimal, ...] | None = None
    texts: tuple[Sequence[str], Sequence[str], Sequence[str], Sequence[str]] | None = None
    believed: bool = False

    def __len__(self) -> int:
        """How many bars."""
        return len(self.opened_at)

    def exact(self, row: int) -> Bar:
        """A bar's prices as decimals, with the digits of the file."""
        if self.texts is not None:
            open_, high, low, close = (Decimal(column[row]) for column in self.texts)
        else:
            columns = (self.open, self.high, self.low, self.close)
            open_, high, low, close = (Decimal(repr(float(column[row]))) for column in columns)
        ratio = _ONE if self.split_ratio is None else self.split_ratio[row]
        return Bar(open_, high, low, close, ratio)

    def row(self, row: int) -> BarRow:
        """A bar as a strategy sees it."""
        return BarRow(
            self._times[row],
            *(
                float(column[row])
                for column in (self.open, self.high, self.low, self.close, self.volume)
            ),
        )

    @property
    def jump_limits(self) -> tuple[Decimal, Decimal] | None:
        """Multiples of the close before, outside which an open is not believed."""
        return None if self.believed else JUMP_LIMITS

    @cached_property
    def _times(self) -> list[str]:
        return [moment(at).isoformat().replace("+00:00", "Z") for at in self.opened_at.tolist()]

    @cached_property
    def is_plain(self) -> bool:
        """Whether comparing doubles comes to what comparing the decimals does.

        It does where no price has more than 15 digits and no bar tells a split.
        """
        if self.split_ratio is not None and any(ratio != 1 for ratio in self.split_ratio):
            return False
        if self.texts is None:
            return True
        columns = (self.open, self.high, self.low, self.close)
        for texts, values in zip(self.texts, columns, strict=True):
            if max(map(len, texts), default=0) <= 16:  # noqa: PLR2004 - 15 digits and a point
                continue
            for text, value in zip(texts, values.tolist(), strict=True):
                if Decimal(text) != Decimal(repr(value)):
                    return False
        return True

    @cached_property
    def day(self) -> Rows:
        """The session of each bar: the UTC date of its open, as days since 1970."""
        return self.opened_at // DAY

    @cached_property
    def jumps(self) -> Rows:
        """Rows of bars that open too far from the close before, beyond what a split explains."""
        if self.believed:
            return np.zeros(0, np.int64)
        least, most = (float(limit) for limit in JUMP_LIMITS)
        before = self.close[:-1]
        opened = self.open[1:]
        if self.split_ratio is not None:
            opened = opened * np.array([float(ratio) for ratio in self.split_ratio[1:]])
        far = (opened < least * before) | (opened > most * before)
        return np.flatnonzero(far & (before > 0) & (opened > 0)) + 1

    def part(self, start: int, end: int) -> Series:
        """The bars from ``start`` up to, but not with, ``end``: no later one can be reached."""
        rows = slice(start, end)
        texts = None
        if self.texts is not None:
            open_, high, low, close = self.texts
            texts = open_[rows], high[rows], low[rows], close[rows]
        return Series(
            self.symbol, self.opened_at[rows], self.closed_at[rows], self.open[rows],
            self.high[rows], self.low[rows], self.close[rows], self.volume[rows],
            None if self.split_ratio is None else self.split_ratio[rows],
            texts, self.believed,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class History:
    """Bars of several symbols.

    Attributes:
        series: By symbol, in the order of their names; none is empty.
        timeframe: The length of the bars, as events name it: ``1d``.
    """

    series: Mapping[str, Series]
    timeframe: str = "1d"

    def __post_init__(self) -> None:
        """Check what everything after relies on.

        Raises:
            BadBarsError: There are no bars.
        """
        if not self.series:
            raise BadBarsError("there are no bars")

    @cached_property
    def sessions(self) -> Rows:
        """Every date on which a bar of any symbol opened, ascending; days since 1970."""
        return np.unique(np.concatenate([each.day for each in self.series.values()]))

    @property
    def bars(self) -> int:
        """How many, of all symbols."""
        return sum(len(each) for each in self.series.values())

    @cached_property
    def every_day(self) -> bool:
        """Whether the market has no weekends: a bar opened on a Saturday."""
        return bool((self.sessions % _WEEK == _SATURDAY).any())

    @cached_property
    def sessions_per_year(self) -> float:
        """252, or 365 without weekends; of weeks and months, as many as a year has."""
        span = int(self.sessions[-1] - self.sessions[0])
        if len(self.sessions) > 1 and span / (len(self.sessions) - 1) > _DAILY:
            return _A_YEAR * (len(self.sessions) - 1) / span
        return 365.0 if self.every_day else 252.0

    def until(self, session: int) -> History:
        """What had opened before a date (days since 1970); symbols without bars are left out."""
        parts = {
            name: each.part(0, int(np.searchsorted(each.day, session)))
            for name, each in self.series.items()
        }
        return History({name: part for name, part in parts.items() if len(part)}, self.timeframe)

    @cached_property
    def places(self) -> dict[str, Rows]:
        """By symbol, the place of each bar's date among the sessions, (n,)."""
        return {
            name: np.searchsorted(self.sessions, each.day) for name, each in self.series.items()
        }

    @cached_property
    def ceased(self) -> dict[str, Flags]:
        """By symbol, behind which bars it had none for ten sessions while others traded, (n,)."""
        return {
            name: np.append(place[1:], len(self.sessions)) - place > DELISTED_AFTER
            for name, place in self.places.items()
        }


def instants(history: History) -> list[tuple[int, list[tuple[str, int]]]]:
    """All bars in the order in which they were known: by instant, the symbols and their rows."""
    names = list(history.series)
    at = np.concatenate([history.series[name].closed_at for name in names])
    owner = np.repeat(np.arange(len(names)), [len(history.series[name]) for name in names])
    row = np.concatenate([np.arange(len(history.series[name])) for name in names])
    order = np.lexsort((owner, at))
    found: list[tuple[int, list[tuple[str, int]]]] = []
    for when, who, which in zip(
        at[order].tolist(), owner[order].tolist(), row[order].tolist(), strict=True
    ):
        if not found or found[-1][0] != when:
            found.append((when, []))
        found[-1][1].append((names[who], which))
    return found

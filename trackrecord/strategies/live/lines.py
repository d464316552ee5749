"""A symbol's last bars in memory: which bar counts when it comes, is late, or a correction.

A line is what a strategy sees of a symbol: the bars of one source, or of every bar the one of the
first source by name. Bars are taken in the order in which they came, so that it does not matter in
which batches they do.

Where several sources send a bar, nobody knows at the first whether a better one will follow. So a
bar counts at once where its source is the one that the bar before is of, or comes before that by
name. Another waits: for the better source, or until the next bar of any source shows that it will
not come.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trackrecord.outcomes import Bar
from trackrecord.strategies.contract import BarRow
from trackrecord.times import moment

Floats = NDArray[np.float64]
Kind = Literal["counts", "waits", "late", "corrected", "other"]
"""What a bar that came is to a line. ``late``: it opened before the last that counted, and was not
there. ``corrected``: it takes the place of one that had counted. ``other``: it changes nothing."""

_FIELDS: Final = 5
"""Open, high, low, close, volume."""
_ROOM: Final = 2
"""Times the bars that are kept, as room for more: they are moved only when it is full."""
_LEAST_ROOM: Final = 64


class Came(NamedTuple):
    """A bar as it came; times are microseconds since 1970 UTC.

    Attributes:
        appended_at: When the broker got it.
        position: Of its message in the batch.
    """

    opened_at: int
    closed_at: int
    appended_at: int
    source: str
    revision: int
    prices: Bar
    volume: float
    position: int = 0


class Kept(NamedTuple):
    """The bars of a line as tables hold them, oldest first.

    Attributes:
        opened_at: Microseconds since 1970 UTC, (n,).
        values: Open, high, low, close and volume, (5, n).
        sources: By bar.
        revisions: By bar.
        newest: The last one, exactly; None without any.
    """

    opened_at: NDArray[np.int64]
    values: Floats
    sources: list[str]
    revisions: list[int]
    newest: Came | None


@dataclass(frozen=True, slots=True)
class Counted:
    """A bar that is to be folded and decided upon, with the bars up to it as they were known then.

    Attributes:
        bar: The bar.
        line: Of which line it is.
        end: How many bars of the arrays there are, it included.
    """

    bar: Came
    line: Line
    end: int
    _opened_at: NDArray[np.int64]
    _values: Floats
    _rows: list[BarRow]

    @property
    def time(self) -> str:
        """When it opened, as strategies see times."""
        return shown_time(self.bar.opened_at)

    def opened_at(self, count: int) -> NDArray[np.int64]:
        """When the last so many bars opened, (count,)."""
        return self._opened_at[self.end - count : self.end]

    def values(self, count: int) -> Floats:
        """Open, high, low, close and volume of the last so many bars, (5, count)."""
        return self._values[:, self.end - count : self.end]

    def rows(self, count: int) -> list[BarRow]:
        """The last so many bars as code sees them."""
        made = self._rows
        for place in range(len(made), self.end):
            opened = shown_time(int(self._opened_at[place]))
            made.append(BarRow(opened, *self._values[:, place].tolist()))
        return made[self.end - count : self.end]


class Line:
    """The bars of one symbol that strategies decide on.

    Attributes:
        keep: Bars at least that stay in memory.
        folded: When the last bar opened that counted; microseconds since 1970 UTC.
    """

    def __init__(self, keep: int, kept: Kept, folded: int | None) -> None:
        """Begin with what the tables hold.

        Args:
            keep: Bars that are looked back on at most.
            kept: The last of them; they may be more.
            folded: The last one that counted; None: all that are there have.
        """
        self.keep = keep
        self._end = len(kept.opened_at)
        room = max(_LEAST_ROOM, _ROOM * max(keep, self._end))
        self._opened_at = np.zeros(room, np.int64)
        self._values = np.zeros((_FIELDS, room))
        self._opened_at[: self._end] = kept.opened_at
        self._values[:, : self._end] = kept.values
        self._sources = list(kept.sources)
        self._revisions = list(kept.revisions)
        self._rows: list[BarRow] = []
        self._newest = kept.newest
        newest = self._last_opened
        self.folded = newest if folded is None else folded

    @property
    def _last_opened(self) -> int | None:
        return int(self._opened_at[self._end - 1]) if self._end else None

    @property
    def newest(self) -> Came | None:
        """The last bar."""
        return self._newest

    @property
    def waits(self) -> bool:
        """Whether the newest bar has not counted yet."""
        last = self._last_opened
        return last is not None and (self.folded is None or last > self.folded)

    def take(self, came: Came) -> tuple[Kind, list[Counted]]:
        """Take a bar in; says what it is to the line, and which bars count now, in order."""
        last = self._last_opened
        if last is None or came.opened_at > last:
            return self._append(came)
        place = bisect_left(self._opened_at[: self._end], came.opened_at)
        if place == self._end or self._opened_at[place] != came.opened_at:
            if not place and self._end >= self.keep:
                return "other", []  # so old that nobody knows here whether it was there
            self._insert(place, came)
            return "late", []
        return self._meet(place, came)

    def _append(self, came: Came) -> tuple[Kind, list[Counted]]:
        counted = []
        if self.waits and self._newest is not None:
            # It is this message that shows that no better source has it.
            self._newest = self._newest._replace(position=came.position)
            counted.append(self._count())
        expected = self._sources[-1] if self._sources else came.source
        if self._end == self._opened_at.size:
            self._make_room()
        place = self._end
        self._opened_at[place] = came.opened_at
        self._values[:, place] = _values(came)
        self._sources.append(came.source)
        self._revisions.append(came.revision)
        self._end += 1
        self._newest = came
        if came.source > expected:
            return "waits", counted
        counted.append(self._count())
        return "counts", counted

    def _meet(self, place: int, came: Came) -> tuple[Kind, list[Counted]]:
        """A bar that is there already, of this source or of another."""
        known = self._sources[place]
        same = came.source == known
        if came.source > known or (same and came.revision <= self._revisions[place]):
            return "other", []
        self._own()
        self._values[:, place] = _values(came)
        self._sources[place] = came.source
        self._revisions[place] = came.revision
        is_newest = place == self._end - 1
        if is_newest:
            self._newest = came
        if not (is_newest and self.waits):
            return "corrected", []
        if came.source <= self._sources[place - 1]:
            return "counts", [self._count()]
        return "waits", []

    def _count(self) -> Counted:
        """The newest bar counts."""
        assert self._newest is not None  # noqa: S101 - there is a bar
        self.folded = self._newest.opened_at
        return Counted(self._newest, self, self._end, self._opened_at, self._values, self._rows)

    def _insert(self, place: int, came: Came) -> None:
        self._opened_at = np.insert(self._opened_at, place, came.opened_at)
        self._values = np.insert(self._values, place, _values(came), axis=1)
        self._rows = []
        self._sources = [*self._sources[:place], came.source, *self._sources[place:]]
        self._revisions = [*self._revisions[:place], came.revision, *self._revisions[place:]]
        self._end += 1

    def _own(self) -> None:
        """Have arrays of our own: bars that counted before keep theirs as they were."""
        self._values = self._values.copy()
        self._rows = []

    def _make_room(self) -> None:
        first = self._end - self.keep
        self._end = self.keep
        room = max(_LEAST_ROOM, _ROOM * self.keep)
        opened_at, values = np.zeros(room, np.int64), np.zeros((_FIELDS, room))
        opened_at[: self.keep] = self._opened_at[first:]
        values[:, : self.keep] = self._values[:, first:]
        self._opened_at, self._values = opened_at, values
        self._sources = self._sources[first:]
        self._revisions = self._revisions[first:]
        self._rows = self._rows[first:]


def shown_time(at: int) -> str:
    """A time (microseconds since 1970 UTC) as strategies see it."""
    return moment(at).isoformat().replace("+00:00", "Z")


def _values(came: Came) -> list[float]:
    prices = came.prices
    return [*(float(price) for price in prices[:4]), came.volume]

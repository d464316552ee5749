"""Bars of a file, checked whole before anything is judged on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from trackrecord.cli.common import InputError
from trackrecord.cli.tables import PARQUET, frame_of, open_table
from trackrecord.strategies.history import History, Series
from trackrecord.times import DAY, microseconds, moment, read_time

if TYPE_CHECKING:
    import polars as pl

PRICES: Final = ("open", "high", "low", "close")
NEEDED: Final = ("symbol", "opened_at", *PRICES, "volume")

_UNITS: Final = {"s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": DAY, "w": 7 * DAY}
_LONG_GAP: Final = 10
"""Sessions without a bar while others traded, or weekdays where nobody else is there."""


def read_history(
    file: Path,
    timeframe: str | None = None,
    symbols: Sequence[str] | None = None,
    *,
    believed: bool = False,
) -> tuple[History, list[str]]:
    """The bars of a CSV or Parquet file, in any order; of one bar, the highest revision counts.

    Columns: symbol, opened_at, open, high, low, close, volume; and, where they are there,
    closed_at, timeframe, source (of several, the first by name), revision and split_ratio.

    Args:
        file: Named ``.csv`` or ``.parquet``.
        timeframe: Which bars, where the file holds several kinds.
        symbols: Only these; None is all.
        believed: Whether every price is, so that no open is an unexplained jump.

    Returns:
        The bars, and what somebody should know of them who judges by them.

    Raises:
        InputError: The file, a column or a cell cannot be read, or a row is no bar; it says which.
    """
    frame = frame_of(file)
    missing = [name for name in NEEDED if name not in frame.columns]
    if missing:
        raise InputError(
            f"{file} has no column {', '.join(missing)}; bars have {', '.join(NEEDED)}"
        )
    if not frame.height:
        raise InputError(f"{file} holds no bars")
    reading = _Reading(file, frame)
    reading.choose(timeframe, symbols)
    return reading.history(timeframe, believed=believed)


class _Reading:
    """A file while it is read; rows are named as the file counts them."""

    def __init__(self, file: Path, frame: pl.DataFrame) -> None:
        self._file = file
        self._frame = frame
        self._rows = np.arange(frame.height)
        self._corrected = 0

    def _refuse(self, row: int, why: str) -> InputError:
        """What is wrong with a row, by the line that it stands on."""
        place = f"row {row + 1}"
        if self._file.suffix.lower() not in PARQUET:
            rows = open_table(self._file).rows
            place = next((where for where, _ in islice(rows, row, None)), place)
        return InputError(f"{self._file}, {place}: {why}")

    def history(
        self, timeframe: str | None, *, believed: bool = False
    ) -> tuple[History, list[str]]:
        symbols = self._symbols()
        opened = self._times("opened_at")
        order = self._order(symbols, opened)
        symbols, opened = symbols[order], opened[order]
        rows = self._rows[order]
        prices = {name: self._numbers(name, rows) for name in (*PRICES, "volume")}
        self._check(rows, {name: values for name, (values, _) in prices.items()})
        length = self._timeframe(timeframe, symbols, opened)
        closed = self._closed(rows, symbols, opened, length)
        splits = self._splits(rows)
        found: dict[str, Series] = {}
        starts = np.flatnonzero(np.append(True, symbols[1:] != symbols[:-1]))
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(rows)], strict=True):
            part = slice(start, end)
            split = None if splits is None else tuple(splits[part])
            found[str(symbols[start])] = Series(
                symbol=str(symbols[start]),
                opened_at=opened[part],
                closed_at=closed[part],
                open=prices["open"][0][part],
                high=prices["high"][0][part],
                low=prices["low"][0][part],
                close=prices["close"][0][part],
                volume=prices["volume"][0][part],
                split_ratio=None if split is None or all(r == 1 for r in split) else split,
                texts=_all_texts([prices[name][1] for name in PRICES], part),
                believed=believed,
            )
        history = History(found, timeframe or _name_of(length))
        told = _notes(history)
        if self._corrected:
            told.append(
                f"{self._corrected} bars were corrected later (a higher revision counts): live, a "
                "strategy had decided upon what was first said"
            )
        return history, told

    def choose(self, timeframe: str | None, symbols: Sequence[str] | None) -> None:
        """Keep the rows of some symbols and of one timeframe.

        Raises:
            InputError: One of the symbols has none, or which timeframe is meant is not clear.
        """
        if symbols is not None:
            column = self._frame["symbol"].to_list()
            if missing := sorted(set(symbols) - set(column)):
                raise InputError(f"{self._file} has no bars of {', '.join(missing)}")
            self._rows = np.flatnonzero([each in set(symbols) for each in column])
        if "timeframe" in self._frame.columns:
            self._choose_timeframe(timeframe)

    def _choose_timeframe(self, timeframe: str | None) -> None:
        column = self._column("timeframe", self._rows).to_list()
        kinds = sorted({str(each) for each in column if each is not None})
        if timeframe is None and len(kinds) > 1:
            raise InputError(
                f"{self._file} holds bars of several timeframes ({', '.join(kinds[:5])}); "
                "choose one with --timeframe"
            )
        if timeframe is not None:
            self._rows = self._rows[np.flatnonzero([each == timeframe for each in column])]
            if not len(self._rows):
                raise InputError(f"{self._file} has no bars of {timeframe}: {', '.join(kinds[:5])}")

    def _column(self, name: str, rows: np.ndarray[Any, Any]) -> pl.Series:
        return self._frame[name].gather(rows)

    def _symbols(self) -> np.ndarray[Any, Any]:
        import polars as pl

        column = self._column("symbol", self._rows).cast(pl.String)
        empty = (column.is_null() | (column.str.strip_chars() == "")).to_numpy()
        if empty.any():
            raise self._refuse(int(self._rows[int(empty.argmax())]), "the symbol is empty")
        return column.to_numpy()

    def _times(self, name: str) -> np.ndarray[Any, Any]:
        """Microseconds since 1970 UTC of the rows that are kept."""
        column = self._column(name, self._rows)
        known: dict[Any, int] = {}
        found = np.empty(len(column), np.int64)
        for place, cell in enumerate(column.to_list()):
            at = known.get(cell)
            if at is None:
                try:
                    at = known[cell] = _moment_of(cell)
                except ValueError as error:
                    row = int(self._rows[place])
                    raise self._refuse(row, f"{name}: {error}") from None
            found[place] = at
        return found

    def _order(
        self, symbols: np.ndarray[Any, Any], opened: np.ndarray[Any, Any]
    ) -> np.ndarray[Any, Any]:
        """By symbol and time, one row of each: the first source by name, its highest revision."""
        count = len(symbols)
        _, symbol = np.unique(symbols.astype(str), return_inverse=True)
        source, revision = np.zeros(count, np.int64), np.zeros(count)
        if "source" in self._frame.columns:
            names = [str(each or "") for each in self._column("source", self._rows).to_list()]
            source = np.unique(names, return_inverse=True)[1]
        if "revision" in self._frame.columns:
            cells = self._column("revision", self._rows).to_list()
            for place, cell in enumerate(cells):
                try:
                    revision[place] = float(cell or 0)
                except ValueError:
                    row = int(self._rows[place])
                    raise self._refuse(row, f"the revision is no number: {cell!r}") from None
        order = np.lexsort((-revision, source, opened, symbol))
        same_bar = (symbol[order][1:] == symbol[order][:-1]) & (
            opened[order][1:] == opened[order][:-1]
        )
        twice = (
            same_bar
            & (source[order][1:] == source[order][:-1])
            & (revision[order][1:] == revision[order][:-1])
        )
        if twice.any():
            place = int(twice.argmax())
            one, other = sorted(self._rows[order[[place, place + 1]]].tolist())
            first = str(self._refuse(one, "")).split(", ")[-1].rstrip(": ")
            at = moment(int(opened[order[place]])).isoformat()
            raise self._refuse(
                other,
                f"the bar of {symbols[order[place]]} at {at} stands there twice, "
                f"first in {first}; a correction has a higher revision",
            )
        same_source = same_bar & (source[order][1:] == source[order][:-1])
        self._corrected = int(same_source.sum())
        kept: np.ndarray[Any, Any] = order[np.append(True, ~same_bar)]
        return kept

    def _numbers(
        self, name: str, rows: np.ndarray[Any, Any]
    ) -> tuple[np.ndarray[Any, Any], list[str] | None]:
        """A column as doubles, and as the texts that the file holds, where it holds texts."""
        import polars as pl

        column = self._column(name, rows)
        if column.dtype == pl.Float32:
            # The shortest digits that are this float, as for a double.
            return np.array(
                [np.nan if each is None else float(str(np.float32(each))) for each in column]
            ), None
        if column.dtype == pl.Float64 or column.dtype.is_integer():
            return column.cast(pl.Float64).fill_null(np.nan).to_numpy(), None
        texts = [_text_of(cell) for cell in column.to_list()]
        try:
            # Whatever is no plain decimal is looked at one by one.
            return np.array(texts, np.float64), texts
        except ValueError:
            pass
        values = np.empty(len(texts))
        for place, text in enumerate(texts):
            try:
                values[place] = float(Decimal(text))
            except (InvalidOperation, ValueError, OverflowError):
                what = "is empty" if not text.strip() else f"is no number: {text[:40]!r}"
                raise self._refuse(int(rows[place]), f"{name} {what}") from None
        return values, texts

    def _check(self, rows: np.ndarray[Any, Any], columns: dict[str, np.ndarray[Any, Any]]) -> None:
        """Every row is a bar.

        Raises:
            InputError: The first that is not.
        """
        open_, high, low, close = (columns[name] for name in PRICES)
        volume = columns["volume"]
        wrong: list[tuple[np.ndarray[Any, Any], Callable[[int], str]]] = [
            (~np.isfinite(values), _no_number(name)) for name, values in columns.items()
        ]
        wrong += [
            (high < low, lambda at: f"high {high[at]:g} is below low {low[at]:g}"),
            (
                (close > high) | (close < low),
                lambda at: f"close {close[at]:g} is outside {low[at]:g} to {high[at]:g}",
            ),
            (
                (open_ > high) | (open_ < low),
                lambda at: f"open {open_[at]:g} is outside {low[at]:g} to {high[at]:g}",
            ),
            (volume < 0, lambda at: f"volume {volume[at]:g} is below 0"),
        ]
        found = [(int(rows[flags.argmax()]), flags, say) for flags, say in wrong if flags.any()]
        if found:
            row, flags, say = min(found, key=lambda each: each[0])
            raise self._refuse(row, say(int(flags.argmax())))

    def _timeframe(
        self, timeframe: str | None, symbols: np.ndarray[Any, Any], opened: np.ndarray[Any, Any]
    ) -> int:
        """The length of a bar: as it is named, else the least distance between two."""
        named = timeframe
        if named is None and "timeframe" in self._frame.columns:
            named = next((str(each) for each in self._frame["timeframe"] if each), None)
        if named is not None:
            number, unit = named[:-1], named[-1:]
            if number.isdigit() and unit in _UNITS:
                return int(number) * _UNITS[unit]
        apart = np.diff(opened)[symbols[1:] == symbols[:-1]]
        return int(apart.min()) if len(apart) else DAY

    def _closed(
        self,
        rows: np.ndarray[Any, Any],
        symbols: np.ndarray[Any, Any],
        opened: np.ndarray[Any, Any],
        length: int,
    ) -> np.ndarray[Any, Any]:
        """When each bar was known: not after the next one of its symbol opens."""
        same = np.append(symbols[1:] == symbols[:-1], False)
        following = np.append(opened[1:], 0)
        if "closed_at" not in self._frame.columns:
            closed = opened + length
            return np.where(same, np.minimum(closed, following), closed)
        kept, self._rows = self._rows, rows
        closed = self._times("closed_at")
        self._rows = kept
        for flags, why in (
            (closed <= opened, "closed_at is not after opened_at"),
            (same & (closed > following), "it closes after the next bar of its symbol opens"),
        ):
            if flags.any():
                raise self._refuse(int(rows[int(flags.argmax())]), why)
        return closed

    def _splits(self, rows: np.ndarray[Any, Any]) -> list[Decimal] | None:
        if "split_ratio" not in self._frame.columns:
            return None
        found = []
        for place, cell in enumerate(self._column("split_ratio", rows).to_list()):
            try:
                ratio = Decimal(_text_of(cell) or "1")
            except InvalidOperation:
                ratio = Decimal(0)
            if not (ratio.is_finite() and ratio > 0):
                raise self._refuse(int(rows[place]), f"split_ratio is above 0, not {cell!r}")
            found.append(ratio)
        return found


def _all_texts(
    columns: Sequence[list[str] | None], part: slice
) -> tuple[list[str], list[str], list[str], list[str]] | None:
    open_, high, low, close = columns
    if open_ is None or high is None or low is None or close is None:
        return None
    return open_[part], high[part], low[part], close[part]


def _no_number(name: str) -> Callable[[int], str]:
    return lambda _at: f"{name} is no number (NaN or empty)"


def _moment_of(cell: Any) -> int:
    if isinstance(cell, datetime):
        return microseconds(read_time(cell.isoformat()))
    if isinstance(cell, date):
        return microseconds(read_time(cell.isoformat()))
    if cell is None or not str(cell).strip():
        raise ValueError("is empty")
    return microseconds(read_time(str(cell)))


def _text_of(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return "" if cell != cell else repr(cell)  # noqa: PLR0124 - NaN
    return format(cell, "f") if isinstance(cell, Decimal) else str(cell)


def _name_of(length: int) -> str:
    for unit in ("w", "d", "h", "m"):
        if length % _UNITS[unit] == 0:
            return f"{length // _UNITS[unit]}{unit}"
    return f"{max(1, length // _UNITS['s'])}s"


def _notes(history: History) -> list[str]:
    """What somebody should know who judges by these bars."""
    notes: list[str] = []
    sessions = history.sessions
    for name, series in history.series.items():
        notes += [
            f"{name} opens at {series.open[row]:g} on {_date(series, row)} after a close of "
            f"{series.close[row - 1]:g}: a split that is not adjusted for, or an error; what "
            "was held over it is void"
            for row in series.jumps.tolist()[:3]
        ]
        if len(series.jumps) > 3:  # noqa: PLR2004 - as many are named
            notes.append(f"{name} has {len(series.jumps) - 3} more such jumps")
        place = np.searchsorted(sessions, series.day)
        alone = len(history.series) == 1
        apart = np.diff(series.day) * 5 // 7 if alone else np.diff(place)
        notes += [
            f"{name} has no bars between {_date(series, gap)} and {_date(series, gap + 1)}"
            + ("" if alone else f", {int(apart[gap]) - 1} sessions in which others traded")
            for gap in np.flatnonzero(apart > _LONG_GAP).tolist()[:3]
        ]
        if series.split_ratio is not None:
            notes.append(
                f"{name}'s bars tell splits: levels follow them, but indicators are worked out of "
                "the prices as they stand"
            )
    return notes


def _date(series: Series, row: int) -> str:
    return moment(int(series.opened_at[row])).date().isoformat()

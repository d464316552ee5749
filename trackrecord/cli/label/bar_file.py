"""Bars of many symbols in one file, from which a signal takes those that follow its entry."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from trackrecord.cli.common import InputError
from trackrecord.cli.tables import open_table
from trackrecord.outcomes import RuleError
from trackrecord.times import read_time

_NEEDED: Final = ("symbol", "opened_at", "open", "high", "low", "close")


class BarsBySymbol:
    """Bars as lines hold them, ``[time, open, high, low, close]``, by symbol and in order.

    Attributes:
        splits: By symbol, the time of each bar that tells a split and its ratio, in order.
    """

    def __init__(self, rows: dict[str, dict[datetime, tuple[float, list[Any]]]]) -> None:
        """``rows`` are by symbol and time, each with its revision; a split stands last in a bar."""
        self._times = {symbol: sorted(bars) for symbol, bars in rows.items()}
        self._bars = {
            symbol: [rows[symbol][at][1][:-1] for at in times]
            for symbol, times in self._times.items()
        }
        self.splits = {
            symbol: [[bar[0], bar[-1]] for _, bar in (rows[symbol][at] for at in times) if bar[-1]]
            for symbol, times in self._times.items()
        }

    def after(self, signal: dict[str, Any], horizon: int) -> list[list[Any]]:
        """The bars from a signal's entry on, as many as its horizon has.

        Raises:
            RuleError: It names no symbol or no entry time, or there are no bars of it.
        """
        symbol, entered = signal.get("symbol"), signal.get("entry_time")
        if not isinstance(symbol, str) or not isinstance(entered, str):
            raise RuleError('a signal without "bars" names its "symbol" and its "entry_time"')
        if symbol not in self._bars:
            raise RuleError(f"there are no bars of {symbol}")
        try:
            at = read_time(entered)
        except ValueError as error:
            raise RuleError(f"the entry time: {error}") from None
        first = bisect_left(self._times[symbol], at)
        found = self._bars[symbol][first : first + max(1, horizon)]
        if not found:
            raise RuleError(f"there are no bars of {symbol} from {entered} on")
        return found


def read_bars(file: Path) -> BarsBySymbol:
    """Read bars from CSV or Parquet, in any order; of one time, the highest revision counts.

    Raises:
        InputError: The file, a column or a time cannot be read.
    """
    table = open_table(file)
    missing = [name for name in _NEEDED if name not in table.columns]
    if missing:
        raise InputError(f"{file} has no column {', '.join(missing)}")
    found: dict[str, dict[datetime, tuple[float, list[Any]]]] = {}
    for place, row in table.dicts():
        text = row["opened_at"] or ""
        try:
            at = read_time(text)
            revision = float(row.get("revision") or 0)
        except ValueError as error:
            raise InputError(f"{file}, {place}: {error}") from None
        bars = found.setdefault(row["symbol"] or "", {})
        if at not in bars or revision >= bars[at][0]:
            bars[at] = (
                revision,
                [text, *(row[name] for name in _NEEDED[2:]), row.get("split_ratio")],
            )
    return BarsBySymbol(found)

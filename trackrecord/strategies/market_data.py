"""Reading the ``market_data`` of one call as it comes from outside, and making it from bars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from trackrecord.strategies.contract import FLAT, BarRow, Position
from trackrecord.strategies.decisions import shown

_FIELDS: Final = ("symbol", "timeframe", "bars", "position")
_NUMBERS: Final = ("open", "high", "low", "close", "volume")
_LONGEST_NAME: Final = 128


@dataclass(frozen=True)
class MarketData:
    """What one call is about; bars are oldest first, the last one has just closed."""

    symbol: str
    timeframe: str
    bars: Sequence[BarRow]
    position: Position = FLAT


def market_data(
    symbol: str, timeframe: str, bars: Sequence[BarRow], position: Position = FLAT
) -> dict[str, Any]:
    """The dict that ``execute_strategy`` is handed."""
    return {
        "symbol": symbol,
        "timeframe": timeframe,
        "bars": [bar._asdict() for bar in bars],
        "position": position._asdict(),
    }


def read_market_data(given: object) -> MarketData | str:
    """Read what somebody wrote as market data; a text says what is wrong with it, and where.

    Whole numbers become floats. A bar needs finite numbers, ``high`` at or above the others,
    ``low`` at or below them, no negative volume, and a time later than the one before it.
    """
    try:
        return _read(given)
    except _WrongError as error:
        return str(error)


class _WrongError(Exception):
    """Carries the words to the one place that gives them back."""


def _read(given: object) -> MarketData:
    if not isinstance(given, Mapping):
        raise _WrongError(f"market_data is {shown(given)}: it is an object")
    for key in given:
        if key not in _FIELDS:
            raise _WrongError(f"market_data has {shown(key)}: there are {', '.join(_FIELDS)}")
    bars = given.get("bars")
    if isinstance(bars, str) or not isinstance(bars, Sequence):
        raise _WrongError("market_data has no list of bars")
    symbol = _name(given, "symbol", None)
    timeframe = _name(given, "timeframe", "1d")
    read: list[BarRow] = []
    before: datetime | None = None
    for number, bar in enumerate(bars, start=1):
        row, at = _bar(number, bar)
        if before is not None and at <= before:
            raise _WrongError(f"bar {number} ({row.time}) is not after the one before it")
        read.append(row)
        before = at
    return MarketData(symbol, timeframe, read, _position(given.get("position")))


def _name(given: Mapping[str, object], field: str, default: str | None) -> str:
    value = given.get(field, default)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME or "\0" in value:
        raise _WrongError(f"{field} is {shown(value)}: it is a text")
    return value


def _bar(number: int, bar: object) -> tuple[BarRow, datetime]:
    if isinstance(bar, BarRow):
        bar = bar._asdict()
    if not isinstance(bar, Mapping):
        raise _WrongError(f"bar {number} is {shown(bar)}: it is an object")
    time = bar.get("time")
    at = _moment(f"bar {number}: time", time)
    open_, high, low, close, volume = (_number(number, bar, name) for name in _NUMBERS)
    if high < low:
        raise _WrongError(f"bar {number} ({time}): high {high:g} is below low {low:g}")
    for name, value in (("open", open_), ("close", close)):
        if not low <= value <= high:
            raise _WrongError(
                f"bar {number} ({time}): {name} {value:g} lies outside {low:g} to {high:g}"
            )
    if volume < 0:
        raise _WrongError(f"bar {number} ({time}): volume is {volume:g}")
    return BarRow(str(time), open_, high, low, close, volume), at


def _moment(name: str, value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _WrongError(
            f"{name} is {shown(value)}: it is ISO 8601, such as 2024-03-01T00:00:00Z"
        ) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _number(number: int, bar: Mapping[str, object], name: str) -> float:
    value = bar.get(name, 0.0 if name == "volume" else None)
    if type(value) not in {int, float}:
        raise _WrongError(f"bar {number}: {name} is {shown(value)}: it is a number")
    try:
        found = float(value)  # type: ignore[arg-type] # an int or a float
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise _WrongError(f"bar {number}: {name} is {shown(value)}: it is a finite number")
    return found


def _position(given: object) -> Position:
    if given is None:
        return FLAT
    if not isinstance(given, Mapping) or any(key not in Position._fields for key in given):
        raise _WrongError(f"position is {shown(given)}: it has {', '.join(Position._fields)}")
    side = given.get("side")
    if side is None:
        return FLAT
    if side not in {"LONG", "SHORT"}:
        raise _WrongError(f'position\'s side is {shown(side)}: it is "LONG", "SHORT" or null')
    price, quantity = given.get("entry_price"), given.get("quantity", 1.0)
    for name, value in (("entry_price", price), ("quantity", quantity)):
        if type(value) not in {int, float} or not math.isfinite(value):  # type: ignore[arg-type]
            raise _WrongError(f"position's {name} is {shown(value)}: it is a number")
    entered = given.get("entry_time")
    if entered is not None:
        _moment("position's entry_time", entered)
    return Position(side, float(price), float(quantity), entered)  # type: ignore[arg-type] # looked at

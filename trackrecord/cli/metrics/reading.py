"""What ``trackrecord metrics`` reads: JSON, CSV or Parquet, with decimals kept exact."""

from __future__ import annotations

import io
import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from trackrecord.cli.common import InputError, read_input
from trackrecord.cli.tables import Table, is_table, table_of
from trackrecord.events.types import side_of
from trackrecord.performance.trades.many_trades import Trade
from trackrecord.times import NO_NUMBER, microseconds, read_time

_KINDS: Final = ("returns", "equity", "trades")
_LARGEST: Final = 30
_SMALLEST: Final = -60
"""Powers of ten within which an amount is believed."""

_AMOUNTS: Final = ("quantity", "entry_price", "exit_price")
_OPTIONAL: Final = (
    "entry_fee", "exit_fee", "entry_fee_rate", "exit_fee_rate", "interest", "funding", "leverage",
)  # fmt: skip
_FIELDS: Final = frozenset((*_AMOUNTS, *_OPTIONAL, "side", "entry_time", "exit_time"))


def read(file: Path | None) -> dict[str, Any]:
    """The document that a file or standard input holds.

    Returns:
        An object with ``returns``, ``equity`` or ``trades``.

    Raises:
        InputError: It cannot be read, or holds none of them.
    """
    content, name = read_input(file)
    if is_table(name):
        return _of_table(table_of(io.BytesIO(content), name), name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not UTF-8 (byte {error.start}); save it as UTF-8 JSON or CSV"
        ) from None
    return _json(text, name)


def number(document: dict[str, Any], name: str, default: float) -> float:
    """A number of the document.

    Raises:
        InputError: It is not one.
    """
    value = document.get(name)
    if value is None:
        return default
    found = _amount(value, name)
    return float(found)


def money(document: dict[str, Any], name: str) -> Decimal | None:
    """An amount of the document, exact; None where it is not given.

    Raises:
        InputError: It is not one.
    """
    value = document.get(name)
    return None if value is None else _amount(value, name)


def series(values: Any, name: str) -> list[float]:
    """A list of numbers; null and NaN are periods without an observation (NaN).

    Raises:
        InputError: It is not such a list; the message says which value.
    """
    if not isinstance(values, list):
        raise InputError(f"{name} is a list of numbers")
    found = []
    for place, value in enumerate(values, start=1):
        if value is None or (isinstance(value, str) and value.strip().lower() in {"", "nan"}):
            found.append(math.nan)
        else:
            found.append(float(_amount(value, f"value {place} of {name}")))
    return found


def trials_of(document: dict[str, Any]) -> int | list[float] | None:
    """How many were tried, or the Sharpe ratio per period of each.

    Raises:
        InputError: Neither a whole number above 0 nor a list of numbers.
    """
    value = document.get("trials")
    if value is None:
        return None
    if isinstance(value, list) and value:
        ratios = series(value, "trials")
        if any(math.isnan(ratio) for ratio in ratios):
            raise InputError("trials holds a Sharpe ratio per period for each; one is missing")
        return ratios
    if isinstance(value, list):
        raise InputError("trials is empty; name at least this strategy, or leave trials out")
    count = _amount(value, "trials")
    if count != int(count) or count < 1:
        raise InputError(f"trials is a whole number above 0 or a list of ratios, not {value}")
    return int(count)


def window_of(document: dict[str, Any]) -> int | None:
    """Periods, or trades, of the moving window; None where none is asked for.

    Raises:
        InputError: Not a whole number above 1.
    """
    value = document.get("rolling")
    if value is None:
        return None
    window = _amount(value, "rolling")
    if window != int(window) or window < 2:  # noqa: PLR2004 - two make a spread
        raise InputError(f"rolling is a whole number of periods, at least 2, not {value}")
    return int(window)


def trade(row: Any, place: int) -> Trade:
    """A trade of the document.

    Raises:
        InputError: A field is missing or unreadable; the message says which.
    """
    if not isinstance(row, dict):
        raise InputError(f"trade {place} is an object with side, quantity and prices")
    values: dict[str, Any] = {}
    for name in _AMOUNTS:
        if row.get(name) is None:
            raise InputError(f"trade {place} has no {name}; leave open trades out")
        values[name] = _amount(row[name], f"{name} of trade {place}")
    for name in _OPTIONAL:
        if row.get(name) is not None and row[name] != "":
            values[name] = _amount(row[name], f"{name} of trade {place}")
    side = side_of(str(row.get("side", "")))
    if side is None:
        raise InputError(
            f"side of trade {place} is LONG, SHORT, BUY or SELL, not {row.get('side')!r}"
        )
    for name in ("entry_time", "exit_time"):
        if row.get(name) is not None and row[name] != "":
            values[name] = _moment(row[name], f"{name} of trade {place}")
    return Trade(side=side, **values)


def identities(rows: list[Any]) -> list[Any]:
    """The id of each trade; its number, from 1, where it has none."""
    return [
        str(place) if row.get("id") in {None, ""} else _plain(row["id"])
        for place, row in enumerate(rows, start=1)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    return value


def _json(text: str, name: str) -> dict[str, Any]:
    try:
        document = json.loads(
            text, parse_float=Decimal, parse_int=Decimal, parse_constant=lambda word: word
        )
    except json.JSONDecodeError as error:
        raise InputError(
            f"{name} is not JSON (line {error.lineno}, column {error.colno}: {error.msg}); "
            "name a CSV file .csv and a Parquet file .parquet"
        ) from None
    except (RecursionError, InvalidOperation):
        raise InputError(f"{name} is not JSON of returns or trades") from None
    if isinstance(document, list):
        objects = any(isinstance(item, dict) for item in document)
        document = {"trades" if objects else "returns": document}
    if not isinstance(document, dict):
        raise InputError(f'{name} holds no object such as {{"returns": [0.01, -0.02]}}')
    named = [kind for kind in _KINDS if kind in document]
    if len(named) != 1:
        raise InputError(
            f"{name} holds {' and '.join(named) or 'none'} of returns, equity and trades; give one"
        )
    return document


def _of_table(table: Table, name: str) -> dict[str, Any]:
    for column, kind in (("return", "returns"), ("returns", "returns"), ("equity", "equity")):
        if column in table.columns and "side" not in table.columns:
            return {kind: [row[column] for _, row in table.dicts()]}
    if {"side", *_AMOUNTS} <= set(table.columns):
        known = {*_FIELDS, "id"}
        return {
            "trades": [
                {field: cell for field, cell in row.items() if field in known}
                for _, row in table.dicts()
            ]
        }
    raise InputError(
        f"{name} has the columns {', '.join(table.columns)}; give `return`, `equity`, or "
        "side, quantity, entry_price and exit_price"
    )


def _amount(value: Any, what: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | int | float | str):
        raise InputError(f"{what} is a number, not {value!r}")
    try:
        found = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        raise InputError(f"{what} is a number, not {value!r}") from None
    exponent = found.as_tuple().exponent
    if not isinstance(exponent, int):
        raise InputError(f"{what} is a finite number, not {value}")
    if found and (found.adjusted() > _LARGEST or exponent < _SMALLEST):
        raise InputError(f"{what} is {value}, beyond what an amount can be (1e-60 to 1e30)")
    return found or Decimal(0)


def _moment(value: Any, what: str) -> int:
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day, tzinfo=UTC)
    elif isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        raise InputError(f"{what}: {NO_NUMBER}")
    else:
        try:
            moment = read_time(str(value))
        except ValueError as error:
            raise InputError(f"{what}: {error}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return microseconds(moment)

"""Reading what the commands of strategies are given: a source, a call, bars to try it on."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from trackrecord.cli.common import InputError, read_input
from trackrecord.strategies.contract import BarRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LARGEST_FILE: Final = 16 << 20
_LARGEST_CALL: Final = 64 << 20
_NEEDED: Final = ("symbol", "opened_at", "open", "high", "low", "close")
# Until the last of these come the decisions of a dry run: a crash, and what followed.
_FROM, _UNTIL = date(2006, 6, 1), date(2009, 12, 31)


def read_strategy(file: Path) -> str:
    """The text of a strategy's source.

    Raises:
        InputError: It cannot be read, is no UTF-8, or is no strategy by its size.
    """
    try:
        size = file.stat().st_size if str(file) != "-" else 0
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from None
    if size > LARGEST_FILE:
        raise InputError(f"{file} has {size / 1e6:,.0f} MB: that is no strategy")
    content, name = read_input(file)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 (byte {error.start})") from None


def read_call() -> tuple[object, dict[str, Any]]:
    """The call on standard input: its market data, and its parameters.

    Raises:
        InputError: It is no JSON, or not such an object.
    """
    content, name = read_input(None)
    if len(content) > _LARGEST_CALL:
        raise InputError(f"{name} has {len(content) / 1e6:,.0f} MB: a call is smaller")
    try:
        given = json.loads(content)
    except (ValueError, RecursionError):
        raise InputError(
            f'{name} is not JSON: it is {{"market_data": {{...}}, "strategy_params": {{...}}}}'
        ) from None
    if not isinstance(given, dict) or "market_data" not in given:
        raise InputError(f'{name} is an object with "market_data" and "strategy_params"')
    for key in given:
        if key not in {"market_data", "strategy_params"}:
            raise InputError(f"{name} has {key!r:.60}: there are market_data and strategy_params")
    parameters = given.get("strategy_params")
    if parameters is None:
        parameters = {}
    if not isinstance(parameters, dict):
        raise InputError(f"{name}: strategy_params is an object")
    return given["market_data"], parameters


def dry_run_bars(file: Path | None) -> tuple[Mapping[str, Sequence[BarRow]], str | None]:
    """Bars to try a strategy on: those of a file, or real ones of four shares.

    Returns:
        The bars by symbol, oldest first, and a note where they are made up.

    Raises:
        InputError: The file, a column or a cell cannot be read.
    """
    if file is not None:
        return _of_file(file), None
    try:
        from trackrecord.events.types import wire_time
        from trackrecord.local.demo_data import daily_bars

        found: dict[str, list[BarRow]] = defaultdict(list)
        for bar in daily_bars(_FROM, _UNTIL):
            prices = (float(bar.open), float(bar.high), float(bar.low), float(bar.close))
            found[bar.symbol].append(BarRow(wire_time(bar.opened_at), *prices, float(bar.volume)))
    except ModuleNotFoundError:
        from trackrecord.strategies.made_up_bars import made_up

        return made_up(), (
            "tried on made-up bars: real ones come with `pip install 'trackrecord[local]'`, or "
            "name a file with --bars"
        )
    return found, None


def _of_file(file: Path) -> dict[str, Sequence[BarRow]]:
    from trackrecord.cli.tables import open_table
    from trackrecord.strategies.market_data import read_market_data

    table = open_table(file)
    missing = [name for name in _NEEDED if name not in table.columns]
    if missing:
        raise InputError(f"{file} has no column {', '.join(missing)}")
    rows: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    timeframes = set()
    for place, row in table.dicts():
        timeframes.add(row.get("timeframe") or "1d")
        bar: dict[str, Any] = {"time": row["opened_at"]}
        for name in ("open", "high", "low", "close", "volume"):
            try:
                bar[name] = float(row.get(name) or 0)
            except ValueError:
                raise InputError(f"{file}, {place}: {name} is no number") from None
        rows[row["symbol"] or ""][row["opened_at"] or ""] = bar
    if len(timeframes) > 1:
        raise InputError(
            f"{file} holds bars of several timeframes: {', '.join(sorted(timeframes))}"
        )
    found: dict[str, Sequence[BarRow]] = {}
    for symbol, bars in rows.items():
        ordered = [bars[time] for time in sorted(bars)]
        read = read_market_data({"symbol": symbol, "bars": ordered})
        if isinstance(read, str):
            raise InputError(f"{file}: {symbol}: {read}")
        found[symbol] = read.bars
    if not found:
        raise InputError(f"{file} holds no bars")
    return found

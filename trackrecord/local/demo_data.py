"""The prices that the demo plays: real daily bars that come with a package from pip."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from trackrecord.events import MarketBar
from trackrecord.events.types import plain_decimal, wire_time

SYMBOLS: Final = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
"""The instruments there are bars of: March 2000 (GOOG 2004-08-19, FB 2012-05-18) to 2013-03-01."""

SOURCE: Final = "bokeh_sampledata"
"""What the bars' ``source`` says."""

CSV_COLUMNS: Final = (
    "symbol",
    "timeframe",
    "source",
    "opened_at",
    "closed_at",
    "open",
    "high",
    "low",
    "close",
    "volume",
)
"""The columns of :func:`write_csv`: the fields of ``market_bar``."""

_EXCHANGE = ZoneInfo("America/New_York")
_OPENS, _CLOSES = time(9, 30), time(16)
_PRICE_STEP = Decimal("0.0001")
_WHOLE_SHARES = Decimal(1)


def daily_bars(start: date, end: date, symbols: Iterable[str] = SYMBOLS) -> list[MarketBar]:
    """Real daily bars of US shares, adjusted for splits and dividends.

    The package holds prices as they were quoted, so a split would look like a
    loss of half the money. Open, high, low and close are therefore multiplied
    by ``adj_close / close`` and rounded half-even to 4 decimals, which keeps
    low <= open, close <= high. Volume is divided by the same factor and rounded
    to whole shares: price times volume stays the money that changed hands.
    The adjustment also covers what happened to the shares after March 2013.

    A bar spans the session 09:30 to 16:00 of New York, in UTC; the package
    does not mark half days, so these span it too.

    Args:
        start: The first session's date, included.
        end: The last session's date, included.
        symbols: Which of :data:`SYMBOLS`.

    Returns:
        Bars in the order of (opened_at, symbol); prices in USD, volume in shares.

    Raises:
        ValueError: A symbol is not there, or start is after end.
    """
    wanted = sorted(set(symbols))
    if unknown := [symbol for symbol in wanted if symbol not in SYMBOLS]:
        raise ValueError(
            f"no bars of {', '.join(unknown)} in {SOURCE}; there are {', '.join(SYMBOLS)}"
        )
    if start > end:
        raise ValueError(f"start {start} is after end {end}: swap them")
    # Reading the package's file takes a tenth of a second, so only who plays it pays.
    from bokeh_sampledata import stocks  # noqa: PLC0415

    bars: list[MarketBar] = []
    with localcontext() as context:
        context.prec = 40
        for symbol in wanted:
            bars += _bars(symbol, getattr(stocks, symbol), start, end)
    return sorted(bars, key=lambda bar: (bar.opened_at, bar.symbol))


def write_csv(bars: Iterable[MarketBar], path: Path) -> None:
    """Write bars as a CSV file with a header of :data:`CSV_COLUMNS`.

    Args:
        bars: The bars, written in the order given.
        path: The file; one that exists is replaced.

    Raises:
        OSError: The file cannot be written.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(CSV_COLUMNS)
        for bar in bars:
            prices = (bar.open, bar.high, bar.low, bar.close, bar.volume)
            rows.writerow(
                (
                    bar.symbol,
                    bar.timeframe,
                    bar.source,
                    wire_time(bar.opened_at),
                    wire_time(bar.closed_at),
                    *(plain_decimal(value) for value in prices),
                )
            )


def _bars(symbol: str, columns: Any, start: date, end: date) -> Iterable[MarketBar]:
    for index, text in enumerate(columns["date"]):
        day = date.fromisoformat(text)
        if not start <= day <= end:
            continue
        # The package parses its text into floats; their shortest text is what was parsed.
        close = Decimal(str(columns["close"][index]))
        adjusted = Decimal(str(columns["adj_close"][index]))
        prices = {
            name: (Decimal(str(columns[name][index])) * adjusted / close).quantize(
                _PRICE_STEP, ROUND_HALF_EVEN
            )
            for name in ("open", "high", "low", "close")
        }
        volume = (Decimal(columns["volume"][index]) * close / adjusted).quantize(
            _WHOLE_SHARES, ROUND_HALF_EVEN
        )
        yield MarketBar(
            symbol=symbol,
            timeframe="1d",
            source=SOURCE,
            opened_at=datetime.combine(day, _OPENS, _EXCHANGE),
            closed_at=datetime.combine(day, _CLOSES, _EXCHANGE),
            volume=volume,
            **prices,
        )

"""Market data as somebody wrote it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from trackrecord.strategies.contract import FLAT, BarRow, Position
from trackrecord.strategies.market_data import MarketData, market_data, read_market_data


def bar(day: int, **changed: Any) -> dict[str, Any]:
    return {
        "time": f"2024-03-{day:02}T00:00:00Z",
        "open": 10, "high": 12, "low": 9, "close": 11, "volume": 100, **changed,
    }  # fmt: skip


def data(*bars: Any, **changed: Any) -> dict[str, Any]:
    return {"symbol": "AAPL", "timeframe": "1d", "bars": list(bars), **changed}


def test_whole_numbers_become_floats_and_a_position_may_be_left_out() -> None:
    found = read_market_data(data(bar(1)))
    assert found == MarketData(
        "AAPL", "1d", [BarRow("2024-03-01T00:00:00Z", 10.0, 12.0, 9.0, 11.0, 100.0)], FLAT
    )


def test_what_is_made_from_bars_reads_back() -> None:
    rows = [BarRow(f"2024-03-{day:02}T00:00:00Z", 1.5, 2.5, 1.0, 2.0, 7.0) for day in (1, 2)]
    held = Position("LONG", 1.25, 2.0, "2024-03-01T00:00:00Z")
    found = read_market_data(market_data("IBM", "1h", rows, held))
    assert found == MarketData("IBM", "1h", rows, held)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (5, "market_data is 5"),
        ({}, "no list of bars"),
        (data(bar(1), symbol=None), "symbol"),
        (data(bar(1), extra=1), "'extra'"),
        (data(5), "bar 1 is 5"),
        (data(bar(1), bar(2, high=8)), "bar 2 (2024-03-02T00:00:00Z): high 8 is below low 9"),
        (data(bar(1, close=13)), "close 13 lies outside 9 to 12"),
        (data(bar(1, open=math.nan)), "open is nan"),
        (data(bar(1, open=math.inf)), "open is inf"),
        (data(bar(1, open="10")), "open is '10'"),
        (data(bar(1, open=True)), "open is True"),
        (data(bar(1, close=None)), "close is None"),
        (data(bar(1, volume=-1)), "volume is -1"),
        (data(bar(1, high=10**400)), "high"),
        (data(bar(1, time="yesterday")), "time is 'yesterday'"),
        (data(bar(1, time=5)), "time is 5"),
        (data(bar(2), bar(1)), "bar 2 (2024-03-01T00:00:00Z) is not after"),
        (data(bar(1), bar(1)), "is not after"),
        (data(bar(1), position=5), "position"),
        (data(bar(1), position={"side": "long"}), "side is 'long'"),
        (data(bar(1), position={"side": "LONG"}), "entry_price is None"),
        (data(bar(1), position={"side": "LONG", "entry_price": math.nan}), "entry_price"),
        (
            data(bar(1), position={"side": "LONG", "entry_price": 1, "entry_time": "x"}),
            "entry_time is 'x'",
        ),
        (data(bar(1), position={"sides": "LONG"}), "position"),
    ],
)
def test_what_is_wrong_is_told_with_its_bar(given: object, words: str) -> None:
    found = read_market_data(given)
    assert isinstance(found, str)
    assert words in found

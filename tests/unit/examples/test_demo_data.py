from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from bokeh_sampledata import stocks
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.events import MarketBar
from trackrecord.local.demo_data import CSV_COLUMNS, SYMBOLS, daily_bars, write_csv

_ROWS = [(symbol, i) for symbol in SYMBOLS for i in range(len(getattr(stocks, symbol)["date"]))]


@given(st.sampled_from(_ROWS))
def test_a_bar_is_the_packages_row_adjusted_and_rounded_once(row: tuple[str, int]) -> None:
    symbol, index = row
    quoted: dict[str, Any] = {name: col[index] for name, col in getattr(stocks, symbol).items()}
    day = date.fromisoformat(quoted["date"])
    (bar,) = daily_bars(day, day, [symbol])

    factor = Fraction(str(quoted["adj_close"])) / Fraction(str(quoted["close"]))
    for name in ("open", "high", "low", "close"):
        exact = Fraction(str(quoted[name])) * factor
        assert abs(Fraction(getattr(bar, name)) - exact) <= Fraction(1, 20_000)
    assert abs(Fraction(bar.volume) - quoted["volume"] / factor) <= Fraction(1, 2)
    assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
    assert bar.opened_at.date() == day


def test_every_bar_of_the_package_is_a_valid_event_in_order() -> None:
    bars = daily_bars(date(2000, 1, 1), date(2014, 1, 1))

    assert len(bars) == len(_ROWS)
    assert bars == sorted(bars, key=lambda bar: (bar.opened_at, bar.symbol))
    assert len({bar.event_id for bar in bars}) == len(bars)
    assert all(MarketBar.model_validate_json(bar.to_json()) == bar for bar in bars[::97])


def test_a_split_is_no_loss() -> None:
    before, after = daily_bars(date(2005, 2, 25), date(2005, 2, 28), ["AAPL"])

    assert abs(after.close / before.close - 1) < Decimal("0.02")
    assert after.volume / before.volume < 2


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        (date(2012, 1, 6), datetime(2012, 1, 6, 14, 30), datetime(2012, 1, 6, 21)),  # noqa: DTZ001
        (date(2012, 7, 6), datetime(2012, 7, 6, 13, 30), datetime(2012, 7, 6, 20)),  # noqa: DTZ001
    ],
)
def test_a_bar_spans_the_session_of_new_york(day: date, opens: datetime, closes: datetime) -> None:
    (bar,) = daily_bars(day, day, ["IBM"])

    assert bar.opened_at == opens.replace(tzinfo=UTC)
    assert bar.closed_at == closes.replace(tzinfo=UTC)


def test_an_unknown_symbol_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no bars of TSLA .* AAPL, FB, GOOG, IBM, MSFT"):
        daily_bars(date(2012, 1, 1), date(2012, 2, 1), ["AAPL", "TSLA"])


def test_a_start_after_the_end_is_refused() -> None:
    with pytest.raises(ValueError, match="is after end"):
        daily_bars(date(2012, 2, 1), date(2012, 1, 1))


def test_a_csv_file_holds_the_bars_exactly(real_bars: list[MarketBar], tmp_path: Path) -> None:
    write_csv(real_bars, tmp_path / "bars.csv")

    with (tmp_path / "bars.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [MarketBar.model_validate(row) for row in rows] == real_bars

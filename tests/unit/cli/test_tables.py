"""Tables that commands read: cells are their own text, whatever they look like."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trackrecord.cli.common import InputError
from trackrecord.cli.tables import frame_of, open_table
from trackrecord.cli.train.signal_files import in_columns, read_bars, read_signals
from trackrecord.events import SignalEmitted
from trackrecord.learning.dataset import outcomes_of
from trackrecord.outcomes.label_many import OUTCOMES

HEADER = "signal_id,strategy,symbol,side,price,emitted_at,confidence,horizon_bars\n"
ROW = "s1,t,000001,buy,0.00000812,2024-06-03 22:00:00+00:00,0.62,5\n"
BARS = "symbol,opened_at,open,high,low,close\n"


def csv(folder: Path, text: str, name: str = "a.csv") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def test_symbols_prices_and_confidence_of_csv_are_what_stands_there(tmp_path: Path) -> None:
    [event] = read_signals(csv(tmp_path, HEADER + ROW))
    assert (event.symbol, event.price, event.confidence) == ("000001", D("0.00000812"), 0.62)
    assert (event.side, event.horizon_bars) == ("BUY", 5)
    assert event.emitted_at == datetime(2024, 6, 3, 22, tzinfo=UTC)


@pytest.mark.parametrize("symbol", ["600519", "1e5", "true", "2024-01-01", "NaN", "null", "007"])
@pytest.mark.parametrize("confidence", ["0", "1", "0.5", "1.0", "6.2e-1", ""])
def test_no_symbol_is_taken_for_anything_else(tmp_path: Path, symbol: str, confidence: str) -> None:
    row = ROW.replace("000001", symbol).replace("0.62", confidence)
    [event] = read_signals(csv(tmp_path, HEADER + row))
    assert event.symbol == symbol
    assert event.confidence == (float(confidence) if confidence else None)


def test_ten_thousand_numeric_symbols_before_a_name_change_nothing(tmp_path: Path) -> None:
    days = [f"{600000 + n},2024-01-02,1,2,1,1.5\n" for n in range(12_000)]
    file = csv(tmp_path, BARS + "".join(days) + "AAPL,2024-01-02,1,2,1,1.5\n")
    assert read_bars(file).symbols[-1] == "AAPL"
    signals = [ROW.replace("s1", f"s{n}").replace("000001", f"{n:06}") for n in range(10_050)]
    events = read_signals(csv(tmp_path, HEADER + "".join(signals) + ROW.replace("000001", "AAPL")))
    assert (events[7].symbol, events[-1].symbol) == ("000007", "AAPL")


numbers = st.decimals(D("-1e12"), D("1e12"), places=18, allow_nan=False).map(
    lambda value: value or D(0)
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(numbers, min_size=1, max_size=5), st.booleans())
def test_a_decimal_of_csv_keeps_every_digit(
    tmp_path: Path, prices: list[D], exponent: bool
) -> None:
    rows = "".join(
        ROW.replace("0.00000812", f"{abs(price) + D('1e-18'):{'e' if exponent else 'f'}}")
        for price in prices
    )
    events = read_signals(csv(tmp_path, HEADER + rows))
    assert [event.price for event in events] == [abs(price) + D("1e-18") for price in prices]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(1e-12, 1e15), min_size=1, max_size=5))
def test_a_double_of_parquet_is_written_in_plain_digits(
    tmp_path: Path, prices: list[float]
) -> None:
    file = tmp_path / "a.parquet"
    pl.DataFrame({"price": prices}).write_parquet(file)
    for price, (_, [text]) in zip(prices, open_table(file).rows, strict=True):
        assert "e" not in text.lower()
        assert float(text) == pytest.approx(price, rel=1e-6)
        assert price < 1e-3 or float(text) == price


def test_parquet_of_any_types_reads_as_the_csv_of_the_same(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "signal_id": ["s1", "s2"],
            "strategy": ["t", "t"],
            "symbol": pl.Series(["000001", "AAPL"], dtype=pl.Categorical),
            "side": ["Buy", "short"],
            "price": [8.12e-06, 189.2],
            "emitted_at": [datetime(2024, 6, 3, 22, tzinfo=UTC)] * 2,
            "confidence": [0.62, float("nan")],
            "horizon_bars": [5.0, None],
            "target_price": pl.Series(["0.00001", None]).cast(pl.Decimal(20, 8)),
            "revision": pl.Series([0, 1], dtype=pl.Int8),
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    first, second = read_signals(tmp_path / "a.parquet")
    assert (first.symbol, first.price, first.target_price) == (
        "000001", D("0.00000812"), D("0.00001"),
    )  # fmt: skip
    assert (first.confidence, first.horizon_bars) == (0.62, 5)
    assert (second.side, second.confidence, second.horizon_bars) == ("SELL", None, None)
    assert second.revision == 1


def test_a_float_of_32_bits_has_its_own_digits(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pl.DataFrame({"price": pl.Series([0.1, 189.2], dtype=pl.Float32)}).write_parquet(file)
    assert [cells for _, cells in open_table(file).rows] == [["0.1"], ["189.2"]]


def test_json_lines_hold_prices_as_numbers_too(tmp_path: Path) -> None:
    data = {"signal_id": "a", "strategy": "t", "symbol": "AAA", "side": "long", "price": 150.25,
            "confidence": 0.5, "emitted_at": "2024-06-03T22:00:00Z"}  # fmt: skip
    [event] = read_signals(csv(tmp_path, json.dumps(data) + "\n", "a.jsonl"))
    assert (event.price, event.confidence) == (D("150.25"), 0.5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("a,a\n1,2\n", "column a twice"),
        ("a,b\n1,2\n3,4,5\n", "line 3: more cells"),
        ('a,b\n1,"2\n', "line 2: not CSV"),
    ],
)
def test_what_is_no_table_is_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        list(open_table(csv(tmp_path, text)).rows)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (ROW.replace("buy", "Purchase"), r"^line 2: side: is none of BUY"),
        (ROW.replace("2024-06-03 22:00:00+00:00", "1717452000"), r"line 2: emitted_at: .*seconds"),
        (ROW.replace("0.00000812", "1,5"), r"line 2: more cells|more cells than"),
        (ROW.replace(",0.62,5", ",1.5,5"), r"line 2: confidence: "),
        (ROW.replace(",0.62,5", ",0.5,2.5"), r"line 2: horizon_bars: "),
        (ROW.replace("0.00000812", "cheap"), r"line 2: price: not a plain decimal"),
    ],
)
def test_a_bad_cell_is_named_by_line_and_column(tmp_path: Path, row: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_signals(csv(tmp_path, HEADER + row))


@pytest.mark.parametrize(
    ("at", "hour"),
    [
        ("2024-06-03T22:00:00Z", 22),
        ("2024-06-03 22:00:00+00:00", 22),
        ("2024-06-03 22:00:00", 22),
        ("2024-06-03T22:00:00.000+02:00", 20),
        ("2024-06-03", 0),
    ],
)
def test_times_of_bars_are_read_as_people_write_them(tmp_path: Path, at: str, hour: int) -> None:
    bars = read_bars(csv(tmp_path, f"{BARS}AAA,{at},1,2,1,1.5\nAAA,2024-06-04,1,2,1,1.5\n"))
    moment = datetime(2024, 6, 3, hour, tzinfo=UTC)
    assert bars.opened_at[0] == moment.timestamp() * 1_000_000


@pytest.mark.parametrize("at", ["1717452000", "1717452000.0", "yesterday", ""])
def test_what_is_no_time_of_a_bar_is_refused_by_its_row(tmp_path: Path, at: str) -> None:
    text = f"{BARS}AAA,2024-06-03,1,2,1,1.5\nAAA,{at},1,2,1,1.5\n"
    with pytest.raises(InputError, match=r"opened_at of row 2: .*2026-01-31T09:30:00Z"):
        read_bars(csv(tmp_path, text))
    if at.isdigit():
        frame_of(csv(tmp_path, text)).with_columns(opened_at=pl.lit(int(at))).write_parquet(
            tmp_path / "a.parquet"
        )
        with pytest.raises(InputError, match="not a number of seconds"):
            read_bars(tmp_path / "a.parquet")


IMPOSSIBLE: list[tuple[Any, ...]] = [
    (1, 2, 1, 2.5),
    (1, 0.5, 1, 1),
    (1, 2, 1.5, 1.8),
    (3, 2, 1, 1.5),
    ("", 2, 1, 1.5),
    ("NaN", 2, 1, 1.5),
    ("inf", "inf", 1, 1.5),
]


@pytest.mark.parametrize("prices", IMPOSSIBLE)
def test_what_is_no_bar_is_left_out_and_the_first_is_named(
    tmp_path: Path, prices: tuple[Any, ...]
) -> None:
    cells = ",".join(map(str, prices))
    bars = read_bars(csv(tmp_path, f"{BARS}AAA,2024-06-03,1,2,1,1.5\nBBB,2024-06-04,{cells}\n"))
    assert bars.symbols == ["AAA"]
    [note] = bars.notes
    assert note.startswith("1 of 2 bars were left out: the first is row 2, of BBB: ")


def test_bars_of_any_sign_are_bars(tmp_path: Path) -> None:
    bars = read_bars(csv(tmp_path, f"{BARS}CL,2020-04-20,10,11,-40,-37.63\n"))
    assert bars.history.close.tolist() == [-37.63]


def test_splits_of_a_file_of_bars_are_followed_or_refused(tmp_path: Path) -> None:
    head = BARS.strip() + ",split_ratio\n"
    days = "AAA,2024-06-03,150,153,147,150,\nAAA,2024-06-04,100,102,98,100,{}\n"
    end = "AAA,2024-06-05,104,110,103,108,\n"
    bars = read_bars(csv(tmp_path, head + days.format("1.5") + end))
    event = SignalEmitted(
        signal_id="s", strategy="m", symbol="AAA", side="BUY", price=D(150),
        target_price=D(165), stop_loss=D(135),
        emitted_at=datetime(2024, 6, 3, tzinfo=UTC),
    )  # fmt: skip
    sent = in_columns([event], bars, 20).sent
    found = outcomes_of(bars.history, bars.opened_at, sent, split_ratio=bars.split_ratio)
    assert OUTCOMES[found.labels.outcome[0]] == "target"
    assert found.labels.exit_price[0] == 165
    assert found.labels.returned[0] == 0.1
    for wrong in ("0", "-2", "two", "inf"):
        with pytest.raises(InputError, match="split_ratio of row 2 is"):
            read_bars(csv(tmp_path, head + days.format(wrong) + end))

"""Bars of a file: exact, checked whole, and what is wrong is told by its line."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trackrecord.cli.common import InputError
from trackrecord.cli.strategy.bar_file import read_history

HEADER = ["symbol", "opened_at", "open", "high", "low", "close", "volume"]
ROWS = [
    ["AAA", "2024-01-02T14:30:00Z", "10.10", "10.50", "9.90", "10.20", "1000"],
    ["AAA", "2024-01-03T14:30:00Z", "10.20", "10.60", "10.00", "10.30", "1100"],
    ["BBB", "2024-01-02T14:30:00Z", "20", "21", "19", "20.5", "0"],
    ["AAA", "2024-01-04T14:30:00Z", "10.30", "10.70", "10.10", "10.40", "1200"],
]


def write(path: Path, rows: list[list[Any]], header: list[str] | None = None) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER if header is None else header, *rows])
    return path


def changed(row: int, column: str, value: str) -> list[list[str]]:
    rows = [list(each) for each in ROWS]
    rows[row][HEADER.index(column)] = value
    return rows


def test_bars_in_any_order_are_by_symbol_and_time_with_the_digits_of_the_file(
    tmp_path: Path,
) -> None:
    history, _ = read_history(write(tmp_path / "bars.csv", ROWS[::-1]))
    assert list(history.series) == ["AAA", "BBB"]
    first = history.series["AAA"]
    assert [str(price) for price in first.exact(0)[:4]] == ["10.10", "10.50", "9.90", "10.20"]
    assert first.row(0) == ("2024-01-02T14:30:00Z", 10.1, 10.5, 9.9, 10.2, 1000.0)
    assert history.timeframe == "1d"


@pytest.mark.parametrize("exact", [False, True])
def test_parquet_says_the_same(tmp_path: Path, exact: bool) -> None:
    frame = pl.DataFrame(ROWS, schema=HEADER, orient="row").with_columns(
        pl.col("opened_at").str.to_datetime(time_zone="UTC"),
        pl.col("open", "high", "low", "close").cast(pl.Decimal(12, 2) if exact else pl.Float64),
        pl.col("volume").cast(pl.Int64),
    )
    frame.write_parquet(tmp_path / "bars.parquet")
    history, _ = read_history(tmp_path / "bars.parquet")
    other, _ = read_history(write(tmp_path / "bars.csv", ROWS))
    for name, series in history.series.items():
        for row in range(len(series)):
            assert series.exact(row) == other.series[name].exact(row)
            assert series.row(row) == other.series[name].row(row)


@pytest.mark.parametrize(
    ("row", "column", "value", "words"),
    [
        (1, "high", "9.00", "line 3: high 9 is below low 10"),
        (1, "low", "10.61", "line 3: high 10.6 is below low 10.61"),
        (3, "close", "10.71", "line 5: close 10.71 is outside 10.1 to 10.7"),
        (0, "open", "9.89", "line 2: open 9.89 is outside 9.9 to 10.5"),
        (0, "close", "NaN", "line 2: close is no number (NaN or empty)"),
        (0, "close", "inf", "line 2: close is no number (NaN or empty)"),
        (2, "open", "", "line 4: open is empty"),
        (2, "open", "twenty", "line 4: open is no number: 'twenty'"),
        (2, "volume", "", "line 4: volume is empty"),
        (0, "volume", "-1", "line 2: volume -1 is below 0"),
        (2, "symbol", " ", "line 4: the symbol is empty"),
        (2, "opened_at", "", "line 4: opened_at: is empty"),
        (2, "opened_at", "yesterday", "line 4: opened_at: not a time"),
        (2, "opened_at", "1704205800", "line 4: opened_at: write a time such as"),
        (3, "opened_at", ROWS[1][1], "line 5: the bar of AAA at 2024-01-03T14:30:00+00:00 stands"),
    ],
)
def test_what_is_no_bar_is_refused_by_its_line(
    tmp_path: Path, row: int, column: str, value: str, words: str
) -> None:
    file = write(tmp_path / "bars.csv", changed(row, column, value))
    with pytest.raises(InputError) as refused:
        read_history(file)
    assert words in str(refused.value)


def test_a_bar_that_stands_there_twice_names_both_lines(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 6: .*twice, first in line 3"):
        read_history(write(tmp_path / "bars.csv", [*ROWS, ROWS[1]]))


def test_a_column_that_is_missing_and_an_empty_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no column volume"):
        read_history(write(tmp_path / "bars.csv", [row[:-1] for row in ROWS], HEADER[:-1]))
    with pytest.raises(InputError, match="holds no bars"):
        read_history(write(tmp_path / "empty.csv", []))
    (tmp_path / "latin.csv").write_bytes(b"symbol,opened_at\nM\xfcller,2024\n")
    with pytest.raises(InputError, match="not UTF-8"):
        read_history(tmp_path / "latin.csv")
    with pytest.raises(InputError, match="there is no file"):
        read_history(tmp_path / "nothing.csv")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match="not Parquet"):
        read_history(tmp_path / "broken.parquet")


def test_of_several_revisions_the_highest_counts_and_of_sources_the_first(tmp_path: Path) -> None:
    rows = [
        [*ROWS[0], "b", "0"],
        [*changed(0, "close", "10.21")[0], "b", "2"],
        [*changed(0, "close", "10.22")[0], "c", "9"],
        [*ROWS[1], "b", ""],
    ]
    history, notes = read_history(write(tmp_path / "b.csv", rows, [*HEADER, "source", "revision"]))
    assert history.series["AAA"].exact(0).close == Decimal("10.21")
    assert any(note.startswith("1 bars were corrected later") for note in notes)


def test_bars_of_several_timeframes_are_chosen_among(tmp_path: Path) -> None:
    rows = [[*ROWS[0], "1d"], [*ROWS[1], "1d"], [*ROWS[0], "1h"]]
    file = write(tmp_path / "bars.csv", rows, [*HEADER, "timeframe"])
    with pytest.raises(InputError, match=r"several timeframes \(1d, 1h\)"):
        read_history(file)
    assert read_history(file, "1h")[0].bars == 1
    with pytest.raises(InputError, match="has no bars of 5m"):
        read_history(file, "5m")


def test_only_the_symbols_that_are_asked_for_are_read(tmp_path: Path) -> None:
    file = write(tmp_path / "bars.csv", ROWS)
    assert list(read_history(file, symbols=["BBB"])[0].series) == ["BBB"]
    with pytest.raises(InputError, match="no bars of CCC"):
        read_history(file, symbols=["BBB", "CCC"])


def test_a_bar_that_closes_after_the_next_one_opens_is_refused(tmp_path: Path) -> None:
    rows = [
        [*ROWS[0], "2024-01-02T21:00:00Z"],
        [*ROWS[1], "2024-01-05T21:00:00Z"],
        [*ROWS[3], "2024-01-04T21:00:00Z"],
    ]
    with pytest.raises(InputError, match="line 3: it closes after the next bar"):
        read_history(write(tmp_path / "bars.csv", rows, [*HEADER, "closed_at"]))


def test_jumps_and_gaps_are_told(tmp_path: Path) -> None:
    rows = [
        ["AAA", f"2024-{month:02}-{day:02}", price, price, price, price, "1"]
        for month in (1, 2, 3)
        for day in range(1, 29)
        for price in ["100" if month < 3 else "50"]
    ]
    rows += [["BBB", row[1], *row[2:]] for row in rows if row[1] < "2024-02-01"]
    _, notes = read_history(write(tmp_path / "bars.csv", rows))
    assert any("AAA opens at 50 on 2024-03-01 after a close of 100" in note for note in notes)
    hole = [row for row in rows if row[0] == "AAA" and not "2024-01-10" < row[1] < "2024-02-10"]
    _, notes = read_history(write(tmp_path / "hole.csv", hole))
    assert any("no bars between 2024-01-10 and 2024-02-10" in note for note in notes)


def test_a_split_that_a_bar_tells_is_read(tmp_path: Path) -> None:
    rows = [[*row, ratio] for row, ratio in zip(ROWS, ("", "2", "", "1"), strict=True)]
    history, _ = read_history(write(tmp_path / "bars.csv", rows, [*HEADER, "split_ratio"]))
    assert history.series["AAA"].exact(1).split_ratio == 2
    assert not history.series["AAA"].is_plain
    assert history.series["BBB"].is_plain
    with pytest.raises(InputError, match="line 3: split_ratio is above 0"):
        read_history(
            write(tmp_path / "b.csv", [ROWS[0] + [""], ROWS[1] + ["0"]], [*HEADER, "split_ratio"])
        )

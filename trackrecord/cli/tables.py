"""Tables that commands read, from CSV and Parquet: every cell as its own text.

No type is guessed: ``000001`` stays ``000001``, and a decimal has the digits that stand in the
file. What a column holds is said by whoever reads it. CSV needs nothing beyond Python; Parquet
needs polars.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from trackrecord.cli.common import InputError
from trackrecord.events.types import FRACTION_DIGITS

if TYPE_CHECKING:
    import polars as pl

PARQUET: Final = frozenset((".parquet", ".pq"))
ENDINGS: Final = PARQUET | {".csv"}
"""How the name of a table ends."""

_CHUNK: Final = 50_000
"""Rows of a CSV file that are brought into columns at once."""
_LONGEST_CELL: Final = 1_000_000

Cell = Any
"""A text; None for an empty cell, and NaN. From Parquet, lists and structs as they are."""


@dataclass(frozen=True)
class Table:
    """A table row by row.

    Attributes:
        name: Of the file.
        columns: Their names, in the order of the file.
        rows: Where each stands, such as ``line 7``, and its cells, one per column.
    """

    name: str
    columns: list[str]
    rows: Iterator[tuple[str, list[Cell]]]

    def dicts(self) -> Iterator[tuple[str, dict[str, Cell]]]:
        """Where each row stands, and its cells by column."""
        for place, cells in self.rows:
            yield place, dict(zip(self.columns, cells, strict=True))


def is_table(file: Path | str) -> bool:
    """Whether a file is one, by its name."""
    return Path(file).suffix.lower() in ENDINGS


def open_table(file: Path) -> Table:
    """A table, whose rows are read as they are asked for.

    Raises:
        InputError: It cannot be read; also while rows are read, with the line.
    """
    if not is_table(file):
        raise InputError(f"{file}: name a CSV file .csv and a Parquet file .parquet")
    try:
        opened = file.open("rb")
    except FileNotFoundError:
        raise InputError(f"there is no file {file}") from None
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from None
    return table_of(opened, str(file))


def table_of(source: BinaryIO, name: str) -> Table:
    """The same of what is open already; ``name`` says by its ending what it is."""
    if Path(name).suffix.lower() in PARQUET:
        return _parquet_table(_read_parquet(source, name), name)
    rows = _csv_rows(source, name)
    try:
        columns = next(rows)
    except StopIteration:
        raise InputError(f"{name} is empty; its first line names the columns") from None
    header = [column.strip() for column in columns[1]]
    twice = sorted({column for column in header if column and header.count(column) > 1})
    if twice:
        raise InputError(f"{name} has the column {', '.join(twice)} twice")
    return Table(name, header, _cells(rows, len(header), name))


def frame_of(file: Path) -> pl.DataFrame:
    """A whole table in columns: of CSV texts, of Parquet the types that the file states.

    Raises:
        InputError: It cannot be read.
    """
    import polars as pl

    if file.suffix.lower() in PARQUET:
        try:
            return _read_parquet(file.open("rb"), str(file))
        except FileNotFoundError:
            raise InputError(f"there is no file {file}") from None
        except OSError as error:
            raise InputError(f"cannot read {file}: {error.strerror}") from None
    table = open_table(file)
    schema = dict.fromkeys(table.columns, pl.String)
    parts = [pl.DataFrame(schema=schema)]
    chunk: list[list[Cell]] = []
    for _, cells in table.rows:
        chunk.append(cells)
        if len(chunk) == _CHUNK:
            parts.append(pl.DataFrame(chunk, schema=schema, orient="row"))
            chunk = []
    if chunk:
        parts.append(pl.DataFrame(chunk, schema=schema, orient="row"))
    return pl.concat(parts)


def _csv_rows(source: BinaryIO, name: str) -> Iterator[tuple[int, list[str]]]:
    with io.TextIOWrapper(source, encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, strict=True)
        csv.field_size_limit(_LONGEST_CELL)
        try:
            for cells in reader:
                if cells:
                    yield reader.line_num, cells
        except csv.Error as error:
            raise InputError(f"{name}, line {reader.line_num}: not CSV: {error}") from None
        except UnicodeDecodeError as error:
            raise InputError(
                f"{name} is not UTF-8 (near line {reader.line_num + 1}, byte {error.start}); "
                "save it as UTF-8"
            ) from None


def _cells(
    rows: Iterator[tuple[int, list[str]]], width: int, name: str
) -> Iterator[tuple[str, list[Cell]]]:
    for line, cells in rows:
        if len(cells) > width:
            raise InputError(f"{name}, line {line}: more cells than the header has columns")
        missing = width - len(cells)
        yield f"line {line}", [*(cell or None for cell in cells), *[None] * missing]


def _read_parquet(source: BinaryIO, name: str) -> pl.DataFrame:
    try:
        import polars as pl
    except ModuleNotFoundError:
        raise InputError(
            "Parquet needs polars; install it with: pip install 'trackrecord[services]'"
        ) from None
    try:
        with source:
            return pl.read_parquet(io.BytesIO(source.read()))
    except Exception as error:  # noqa: BLE001 - whatever polars says of a broken file
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{name} is not Parquet that can be read: {first}") from None


def _parquet_table(frame: pl.DataFrame, name: str) -> Table:
    import polars as pl

    columns: list[list[Cell]] = []
    for series in frame:
        if series.dtype == pl.Float32:
            import numpy as np

            # The shortest digits that are this float, as for a double.
            texts = [
                None if value is None else np.format_float_positional(np.float32(value), trim="-")
                for value in series.to_list()
            ]
            columns.append([None if text == "nan" else text for text in texts])
        else:
            columns.append([_text(value) for value in series.to_list()])
    rows = zip(*columns, strict=True)
    return Table(
        name,
        frame.columns,
        ((f"row {number}", list(cells)) for number, cells in enumerate(rows, start=1)),
    )


def _text(value: Any) -> Cell:
    """A cell as it would be written in CSV."""
    if value is None or value == "" or value != value:  # noqa: PLR0124 - NaN
        return None
    for kind, written in _WRITTEN:
        if isinstance(value, kind):
            return written(value)
    return value


def _plain_float(value: float) -> str:
    exact = Decimal(repr(value))
    if exact.is_finite() and int(exact.as_tuple().exponent) < -FRACTION_DIGITS:
        exact = round(exact, FRACTION_DIGITS)  # a double of this size holds no more for certain
    return format(exact, "f")


def _plain_time(value: datetime) -> str:
    return f"{value.isoformat()}{'' if value.tzinfo else 'Z'}"


_WRITTEN: Final[tuple[tuple[type, Callable[[Any], str]], ...]] = (
    (str, str),
    (bool, lambda value: str(value).lower()),
    (int, str),
    (float, _plain_float),
    (Decimal, lambda value: format(value, "f")),
    (datetime, _plain_time),
    (date, date.isoformat),
)
"""How each kind of cell is written; the first that fits counts."""

"""Whole lists as a file: CSV, JSON lines or Parquet, streamed as the database gives them.

The database writes the text itself, so that no row passes through Python. What is exported is of
one moment. A client that reads too slowly loses the session that it holds.
"""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final, Literal

import polars as pl
from fastapi.responses import StreamingResponse

from trackrecord.api.pool import Pool
from trackrecord.errors import TrackrecordError
from trackrecord.runtime.database import Connection
from trackrecord.runtime.errors import PassingError
from trackrecord.runtime.logs import get_logger

_log = get_logger(__name__)

Format = Literal["csv", "jsonl", "parquet"]
Kind = Literal["text", "money", "time", "day", "whole", "number", "flag"]

TYPES: Final[Mapping[Format, str]] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}

_CHUNK: Final = 65_536
_AHEAD: Final = 8
"""Chunks that wait for the client."""

SLOWEST_SECONDS: Final = 60.0
"""How long a client may take for one of them."""

_AS_SQL: Final[Mapping[Kind, str]] = {
    "text": "{0}",
    "money": "trim_scale({0})::text",
    "time": """to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
    "day": "{0}::text",
    "whole": "{0}::bigint",
    "number": "{0}::float8",
    "flag": "{0}",
}
# What a spreadsheet would run as a formula is told to be text, by the sign that it hides.
_HARMLESS: Final = "CASE WHEN {0} ~ '^[-=+@\\t\\r]' THEN '''' || {0} ELSE {0} END"
_CSV_FLAG: Final = "CASE {0} WHEN true THEN 'true' WHEN false THEN 'false' END"
_POLARS: Final[Mapping[Kind, Any]] = {
    "text": pl.String,
    "money": pl.String,
    "time": pl.String,
    "day": pl.Date,
    "whole": pl.Int64,
    "number": pl.Float64,
    "flag": pl.Boolean,
}

Column = tuple[str, Kind]


def export(
    pool: Pool,
    name: str,
    columns: Sequence[Column],
    query: str,
    parameters: Mapping[str, Any],
    how: Format,
) -> StreamingResponse:
    """An answer that streams the rows of a query.

    Args:
        pool: What to read with.
        name: Of the file, without its ending.
        columns: Name and kind of each, as the query gives them.
        query: A SELECT with parameters as ``%(name)s``.
        parameters: Its parameters.
        how: The form.

    Raises:
        PassingError: The database is away or busy, or took too long for the first rows.
    """
    with ExitStack() as stack:
        connection = stack.enter_context(pool.connection())
        chunks: Iterable[bytes]
        if how == "parquet":
            chunks = _parquet(connection, columns, query, parameters)
        else:
            copy = _Copy(connection, _statement(connection, columns, query, parameters, how))
            copy.begin(stack.pop_all())
            chunks = copy
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{how}"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(iter(chunks), media_type=TYPES[how], headers=headers)


def _statement(
    connection: Connection,
    columns: Sequence[Column],
    query: str,
    parameters: Mapping[str, Any],
    how: Format,
) -> str:
    cells = ", ".join(f'{_cell(name, kind, how)} AS "{name}"' for name, kind in columns)
    with connection.cursor() as cursor:
        filled = cursor.mogrify(f"SELECT {cells} FROM ({query}) AS rows", parameters).decode()
    if how == "jsonl":
        # JSON holds neither of these characters, so that each line is written as it is.
        plain = r"FORMAT csv, DELIMITER E'\x02', QUOTE E'\x01'"
        return f"COPY (SELECT row_to_json(rows) FROM ({filled}) AS rows) TO STDOUT ({plain})"
    return f"COPY ({filled}) TO STDOUT (FORMAT csv, HEADER)"


def _cell(name: str, kind: Kind, how: Format) -> str:
    cell = _AS_SQL[kind].format(f'"{name}"')
    if how != "jsonl" and kind == "flag":
        return _CSV_FLAG.format(cell)
    return _HARMLESS.format(cell) if how == "csv" and kind == "text" else cell


class _GoneError(Exception):
    """The client does not read any more."""


class _Copy:
    """A COPY that one thread takes from the database, and another gives to the client."""

    def __init__(self, connection: Connection, statement: str) -> None:
        self._connection = connection
        self._statement = statement
        self._chunks: queue.Queue[bytes | BaseException | None] = queue.Queue(_AHEAD)
        self._held = bytearray()
        self._gone = threading.Event()
        self._first: bytes | BaseException | None = None

    def begin(self, held: ExitStack) -> None:
        """Read until the first rows are there.

        Args:
            held: Closed when all is read: it holds the session.
        """
        threading.Thread(target=self._run, args=(held,), name="export", daemon=True).start()
        self._first = self._chunks.get()
        if isinstance(self._first, TrackrecordError):
            raise self._first
        if isinstance(self._first, BaseException):
            raise PassingError(f"the export ended: {self._first}")

    def __iter__(self) -> Iterator[bytes]:
        chunk = self._first
        try:
            while chunk is not None:
                if isinstance(chunk, BaseException):
                    # The answer has begun: that it breaks off is all that can still be said.
                    raise chunk
                yield chunk
                chunk = self._chunks.get()
        finally:
            self._gone.set()

    def write(self, data: bytes) -> int:
        """Take what the database gives."""
        self._held += data
        if len(self._held) >= _CHUNK:
            self._hand_over()
        return len(data)

    def _hand_over(self) -> None:
        chunk, self._held = bytes(self._held), bytearray()
        waited = 0.0
        while not self._gone.is_set() and waited < SLOWEST_SECONDS:
            try:
                self._chunks.put(chunk, timeout=0.5)
            except queue.Full:
                waited += 0.5
            else:
                return
        raise _GoneError

    def _run(self, held: ExitStack) -> None:
        last: BaseException | None = None
        try:
            # The session is given back before the client is told that this was all.
            with held, self._connection.cursor() as cursor:
                try:
                    cursor.copy_expert(self._statement, self)
                except BaseException:
                    # Rows of the statement may still be on their way.
                    self._connection.close()
                    raise
            if self._held:
                self._hand_over()
        except _GoneError:
            return
        except BaseException as error:  # noqa: BLE001 - it is told to whoever reads
            _log.warning("an export ended", reason=f"{type(error).__name__}: {error}")
            last = error
        while not self._gone.is_set():
            try:
                self._chunks.put(last, timeout=0.5)
            except queue.Full:
                continue
            return


def _parquet(
    connection: Connection, columns: Sequence[Column], query: str, parameters: Mapping[str, Any]
) -> Iterator[bytes]:
    """Its index stands at the end, and its rows in groups: it is made as a file first."""
    folder = tempfile.TemporaryDirectory(prefix="trackrecord-export-")
    try:
        text, made = Path(folder.name, "rows.csv"), Path(folder.name, "rows.parquet")
        with text.open("wb") as file, connection.cursor() as cursor:
            statement = _statement(connection, columns, query, parameters, "parquet")
            cursor.copy_expert(statement, file)
        found = pl.scan_csv(text, schema={name: _POLARS[kind] for name, kind in columns})
        times = [name for name, kind in columns if kind == "time"]
        found = found.with_columns(
            pl.col(times).str.to_datetime("%Y-%m-%dT%H:%M:%S%.6fZ", time_zone="UTC")
        )
        found.sink_parquet(made)
        text.unlink()
        return _of_file(made.open("rb"), folder)
    except BaseException:
        folder.cleanup()
        raise


def _of_file(file: IO[bytes], folder: tempfile.TemporaryDirectory[str]) -> Iterator[bytes]:
    with folder, file:
        while chunk := file.read(_CHUNK):
            yield chunk

"""All that is specific to the Postgres driver: connections, COPY, and what an error means."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
import polars as pl
import psycopg2
import psycopg2.errors
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - it is a class

from trackrecord.errors import TrackrecordError
from trackrecord.redaction import hide_secrets
from trackrecord.runtime.errors import (
    BadContentError,
    FatalError,
    PassingError,
    TooSlowError,
)
from trackrecord.runtime.sessions import as_options, check_session
from trackrecord.runtime.settings import Settings

__all__ = [
    "Connection",
    "CopyRows",
    "Cursor",
    "classify",
    "connect",
    "copy_rows",
    "execute_planned",
    "insert_records",
    "is_read_only",
    "read_columns",
    "rows",
    "session",
    "taken",
    "unreachable",
]

_PASSING_CLASSES = (
    "08",  # connection exception
    "25006",  # read-only: a standby, or a failover under way
    "25P03",  # idle in transaction session timeout
    "40",  # transaction rollback: deadlock, serialization
    "53",  # insufficient resources: disk full, out of memory, too many connections
    "55P03",  # lock not available
    "57",  # operator intervention: shutdown, crash, terminated, cannot connect now
    "58030",  # I/O error
)
_CANCELED = "57014"  # query canceled: most often an administrator's statement_timeout
_MISSING = {"3F000", "42P01", "42703"}  # a schema, a table, a column
_BAD_CONTENT_CLASSES = (
    "21",  # cardinality violation
    "22",  # data exception: NUL, overflow, invalid text
    "23",  # integrity constraint violation
    "54000",  # program limit exceeded: an index row too large
)

# Batches live in temporary tables, which deserve memory; nothing is worth a JIT.
_SESSION = {
    "timezone": "UTC",
    "client_encoding": "UTF8",
    "jit": "off",
    "work_mem": "64MB",
    "temp_buffers": "64MB",
    "random_page_cost": "1.1",
}

# A batch meets large tables through their keys. The planner, whose statistics are always of
# an earlier moment, may otherwise read the whole of a table for it; and it joins what a batch
# holds by sorting both sides, for which hashing one does.
_BATCHES = {
    "enable_seqscan": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}

_REFUSALS = ("authentication failed", "does not exist", "no password supplied")

_KNOWS_STORAGE = 160_000
"""The first PostgreSQL that takes STORAGE in CREATE TABLE; before, a table only costs more."""


def connect(
    settings: Settings, *, application: str, schema: str | None = None, batches: str | None = None
) -> Connection:
    """Open a connection whose unqualified names mean the project's schema.

    Args:
        settings: Where the database is.
        application: What it calls itself there.
        schema: Another schema than the settings'.
        batches: The temporary tables of a handler, for a session that applies its batches.

    Raises:
        PassingError: The database does not answer, or not yet.
        FatalError: It refuses (wrong password, no such database), the session would write
            elsewhere, or the tables are of a version that this code does not know.
    """
    schema = schema or settings.database_schema
    wanted = {
        "search_path": schema,
        **_SESSION,
        **({} if batches is None else _BATCHES),
    }

    def open_one() -> Connection:
        return psycopg2.connect(
            settings.database_url,
            application_name=application,
            connect_timeout=5,
            keepalives=1,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            options=as_options(wanted),
        )

    try:
        connection = open_one()
    except psycopg2.Error as error:
        raise unreachable(settings, error) from None
    try:
        check_session(connection, schema, wanted, open_one)
    except psycopg2.Error as error:
        connection.close()
        raise classify(error) from error
    except TrackrecordError:
        connection.close()
        raise
    if batches:
        try:
            if connection.server_version < _KNOWS_STORAGE:
                batches = batches.replace(" STORAGE PLAIN", "")
            with connection, connection.cursor() as cursor:
                cursor.execute(batches)
        except psycopg2.Error as error:
            connection.close()
            raise classify(error) from error
    return connection


def unreachable(settings: Settings, error: Exception) -> PassingError | FatalError:
    """Say why there is no connection, and whether there may be one in a moment."""
    text = next(iter(str(error).strip().splitlines()), type(error).__name__)
    where = hide_secrets(settings.database_url)
    if any(words in text for words in _REFUSALS):
        return FatalError(f"the database at {where} refuses: {hide_secrets(text)}")
    return PassingError(f"no database at {where}: {hide_secrets(text)}")


def is_read_only(connection: Connection) -> bool:
    """Whether a session may only read: its server is a standby now, or was told to write nothing.

    Servers before PostgreSQL 14 do not say so by themselves.
    """
    said = connection.info.parameter_status
    return "on" in {said("in_hot_standby"), said("default_transaction_read_only")}


@contextmanager
def session(
    settings: Settings, *, application: str, schema: str | None = None, snapshot: bool = False
) -> Iterator[Cursor]:
    """A connection for one transaction, which is committed unless something is raised.

    Args:
        settings: Where the database is.
        application: What it calls itself there.
        schema: Another schema than the settings'.
        snapshot: Whether all is read as of one moment, and nothing written.

    Raises:
        PassingError: The database does not answer, or not yet.
        FatalError: It refuses: wrong password, no such database.
    """
    with closing(connect(settings, application=application, schema=schema)) as connection:
        if snapshot:
            connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection, connection.cursor() as cursor:
            yield cursor


def classify(error: psycopg2.Error) -> TrackrecordError:
    """Say what an error of the driver means for the batch it happened in."""
    code = error.pgcode or ""
    words = (error.diag.message_primary or str(error) or type(error).__name__).strip()
    if code.startswith(_BAD_CONTENT_CLASSES):
        return BadContentError(words)
    if code == _CANCELED:
        return TooSlowError(
            f"{words}; where this goes on, raise the database's statement_timeout for our role"
        )
    if (
        code.startswith(_PASSING_CLASSES)
        or not code  # the connection broke before the server could say anything
        or isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
    ):
        return PassingError(words)
    if code in _MISSING:
        words += "; the tables are missing or of another version: run `trackrecord migrate`"
    return FatalError(f"the database says {code}: {words}")


@contextmanager
def taken(words: str) -> Iterator[None]:
    """Statements that insert what another session may be inserting too.

    Args:
        words: What has happened when it was first.

    Raises:
        PassingError: It was; after an abort its row is there to be found.
    """
    try:
        yield
    except psycopg2.errors.UniqueViolation:
        raise PassingError(words) from None


_PARAMETER = re.compile(r"%\((\w+)\)s")
_planned: MutableMapping[Connection, dict[str, str]] = WeakKeyDictionary()


def execute_planned(cursor: Cursor, statement: str, parameters: Mapping[str, Any]) -> None:
    """Execute a statement whose plan the session keeps.

    To read and plan a long statement takes longer than to apply it to a few hundred rows.

    Args:
        cursor: Of a session that applies batches.
        statement: One statement, with parameters as ``%(name)s``; no other percent sign.
        parameters: Its parameters, and any others.
    """
    planned = _planned.setdefault(cursor.connection, {})
    names = list(dict.fromkeys(_PARAMETER.findall(statement)))
    if statement not in planned:
        name = f"planned_{len(planned)}"
        places = {each: f"${place}" for place, each in enumerate(names, 1)}
        text = _PARAMETER.sub(lambda found: places[found[1]], statement)
        cursor.execute(f"PREPARE {name} AS {text}")
        planned[statement] = name
    values = f"({', '.join(f'%({each})s' for each in names)})" if names else ""
    cursor.execute(f"EXECUTE {planned[statement]}{values}", parameters)


_COPIED_AT_ONCE = 1 << 20
"""Bytes given to the driver at once: for each part it must wait for the interpreter's lock."""


_RECORD_BYTES = 8 << 20
"""Size of the records that are inserted by one statement."""


@dataclass(frozen=True)
class CopyRows:
    """Rows in the form in which COPY takes them.

    A null is an empty unquoted field; every text is quoted, so that an empty
    text stays a text.

    Attributes:
        columns: Their names, quoted, with commas between.
        csv: The rows.
        count: How many.
    """

    columns: str
    csv: bytes
    count: int

    @classmethod
    def of(cls, frame: pl.DataFrame) -> CopyRows:
        """The rows of a frame, for a table whose columns have the frame's names.

        Columns without any value are left out; no temporary table has defaults.
        """
        buffer = io.BytesIO()
        frame = pl.DataFrame([each for each in frame if each.null_count() < frame.height])
        frame.write_csv(buffer, include_header=False, quote_style="non_numeric", null_value="")
        columns = ", ".join(f'"{name}"' for name in frame.columns)
        return cls(columns, buffer.getvalue(), frame.height)


def copy_rows(cursor: Cursor, table: str, rows: CopyRows) -> None:
    """COPY rows into a table.

    Args:
        cursor: Inside a transaction.
        table: A temporary table; shared tables are written by statements.
        rows: Any number; without any, the database is not asked.
    """
    if rows.count:
        into = f"COPY {table} ({rows.columns}) FROM STDIN (FORMAT csv)"
        cursor.copy_expert(into, io.BytesIO(rows.csv), size=_COPIED_AT_ONCE)


def read_columns(
    cursor: Cursor, query: str, parameters: Mapping[str, Any], schema: Mapping[str, Any]
) -> pl.DataFrame:
    """Read the answer of a query as columns, no object for each row.

    Args:
        cursor: Inside a transaction.
        query: A SELECT, with parameters as ``%(name)s``.
        parameters: Its parameters.
        schema: Name and polars type of each column, in order.
    """
    buffer = io.BytesIO()
    filled = cursor.mogrify(query, parameters).decode()
    cursor.copy_expert(f"COPY ({filled}) TO STDOUT (FORMAT csv)", buffer)
    if not buffer.tell():
        return pl.DataFrame(schema=dict(schema))
    buffer.seek(0)
    return pl.read_csv(buffer, has_header=False, schema=dict(schema))


def insert_records(
    cursor: Cursor, statement: str, records: Sequence[Mapping[str, Any]]
) -> list[tuple[Any, ...]]:
    """Insert records that the database reads from JSON: a fraction of the cost of a row each.

    Args:
        cursor: Inside a transaction.
        statement: ``INSERT ... SELECT ... FROM json_to_recordset(%s) AS ... RETURNING ...``.
        records: Of the columns that it names; bytes become base64.

    Returns:
        What it returns, in the order of the records.
    """
    returned: list[tuple[Any, ...]] = []
    texts = list(map(_record, records))
    start = 0
    while start < len(texts):
        end, size = start, 0
        while end < len(texts) and (end == start or size + len(texts[end]) <= _RECORD_BYTES):
            size += len(texts[end])
            end += 1
        returned += rows(cursor, statement, ("[" + ",".join(texts[start:end]) + "]",))
        start = end
    return returned


def _record(record: Mapping[str, Any]) -> str:
    return msgspec.json.encode(record).decode()


def rows(
    cursor: Cursor, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> list[tuple[Any, ...]]:
    """Run a query and fetch all of its rows."""
    cursor.execute(query, parameters)
    return cursor.fetchall()

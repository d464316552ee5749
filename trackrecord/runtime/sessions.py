"""What a session of the database must be set to, and whether it is.

Settings travel with the connection's start. A pooler in between may drop them, and then the
session would write where the pooler's sessions write by default. So every session is asked before
its first use; what is missing is set, and one that cannot be relied on is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from trackrecord.runtime.errors import FatalError
from trackrecord.runtime.tables_version import check_version

_DECISIVE = frozenset({"search_path", "timezone", "client_encoding"})
"""Without these a session would write elsewhere or something else; the others make it fast."""

_PROBE_SECONDS = 5.0


def as_options(wanted: Mapping[str, str]) -> str:
    """Settings in the form in which a connection's start carries them."""
    return " ".join(f"-c {name}={value}" for name, value in wanted.items())


def check_session(
    connection: Connection,
    schema: str,
    wanted: Mapping[str, str],
    open_another: Callable[[], Connection],
) -> None:
    """See that a session writes where it should, set what is missing, and check the tables.

    Args:
        connection: Just opened, with ``wanted`` as its options.
        schema: What unqualified names must mean.
        wanted: Name and value of each setting.
        open_another: Opens a second connection to the same place.

    Raises:
        FatalError: It cannot be relied on, or the tables are of a version that this code does
            not know.
    """
    if missing := _missing(connection, wanted):
        _set(connection, {name: wanted[name] for name in missing})
        left = _missing(connection, wanted) & _DECISIVE
        if left or _is_shared(connection, open_another):
            raise FatalError(
                f"the database's session does not keep {', '.join(sorted(missing & _DECISIVE))}: "
                "something between us and the database shares sessions by the transaction; use "
                "its session mode, or connect to the database itself"
            )
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_schema(), coalesce(has_table_privilege("
            "to_regclass(%s)::oid, 'SELECT'), false)",
            (f'"{schema}".alembic_version',),
        )
        writes_to, has_version = cursor.fetchone() or (None, False)
        # A schema that was never made is none; then nothing has a place to be written to.
        if writes_to not in {None, schema}:
            raise FatalError(
                f"the database's session writes to the schema {writes_to}, not to {schema}"
            )
        if has_version:
            cursor.execute(f'SELECT version_num FROM "{schema}".alembic_version')
            check_version(next((version for (version,) in cursor.fetchall()), None), schema)


def _missing(connection: Connection, wanted: Mapping[str, str]) -> set[str]:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, current_setting(name) FROM unnest(%s) AS name", (list(wanted),)
        )
        return {name for name, value in cursor.fetchall() if value != wanted[name]}


def _set(connection: Connection, settings: Mapping[str, str]) -> None:
    for name, value in settings.items():
        # One that was used before may refuse what it could be given at its start.
        with suppress(psycopg2.Error), connection, connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, %s, false)", (name, value))


def _is_shared(connection: Connection, open_another: Callable[[], Connection]) -> bool:
    """Whether a pooler gives us another of the database's sessions for each transaction."""
    ours = _backend(connection)
    if ours == connection.info.backend_pid:
        return False  # there is no pooler, or one that gives sessions away for good
    answers: list[int] = []
    answered, done = threading.Event(), threading.Event()

    def hold_another() -> None:
        with suppress(psycopg2.Error), closing(open_another()) as other, other.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            answers.extend(pid for (pid,) in cursor.fetchall())
            answered.set()
            done.wait(_PROBE_SECONDS)

    # In a thread: a pooler whose every session is given away lets it wait.
    threading.Thread(target=hold_another, name="probe", daemon=True).start()
    answered.wait(_PROBE_SECONDS)
    # While it is inside a transaction, another's turn cannot come to the session that it has.
    try:
        return ours in answers or _backend(connection) != ours
    finally:
        done.set()


def _backend(connection: Connection) -> int:
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int((cursor.fetchone() or (0,))[0])

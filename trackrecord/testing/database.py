"""A schema of its own in a real Postgres, made by the migrations and dropped at the end."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2

from trackrecord.runtime.admin.migrate import migrate
from trackrecord.runtime.errors import ConfigurationError
from trackrecord.runtime.settings import Settings, load_settings

URL = "DATABASE_URL"


def find_database(environ: Mapping[str, str] = os.environ) -> str:
    """The URL of a Postgres for tests.

    It is the one that ``DATABASE_URL`` names, else that of the stack which runs under
    ``TRACKRECORD_HOME`` (by default ``.trackrecord``).

    Raises:
        ConfigurationError: There is neither; it says what to start.
    """
    if url := environ.get(URL):
        return url
    home = Path(environ.get("TRACKRECORD_HOME") or ".trackrecord")
    try:
        from trackrecord.local.stack import Stack  # noqa: PLC0415 - needs the extra `local`
    except ModuleNotFoundError:
        state = None
    else:
        state = Stack.read_state(home)
    if state is None:
        raise ConfigurationError(
            f"no database for the tests: set {URL}, or start a stack with `trackrecord up`"
        )
    return state.database_url


@contextmanager
def scratch_schema(settings: Settings) -> Iterator[Settings]:
    """Make the tables in the schema that the settings name, and drop it at the end.

    Args:
        settings: Where the database is; the schema must not be there yet.

    Yields:
        The same settings.
    """
    migrate(settings)
    try:
        yield settings
    finally:
        # Not by a session of ours: a test may leave tables that one refuses to work with.
        connection = psycopg2.connect(settings.database_url)
        with closing(connection), connection, connection.cursor() as cursor:
            cursor.execute(f'DROP SCHEMA IF EXISTS "{settings.database_schema}" CASCADE')


@contextmanager
def scratch_database(
    url: str | None = None, environ: Mapping[str, str] | None = None
) -> Iterator[Settings]:
    """Settings whose tables are a test's own.

    Args:
        url: The database; by default that of :func:`find_database`.
        environ: Further settings by their variable, such as ``TRACKRECORD_DAY_TIMEZONE``.

    Raises:
        ConfigurationError: There is no database.
    """
    name = f"test_{secrets.token_hex(5)}"
    more = {URL: url or find_database(), "TRACKRECORD_DATABASE_SCHEMA": name}
    with scratch_schema(load_settings({**(environ or {}), **more})) as settings:
        yield settings

"""A schema of its own in a real Postgres, made by the migrations and dropped at the end."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

import psycopg2

from trackrecord.kafka import local_stack
from trackrecord.runtime.admin.migrate import migrate
from trackrecord.runtime.errors import ConfigurationError
from trackrecord.runtime.settings import Settings, load_settings

URL = "DATABASE_URL"


def find_database(environ: Mapping[str, str] = os.environ) -> str:
    """The URL of a Postgres for tests.

    It is the one that ``DATABASE_URL`` names, else that of the stack which runs under
    It is the one that ``DATABASE_URL`` names, else that of the local stack that runs in the
    home in use (:func:`trackrecord.kafka.local_stack.home_of`).

    Raises:
        ConfigurationError: There is neither; it says what to start.
    """
    url = local_stack.completed(environ).get(URL)
    if not url:
        raise ConfigurationError(
            f"no database for the tests: set {URL}, or start a stack with `trackrecord up`"
        )
    return url


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

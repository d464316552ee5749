"""The role that Grafana reads the record with."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import psycopg2.errors
import pytest

from trackrecord.access.store import database_role
from trackrecord.access.store.database_role import ACCESS_TABLES, RoleRefusedError
from trackrecord.access.store.reader_role import grant_reading
from trackrecord.runtime import database
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka


@pytest.fixture
def reader(settings: Settings) -> Iterator[str]:
    """The URL of the test's schema for such a role."""
    name, password = f"reader_{secrets.token_hex(4)}", secrets.token_urlsafe(12)
    with closing(psycopg2.connect(settings.database_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            database_role.make(cursor, name, password)
            with database.session(settings, application="test") as owner:
                grant_reading(owner, name)
            parts = urlsplit(settings.database_url)
            host = parts.netloc.rpartition("@")[2]
            try:
                yield urlunsplit(parts._replace(netloc=f"{name}:{password}@{host}"))
            finally:
                cursor.execute(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"')


def ask(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def test_it_reads_the_record_without_naming_the_schema(reader: str) -> None:
    for table in ("strategy_totals", "positions", "script_totals", "champions", "outcomes"):
        ask(reader, f"SELECT FROM {table}")


@pytest.mark.parametrize("table", [*ACCESS_TABLES, "dead_letters", "outbox", "model_files"])
def test_what_belongs_to_users_and_bytes_of_anybody_are_kept_from_it(
    reader: str, table: str
) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(reader, f"SELECT FROM {table}")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM strategy_totals",
        "SET default_transaction_read_only = off; DELETE FROM strategy_totals",
        "SET default_transaction_read_only = off; CREATE TABLE mine (a int)",
        "SET ROLE trackrecord",
    ],
)
def test_it_writes_nothing_whatever_it_sets(reader: str, statement: str) -> None:
    with pytest.raises(
        (psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ReadOnlySqlTransaction)
    ):
        ask(reader, statement)


def test_a_role_that_may_do_more_by_itself_is_refused(settings: Settings) -> None:
    with database.session(settings, application="test") as cursor:
        [(owner,)] = database.rows(cursor, "SELECT current_user")
        with pytest.raises(RoleRefusedError, match="could write all of it"):
            grant_reading(cursor, owner)
        with pytest.raises(RoleRefusedError, match="no role nobody"):
            grant_reading(cursor, "nobody")

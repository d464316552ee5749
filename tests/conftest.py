"""What all tests share: the broker and the database, real ones."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest

from trackrecord.local.errors import PartsUnavailable
from trackrecord.local.stack import Stack
from trackrecord.runtime.migrate import migrate
from trackrecord.runtime.settings import Settings, load_settings


@dataclass(frozen=True)
class Services:
    """A broker and a database that answer."""

    bootstrap_servers: str
    database_url: str
    home: Path | None


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    """Named by the environment, else the local stack, one for the whole run."""
    named = (
        os.environ.get("TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS"),
        os.environ.get("DATABASE_URL"),
    )
    if all(named):
        yield Services(str(named[0]), str(named[1]), None)
        return
    with tempfile.TemporaryDirectory(prefix="trackrecord-tests-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        try:
            state = Stack.up(home, [], [])
        except PartsUnavailable as error:
            pytest.skip(f"no real Kafka: {error}")
        try:
            yield Services(state.kafka, state.database_url, home)
        finally:
            Stack.down(home)


@pytest.fixture
def settings(services: Services) -> Iterator[Settings]:
    """Settings with topics and a schema of the test's own, the tables made by the migrations."""
    name = f"t{secrets.token_hex(5)}"
    result = load_settings(
        {
            "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": services.bootstrap_servers,
            "DATABASE_URL": services.database_url,
            "TRACKRECORD_TOPIC_PREFIX": f"{name}.",
            "TRACKRECORD_DATABASE_SCHEMA": name,
            "TRACKRECORD_TOPIC_PARTITIONS": "3",
            "TRACKRECORD_SESSION_TIMEOUT_MS": "3000",
        }
    )
    migrate(result)
    yield result
    connection = psycopg2.connect(services.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{name}" CASCADE')
    connection.close()

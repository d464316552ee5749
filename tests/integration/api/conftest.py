"""One API on one record for all that only read it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.support.api_role import api_role, granted
from tests.support.guarded import Guarded, add_people, guarded, owner
from tests.support.servers import Services
from tests.support.serving import Served, fill, served
from trackrecord.runtime import kafka
from trackrecord.runtime.settings import Settings, load_settings
from trackrecord.testing import scratch_schema


def settings_of(services: Services, **more: str) -> Settings:
    """Settings with topics and a schema of their own."""
    name = f"t{secrets.token_hex(5)}"
    return load_settings(
        {
            "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": services.bootstrap_servers,
            "DATABASE_URL": services.database_url,
            "TRACKRECORD_TOPIC_PREFIX": f"{name}.",
            "TRACKRECORD_DATABASE_SCHEMA": name,
            "TRACKRECORD_TOPIC_PARTITIONS": "2",
            "TRACKRECORD_API_POOL": "4",
            "TRACKRECORD_API_BODY_BYTES": "2000000",
        }
        | more
    )


@pytest.fixture(scope="package")
def role_url(services: Services) -> Iterator[str]:
    """The role that the API connects as."""
    with api_role(services.database_url) as url:
        yield url


@pytest.fixture(scope="package")
def record(services: Services, role_url: str) -> Iterator[Settings]:
    """A record in a schema of its own, and its topics; the API reads it with its own role."""
    settings = settings_of(services, TRACKRECORD_API_DATABASE_URL=role_url)
    with scratch_schema(settings):
        granted(settings, role_url)
        kafka.ensure_topics(settings)
        fill(settings)
        yield settings


@pytest.fixture(scope="package")
def api(record: Settings) -> Iterator[Served]:
    """The API on that record."""
    with served(record) as result:
        result.worked_out()
        yield result


# For each module: one of them sends whatever can be sent as an admin, and claims and keys change.
@pytest.fixture(scope="module")
def guarded_record(services: Services, role_url: str) -> Iterator[tuple[Settings, dict[str, str]]]:
    """A record of its own with users, and a key of each."""
    settings = settings_of(services, TRACKRECORD_API_DATABASE_URL=role_url)
    with scratch_schema(settings):
        granted(settings, role_url)
        kafka.ensure_topics(settings)
        fill(settings)
        yield settings, add_people(settings)


@pytest.fixture(scope="module")
def asked(guarded_record: tuple[Settings, dict[str, str]]) -> Iterator[Guarded]:
    """The API on that record, where users log in."""
    with guarded(*guarded_record) as result:
        yield result


@pytest.fixture(scope="module")
def settings(guarded_record: tuple[Settings, dict[str, str]]) -> Settings:
    """The settings of that record."""
    return guarded_record[0]


@pytest.fixture
def no_failed_logins(settings: Settings) -> Iterator[None]:
    """The next test begins without failed logins."""
    yield
    with owner(settings) as cursor:
        cursor.execute("DELETE FROM login_attempts")

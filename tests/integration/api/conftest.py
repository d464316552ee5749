"""One API on one record for all that only read it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

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
def record(services: Services) -> Iterator[Settings]:
    """A record in a schema of its own, and its topics."""
    settings = settings_of(services)
    with scratch_schema(settings):
        kafka.ensure_topics(settings)
        fill(settings)
        yield settings


@pytest.fixture(scope="package")
def api(record: Settings) -> Iterator[Served]:
    """The API on that record."""
    with served(record) as result:
        yield result

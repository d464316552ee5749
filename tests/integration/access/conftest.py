"""A database with the users' tables, as its owner and as the API see it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.access import Access
from tests.support.api_role import api_role, granted
from tests.support.servers import Services
from trackrecord.runtime.settings import Settings


@pytest.fixture(scope="package")
def role_url(services: Services) -> Iterator[str]:
    """The API's own role."""
    with api_role(services.database_url) as url:
        yield url


@pytest.fixture
def as_api(settings: Settings, role_url: str) -> Settings:
    """Settings of the test's schema, with which a session is the API's."""
    return granted(settings, role_url)


@pytest.fixture
def access(settings: Settings, as_api: Settings) -> Access:
    """Two users, and both ways to the tables."""
    return Access(settings, as_api)

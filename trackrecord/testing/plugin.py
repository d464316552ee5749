"""Fixtures for pytest: ``pytest_plugins = ["trackrecord.testing.plugin"]`` in a conftest.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from trackrecord.runtime.errors import ConfigurationError
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Stage
from trackrecord.testing.database import find_database, scratch_database
from trackrecord.testing.stage_run import StageRun


@pytest.fixture(scope="session")
def database_url() -> str:
    """The Postgres of the test run; the tests that need one are skipped where there is none."""
    try:
        return find_database()
    except ConfigurationError as error:
        pytest.skip(str(error))


@pytest.fixture
def scratch(database_url: str) -> Iterator[Settings]:
    """Settings with a schema of the test's own, its tables made by the migrations."""
    with scratch_database(database_url) as settings:
        yield settings


@pytest.fixture
def stage_run(scratch: Settings) -> Callable[[Stage], StageRun]:
    """``stage_run(STAGE)``: runs of a stage in a schema of the test's own."""
    return lambda stage: StageRun(stage, scratch)

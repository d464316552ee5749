"""What all tests share: the broker and the database, real ones, or tests skipped by name."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests.support.nursery import Nursery
from tests.support.pipeline import Pipeline
from tests.support.servers import HOW_TO_GET_IT, Services, lacking, servers
from trackrecord.local.errors import PartsUnavailable
from trackrecord.runtime.settings import Settings, load_settings
from trackrecord.testing import scratch_schema

EXPLORE = bool(os.environ.get("TRACKRECORD_EXPLORE"))
"""Whether examples and seeds are drawn anew; else the same code is tested with the same ones."""

# A busy machine makes generating slow; that says nothing about what is tested.
hypothesis_settings.register_profile(
    "any machine",
    deadline=None,
    derandomize=not EXPLORE,
    suppress_health_check=[HealthCheck.too_slow],
)
hypothesis_settings.load_profile("any machine")

_LACKING = "lacks Kafka"
"""The property of a skipped test's report that says why."""


def pytest_collection_finish(session: pytest.Session) -> None:
    """Find out once, and only if a chosen test needs it, whether there is a real Kafka."""
    needing = [
        item
        for item in session.items
        if item.get_closest_marker("kafka") or "services" in getattr(item, "fixturenames", ())
    ]
    if not needing or session.config.option.collectonly:
        return
    reason = lacking()
    if reason is None:
        return
    for item in needing:
        item.add_marker(pytest.mark.skip(reason=f"{item.nodeid} needs a real Kafka"))
        item.user_properties.append((_LACKING, reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line how much was not tested for lack of Kafka, why, and what to do."""
    reasons = [
        str(value)
        for report in terminalreporter.stats.get("skipped", [])
        for name, value in report.user_properties
        if name == _LACKING
    ]
    if reasons:
        tests = "1 test was" if len(reasons) == 1 else f"{len(reasons)} tests were"
        terminalreporter.write_line(
            f"{tests} skipped for lack of Kafka ({reasons[0]}). To run them: {HOW_TO_GET_IT}",
            yellow=True,
        )


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    """Named by the environment, else Docker's, else the local stack, one for the whole run."""
    try:
        with servers() as result:
            yield result
    except PartsUnavailable as error:
        pytest.skip(f"no real Kafka: {error}")


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
    with scratch_schema(result):
        yield result


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where the processes of stages are forked."""
    result = Nursery()
    try:
        yield result
    finally:
        result.close()


@pytest.fixture
def pipeline(settings: Settings, nursery: Nursery, tmp_path: Path) -> Iterator[Pipeline]:
    """Topics and tables of the test's own; whatever process is left at its end is ended."""
    result = Pipeline(settings, tmp_path, nursery.spawn)
    try:
        yield result
    finally:
        result.close()

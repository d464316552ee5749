"""Broker and database killed, paused, restarted and locked: nothing acknowledged is lost.

These tests have a broker and a database of their own, since they kill them.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import ROUNDS
from tests.support import compare, histories, judged, runs, trainings, wire
from tests.support.extracted import check_signals
from tests.support.outages import Server
from tests.support.pipeline import Pipeline, StageProcess
from tests.support.servers import Services
from trackrecord.events import SignalEmitted
from trackrecord.events.codec import decode
from trackrecord.local.errors import PartsUnavailable
from trackrecord.local.stack import Stack
from trackrecord.runtime import database
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

SESSION = {"TRACKRECORD_SESSION_TIMEOUT_MS": "1000", "TRACKRECORD_BATCH_SIZE": "200"}
PAUSE_SECONDS = 5.0 if ROUNDS == 1 else 30.0


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    """A local stack for this file alone."""
    with tempfile.TemporaryDirectory(prefix="trackrecord-faults-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        try:
            state = Stack.up(home, [], [], end_with_caller=True)
        except PartsUnavailable as error:
            pytest.skip(f"no real Kafka: {error}")
        try:
            yield Services(state.kafka, state.database_url, home)
        finally:
            Stack.down(home)


@pytest.fixture
def postgres(services: Services) -> Iterator[Server]:
    assert services.home
    server = Server(services.home, "postgres")
    yield server
    server.await_health()


@pytest.fixture
def broker(services: Services) -> Iterator[Server]:
    assert services.home
    server = Server(services.home, "kafka")
    yield server
    server.await_health()


@contextmanager
def during(trouble: Callable[[], None]) -> Iterator[None]:
    """Make trouble in the background."""
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(trouble)
        yield
        made.result()


def stream(pipeline: Pipeline, seed: str, trouble: Callable[[], None]) -> StageProcess:
    """A tracker that works while trouble is made in the middle of what is published."""
    parts = [histories.make(f"{seed}-{number}", 300) for number in range(5)]
    stage = pipeline.start_ready("signal_tracker", **SESSION)
    places = pipeline.publish(parts[0])
    with during(trouble):
        for part in parts[1:]:
            places += pipeline.publish(part)
            time.sleep(0.4)
    pipeline.done("signal_tracker")
    pipeline.check_tracker([event for part in parts for event in part], places)
    return stage


def test_a_database_killed_and_recovered_and_then_restarted_in_good_order(
    pipeline: Pipeline, services: Services, postgres: Server, seed: str, rng: random.Random
) -> None:
    def trouble() -> None:
        for _ in range(ROUNDS):
            time.sleep(rng.uniform(0.2, 0.6))
            pid = postgres.pid
            postgres.kill()
            postgres.await_health(pid)
        time.sleep(rng.uniform(0.2, 0.6))
        assert services.home
        Stack.restart(services.home, "postgres")

    stage = stream(pipeline, seed, trouble)
    assert len(stage.lines("assigned")) == 1
    assert stage.lines("will try again")
    assert stage.stop() == 0


def test_a_database_restarted_during_a_training_and_away_at_its_end(
    pipeline: Pipeline, services: Services, postgres: Server
) -> None:
    judged.fill(pipeline.settings, 1, 1_500, 1.5)
    budget = {"TRACKRECORD_TRAINER_BUDGET_SECONDS": "4", "TRACKRECORD_TRAINER_STALE_SECONDS": "30"}
    trainer = pipeline.start("trainer", **trainings.SLOW | budget)
    child = trainings.child_of(trainer)
    assert services.home
    Stack.restart(services.home, "postgres")
    postgres.await_health()
    pid = postgres.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        # It wants to write meanwhile.
        time.sleep(4.0)
    finally:
        # By its id: what is paused is not taken for healthy.
        os.kill(pid, signal.SIGKILL)
    postgres.await_health(pid)
    trainings.check_one_run(pipeline, trainer)
    assert trainings.is_gone(child)
    # What had been worked out was not thrown away.
    assert trainings.jobs(pipeline, "attempts") == [(1,)]
    assert trainer.stop() == 0


def test_sessions_ended_again_and_again(pipeline: Pipeline, seed: str, rng: random.Random) -> None:
    settings = pipeline.settings

    def trouble() -> None:
        for _ in range(8 * ROUNDS):
            time.sleep(rng.uniform(0.05, 0.3))
            compare.fetch(
                settings,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'trackrecord signal_tracker'",
            )

    stage = stream(pipeline, seed, trouble)
    assert len(stage.lines("assigned")) == 1
    assert stage.lines("will try again")
    assert stage.stop() == 0


@contextmanager
def locked(settings: Settings, statement: str) -> Iterator[None]:
    """Hold a lock in another session."""
    connection = database.connect(settings, application="test")
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
        yield
    finally:
        connection.close()


def test_tables_and_rows_that_another_session_holds(pipeline: Pipeline, seed: str) -> None:
    settings = pipeline.settings

    def trouble() -> None:
        for statement in (
            "LOCK TABLE signals IN EXCLUSIVE MODE",
            "SELECT FROM consumer_offsets FOR UPDATE",
            "SELECT FROM strategy_days FOR UPDATE",
        ):
            # Longer than a member may be silent.
            with locked(settings, statement):
                time.sleep(1.5)

    stage = stream(pipeline, seed, trouble)
    assert len(stage.lines("assigned")) == 1
    assert stage.stop() == 0


def test_a_broker_killed_under_an_extractor_and_the_tracker_behind_it(
    pipeline: Pipeline, broker: Server, seed: str, rng: random.Random
) -> None:
    parts = [runs.make(f"{seed}-{number}", 500) for number in range(4)]
    events = [event for part in parts for event in part]
    extractor = pipeline.start_ready("extractor", **SESSION)
    tracker = pipeline.start_ready("signal_tracker", **SESSION)
    places = pipeline.publish(parts[0])

    def trouble() -> None:
        for _ in range(ROUNDS):
            time.sleep(rng.uniform(0, 0.3))
            pid = broker.pid
            broker.kill()
            broker.await_health(pid)

    with during(trouble):
        for part in parts[1:]:
            places += pipeline.publish(part)
    pipeline.done("extractor")
    check_signals(pipeline, events, places)
    pipeline.done("signal_tracker")
    sent = wire.read(pipeline.settings, pipeline.settings.topic("signal_emitted"))
    pipeline.check_tracker(
        [decode(SignalEmitted, each.value) for each in sent], [each.place for each in sent]
    )
    # An outage is told, not shouted, however often a client tries again.
    assert 0 < len(extractor.lines("kafka client")) < 20
    assert (extractor.stop(), tracker.stop()) == (0, 0)


def test_a_broker_that_pauses(pipeline: Pipeline, broker: Server, seed: str) -> None:
    def trouble() -> None:
        time.sleep(0.2)
        pid = broker.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(PAUSE_SECONDS)
        finally:
            os.kill(pid, signal.SIGCONT)

    stage = stream(pipeline, seed, trouble)
    assert stage.stop() == 0

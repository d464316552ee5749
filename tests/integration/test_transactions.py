"""Producers with transactions leave marks behind their messages: nobody is behind with those."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from confluent_kafka import Producer

from tests.integration.sink import (
    Running,
    make_table,
    parcels,
    positions,
    publish,
    running,
    signals,
    sunk,
)
from tests.support import compare
from tests.support.pipeline import Pipeline, until
from trackrecord.events import Event
from trackrecord.runtime import kafka
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka


def publish_in_a_transaction(
    settings: Settings, events: Sequence[Event], *, aborted: bool = False
) -> None:
    producer = Producer(
        {
            "bootstrap.servers": settings.kafka_bootstrap_servers,
            "transactional.id": f"{settings.topic_prefix}writer",
        }
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    for each in parcels(settings, events):
        producer.produce(each.topic, each.value, each.key, headers=list(each.headers))
    if aborted:
        producer.flush(30)
        producer.abort_transaction(30)
    else:
        producer.commit_transaction(30)


def not_behind(consumer: Running) -> None:
    """Wait until positions and lag agree that nothing is left."""
    settings = consumer.settings
    client = kafka.admin(settings)
    topic = settings.topic("signal_emitted")
    partitions = kafka.partitions_of(client, [topic])

    # Looked up each time: the marks follow a commit when its coordinator has written them.
    def at_the_ends() -> bool:
        return positions(settings) == kafka.end_offsets(client, partitions)

    until(at_the_ends, "positions at the ends", 30)
    until(lambda: consumer.metric("trackrecord_lag_messages") == 0, "no lag", 5)
    assert consumer.health.status["lag"] == 0


def test_behind_a_transaction_lag_returns_to_zero(settings: Settings) -> None:
    make_table(settings)
    with running(settings) as consumer:
        publish_in_a_transaction(settings, signals(5))
        not_behind(consumer)
        publish(settings, signals(5, start=5))
        publish_in_a_transaction(settings, signals(5, start=10), aborted=True)
        not_behind(consumer)
        publish_in_a_transaction(settings, signals(5, start=15))
        not_behind(consumer)
        wanted = {f"s{number}" for number in (*range(10), *range(15, 20))}
        assert sunk(settings) == wanted


def test_at_its_start_a_stage_is_not_behind_with_marks(settings: Settings) -> None:
    make_table(settings)
    publish_in_a_transaction(settings, signals(5))
    with running(settings) as consumer:
        consumer.has(*(f"s{number}" for number in range(5)))
    publish_in_a_transaction(settings, signals(5, start=5), aborted=True)
    with running(settings) as consumer:
        not_behind(consumer)
    assert len(sunk(settings)) == 5


def test_a_stage_and_replay_agree_after_transactions(pipeline: Pipeline) -> None:
    stage = pipeline.start_ready("signal_tracker")
    publish_in_a_transaction(pipeline.settings, signals(20))
    pipeline.done("signal_tracker")
    until(lambda: (stage.status() or {}).get("lag") == 0, "it is behind with nothing", 10)
    pipeline.check_replay()
    assert compare.fetch(pipeline.settings, "SELECT count(*) FROM signals") == [(20,)]

"""After an absence: what others refer to is read first, and nothing waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from confluent_kafka import Producer
from prometheus_client import CollectorRegistry

from services.signal_tracker.handler import SignalTracker
from services.signal_tracker.service import STAGE
from tests.integration.sink import START, parcels, publish, signals
from tests.support import compare
from tests.support.pipeline import until
from trackrecord.events import SignalClosed, SignalEmitted
from trackrecord.runtime import kafka
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.decoding.batch import Batch
from trackrecord.runtime.health import Health
from trackrecord.runtime.metrics import RUNTIME_METRICS, Metrics
from trackrecord.runtime.process.run import assemble
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context, Effects

pytestmark = pytest.mark.kafka


class Recording(SignalTracker):
    """Remembers which batches it got."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.batches: list[tuple[int, int]] = []

    def apply(self, batch: Batch, cursor: Cursor) -> Effects:
        self.batches.append((batch.of(SignalEmitted).height, batch.of(SignalClosed).height))
        return super().apply(batch, cursor)


@contextmanager
def running(settings: Settings) -> Iterator[Recording]:
    handler = Recording(Context(settings, CollectorRegistry()))
    metrics = Metrics(CollectorRegistry(), STAGE.name, RUNTIME_METRICS)
    stage = replace(STAGE, handler=lambda _: handler)
    consumer = assemble(stage, handler, settings, metrics, Health("tracker"))
    thread = threading.Thread(target=consumer.run, daemon=True)
    thread.start()
    try:
        yield handler
    finally:
        consumer.stop()
        thread.join(20)
        assert not thread.is_alive()


def exits(entries: list[SignalEmitted]) -> list[SignalClosed]:
    return [
        SignalClosed(
            signal_id=each.signal_id,
            exit_id="x",
            symbol=each.symbol,
            price=each.price,
            closed_at=START + timedelta(days=1),
            reason="test",
        )
        for each in entries
    ]


def closed(settings: Settings) -> int:
    return int(compare.fetch(settings, "SELECT coalesce(sum(closed), 0) FROM strategy_days")[0][0])


def test_entries_that_piled_up_come_before_the_exits_that_did(settings: Settings) -> None:
    kafka.ensure_topics(settings)
    entries = signals(400)
    publish(settings, exits(entries))
    publish(settings, entries)
    with running(settings.model_copy(update={"batch_size": 50})) as handler:
        until(lambda: closed(settings) == 400, "all are closed")
        # Nobody waits once there is nothing left to catch up with.
        late = signals(40, start=1000)
        publish(settings, exits(late))
        until(lambda: sum(one for _, one in handler.batches) == 440, "the exits are read")
        publish(settings, late)
        until(lambda: closed(settings) == 440, "these are closed too")
    first_exit = next(i for i, (_, count) in enumerate(handler.batches) if count)
    assert sum(count for count, _ in handler.batches[:first_exit]) == 400


def test_exits_do_not_wait_for_marks_of_transactions(settings: Settings) -> None:
    kafka.ensure_topics(settings)
    entries = signals(30)
    producer = Producer(
        {
            "bootstrap.servers": settings.kafka_bootstrap_servers,
            "transactional.id": settings.topic("writer"),
        }
    )
    producer.init_transactions(20)
    producer.begin_transaction()
    for each in parcels(settings, entries):
        producer.produce(each.topic, each.value, each.key, headers=list(each.headers))
    producer.commit_transaction(20)
    publish(settings, exits(entries))
    with running(settings):
        until(lambda: closed(settings) == 30, "all are closed")

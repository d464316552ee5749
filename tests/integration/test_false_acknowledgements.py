"""Acknowledgements that cannot be true: the offset they name is that of an earlier message.

A topic that is made anew under a client brings them about, since its offsets begin at 0 again.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from tests.support import wire
from tests.support.pipeline import until
from trackrecord.runtime import kafka
from trackrecord.runtime.outbox import Outbox, Row
from trackrecord.runtime.settings import Settings
from trackrecord.sdk import Publisher

pytestmark = pytest.mark.kafka

SOURCE = ("script_executed", 0)


def rows(settings: Settings, first: int, after: int) -> list[tuple[int, Row]]:
    topic = settings.topic("signal_emitted")
    return [
        (number, Row(topic, b"AAA", json.dumps({"number": number}).encode(), [], SOURCE))
        for number in range(first, after)
    ]


def numbers(settings: Settings) -> list[int]:
    found = wire.read(settings, settings.topic("signal_emitted"))
    return [json.loads(each.value or b"")["number"] for each in found]


def make_anew(settings: Settings) -> None:
    """Delete the topic and make it again, so that its offsets begin at 0."""
    client = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    topic = settings.topic("signal_emitted")
    client.delete_topics([topic])[topic].result(10)
    until(lambda: topic not in client.list_topics(timeout=10).topics, "the topic is gone")
    kafka.ensure_topics(settings)


def test_an_acknowledgement_that_cannot_be_true_has_all_that_waits_sent_again(
    settings: Settings,
) -> None:
    kafka.ensure_topics(settings)
    outbox = Outbox("extractor", kafka.client_config(settings, "extractor"))
    outbox.send(rows(settings, 0, 5))
    assert outbox.drain(10) == 0
    assert numbers(settings) == [0, 1, 2, 3, 4]
    make_anew(settings)
    # The broker now names offsets that it has named before for other messages.
    outbox.send(rows(settings, 5, 8))
    assert outbox.drain(20) == 0
    found = numbers(settings)
    assert sorted(set(found)) == [5, 6, 7]
    assert len(found) > len(set(found))
    # The new client's are believed.
    outbox.send(rows(settings, 8, 10))
    assert outbox.drain(10) == 0
    assert numbers(settings) == [*found, 8, 9]


def test_the_publisher_too_sends_again_what_was_not_truly_acknowledged(
    settings: Settings, tmp_path: Path
) -> None:
    kafka.ensure_topics(settings)
    with Publisher(
        "s",
        bootstrap_servers=settings.kafka_bootstrap_servers,
        topic_prefix=settings.topic_prefix,
        spool_dir=tmp_path,
        environ={},
    ) as publisher:
        for _ in range(5):
            publisher.signal("AAA", "BUY", price=1)
        assert publisher.flush(10) == 0
        make_anew(settings)
        after = {publisher.signal("AAA", "BUY", price=2).signal_id for _ in range(3)}
        assert publisher.flush(30) == 0
    found = wire.read(settings, settings.topic("signal_emitted"))
    assert {json.loads(each.value or b"")["signal_id"] for each in found} == after
    assert len(found) > len(after)

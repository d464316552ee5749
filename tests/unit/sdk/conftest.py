"""A broker for the SDK's tests: librdkafka's mock cluster, which speaks Kafka's protocol."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

PARTITIONS = 4  # what the mock cluster gives a topic


class Broker:
    """The mock cluster, and what lies on it."""

    def __init__(self) -> None:
        self._cluster = Producer({"test.mock.num.brokers": "1", "log_level": 0})
        (broker,) = self._cluster.list_topics(timeout=10).brokers.values()
        self.address = f"{broker.host}:{broker.port}"

    def messages(self, topic: str) -> list[Any]:
        """All messages of a topic: in order within a partition."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": "tests"})
        parts = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)]
        wanted = sum(consumer.get_watermark_offsets(part, timeout=10)[1] for part in parts)
        consumer.assign(parts)
        found: list[Any] = []
        while len(found) < wanted:
            found += [m for m in consumer.consume(1000, timeout=0.1) if m.error() is None]
        consumer.close()
        return found


@pytest.fixture(scope="session")
def broker() -> Broker:
    return Broker()

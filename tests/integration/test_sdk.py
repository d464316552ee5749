"""On a real Kafka that is killed, lacks topics or refuses messages: does everything arrive?

Arrive means: every accepted event, and in order within its key, where the first
copy of each counts (copies are allowed).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.support import wire
from trackrecord.local.errors import PartsUnavailable
from trackrecord.local.stack import Stack
from trackrecord.sdk import Delivery, Publisher

pytestmark = pytest.mark.kafka

PARTITIONS = 3
KEYS = 7


class Kafka:
    """A broker of these tests' own, since they kill it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.address = Stack.up(home, [], [], end_with_caller=True).kafka

    def kill(self) -> None:
        """Kill the broker with SIGKILL; the supervisor starts it again in its own time."""
        for _ in range(200):
            state = Stack.read_state(self.home)
            pids = [p.pid for p in state.processes if p.stage == "kafka"] if state else []
            if pids and pids[0]:
                os.kill(pids[0], signal.SIGKILL)
                return
            time.sleep(0.05)
        pytest.fail("the broker does not run")

    def kill_twice(self) -> None:
        self.kill()
        time.sleep(2.5)
        self.kill()

    def create(self, topic: str, **settings: str) -> None:
        admin = AdminClient({"bootstrap.servers": self.address})
        new = NewTopic(topic, PARTITIONS, 1, config=settings)
        for future in admin.create_topics([new]).values():
            future.result(30)

    def messages(self, topic: str) -> list[Any]:
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": "tests"})
        parts = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)]
        wanted = sum(wire.offsets(consumer, part)[1] for part in parts)
        consumer.assign(parts)
        found: list[Any] = []
        while len(found) < wanted:
            found += [m for m in consumer.consume(1000, timeout=0.2) if m.error() is None]
        consumer.close()
        return found

    def first_copies(self, topic: str) -> dict[int, list[int]]:
        """The numbers that arrived, per key, in the order of their first copies."""
        seen: set[int] = set()
        by_key: dict[int, list[int]] = {key: [] for key in range(KEYS)}
        for message in self.messages(topic):
            number = int(json.loads(message.value())["signal_id"])
            if number not in seen:
                seen.add(number)
                by_key[int(message.key())].append(number)
        return by_key


def in_order(count: int) -> dict[int, list[int]]:
    return {key: list(range(key, count, KEYS)) for key in range(KEYS)}


@pytest.fixture(scope="module")
def kafka() -> Iterator[Kafka]:
    with tempfile.TemporaryDirectory(prefix="tr-sdk-") as folder:  # sockets need a short path
        home = Path(folder)
        try:
            broker = Kafka(home)
        except PartsUnavailable as error:
            pytest.skip(f"no real Kafka: {error}")
        yield broker
        Stack.down(home)


@pytest.fixture
def prefix() -> str:
    return f"{uuid4().hex[:8]}."


def open_publisher(broker: Kafka, spool: Path, prefix: str, **options: Any) -> Publisher:
    return Publisher(
        "s",
        bootstrap_servers=broker.address,
        spool_dir=spool,
        topic_prefix=prefix,
        environ={},
        **options,
    )


def publish(publisher: Publisher, numbers: range) -> None:
    for number in numbers:
        publisher.signal(str(number % KEYS), "BUY", price=1, signal_id=str(number))


def test_a_broker_killed_again_and_again_costs_neither_an_event_nor_the_order(
    kafka: Kafka, tmp_path: Path, prefix: str
) -> None:
    kafka.create(prefix + "signal_emitted")
    told: list[str] = []
    publisher = open_publisher(
        kafka,
        tmp_path,
        prefix,
        max_buffered_messages=500,
        on_delivery=lambda delivery: told.append(delivery.event_id),
    )
    count = 6000
    killed = threading.Thread(target=kafka.kill_twice)
    for number in range(count):
        if number == 500:
            killed.start()
        publish(publisher, range(number, number + 1))
        assert publisher.stats.in_memory <= 500
        if number % 50 == 0:
            time.sleep(0.05)
    killed.join()
    assert publisher.flush(90) == 0
    assert publisher.close() == 0
    assert len(told) == len(set(told)) == count
    assert kafka.first_copies(prefix + "signal_emitted") == in_order(count)
    assert list(tmp_path.iterdir()) == []


def test_publishers_killed_while_the_broker_is_killed_too_lose_nothing_that_reached_their_spool(
    kafka: Kafka, tmp_path: Path, prefix: str
) -> None:
    kafka.create(prefix + "signal_emitted")
    code = """
import sys, time
from trackrecord.sdk import Publisher
address, spool, prefix, first, keys = sys.argv[1:]
publisher = Publisher("s", bootstrap_servers=address, spool_dir=spool, topic_prefix=prefix,
                      environ={})
for number in range(int(first), int(first) + 700):
    publisher.signal(str(number % int(keys)), "BUY", price=1, signal_id=str(number))
while publisher.stats.unwritten:
    time.sleep(0.001)
print("there", flush=True)
time.sleep(60)
"""
    for round_ in range(3):
        if round_ == 1:
            kafka.kill()
        arguments = [kafka.address, str(tmp_path), prefix, str(round_ * 700), str(KEYS)]
        with subprocess.Popen(
            [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            assert process.stdout.readline() == "there\n"
            process.kill()
    with open_publisher(kafka, tmp_path, prefix) as publisher:
        publish(publisher, range(2100, 2800))
        assert publisher.flush(60) == 0
    assert kafka.first_copies(prefix + "signal_emitted") == in_order(2800)
    assert list(tmp_path.iterdir()) == []


def test_events_wait_in_order_for_a_topic_that_does_not_exist_yet(
    kafka: Kafka, tmp_path: Path, prefix: str
) -> None:
    publisher = open_publisher(kafka, tmp_path, prefix)
    publish(publisher, range(700))
    assert publisher.flush(2) == 700
    publish(publisher, range(700, 1400))
    kafka.create(prefix + "signal_emitted")
    assert publisher.flush(30) == 0
    publisher.close()
    assert kafka.first_copies(prefix + "signal_emitted") == in_order(1400)


def test_a_message_that_the_broker_never_takes_is_put_aside_and_the_rest_arrives_in_order(
    kafka: Kafka, tmp_path: Path, prefix: str
) -> None:
    kafka.create(prefix + "signal_emitted", **{"max.message.bytes": "2000"})
    told: list[Delivery] = []
    with open_publisher(
        kafka,
        tmp_path,
        prefix,
        on_delivery=told.append,
        kafka={"compression.type": "none"},
    ) as publisher:
        for number in range(70):
            note = {"note": "x" * (5000 if number == 30 else 1)}
            publisher.signal(
                str(number % KEYS), "BUY", price=1, signal_id=str(number), metadata=note
            )
        assert publisher.flush(60) == 0
        assert (publisher.stats.delivered, publisher.stats.rejected) == (69, 1)
    assert [one.status for one in told].count("rejected") == 1
    expected = in_order(70)
    expected[30 % KEYS].remove(30)
    assert kafka.first_copies(prefix + "signal_emitted") == expected
    (line,) = (tmp_path / "rejected.jsonl").read_text().splitlines()
    assert json.loads(json.loads(line)["value"])["signal_id"] == "30"

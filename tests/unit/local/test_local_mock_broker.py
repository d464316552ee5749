"""The stand-in for Kafka speaks to real clients and ends when it should."""

import subprocess
import sys

from confluent_kafka import Consumer, Producer

from trackrecord.local.mock_broker import mock_broker


def test_what_is_produced_is_consumed() -> None:
    with mock_broker() as servers:
        producer = Producer({"bootstrap.servers": servers})
        producer.produce("said", b"something")
        assert producer.flush(10) == 0
        consumer = Consumer(
            {"bootstrap.servers": servers, "group.id": "test", "auto.offset.reset": "earliest"}
        )
        consumer.subscribe(["said"])
        message = consumer.poll(20)
        consumer.close()
        assert message is not None
        assert message.value() == b"something"


def test_it_listens_on_loopback_and_ends_when_its_stdin_closes() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "trackrecord.local.mock_broker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline().startswith("127.0.0.1:")
        process.stdin.close()
        assert process.wait(10) == 0

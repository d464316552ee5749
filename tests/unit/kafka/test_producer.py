"""What every producer has, whoever makes it."""

from __future__ import annotations

from confluent_kafka import Producer

from trackrecord.kafka.producer import PROMISED, producer_config
from trackrecord.sdk._kafka_producer import producer_settings


def test_nothing_that_is_given_goes_before_what_was_promised() -> None:
    given = {"bootstrap.servers": "a:1", "acks": "1", "partitioner": "random", "linger.ms": "9"}
    made = producer_config(given, linger_ms=5, gives_up_after_ms=30_000)
    assert made == {
        **PROMISED,
        "bootstrap.servers": "a:1",
        "linger.ms": 5,
        "message.timeout.ms": "30000",
    }
    Producer(made)


def test_all_put_a_key_on_the_same_partition() -> None:
    for made in (producer_settings({}, "sdk"), producer_config({})):
        assert made["partitioner"] == "murmur2_random"
        assert made["enable.idempotence"] == "true"
        assert made["message.timeout.ms"] == "0"

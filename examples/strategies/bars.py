"""Read all bars of the topic market_bar from its beginning, in order and each once."""

import argparse
import os
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import date, datetime

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from trackrecord.events import InvalidEventError, MarketBar
from trackrecord.events.codec import decode
from trackrecord.kafka.config import kafka_settings, topic_prefix
from trackrecord.kafka.local_stack import completed

ATTEMPT_SECONDS = 2.0


def arguments(description: str) -> argparse.Namespace:
    """The arguments that every strategy here takes: symbols, since, until, idle_seconds."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--symbols", nargs="+", required=True, help="the shares to trade")
    parser.add_argument(
        "--since", type=date.fromisoformat, default=date.min, help="the first session that is read"
    )
    parser.add_argument(
        "--until", type=date.fromisoformat, required=True, help="the last session, YYYY-MM-DD"
    )
    parser.add_argument(
        "--idle-seconds", type=float, default=30.0, help="stop when no bar came for so long"
    )
    return parser.parse_args()


def read_bars(options: argparse.Namespace) -> Iterator[MarketBar]:
    """Daily bars of some symbols, from a first session to a last one.

    Each symbol's bars come oldest first, since a symbol lives in one partition; bars
    of different symbols mix. A bar that came before, again or corrected, is passed
    over: a strategy cannot take back what it decided on it.

    Reading needs no consumer group: every run starts at the beginning and builds its
    indicators up anew.

    Args:
        options: As :func:`arguments` reads them. The dates of sessions are those of UTC, and both
            are included; it ends when nothing came for ``idle_seconds``.

    Yields:
        Bars, until every symbol has reached the last session or nothing more comes.

    Raises:
        SystemExit: There is no broker or no topic of bars; what to do is on stderr.
    """
    environ = completed(os.environ)  # by the local stack, where the environment says nothing
    topic = topic_prefix(environ) + MarketBar.event_type
    settings: dict[str, str | int | float | bool] = {
        **kafka_settings(environ),
        "group.id": f"example-{uuid.uuid4()}",  # the client wants one; nothing is committed
        "enable.auto.commit": False,
    }
    consumer = Consumer(settings)
    latest: dict[str, datetime] = {}
    waiting = set(options.symbols)
    heard = time.monotonic()
    try:
        consumer.assign(_partitions(consumer, topic, heard + options.idle_seconds))
        while waiting and time.monotonic() - heard < options.idle_seconds:
            for message in consumer.consume(500, timeout=0.2):
                if error := message.error():
                    if error.fatal():
                        raise KafkaException(error)
                    continue  # the client reconnects by itself
                heard = time.monotonic()
                try:
                    bar = decode(MarketBar, message.value())
                except InvalidEventError as reason:
                    print(f"{topic}: passed over a bar: {reason}", file=sys.stderr)
                    continue
                if bar.symbol not in waiting or bar.timeframe != "1d":
                    continue
                if bar.symbol in latest and bar.opened_at <= latest[bar.symbol]:
                    continue
                latest[bar.symbol] = bar.opened_at
                session = bar.opened_at.date()
                if session >= options.until:
                    waiting.discard(bar.symbol)
                if options.since <= session <= options.until:
                    yield bar
    finally:
        consumer.close()


def _partitions(consumer: Consumer, topic: str, deadline: float) -> list[TopicPartition]:
    """Where the topic's bars begin; waits for a broker and a topic until the deadline."""
    problem = "not tried"
    while time.monotonic() < deadline:
        try:
            metadata = consumer.list_topics(topic, timeout=ATTEMPT_SECONDS).topics[topic]
        except KafkaException as error:
            problem = error.args[0].str()
            continue
        if metadata.error is None and metadata.partitions:
            return [TopicPartition(topic, p, OFFSET_BEGINNING) for p in metadata.partitions]
        problem = f"there is no topic {topic}"
        time.sleep(0.2)
    print(
        f"no bars to read: {problem}. Start Kafka with `trackrecord up`, or name yours in "
        "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS",
        file=sys.stderr,
    )
    raise SystemExit(2)

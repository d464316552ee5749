"""A producer at an even pace.

    python -m benchmarks.pipeline.steady RATE EVENTS SEED LINGER_MS [STRATEGIES]

Entries alternate with exits of signals that were entered a second before. Each event holds the
time at which it is given to the client. Everything except that time is prepared before the
measurement starts, because the producer shares the machine with what it measures. Prints the rate
that it reached.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from confluent_kafka import Producer

from benchmarks.pipeline import events

_FLUSH_SECONDS = 30.0
_TICK_SECONDS = 0.001
"""To wake for each event by itself would cost more than to send it."""
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Unsent:
    """An event that lacks its time only.

    Attributes:
        topic: Without the prefix.
        symbol: The key.
        head: Of the value, up to the time.
        tail: After it.
    """

    topic: str
    symbol: str
    head: bytes
    tail: bytes

    @classmethod
    def of(cls, topic: str, signal: events.Signal, value: bytes) -> Unsent:
        """Split a value at the time that nobody has."""
        head, tail = value.split(events.wire_time(_NO_TIME).encode())
        return cls(topic, signal.symbol, head, tail)


def unsent(rate: int, total: int, seed: int, strategies: int = events.STRATEGIES) -> list[Unsent]:
    """The events in the order in which they are sent."""
    behind = min(rate // 2, total // 4)
    order: list[Unsent] = []
    waiting: list[events.Signal] = []
    made = events.signals(total, seed, strategies=strategies)
    left = 0
    for number in range(total):
        # The exits lag; what they lag by is made up for at the start by entries alone.
        if len(waiting) - left < behind or number % 2 == 0:
            signal = replace(next(made), emitted_at=_NO_TIME)
            waiting.append(signal)
            order.append(Unsent.of("signal_emitted", signal, events.entry_value(signal)))
        else:
            signal = replace(waiting[left], closed_at=_NO_TIME)
            left += 1
            order.append(Unsent.of("signal_closed", signal, events.exit_value(signal)))
    return order


def main(
    rate: int, total: int, seed: int, linger_ms: int, strategies: int = events.STRATEGIES
) -> float:
    """Send ``total`` events at ``rate`` events a second.

    Returns:
        The rate that was kept, in events a second.
    """
    prefix = os.environ["BENCH_PREFIX"]
    # The client's own defaults, but for the partitioner, which the SDK sets too.
    producer = Producer(
        {
            "bootstrap.servers": os.environ["BENCH_BROKER"],
            "partitioner": "murmur2_random",
            "linger.ms": linger_ms,
        }
    )
    heads = events.event_headers()
    topics = {topic: prefix + topic for topic in heads}
    order = unsent(rate, total, seed, strategies)
    # The connection is made, and the topics are known, before the clock starts.
    producer.list_topics(timeout=10)
    began = time.monotonic()
    for number, event in enumerate(order):
        if (ahead := began + number / rate - time.monotonic()) > 0:
            producer.poll(0)
            time.sleep(max(ahead, _TICK_SECONDS))
        now = events.wire_time(datetime.now(UTC)).encode()
        producer.produce(
            topics[event.topic],
            event.head + now + event.tail,
            event.symbol,
            headers=heads[event.topic],
        )
    kept = total / (time.monotonic() - began)
    if producer.flush(_FLUSH_SECONDS):
        raise RuntimeError("the broker has not acknowledged all events; see its log")
    return kept


if __name__ == "__main__":
    sys.stdout.write(f"{main(*map(int, sys.argv[1:6])):.1f}\n")

"""A producer at an even pace: ``python -m benchmarks.pipeline.steady RATE EVENTS SEED``.

Every second event is an entry, every second the exit of a signal entered a second before. Each
carries the time at which it is handed to the client. Prints the rate that it kept.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime

from confluent_kafka import Producer

from benchmarks.pipeline import events

_FLUSH_SECONDS = 30.0
_SHORTEST_SLEEP = 0.0005


def main(rate: int, total: int, seed: int) -> float:
    """Send ``total`` events at ``rate`` events a second.

    Returns:
        The rate that was kept, in events a second.
    """
    prefix = os.environ["BENCH_PREFIX"]
    # The client's own defaults, but for the partitioner, which the SDK sets too.
    producer = Producer(
        {"bootstrap.servers": os.environ["BENCH_BROKER"], "partitioner": "murmur2_random"}
    )
    heads = events.event_headers()
    waiting: deque[events.Signal] = deque()
    behind = min(rate // 2, total // 4)
    made = events.signals(total, seed)
    # The connection is made, and the topics are known, before the clock starts.
    producer.list_topics(timeout=10)
    began = time.monotonic()
    for number in range(total):
        due = began + number / rate
        if (ahead := due - time.monotonic()) > 0:
            producer.poll(0)
            time.sleep(max(ahead, _SHORTEST_SLEEP))
        now = datetime.now(UTC)
        # The exits lag; what they lag by is made up for at the start by entries alone.
        if len(waiting) < behind or number % 2 == 0:
            signal = replace(next(made), emitted_at=now)
            waiting.append(signal)
            topic, value = "signal_emitted", events.entry_value(signal)
        else:
            signal = replace(waiting.popleft(), closed_at=now)
            topic, value = "signal_closed", events.exit_value(signal)
        producer.produce(prefix + topic, value, signal.symbol, headers=heads[topic])
    kept = total / (time.monotonic() - began)
    if producer.flush(_FLUSH_SECONDS):
        raise RuntimeError("the broker has not acknowledged all events; see its log")
    return kept


if __name__ == "__main__":
    sys.stdout.write(f"{main(*map(int, sys.argv[1:4])):.1f}\n")

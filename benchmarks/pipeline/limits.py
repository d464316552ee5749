"""The most that the machine can do, one limit a process: ``python -m ...limits NAME EVENTS``.

``consume``: take the tracker's events from the broker and drop them. ``decode``: read messages
that are there already into columns. ``copy``: COPY prepared text into a table without a key.
``sql``: the tracker's own statements from prepared batches, commits included. Prints its numbers
as JSON; the time for preparing data is not included.
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator

import polars as pl
from confluent_kafka import Consumer, Message, TopicPartition
from prometheus_client import CollectorRegistry

from benchmarks.pipeline import events
from benchmarks.pipeline.measure import Measurement, cpu_seconds, peak_bytes
from benchmarks.pipeline.peers import job
from services.signal_tracker.handler import SignalTracker
from trackrecord.events import SignalClosed, SignalEmitted
from trackrecord.runtime import database, kafka
from trackrecord.runtime.decoding.batch import Reader
from trackrecord.runtime.settings import Settings, load_settings
from trackrecord.runtime.stage import Context

_MODELS = (SignalEmitted, SignalClosed)
_PATIENCE_SECONDS = 30.0


class Clock:
    """Measures this process, and its database session if it has one."""

    def __init__(self, session: database.Connection | None = None) -> None:
        """Start now."""
        self._session = [] if session is None else [session.info.backend_pid]
        self._there = cpu_seconds(self._session)
        self._own = time.process_time()
        self._started = time.monotonic()

    def stop(self, done: int) -> Measurement:
        """What ``done`` events have taken."""
        seconds = time.monotonic() - self._started
        own = time.process_time() - self._own
        there = cpu_seconds(self._session) - self._there
        return Measurement(
            events_per_second=done / seconds,
            cpu_seconds_per_million=own / done * 1e6,
            postgres_cpu_seconds_per_million=there / done * 1e6,
            peak_mb=peak_bytes([os.getpid()]) / 1e6,
            postgres_peak_mb=peak_bytes(self._session) / 1e6,
            startup_seconds=0.0,
            events=float(done),
        )


def _polls(settings: Settings, total: int) -> Iterator[list[Message]]:
    """All events of the tracker's topics as it would poll them: entries, then exits."""
    for model in _MODELS:
        yield from _polls_of(settings, model.event_type, total // len(_MODELS))


def _polls_of(settings: Settings, event_type: str, total: int) -> Iterator[list[Message]]:
    config = kafka.consumer_config(settings, "limits")
    consumer = Consumer({**config, "group.id": settings.database_schema})
    consumer.assign(
        [
            TopicPartition(settings.topic(event_type), partition, 0)
            for partition in range(settings.topic_partitions)
        ]
    )
    done, moved = 0, time.monotonic()
    try:
        while done < total:
            messages = consumer.consume(settings.batch_size, settings.batch_wait_ms / 1000)
            if messages:
                done, moved = done + len(messages), time.monotonic()
                yield messages
            elif time.monotonic() - moved > _PATIENCE_SECONDS:
                raise RuntimeError(f"the broker gave {done} of {total} events")
    finally:
        consumer.close()


def consume(settings: Settings, total: int) -> Measurement:
    """Consume only; the clock starts with the first batch."""
    polls = _polls(settings, total)
    first = len(next(polls))
    clock = Clock()
    return clock.stop(sum(map(len, polls)) or first)


def decode(settings: Settings, total: int) -> Measurement:
    """Read messages into columns, as the runtime does.

    Raises:
        RuntimeError: Something was refused.
    """
    polls = list(_polls(settings, total))
    reader = Reader(_MODELS, settings.topic_prefix)
    clock = Clock()
    refused = sum(len(reader.read(messages).refused) for messages in polls)
    measured = clock.stop(total)
    if refused:
        raise RuntimeError(f"{refused} events were refused: the numbers mean nothing")
    return measured


def copy(settings: Settings, total: int) -> Measurement:
    """COPY prepared rows, a batch to a transaction."""
    rows = [
        tuple(map(str, job.read(events.easy_value(signal)))) for signal in events.signals(total)
    ]
    texts = [
        pl.DataFrame(rows[at : at + settings.batch_size], schema=list(job.COLUMNS), orient="row")
        .write_csv(include_header=False)
        .encode()
        for at in range(0, total, settings.batch_size)
    ]
    connection = database.connect(settings, application="limit")
    with connection, connection.cursor() as cursor:
        cursor.execute(f"{job.TABLES}; CREATE TABLE bare (LIKE easy_exits)")
    into = f"COPY bare ({', '.join(job.COLUMNS)}) FROM STDIN (FORMAT csv)"
    clock = Clock(connection)
    for text in texts:
        with connection, connection.cursor() as cursor:
            cursor.copy_expert(into, io.BytesIO(text))
    return clock.stop(total)


def sql(settings: Settings, total: int) -> Measurement:
    """The tracker's statements alone: no broker, no decoding, no offsets."""
    handler = SignalTracker(Context(settings, CollectorRegistry()))
    reader = Reader(_MODELS, settings.topic_prefix, handler.prepare)
    batches = [reader.read(messages) for messages in _polls(settings, total)]
    connection = database.connect(settings, application="limit", batches=handler.temporary)
    clock = Clock(connection)
    for batch in batches:
        with connection, connection.cursor() as cursor:
            handler.load(batch, cursor)
            handler.apply(batch, cursor)
    return clock.stop(total)


LIMITS: dict[str, Callable[[Settings, int], Measurement]] = {
    "consume": consume,
    "decode": decode,
    "copy": copy,
    "sql": sql,
}


def main(name: str, total: int) -> None:
    """Measure one limit and print it."""
    measured = LIMITS[name](load_settings(), total)
    sys.stdout.write(json.dumps(measured.numbers()) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

"""The signal_tracker as it ships, beside simpler consumers and its own statements run bare.

Real Kafka, durable Postgres, one consumer each, interleaved runs, start-up
apart. ``as it ships`` matches entries with their exits and keeps every promise
of docs/architecture.md. The two peers get the easier job: exits that carry
their entry price, one row and one sum each, no matching, no fence.
"""

from __future__ import annotations

import json
import os
import random
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psutil
import psycopg2
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from prometheus_client import CollectorRegistry
from psycopg2.extras import execute_values

from benchmarks.harness import result
from services.signal_tracker.handler import SignalTracker
from trackrecord.events import SignalClosed, SignalEmitted
from trackrecord.events.codec import headers
from trackrecord.local.stack import Stack
from trackrecord.runtime import clock, database, kafka
from trackrecord.runtime.batch import Reader
from trackrecord.runtime.migrate import migrate
from trackrecord.runtime.settings import Settings, load_settings
from trackrecord.runtime.stage import Context

SEED = 7
SIGNALS = int(os.environ.get("TRACKRECORD_BENCH_SIGNALS", "100000"))
ROUNDS = int(os.environ.get("TRACKRECORD_BENCH_ROUNDS", "3"))
SLOW_EVENTS = 10_000
"""The commit-per-event peer gets fewer: its rate does not depend on how many."""

_EASY_TABLE = """
CREATE TABLE easy (signal_id text, exit_id text, strategy text, pnl numeric,
                   PRIMARY KEY (signal_id, exit_id));
CREATE TABLE easy_sums (strategy text PRIMARY KEY, pnl numeric NOT NULL, closed bigint NOT NULL)
"""


def run() -> dict[str, Any]:
    """Run all ways in turn."""
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="trackrecord-bench-") as folder:
        state = Stack.up(folder, [], [], end_with_caller=True)
        try:
            base = {
                "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": state.kafka,
                "DATABASE_URL": state.database_url,
            }
            for round_ in range(ROUNDS):
                for way, measure in (
                    ("as it ships", _as_it_ships),
                    ("own statements, bare", _bare),
                    ("pydantic and execute_values", _plain_batches),
                    ("commit per event", _per_event),
                ):
                    sys.stderr.write(f"round {round_ + 1} of {ROUNDS}: {way}\n")
                    with _settings(base) as settings:
                        runs.append({"way": way, **measure(settings)})
        finally:
            Stack.down(folder)
    return result("signal_tracker", SEED, runs, "as it ships", "events_per_second")


@contextmanager
def _settings(base: dict[str, str]) -> Iterator[Settings]:
    name = f"bench{secrets.token_hex(4)}"
    settings = load_settings(
        {**base, "TRACKRECORD_TOPIC_PREFIX": f"{name}.", "TRACKRECORD_DATABASE_SCHEMA": name}
    )
    migrate(settings)
    kafka.ensure_topics(settings)
    yield settings
    connection = psycopg2.connect(settings.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{name}" CASCADE')
    connection.close()


def _events(easy: bool) -> Iterator[tuple[str, str, bytes]]:
    """Topic, key and value of every event: entries, then exits."""
    rng = random.Random(SEED)
    exits = []
    for number in range(SIGNALS):
        symbol, price = f"SYM{number % 500}", Decimal(rng.randint(10_000, 20_000)).scaleb(-2)
        entry = {
            "signal_id": f"bench-signal-{number:012d}",
            "strategy": f"strategy-{number % 40}",
            "symbol": symbol,
            "side": rng.choice(("BUY", "SELL")),
            "price": str(price),
            "quantity": "10",
            "currency": "USD",
            "emitted_at": f"2026-01-05T14:{number % 60:02d}:00Z",
            "timeframe": "1d",
            "fee": "0.15",
        }
        if not easy:
            yield "signal_emitted", symbol, json.dumps(entry).encode()
        exits.append(
            {
                "signal_id": entry["signal_id"],
                "exit_id": "exit",
                "symbol": symbol,
                "strategy": entry["strategy"],
                "price": str(price + Decimal(rng.randint(-500, 500)).scaleb(-2)),
                "quantity": "10",
                "closed_at": f"2026-01-06T14:{number % 60:02d}:00Z",
                "fee": "0.15",
                "reason": "target",
                **({"metadata": None, "entry_price": entry["price"]} if easy else {}),
            }
        )
    for each in exits:
        yield "signal_closed", str(each["symbol"]), json.dumps(each).encode()


def _publish(settings: Settings, easy: bool, most: int | None = None) -> int:
    producer = Producer(
        {
            "bootstrap.servers": settings.kafka_bootstrap_servers,
            "linger.ms": 20,
            "compression.type": "lz4",
            "queue.buffering.max.messages": 1_000_000,
            "partitioner": "murmur2_random",
        }
    )
    sample = SignalEmitted(
        signal_id="a",
        strategy="a",
        symbol="a",
        side="BUY",
        price=Decimal(1),
        emitted_at=clock.now(),
    )
    head = dict(headers(sample, source="/bench", time=clock.now()))
    count = 0
    for topic, key, value in _events(easy):
        head["ce_type"] = f"trackrecord.{topic}.v1".encode()
        producer.produce(settings.topic(topic), value, key, headers=list(head.items()))
        count += 1
        if count % 1000 == 0:
            producer.poll(0)
        if count == most:
            break
    producer.flush()
    return count


def _check(settings: Settings, query: str, expected: int) -> None:
    connection = database.connect(settings, application="bench")
    with connection, connection.cursor() as cursor:
        found = int(database.rows(cursor, query)[0][0])
    connection.close()
    if found != expected:
        raise RuntimeError(f"{found} instead of {expected}: the numbers of this run mean nothing")


def _as_it_ships(settings: Settings) -> dict[str, float]:
    total = _publish(settings, easy=False)
    environ = {
        **os.environ,
        "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "DATABASE_URL": settings.database_url,
        "TRACKRECORD_TOPIC_PREFIX": settings.topic_prefix,
        "TRACKRECORD_DATABASE_SCHEMA": settings.database_schema,
    }
    connection = database.connect(settings, application="bench")
    connection.autocommit = True
    process = subprocess.Popen(
        [sys.executable, "-m", "trackrecord.cli.main", "run", "signal_tracker"],
        env=environ,
        stderr=subprocess.DEVNULL,
    )
    watched = psutil.Process(process.pid)
    started, first, begun, peak, cpu_begun = time.monotonic(), 0, 0.0, 0, 0.0
    done = 0
    try:
        with connection.cursor() as cursor:
            while done < total:
                time.sleep(0.02)
                done = int(
                    database.rows(
                        cursor, "SELECT coalesce(sum(next_offset), 0) FROM consumer_offsets"
                    )[0][0]
                )
                peak = max(peak, watched.memory_info().rss)
                if done and not first:
                    first, begun = done, time.monotonic()
                    cpu_begun = sum(watched.cpu_times()[:2])
        ended = time.monotonic()
        cpu = sum(watched.cpu_times()[:2]) - cpu_begun
    finally:
        process.terminate()
        process.wait()
        connection.close()
    _check(settings, "SELECT sum(closed) FROM strategy_days", SIGNALS)
    return {
        "events_per_second": (total - first) / (ended - begun),
        "cpu_seconds_per_million": cpu / (total - first) * 1e6,
        "peak_mb": peak / 1e6,
        "first_event_seconds": begun - started,
    }


def _timed(count: int, started: float, cpu: float) -> dict[str, float]:
    seconds = time.monotonic() - started
    return {
        "events_per_second": count / seconds,
        "cpu_seconds_per_million": (time.process_time() - cpu) / count * 1e6,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "first_event_seconds": 0.0,
    }


def _bare(settings: Settings) -> dict[str, float]:
    """The statements alone, from batches that are ready: no Kafka, no decoding."""
    stamp = 1_767_600_000_000
    messages = [
        Message(topic=topic, partition=i % 12, offset=i, value=value, timestamp=(2, stamp))
        for i, (topic, _, value) in enumerate(_events(easy=False))
    ]
    reader = Reader((SignalEmitted, SignalClosed))
    size = settings.batch_size
    batches = [reader.read(messages[at : at + size]) for at in range(0, len(messages), size)]
    handler = SignalTracker(Context(settings, CollectorRegistry()))
    connection = database.connect(settings, application="bench")
    started, cpu = time.monotonic(), time.process_time()
    for batch in batches:
        with connection, connection.cursor() as cursor:
            handler.load(batch, cursor)
            handler.apply(batch, cursor)
    timed = _timed(len(messages), started, cpu)
    connection.close()
    _check(settings, "SELECT sum(closed) FROM strategy_days", SIGNALS)
    return timed


@contextmanager
def _easy_consumer(settings: Settings, most: int | None) -> Iterator[tuple[Any, Any, int]]:
    total = _publish(settings, easy=True, most=most)
    connection = database.connect(settings, application="bench")
    with connection, connection.cursor() as cursor:
        cursor.execute(_EASY_TABLE)
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap_servers,
            "group.id": "bench",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.assign([TopicPartition(settings.topic("signal_closed"), p, 0) for p in range(12)])
    try:
        yield consumer, connection, total
    finally:
        consumer.close()
        connection.close()


def _row(message: Message) -> tuple[str, str, str, Decimal]:
    value = message.value() or b""
    event = SignalClosed.model_validate_json(value)
    entry_price = Decimal(json.loads(value)["entry_price"])
    pnl = (event.price - entry_price) * (event.quantity or 0) - (event.fee or 0)
    return event.signal_id, event.exit_id, event.strategy or "", pnl


def _plain_batches(settings: Settings) -> dict[str, float]:
    """consume(1000), pydantic for each event, execute_values, commit."""
    with _easy_consumer(settings, None) as (consumer, connection, total):
        first = consumer.consume(1000, 10)
        started, cpu, done = time.monotonic(), time.process_time(), 0
        while done + len(first) < total:
            messages = consumer.consume(1000, 1)
            if not messages:
                continue
            rows = [_row(message) for message in messages]
            sums: dict[str, list[Any]] = {}
            for _, _, strategy, pnl in rows:
                one = sums.setdefault(strategy, [Decimal(0), 0])
                one[0] += pnl
                one[1] += 1
            with connection, connection.cursor() as cursor:
                execute_values(
                    cursor,
                    "INSERT INTO easy VALUES %s ON CONFLICT DO NOTHING",
                    rows,
                    page_size=1000,
                )
                execute_values(
                    cursor,
                    "INSERT INTO easy_sums VALUES %s ON CONFLICT (strategy) DO UPDATE"
                    " SET pnl = easy_sums.pnl + excluded.pnl,"
                    " closed = easy_sums.closed + excluded.closed",
                    [(strategy, *values) for strategy, values in sorted(sums.items())],
                )
            consumer.commit(asynchronous=True)
            done += len(messages)
        timed = _timed(done, started, cpu)
    _check(settings, "SELECT sum(closed) FROM easy_sums", done)
    return timed


def _per_event(settings: Settings) -> dict[str, float]:
    """Insert and commit each event, as most bots do."""
    with _easy_consumer(settings, SLOW_EVENTS) as (consumer, connection, total):
        first = consumer.poll(10)
        started, cpu, done = time.monotonic(), time.process_time(), 0
        while done + (first is not None) < total:
            message = consumer.poll(1)
            if message is None:
                continue
            signal_id, exit_id, strategy, pnl = _row(message)
            with connection, connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO easy VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                    (signal_id, exit_id, strategy, pnl),
                )
                cursor.execute(
                    "INSERT INTO easy_sums VALUES (%s, %s, 1) ON CONFLICT (strategy) DO UPDATE"
                    " SET pnl = easy_sums.pnl + excluded.pnl, closed = easy_sums.closed + 1",
                    (strategy, pnl),
                )
            done += 1
        timed = _timed(done, started, cpu)
    _check(settings, "SELECT sum(closed) FROM easy_sums", done)
    return timed

"""How many script outputs a second the extractor reads: as a stage, and the rules alone.

The stage runs on a real broker and a durable database. ``script_executed`` events are published
beforehand; then ``trackrecord run extractor`` starts from the beginning, in a schema of its own.
Time is measured from its first commit until everything is committed and every event that it
published is acknowledged by the broker and gone from its outbox. The published events are counted
on the topic and compared with its tables.

The texts have about 600 characters and are printed in eight ways. Their numbers, times, symbols
and remarks differ from run to run, like those of a script that runs every day.

For a small run: ``python -m benchmarks.extractor --outputs 20000 --rounds 1 --output FOLDER``.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from benchmarks.harness import RESULTS, result, show
from benchmarks.outputs import events
from benchmarks.pipeline.common import (
    Process,
    Servers,
    connect,
    environment,
    make_topics,
    packing_producer,
    say,
    servers,
    tracker_space,
)
from benchmarks.pipeline.measure import watch
from trackrecord.events.codec import headers
from trackrecord.extraction import COMPILED, EXTRACTOR_VERSION, extract
from trackrecord.runtime.settings import Settings

SEED = 7
OUTPUTS = 100_000
ROUNDS = 3
OURS, READING = "extractor", "extraction only"
TARGET = 5000.0
"""Outputs that a CPU second of the process has to suffice for, publishing included."""

_FLUSH_SECONDS = 120.0
_READING_SECONDS = 600.0

WAYS = {
    OURS: "`trackrecord run extractor`: decoded, read, in its tables, its signals acknowledged",
    READING: "the texts alone, each once, in a process of its own; no broker, no database",
}


def publish(at: Servers, prefix: str, count: int, seed: int) -> float:
    """Publish what there is to read, and wait until the broker has it.

    Returns:
        Mean size of a value in bytes.

    Raises:
        RuntimeError: The broker did not take everything.
    """
    producer = packing_producer(at)
    size = 0
    for number, event in enumerate(events(count, seed)):
        value = event.to_json()
        size += len(value)
        said: list[tuple[str, str | bytes | None]] = list(
            headers(event, source="/bench", time=event.finished_at)
        )
        while True:
            try:
                producer.produce(
                    f"{prefix}{event.event_type}", value, event.key.encode(), headers=said
                )
            except BufferError:
                producer.poll(0.1)
            else:
                break
        if number % 1000 == 0:
            producer.poll(0)
    if producer.flush(_FLUSH_SECONDS):
        raise RuntimeError(f"the broker took not all within {_FLUSH_SECONDS:.0f} s")
    return size / count


def as_it_ships(at: Servers, prefix: str, count: int) -> dict[str, float]:
    """Run the stage until all is committed and published.

    Raises:
        RuntimeError: It ended, stood still, or published something else than its tables say.
    """
    # The last output counts when nothing is left in the outbox.
    done = (
        "SELECT least(coalesce(sum(next_offset), 0),"
        f" {count} - CASE WHEN EXISTS (SELECT FROM outbox) THEN 1 ELSE 0 END)"
        " FROM consumer_offsets"
    )
    before = _published(at, prefix)
    with tracker_space(at, prefix) as settings:
        arguments = ["-m", "trackrecord.cli.main", "run", OURS]
        with Process(arguments, environment(settings)) as process:
            measured = watch(
                settings.database_url, settings.database_schema, [process], done, count
            )
        published = _published(at, prefix) - before
        _check(settings, count, published)
    return _numbers(
        measured.events_per_second,
        measured.cpu_seconds_per_million / 1000,
        measured.postgres_cpu_seconds_per_million / 1000,
        measured.peak_mb,
        published / count,
    )


def _published(at: Servers, prefix: str) -> int:
    """How many events lie on the topics that the stage publishes to."""
    consumer = Consumer({"bootstrap.servers": at.broker, "group.id": f"{prefix}count"})
    total = 0
    for topic in (f"{prefix}signal_emitted", f"{prefix}signal_closed"):
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        for partition in partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
            total += high - low
    consumer.close()
    return total


def _check(settings: Settings, count: int, published: int) -> None:
    connection = connect(settings.database_url, settings.database_schema)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM executions),"
            " (SELECT count(*) FROM recommendations WHERE signal_id IS NOT NULL)"
        )
        [(recorded, signals)] = cursor.fetchall()
    connection.close()
    if recorded != count or signals != published:
        raise RuntimeError(
            f"{recorded} of {count} runs are recorded, and {published} events were published "
            f"for {signals} signals"
        )


def reading(count: int, seed: int) -> dict[str, float]:
    """Read the texts in a process of its own, each once.

    Raises:
        RuntimeError: It failed.
    """
    with Process(
        ["-m", "benchmarks.extractor", "--read", str(count), "--seed", str(seed)], {}
    ) as own:
        said: dict[str, float] = json.loads(own.wait(_READING_SECONDS).splitlines()[-1])
    return said


def _read(count: int, seed: int) -> dict[str, float]:
    texts = [event.output for event in events(count, seed)]
    extract("Signal: BUY")  # the rules are compiled once a process
    started, cpu = time.perf_counter(), time.process_time()
    found = sum(len(extract(each).recommendations) for each in texts)
    used, took = time.process_time() - cpu, time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return _numbers(count / took, used / count * 1000, 0.0, peak, found / count)


def _numbers(
    rate: float, cpu: float, postgres: float, peak_mb: float, published: float
) -> dict[str, float]:
    return {
        "outputs_per_second": rate,
        "outputs_per_cpu_second": 1000 / cpu,
        "cpu_seconds_per_thousand": cpu,
        "postgres_cpu_seconds_per_thousand": postgres,
        "peak_mb": peak_mb,
        "events_per_output": published,
    }


def run(outputs: int = OUTPUTS, rounds: int = ROUNDS, seed: int = SEED) -> dict[str, Any]:
    """Run both ways in turn.

    Args:
        outputs: How many outputs each reads.
        rounds: How often.
        seed: Of the texts.

    Returns:
        The result file's content; ratios compare outputs a CPU second of the process.
    """
    runs: list[dict[str, Any]] = []
    with servers() as at:
        prefix = make_topics(at)
        say(f"publishing {outputs:,} outputs")
        size = publish(at, prefix, outputs, seed)
        for round_ in range(rounds):
            for way in WAYS:
                say(f"round {round_ + 1} of {rounds}: {way}")
                numbers = (
                    as_it_ships(at, prefix, outputs) if way == OURS else reading(outputs, seed)
                )
                say(f"  {numbers['outputs_per_cpu_second']:,.0f} outputs a CPU second")
                runs.append({"way": way, **numbers})
    outcome = result("extractor", seed, runs, OURS, "outputs_per_cpu_second")
    outcome["versions"]["extractor"] = EXTRACTOR_VERSION
    value = outcome["median"][OURS]["outputs_per_cpu_second"]
    return outcome | {
        "clock": "from the first commit seen to the last event acknowledged, seen every 20 ms",
        "compiled": COMPILED,
        "outputs": outputs,
        "bytes_per_event": round(size, 1),
        "ways": WAYS,
        "targets": {
            "outputs_per_cpu_second": {"target": TARGET, "value": value, "met": value >= TARGET}
        },
    }


def main() -> None:
    """Measure as the arguments say, and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extractor", description=__doc__)
    parser.add_argument("--outputs", type=int, default=OUTPUTS, help="how many outputs are read")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="runs of each way")
    parser.add_argument("--seed", type=int, default=SEED, help="of the texts")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for the result")
    parser.add_argument("--read", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read is not None:
        sys.stdout.write(json.dumps(_read(options.read, options.seed)) + "\n")
        return
    show("extractor", run(options.outputs, options.rounds, options.seed), options.output)


if __name__ == "__main__":
    main()

"""Where the tracker's time goes: processor time of each step and statement, for each event.

The steps of the process are timed on its own thread, the statements by the processor time of
the database's backend (``/proc/PID/schedstat``), which neighbours on a shared machine disturb
less than wall-clock time. Entries and exits are measured separately, in batches of the default
size.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from confluent_kafka import Consumer, Message, TopicPartition
from prometheus_client import CollectorRegistry

from benchmarks.harness import machine, versions
from benchmarks.pipeline import events
from benchmarks.pipeline.common import Options, Servers, make_topics, say, servers, tracker_space
from services.signal_tracker.handler import SignalTracker
from trackrecord.events import Event, SignalClosed, SignalEmitted
from trackrecord.runtime import database, kafka
from trackrecord.runtime.decoding.batch import Batch, Reader
from trackrecord.runtime.decoding.decoder import headers_of
from trackrecord.runtime.process.memory_and_threads import collect_rarely
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context

SIGNALS = 100_000
_MODELS = (SignalEmitted, SignalClosed)
_KINDS: dict[type[Event], str] = {SignalEmitted: "entries", SignalClosed: "exits"}
_MICRO = 1e6


def run(options: Options | None = None, at: Servers | None = None) -> dict[str, Any]:
    """Profile each round.

    Args:
        options: How often, and how much.
        at: Servers that run already; a stack of its own by default.
    """
    options = options or Options()
    signals = 2_000 if options.quick else SIGNALS
    runs: list[dict[str, Any]] = []
    with ExitStack() as stack:
        at = at or stack.enter_context(servers())
        prefix = make_topics(at)
        say(f"publishing {2 * signals:,} events")
        events.publish_matched(at.broker, prefix, lambda: events.signals(signals, options.seed))
        collect_rarely()  # as a stage does
        for number in range(options.rounds):
            say(f"round {number + 1} of {options.rounds}")
            with tracker_space(at, prefix) as settings:
                runs.extend(_round(settings, signals))
    ways = sorted({run["way"] for run in runs})
    return {
        "name": "profile",
        "machine": machine(),
        "versions": versions(),
        "seed": options.seed,
        "runs": runs,
        "median": {
            way: {
                "microseconds_per_event": median(
                    run["microseconds_per_event"] for run in runs if run["way"] == way
                )
            }
            for way in ways
        },
        "ratios": {},
    }


def _round(settings: Settings, signals: int) -> Iterator[dict[str, Any]]:
    reader = Reader(_MODELS, settings.topic_prefix)
    handler = SignalTracker(Context(settings, CollectorRegistry()))
    spent: dict[str, float] = defaultdict(float)
    planned: dict[str, str] = {}
    with closing(
        database.connect(settings, application="profile", batches=handler.temporary)
    ) as connection:
        for model, kind in _KINDS.items():
            for messages in _polls(settings, model.event_type, signals, spent, kind):
                _timed(spent, f"{kind}: process: headers", partial(_headers, messages))
                batch = _timed(
                    spent, f"{kind}: process: decode and check", partial(reader.read, messages)
                )
                prepared = _timed(
                    spent, f"{kind}: process: prepare", partial(handler.prepare, batch)
                )
                batch = replace(batch, prepared=prepared)
                _apply(connection, handler, batch, _Spent(spent, kind, planned))
    for way, seconds in spent.items():
        yield {"way": way, "microseconds_per_event": seconds / signals * _MICRO}


class _Spent(NamedTuple):
    """Seconds by way, of what kind of event, and what the session's plans are for."""

    seconds: dict[str, float]
    kind: str
    planned: dict[str, str]


def _headers(messages: Sequence[Message]) -> list[Any]:
    return [headers_of(message) for message in messages]


def _timed(spent: dict[str, float], way: str, work: Callable[[], Any]) -> Any:
    begun = time.thread_time()
    result = work()
    spent[way] += time.thread_time() - begun
    return result


def _polls(
    settings: Settings, event_type: str, total: int, spent: dict[str, float], kind: str
) -> Iterator[Sequence[Message]]:
    config = kafka.consumer_config(settings, "profile")
    consumer = Consumer({**config, "group.id": settings.database_schema})
    topic = settings.topic(event_type)
    consumer.assign([TopicPartition(topic, p, 0) for p in range(settings.topic_partitions)])
    done = 0
    try:
        while done < total:
            messages = _timed(
                spent,
                f"{kind}: process: poll",
                lambda: consumer.consume(settings.batch_size, 1.0),
            )
            done += len(messages)
            if messages:
                yield messages
    finally:
        consumer.close()


def _apply(
    connection: database.Connection,
    handler: SignalTracker,
    batch: Batch,
    noted: _Spent,
) -> None:
    spent, kind, _ = noted
    pid = connection.info.backend_pid
    begun = time.thread_time()
    with connection.cursor() as cursor:
        watched: Any = _Watched(cursor, pid, noted)
        handler.load(batch, watched)
        handler.apply(batch, watched)
        before = _backend_seconds(pid)
        connection.commit()
        spent[f"{kind}: database: COMMIT"] += _backend_seconds(pid) - before
    spent[f"{kind}: process: write and wait"] += time.thread_time() - begun


def _backend_seconds(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


class _Watched:
    """A cursor that notes what each statement costs the backend."""

    def __init__(self, cursor: database.Cursor, pid: int, noted: _Spent) -> None:
        self._cursor = cursor
        self._pid = pid
        self._spent, self._kind, self._planned = noted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def execute(self, query: str, *arguments: Any) -> None:
        self._note(query, lambda: self._cursor.execute(query, *arguments))

    def copy_expert(self, query: str, source: Any, size: int) -> None:
        self._note(query, lambda: self._cursor.copy_expert(query, source, size))

    def _note(self, query: str, work: Callable[[], Any]) -> None:
        before = _backend_seconds(self._pid)
        work()
        words = query.replace("(", " ").split()
        if words[0] == "PREPARE":
            self._planned[words[1]] = _named(words[3:])
        name = self._planned[words[1]] if words[0] == "EXECUTE" else _named(words)
        way = f"{self._kind}: database: {name}"
        self._spent[way] += _backend_seconds(self._pid) - before


def _named(words: list[str]) -> str:
    """INSERT INTO x, COPY x, UPDATE x, SELECT n.position …, WITH x: the start of a statement."""
    return " ".join(words[: 3 if words[0] in {"INSERT", "CREATE", "DELETE"} else 2])

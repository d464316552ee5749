"""How long from asking for a strategy over Kafka until its answer is on the topic.

strategy_gen as it ships, as a process, with a Kafka and a Postgres of its own. A request is sent,
and the time runs until a consumer has the answer; then the next one is sent. The sentences are
those of the templates, in turn, by the rules at hand: read, written as code, validated in the
sandbox, kept with their log and version, told. ``judged``: with the demo's five symbols, whose
daily bars are in the database, so that each is backtested as well. ``at a pace``: one every half
second, whether or not the one before is answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import date
from typing import Any, Final
from uuid import uuid4

import numpy as np
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.harness import result
from benchmarks.pipeline.common import (
    Options,
    Process,
    Servers,
    connect,
    environment,
    make_topics,
    say,
    servers,
    tracker_space,
)
from trackrecord.catalogue.templates import TEMPLATES
from trackrecord.events import StrategyGenerated, StrategyRequested
from trackrecord.events.codec import encode
from trackrecord.local.demo_data import daily_bars
from trackrecord.runtime.settings import Settings

REQUESTS: Final = 140
"""Ten of each template, in each way."""
PACE_SECONDS: Final = 0.5
TARGET_MS: Final = 500.0
SYMBOLS: Final = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
ALONE, JUDGED, PACED = "one at a time", "one at a time, judged", "at a pace"
_PATIENCE_SECONDS: Final = 60.0
_WARM_UP: Final = 5


def run(options: Options | None = None, at: Servers | None = None) -> dict[str, Any]:
    """Measure each way.

    Args:
        options: How often.
        at: Servers that run already; a stack of its own by default.

    Raises:
        RuntimeError: The stage has ended, or an answer does not come.
    """
    options = options or Options()
    count = len(TEMPLATES) if options.quick else REQUESTS
    runs: list[dict[str, Any]] = []
    with ExitStack() as stack:
        at = at or stack.enter_context(servers())
        for number in range(options.rounds):
            settings = stack.enter_context(tracker_space(at, make_topics(at)))
            _fill(settings)
            with _stage(settings) as ask:
                for way, each in ((ALONE, _alone), (JUDGED, _judged), (PACED, _paced)):
                    seconds = each(ask, count)
                    runs.append({"way": way, **_numbers(seconds)})
                    say(f"round {number + 1} of {options.rounds}, {way}: {runs[-1]}")
    outcome = result("strategy_requests", options.seed, runs, ALONE, "p95_ms", more_is_better=False)
    return outcome | {
        "targets": {
            f"p95_ms, {way}": {
                "target": TARGET_MS,
                "value": outcome["median"][way]["p95_ms"],
                "met": outcome["median"][way]["p95_ms"] < TARGET_MS,
            }
            for way in (ALONE, JUDGED, PACED)
        }
    }


def _numbers(seconds: Sequence[float]) -> dict[str, float]:
    found = np.array(seconds) * 1_000
    return {
        "p50_ms": float(np.percentile(found, 50)),
        "p95_ms": float(np.percentile(found, 95)),
        "max_ms": float(found.max()),
    }


class _Asker:
    """Sends requests, and hears their answers."""

    def __init__(self, settings: Settings, process: Process) -> None:
        self._process = process
        self._topic = settings.topic(StrategyRequested.event_type)
        self._producer = Producer(
            {"bootstrap.servers": settings.kafka_bootstrap_servers, "linger.ms": 0}
        )
        self._consumer = Consumer(
            {
                "bootstrap.servers": settings.kafka_bootstrap_servers,
                "group.id": f"bench-{uuid4()}",
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 10,
            }
        )
        answers = settings.topic(StrategyGenerated.event_type)
        partitions = self._consumer.list_topics(answers, timeout=10).topics[answers].partitions
        # From the beginning, where there is nothing yet.
        self._consumer.assign([TopicPartition(answers, number, 0) for number in partitions])
        self._sent: dict[str, float] = {}
        self.answered: dict[str, float] = {}

    def send(self, number: int, symbols: Sequence[str] = ()) -> str:
        """Ask for one; returns its id."""
        template = list(TEMPLATES.values())[number % len(TEMPLATES)]
        request = StrategyRequested(
            request_id=str(uuid4()), owner=f"owner-{number % 7}", prompt=template.sentence,
            provider="offline", symbols=list(symbols),
        )  # fmt: skip
        self._sent[request.request_id] = time.perf_counter()
        self._producer.produce(self._topic, encode(request), request.key.encode())
        self._producer.poll(0)
        return request.request_id

    def hear(self, seconds: float) -> None:
        """Take in one answer, or none within so many seconds."""
        message = self._consumer.poll(seconds)
        if message is None or message.error() is not None:
            return
        told = StrategyGenerated.model_validate_json(message.value() or b"")
        if told.status != "validated":
            raise RuntimeError(f"{told.prompt!r} is {told.status}: {told.problems}")
        self.answered[told.request_id] = time.perf_counter() - self._sent[told.request_id]

    def wait_for(self, ids: Sequence[str]) -> list[float]:
        """Until all of these are answered; the seconds of each."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while not all(each in self.answered for each in ids):
            if time.monotonic() > until or not self._process.running:
                raise RuntimeError(f"no answer:\n{self._process.said()}")
            self.hear(0.05)
        return [self.answered[each] for each in ids]

    def close(self) -> None:
        """Leave."""
        self._consumer.close()


_Way = Callable[[_Asker, int], list[float]]


def _alone(ask: _Asker, count: int) -> list[float]:
    return [ask.wait_for([ask.send(number)])[0] for number in range(count)]


def _judged(ask: _Asker, count: int) -> list[float]:
    return [ask.wait_for([ask.send(number, SYMBOLS)])[0] for number in range(count)]


def _paced(ask: _Asker, count: int) -> list[float]:
    ids: list[str] = []
    began = time.monotonic()
    for number in range(count):
        while (left := began + number * PACE_SECONDS - time.monotonic()) > 0:
            ask.hear(min(left, 0.05))
        ids.append(ask.send(number))
    return ask.wait_for(ids)


@contextmanager
def _stage(settings: Settings) -> Iterator[_Asker]:
    """The stage as it ships, warm."""
    arguments = ["-m", "trackrecord.cli.main", "run", "strategy_gen"]
    with Process(arguments, environment(settings)) as process:
        asker = _Asker(settings, process)
        with closing(asker):
            for number in range(_WARM_UP):
                asker.wait_for([asker.send(number)])
            yield asker


def _fill(settings: Settings) -> None:
    """The demo's daily bars, as the stage that scores signals stores them."""
    with closing(connect(settings.database_url, settings.database_schema)) as connection:
        connection.autocommit = False
        with connection, connection.cursor() as cursor:
            for bar in daily_bars(date(2000, 1, 1), date(2013, 12, 31)):
                cursor.execute(
                    "INSERT INTO bars (symbol, timeframe, opened_at, source, closed_at, open, high,"
                    " low, close, volume, revision, appended_at)"
                    " VALUES (%s, '1d', %s, %s, %s, %s, %s, %s, %s, %s, 0, now())",
                    (
                        bar.symbol, bar.opened_at, bar.source, bar.closed_at, bar.open, bar.high,
                        bar.low, bar.close, bar.volume,
                    ),
                )  # fmt: skip
            cursor.execute(
                "INSERT INTO watched_symbols (symbol, timeframe, version, last_opened_at)"
                " SELECT symbol, timeframe, 1, max(opened_at) FROM bars GROUP BY 1, 2"
            )

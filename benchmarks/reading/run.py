"""How the HTTP API answers on a long history, alone and while the tracker takes new events.

The history: 10 million closed signals of 1,000 strategies of very unequal size (ten hold half of
it), over five years, with outcomes and assessments, and scripts, models and dead letters
beside. Fifty requests a second, of a mix that favours
what pages ask most; a route's latency counts from when its request was due. Measured beside: what a
request costs the processors, how old judged numbers get while strategies move, how many
events one process takes in, and how soon a stream tells of a change.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from benchmarks.harness import result
from benchmarks.pipeline import events, history
from benchmarks.pipeline.common import (
    Options,
    Process,
    Servers,
    connect,
    make_topics,
    say,
    servers,
    settle,
    tracker,
    tracker_space,
)
from benchmarks.pipeline.measure import cpu_seconds, peak_bytes, sessions
from benchmarks.reading import judged
from benchmarks.reading.load import Answers, Mix, ask
from benchmarks.reading.place import Place, serving

SIGNALS = 10_000_000
SPREAD = history.Spread(strategies=1_000, days=1_820, unequal=True)
RATE = 50
SECONDS = 40.0
WRITTEN = 2_000
"""Events a second that the tracker takes meanwhile."""

P95_MS, CPU_MS, BEHIND_SECONDS, INGEST, STREAM_SECONDS, PEAK_MB = (
    100.0,
    10.0,
    15.0,
    15_000,
    1.0,
    250.0,
)

ALONE, BESIDE = "alone", f"while the tracker takes {WRITTEN:,} events/s"
GUARDED = "alone, where users log in"


def mix_of(spread: history.Spread, ids: list[str]) -> Mix:
    """What is asked for, in a hundred requests."""
    digits = len(str(spread.strategies - 1))

    def strategy(rng: random.Random) -> str:
        # Half of all questions are about the ten that have half of all signals.
        number = rng.randrange(10) if rng.random() < 0.5 else rng.randrange(spread.strategies)  # noqa: PLR2004
        return f"strategy-{number:0{digits}d}"

    def script(rng: random.Random) -> str:
        return f"script-{rng.randrange(judged.SCRIPTS):03d}.py"

    one, version = "/api/v1/strategies", judged.VERSION
    return {
        "strategies": (8, lambda _: f"{one}?limit=50"),
        "strategies with lines": (6, lambda _: f"{one}?limit=50&line=true"),
        "leaderboard": (8, lambda _: "/api/v1/leaderboard?limit=50"),
        "strategy": (14, lambda rng: f"{one}/{strategy(rng)}"),
        "days": (8, lambda rng: f"{one}/{strategy(rng)}/days?from=2024-06-01"),
        "months": (6, lambda rng: f"{one}/{strategy(rng)}/months"),
        "signals": (8, lambda _: "/api/v1/signals?limit=50"),
        "signals of one": (10, lambda rng: f"/api/v1/signals?limit=50&strategy={strategy(rng)}"),
        "signal": (8, lambda rng: f"/api/v1/signals/{rng.choice(ids)}"),
        "compare": (3, lambda rng: f"/api/v1/compare?s={strategy(rng)}&s={strategy(rng)}"),
        "scripts": (3, lambda _: "/api/v1/scripts?limit=50"),
        "script": (3, lambda rng: f"/api/v1/scripts/{script(rng)}"),
        "script analytics": (3, lambda rng: f"/api/investor/script_analytics/{script(rng)}"),
        "outcomes": (2, lambda _: "/api/v1/outcomes"),
        "models": (1, lambda _: "/api/v1/models"),
        "training log": (1, lambda _: "/api/v1/models/training-log"),
        "calibration": (2, lambda _: f"/api/v1/models/{version}/calibration"),
        "ml-performance": (2, lambda _: "/api/ml-performance"),
        "dead letters": (2, lambda _: "/api/v1/dead-letters"),
        "status": (2, lambda _: "/api/v1/status"),
    }


def run(
    options: Options | None = None, at: Servers | None = None, *, signals: int = SIGNALS
) -> dict[str, Any]:
    """Measure all of it.

    Args:
        options: How often.
        at: Servers that run already; a stack of its own by default.
        signals: How many are on record.

    Raises:
        RuntimeError: A process failed, or an answer was none.
    """
    options = options or Options()
    size, spread, seconds = (
        (20_000, history.Spread(40, 100, unequal=True), 4.0)
        if options.quick
        else (signals, SPREAD, SECONDS)
    )
    runs: list[dict[str, Any]] = []
    with ExitStack() as stack:
        at = at or stack.enter_context(servers())
        settings = stack.enter_context(tracker_space(at, make_topics(at)))
        url, schema = settings.database_url, settings.database_schema
        history.load(url, schema, size, random_ids=False, spread=spread)
        ids = judged.add(settings)
        settle(url)
        began = time.monotonic()
        place = stack.enter_context(serving(settings))
        place.wait_for("/api/v1/leaderboard?limit=1")
        place.get(f"/api/v1/models/{judged.VERSION}/calibration")
        first = time.monotonic() - began
        say(f"  judged numbers of all after {first:.1f} s")
        mix = mix_of(spread, ids)
        ask(place, mix, RATE, seconds / 4, options.seed)
        for number in range(options.rounds):
            say(f"round {number + 1} of {options.rounds}")
            seed = options.seed + number
            runs.append({"way": ALONE, **_alone(place, mix, seconds, seed)})
            runs.append({"way": BESIDE, **_beside(place, mix, seconds, seed, spread.strategies)})
        rates = [_ingest(place, options) for _ in range(options.rounds)]
        place = stack.enter_context(serving(settings, guarded=True))
        place.wait_for("/api/v1/leaderboard?limit=1")
        say("where users log in")
        ask(place, mix, RATE, seconds / 4, options.seed)
        for number in range(options.rounds):
            numbers = _alone(place, mix, seconds, options.seed + number)
            runs.append({"way": GUARDED, **numbers})
        with_key = [_ingest(place, options) for _ in range(options.rounds)]
    outcome = result("reading", options.seed, runs, BESIDE, "p95_ms", more_is_better=False)
    outcome["history"] = {"signals": size, "strategies": spread.strategies, "days": spread.days}
    outcome["mix"] = {name: share for name, (share, _) in mix.items()}
    outcome["first_judged_seconds"] = round(first, 1)
    outcome["ingest_per_second"] = rates
    outcome["ingest_per_second_with_a_key"] = with_key
    return outcome | {"targets": _targets(outcome)}


def _targets(outcome: dict[str, Any]) -> dict[str, Any]:
    alone, beside = outcome["median"][ALONE], outcome["median"][BESIDE]
    rates = sorted(outcome["ingest_per_second"])
    at_most = {
        "p95 of the slowest route, ms": (P95_MS, beside["slowest_p95_ms"]),
        "CPU of a request on both sides, ms": (CPU_MS, alone["cpu_ms"]),
        "age of judged numbers, s": (BEHIND_SECONDS, beside["oldest_judged_seconds"]),
        "a change in a stream, s": (STREAM_SECONDS, beside["stream_seconds"]),
        "peak of the process, MB": (PEAK_MB, beside["peak_mb"]),
    }
    targets = {
        name: {"target": target, "value": round(value, 2), "met": value <= target}
        for name, (target, value) in at_most.items()
    }
    rate = rates[len(rates) // 2]
    targets["events taken in a second"] = {"target": INGEST, "value": rate, "met": rate >= INGEST}
    return targets


def _alone(place: Place, mix: Mix, seconds: float, seed: int) -> dict[str, float]:
    connection = connect(place.settings.database_url, place.settings.database_schema)
    with connection.cursor() as cursor:
        pids = [place.process.pid, *sessions(cursor)]
        before = cpu_seconds(pids)
        answers = ask(place, mix, RATE, seconds, seed)
        spent = cpu_seconds(pids) - before
    connection.close()
    numbers = _numbers(place, answers)
    return numbers | {
        "cpu_ms": 1000 * spent / answers.count(),
        "oldest_judged_seconds": 0.0,
        "stream_seconds": 0.0,
    }


def _beside(place: Place, mix: Mix, seconds: float, seed: int, strategies: int) -> dict[str, float]:
    settings = place.settings
    ages: list[float] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(1.0):
            found = place.get("/api/v1/leaderboard?limit=1")["judged_as_of"]
            ages.append((datetime.now(UTC) - datetime.fromisoformat(found)).total_seconds())

    with tracker(settings) as process:
        total = int(WRITTEN * (seconds + 10)) // 2 * 2
        environ = {
            "BENCH_BROKER": settings.kafka_bootstrap_servers,
            "BENCH_PREFIX": settings.topic_prefix,
        }
        sending = [str(each) for each in (WRITTEN, total, seed, 5, strategies)]
        with Process(["-m", "benchmarks.pipeline.steady", *sending], environ) as sender:
            time.sleep(8)  # it prepares what it sends
            watcher = threading.Thread(target=watch)
            watcher.start()
            try:
                answers = ask(place, mix, RATE, seconds, seed)
            finally:
                done.set()
                watcher.join()
            sender.wait(60 + total / WRITTEN)
        if not process.running:
            raise RuntimeError(f"the tracker ended:\n{process.said()}")
        told = _stream(place)
    return _numbers(place, answers) | {
        "cpu_ms": 0.0,
        "oldest_judged_seconds": max(ages),
        "stream_seconds": told,
    }


def _numbers(place: Place, answers: Answers) -> dict[str, float]:
    if answers.failures:
        raise RuntimeError(f"{len(answers.failures)} failed, such as {answers.failures[:3]}")
    by_route = {name: answers.percentile(95, [name]) for name in sorted(answers.seconds)}
    for name, taken in sorted(by_route.items(), key=lambda item: -item[1]):
        say(f"  {name}: p95 {taken:.1f} ms")
    return {
        "p50_ms": answers.percentile(50),
        "p95_ms": answers.percentile(95),
        "slowest_p95_ms": max(by_route.values()),
        "requests": float(answers.count()),
        "peak_mb": peak_bytes([place.process.pid]) / 1e6,
    }


def _stream(place: Place) -> float:
    """Seconds from an event that was acknowledged to the stream that tells of its effect."""
    connection = http.client.HTTPConnection(place.address, timeout=30)
    connection.request("GET", "/api/v1/stream")
    answer = connection.getresponse()
    _until_event(answer, "here")
    [signal] = events.signals(1, seed=int(time.time()))
    began = time.monotonic()
    _post(place, events.entry_value(signal))
    _until_event(answer, "change")
    took = time.monotonic() - began
    connection.close()
    return took


def _until_event(answer: http.client.HTTPResponse, name: str) -> None:
    while line := answer.readline():
        if line.strip() == f"event: {name}".encode():
            return
    raise RuntimeError("the stream has ended")


def _post(place: Place, body: bytes, kind: str = "application/json") -> None:
    connection = http.client.HTTPConnection(place.address, timeout=60)
    headers = {"content-type": kind, **place.headers}
    connection.request("POST", "/api/v1/events/signal_emitted", body, headers=headers)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    if answer.status != 202:  # noqa: PLR2004 - taken
        raise RuntimeError(f"{answer.status}: {said[:300]!r}")


def _ingest(place: Place, options: Options) -> float:
    """Events a second that were acknowledged, in batches of 2,000 by two clients."""
    count = 4_000 if options.quick else 80_000
    values = [events.entry_value(each) for each in events.signals(count, seed=time.time_ns())]
    batches = [b"\n".join(values[i : i + 2_000]) for i in range(0, count, 2_000)]
    began = time.monotonic()

    def send(mine: list[bytes]) -> None:
        for batch in mine:
            _post(place, batch, "application/x-ndjson")

    clients = [threading.Thread(target=send, args=(batches[n::2],)) for n in range(2)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    rate = count / (time.monotonic() - began)
    say(f"  {rate:,.0f} events/s taken in")
    return rate

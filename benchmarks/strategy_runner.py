"""What the strategy_runner takes: many strategies of rules and of code; how soon a signal is out.

The stage as it ships, on a real broker and a durable database. Strategies are looked back on 300
daily bars; then sessions of 50 bars are published while it runs.

``rules``: 500 strategies of rules on all 50 symbols, 25,000 decisions a session; ``code``: 10 of
code, each decision a fresh call in the sandbox; ``mixed``: 450 of rules and 50 of code. Decisions
per second are by the processor's time, of the stage and of its workers, from the first session's
commit to the last one's; the wall's time of one session says whether it is done within the bars'
interval. ``latency``: 50 active strategies (45 rules, 5 of code) and a bar every 100 ms; the time
is from before the bar is sent until its signal has been read from the topic.

For a small run: ``python -m benchmarks.strategy_runner --sessions 3 --bars 100``.
"""

from __future__ import annotations

import argparse
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

import numpy as np
import psutil
from confluent_kafka import Consumer, Producer

from benchmarks.harness import result
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
from trackrecord.events import MarketBar
from trackrecord.events.codec import headers
from trackrecord.runtime.settings import Settings
from trackrecord.strategies.rules.as_json import to_json
from trackrecord.strategies.rules.canonical import finished
from trackrecord.strategies.rules.code import code
from trackrecord.strategies.rules.model import (
    Ago,
    Always,
    And,
    Apart,
    Compare,
    Condition,
    Cross,
    Field,
    Indicator,
    Number,
    Percent,
    Ranges,
    Rule,
)

SEED: Final = 23
SYMBOLS: Final = 50
BEFORE: Final = 300
SESSIONS: Final = 12
BARS: Final = 600
ROUNDS: Final = 3
LEAST_RULES: Final = 20_000.0
LEAST_CODE: Final = 250.0
MOST_LATENCY: Final = 500.0

_FIRST: Final = datetime(2020, 1, 1, tzinfo=UTC)
_CLOSE: Final = Field("close")
_PATIENCE: Final = 300.0
_EVERY_SECONDS: Final = 0.1
_WARM_UP: Final = 100
"""Bars that are sent before any is counted: the first ones read, start workers and import."""
_READ: Final = "SELECT coalesce(sum(next_offset), 0) FROM consumer_offsets"


def rules(count: int, seed: int) -> list[Rule]:
    """Rules of the usual kinds, with periods and levels drawn; about a third hold at any time."""
    rng = random.Random(seed)

    def sma(days: int) -> Indicator:
        return Indicator("sma", (days,), _CLOSE)

    def cross() -> Rule:
        fast, slow = rng.randint(5, 30), rng.randint(31, 120)
        return Rule(
            entry=Cross(sma(fast), "above", sma(slow)),
            exit=Cross(sma(fast), "below", sma(slow)),
            stop=Percent(float(rng.randint(3, 12))),
        )

    def rsi() -> Rule:
        strength = Indicator("rsi", (rng.randint(5, 21),), _CLOSE)
        return Rule(
            entry=And(
                (
                    Compare(strength, "<", Number(float(rng.randint(25, 40)))),
                    Compare(_CLOSE, ">", sma(rng.randint(50, 200))),
                )
            ),
            exit=Compare(strength, ">", Number(float(rng.randint(55, 75)))),
            horizon_bars=rng.randint(5, 30),
        )

    def bands() -> Rule:
        days, width = rng.randint(10, 40), float(rng.choice((1.5, 2.0, 2.5)))
        return Rule(
            entry=Compare(_CLOSE, "<", Indicator("bollinger_lower", (days, width), _CLOSE)),
            exit=Compare(_CLOSE, ">=", sma(days)),
            stop=Ranges(float(rng.choice((2, 3))), 14),
        )

    def channel() -> Rule:
        days = rng.randint(10, 55)
        return Rule(
            entry=Compare(_CLOSE, ">", _before(Indicator("highest", (days,), Field("high")))),
            short_entry=Compare(_CLOSE, "<", _before(Indicator("lowest", (days,), Field("low")))),
            stop=Ranges(2.0, 14),
        )

    def trend() -> Rule:
        above: Condition = Cross(
            Indicator("macd", (12, 26), _CLOSE),
            "above",
            Indicator("macd_signal", (12, 26, 9), _CLOSE),
        )
        return Rule(entry=above, trail=Percent(float(rng.randint(3, 15))))

    def far() -> Rule:
        far_below = Apart(
            sma(rng.randint(10, 60)), -float(rng.randint(1, 3)), Indicator("atr", (14,))
        )
        return Rule(
            entry=Compare(_CLOSE, "<", far_below), target=Percent(float(rng.randint(2, 9))),
            stop=Percent(float(rng.randint(2, 9))), horizon_bars=rng.randint(3, 20),
        )  # fmt: skip

    kinds: Sequence[Callable[[], Rule]] = (cross, rsi, bands, channel, trend, far)
    return [finished(kinds[number % len(kinds)]()) for number in range(count)]


def _before(indicator: Indicator) -> Any:
    return Ago(indicator, 1)


class Prices:
    """Random walks of some symbols, session by session."""

    def __init__(self, symbols: int, seed: int) -> None:
        """Begin at 100."""
        self._rng = random.Random(seed)
        self._last = [100.0] * symbols
        self._session = 0

    def session(self) -> Iterator[tuple[str, str]]:
        """Symbol and JSON of one bar of each."""
        opened = _FIRST + timedelta(days=self._session)
        self._session += 1
        for number in range(len(self._last)):
            yield f"S{number}", self.bar(number, opened)

    def bar(self, number: int, opened: datetime) -> str:
        """The next bar of a symbol, as JSON."""
        rng, before = self._rng, self._last[number]
        first = before * (1 + rng.gauss(0, 0.004))
        last = first * (1 + rng.gauss(0, 0.02))
        high = max(first, last) * (1 + abs(rng.gauss(0, 0.006)))
        low = min(first, last) * (1 - abs(rng.gauss(0, 0.006)))
        self._last[number] = last
        return json.dumps(
            {
                "symbol": f"S{number}", "timeframe": "1d", "source": "bench",
                "opened_at": _text(opened), "closed_at": _text(opened + timedelta(hours=7)),
                "open": f"{first:.2f}", "high": f"{max(high, first, last):.2f}",
                "low": f"{min(low, first, last):.2f}", "close": f"{last:.2f}",
                "volume": str(rng.randrange(10**6)),
            }
        )  # fmt: skip


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def activate(settings: Settings, made: Sequence[tuple[Rule, bool]]) -> None:
    """Have strategies active from now on; those that are to be code have no rule."""
    connection = connect(settings.database_url, settings.database_schema)
    now = datetime.now(UTC)
    with connection.cursor() as cursor:
        for number, (rule, as_code) in enumerate(made):
            name = str(UUID(int=number + 1))
            cursor.execute(
                "INSERT INTO strategies (strategy_id, owner, name, record_name, kind, status,"
                " symbols, created_at, changed_at, activated_at)"
                " VALUES (%s, 'bench', %s, %s, %s, 'active', '{*}', %s, %s, %s)",
                (name, name, name, "code" if as_code else "rule", now, now, now),
            )
            cursor.execute(
                "INSERT INTO strategy_versions (strategy_id, version, code, code_digest, rule,"
                " is_valid, created_at) VALUES (%s, 1, %s, '', %s, true, %s)",
                (name, code(rule), None if as_code else json.dumps(to_json(rule)), now),
            )
    connection.close()


def _publish(at: Servers, prefix: str, said: Iterator[tuple[str, str]]) -> int:
    producer = packing_producer(at)
    heads: list[tuple[str, str | bytes | None]] = []
    count = 0
    for key, value in said:
        if not heads:
            event = MarketBar.model_validate_json(value)
            heads = list(headers(event, source="/bench", time=_FIRST))
        producer.produce(f"{prefix}market_bar", value, key, headers=heads)
        count += 1
    producer.flush(_PATIENCE)
    return count


def _until_read(settings: Settings, process: Process, total: int) -> float:
    """Wait until the stage has committed so many messages; returns when it was seen."""
    connection = connect(settings.database_url, settings.database_schema)
    ends = time.monotonic() + _PATIENCE
    try:
        with connection.cursor() as cursor:
            while True:
                cursor.execute(_READ)
                [(found,)] = cursor.fetchall()
                if found >= total:
                    return time.perf_counter()
                if time.monotonic() > ends or not process.running:
                    raise RuntimeError(f"at {found} of {total}:\n{process.said()}")
                time.sleep(0.005)
    finally:
        connection.close()


def _cpu(process: Process) -> float:
    """Seconds of the processor, the workers of the sandbox included."""
    stage = psutil.Process(process.pid)
    times = [each.cpu_times() for each in (stage, *stage.children(recursive=True))]
    ended = times[0]
    return float(
        sum(each.user + each.system for each in times) + ended.children_user + ended.children_system
    )


def _peak_mb(process: Process) -> float:
    """The most memory that the stage had, in millions of bytes."""
    with open(f"/proc/{process.pid}/status") as file:  # noqa: PTH123
        line = next(each for each in file if each.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


def _asked(settings: Settings) -> tuple[int, int]:
    """Decisions, and faults or misses."""
    connection = connect(settings.database_url, settings.database_schema)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(decisions), 0), coalesce(sum(faults + missed), 0)"
            " FROM strategy_counts"
        )
        [(asked, failed)] = cursor.fetchall()
    connection.close()
    return int(asked), int(failed)


def throughput(
    at: Servers, made: Sequence[tuple[Rule, bool]], sessions: int, seed: int
) -> dict[str, float]:
    """Publish sessions one by one, each when the one before is done."""
    prefix = make_topics(at)
    prices = Prices(SYMBOLS, seed)
    more = {"TRACKRECORD_STRATEGY_BATCH_SECONDS": "60"}
    with tracker_space(at, prefix) as settings:
        total = sum(_publish(at, prefix, prices.session()) for _ in range(BEFORE))
        with _stage(settings, more) as process:
            _until_read(settings, process, total)
            activate(settings, made)
            total += _publish(at, prefix, prices.session())
            _until_read(settings, process, total)  # reads the bars of all symbols
            before, _ = _asked(settings)
            walls, cpu = [], _cpu(process)
            for _ in range(sessions):
                began = time.perf_counter()
                total += _publish(at, prefix, prices.session())
                walls.append(_until_read(settings, process, total) - began)
            cpu = _cpu(process) - cpu
            peak = _peak_mb(process)
        asked, failed = _asked(settings)
        if failed:
            raise RuntimeError(f"{failed} decisions were not made")
    count = asked - before
    return {
        "decisions_per_cpu_second": count / cpu,
        "decisions_per_second": count / sum(walls),
        "session_seconds": float(np.median(walls)),
        "worst_session_seconds": max(walls),
        "decisions_per_session": count / sessions,
        "peak_mb": peak,
    }


def _stage(settings: Settings, more: dict[str, str]) -> Process:
    return Process(
        ["-m", "trackrecord.cli.main", "run", "strategy_runner"], environment(settings) | more
    )


def latency(
    at: Servers, made: Sequence[tuple[Rule, bool]], bars: int, seed: int
) -> dict[str, float]:
    """Send a bar at a time, and wait for the signals on their topic."""
    prefix = make_topics(at)
    prices = Prices(SYMBOLS, seed)
    with tracker_space(at, prefix) as settings:
        total = sum(_publish(at, prefix, prices.session()) for _ in range(BEFORE))
        with _stage(settings, {}) as process:
            _until_read(settings, process, total)
            activate(settings, made)
            with _Heard(at, prefix) as heard:
                _send(at, prefix, prices, 0, _WARM_UP)
                _until_read(settings, process, total + _WARM_UP)
                sent = _send(at, prefix, prices, _WARM_UP, bars)
                _until_read(settings, process, total + _WARM_UP + bars)
                time.sleep(1.0)
        _, failed = _asked(settings)
    found = np.array(
        [seen - sent[key] for key, seen in heard.first.items() if key in sent], np.float64
    )
    found *= 1000
    return {
        "p50_ms": float(np.percentile(found, 50)),
        "p99_ms": float(np.percentile(found, 99)),
        "max_ms": float(found.max()),
        "signals": float(len(found)),
        "missed": float(failed),
    }


def _send(
    at: Servers, prefix: str, prices: Prices, first: int, bars: int
) -> dict[tuple[str, str], float]:
    """When each bar was sent, by symbol and close; ``first`` have been sent before."""
    producer = Producer(
        {"bootstrap.servers": at.broker, "partitioner": "murmur2_random", "linger.ms": 0}
    )
    sent: dict[tuple[str, str], float] = {}
    heads: list[tuple[str, str | bytes | None]] = []
    begun = time.perf_counter()
    for number in range(first, first + bars):
        symbol = number % SYMBOLS
        value = prices.bar(symbol, _FIRST + timedelta(days=BEFORE + number // SYMBOLS))
        if not heads:
            event = MarketBar.model_validate_json(value)
            heads = list(headers(event, source="/bench", time=_FIRST))
        time.sleep(max(0.0, begun + (number - first) * _EVERY_SECONDS - time.perf_counter()))
        sent[f"S{symbol}", json.loads(value)["closed_at"]] = time.perf_counter()
        producer.produce(f"{prefix}market_bar", value, f"S{symbol}", headers=heads)
        producer.poll(0)
    producer.flush(_PATIENCE)
    return sent


class _Heard:
    """Reads the topic of signals in a thread; ``first`` is when each bar's was first seen."""

    def __init__(self, at: Servers, prefix: str) -> None:
        self.first: dict[tuple[str, str], float] = {}
        self._consumer = Consumer(
            {
                "bootstrap.servers": at.broker, "group.id": f"{prefix}heard",
                "auto.offset.reset": "earliest", "fetch.wait.max.ms": 10,
            }
        )  # fmt: skip
        self._consumer.subscribe([f"{prefix}signal_emitted"])
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._hear, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        time.sleep(5)  # it joins its group
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        self._consumer.close()

    def _hear(self) -> None:
        while not self._ending.is_set():
            message = self._consumer.poll(0.1)
            if message is None or message.error() or message.value() is None:
                continue
            seen = time.perf_counter()
            event = json.loads(message.value() or b"{}")
            self.first.setdefault((event["symbol"], event["emitted_at"]), seen)


def run(sessions: int = SESSIONS, bars: int = BARS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure all of it."""
    some = rules(500, SEED)
    busy = finished(Rule(entry=Always(), horizon_bars=1))
    ways: dict[str, Callable[[Servers], dict[str, float]]] = {
        "rules": lambda at: throughput(at, [(rule, False) for rule in some], sessions, SEED),
        "code": lambda at: throughput(at, [(rule, True) for rule in some[:10]], sessions, SEED),
        "mixed": lambda at: throughput(
            at, [(rule, number % 10 == 0) for number, rule in enumerate(some)], sessions, SEED
        ),
    }
    runs: list[dict[str, Any]] = []
    waits: list[dict[str, float]] = []
    fifty = [(rule, number % 10 == 1) for number, rule in enumerate([busy, *some[:49]])]
    with ExitStack() as stack:
        at = stack.enter_context(servers())
        for number in range(rounds):
            for way, measure in ways.items():
                say(f"round {number + 1} of {rounds}: {way}")
                runs.append({"way": way, **measure(at)})
                say(str(runs[-1]))
            say(f"round {number + 1} of {rounds}: latency")
            waits.append(latency(at, fifty, bars, SEED))
            say(str(waits[-1]))
    outcome = result("strategy_runner", SEED, runs, "rules", "decisions_per_cpu_second")
    median = outcome["median"]
    outcome["latency"] = {key: float(np.median([each[key] for each in waits])) for key in waits[0]}
    outcome["latency_runs"] = waits
    outcome["targets"] = {
        name: {
            "target": target, "value": value, "met": value >= target if more else value <= target,
        }
        for name, target, value, more in (
            ("rules: decisions a second of one core", LEAST_RULES,
             median["rules"]["decisions_per_cpu_second"], True),
            ("code: decisions a second of one core, fresh calls", LEAST_CODE,
             median["code"]["decisions_per_cpu_second"], True),
            ("bar to signal with 50 strategies: p99 in ms", MOST_LATENCY,
             outcome["latency"]["p99_ms"], False),
        )
    }  # fmt: skip
    return outcome


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--bars", type=int, default=BARS)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    outcome = run(given.sessions, given.bars, given.rounds)
    print(json.dumps(outcome["median"] | {"latency": outcome["latency"]}, indent=1))

"""How many bars a second the outcome_scorer applies while 100,000 signals wait for them.

It runs on a real broker and a durable database. Symbols get their first bars and signals; the
signals wait for 40 more bars, and their levels are far away. Then the stage is restarted, so that
it reads what it needs from its tables, and applies several sessions of bars of all symbols that
were published meanwhile. Time is measured from its first commit to the last.

The memory is measured as well (:mod:`benchmarks.scoring_memory`): of a process that holds a
million waiting signals and 10,000 symbols with as many bars as are kept, and has judged all.

For a small run: ``python -m benchmarks.scoring --symbols 500 --sessions 4``.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.harness import RESULTS, result, show
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
from benchmarks.pipeline.measure import count, watch
from trackrecord.events import Event, MarketBar, SignalEmitted
from trackrecord.events.codec import headers
from trackrecord.runtime.settings import Settings

SEED = 11
SYMBOLS = 10_000
SIGNALS_PER_SYMBOL = 10
SESSIONS = 20
"""So many that the clock runs for some seconds, and fewer than the signals wait for."""
OURS = "outcome_scorer"
TARGET = 20_000.0
"""Bars a second."""
ROOM_MB = 1_000.0
"""Of a process with a million signals that wait."""

_BEFORE = 5
_FIRST = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
_FLUSH_SECONDS = 120.0
_FILL_SECONDS = 300.0
_OFFSETS = "SELECT coalesce(sum(next_offset), 0) - {} FROM consumer_offsets"


def bars(symbols: int, sessions: Iterable[int], seed: int) -> Iterator[tuple[str, str]]:
    """Symbol and JSON of bars that reach none of the signals' levels."""
    rng = random.Random(seed)
    for session in sessions:
        opened = _FIRST + timedelta(days=session)
        about = (
            f'"timeframe":"1d","source":"bench","opened_at":"{_text(opened)}",'
            f'"closed_at":"{_text(opened + timedelta(hours=6))}"'
        )
        for number in range(symbols):
            first, last = 99 + 2 * rng.random(), 99 + 2 * rng.random()
            prices = f'"open":"{first:.2f}","high":"102","low":"98","close":"{last:.2f}"'
            volume = rng.randrange(10**6)
            yield (
                f"S{number}",
                f'{{"symbol":"S{number}",{about},{prices},"volume":"{volume}"}}',
            )


def signals(symbols: int, each: int) -> Iterator[tuple[str, str]]:
    """Symbol and JSON of signals that wait for 40 bars."""
    emitted = _text(_FIRST + timedelta(days=_BEFORE - 1, hours=8))
    levels = (
        '"side":"BUY","price":"100","target_price":"130","stop_loss":"75","horizon_bars":40,'
        '"exits":"barriers"'
    )
    for place in range(each):
        for number in range(symbols):
            names = f'"signal_id":"s-{number}-{place}","strategy":"m{place}","symbol":"S{number}"'
            yield f"S{number}", f'{{{names},{levels},"emitted_at":"{emitted}"}}'


def _all_wait(settings: Settings) -> None:
    """Raises RuntimeError where a signal has ended: the others would have been less to do."""
    connection = connect(settings.database_url, settings.database_schema)
    with connection.cursor() as cursor:
        ended = count(cursor, "SELECT count(*) FROM outcomes WHERE outcome <> 'pending'")
    connection.close()
    if ended:
        raise RuntimeError(f"{ended:,} signals have ended, and none should")


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def publish(at: Servers, prefix: str, model: type[Event], said: Iterable[tuple[str, str]]) -> int:
    """Publish events, and wait until the broker has them; returns how many.

    Raises:
        RuntimeError: The broker did not take everything.
    """
    producer = packing_producer(at)
    count = 0
    heads: list[tuple[str, str | bytes | None]] = []
    for key, value in said:
        if not heads:
            event = model.model_validate_json(value)
            heads = list(headers(event, source="/bench", time=_FIRST))
        producer.produce(f"{prefix}{model.event_type}", value, key, headers=heads)
        count += 1
        if count % 1000 == 0:
            producer.poll(0)
    if producer.flush(_FLUSH_SECONDS):
        raise RuntimeError(f"the broker took not all within {_FLUSH_SECONDS:.0f} s")
    return count


def measure(at: Servers, symbols: int, each: int, sessions: int, seed: int) -> dict[str, float]:
    """One run; the rate counts bars alone."""
    prefix = make_topics(at)
    arguments = ["-m", "trackrecord.cli.main", "run", OURS]
    with tracker_space(at, prefix) as settings:
        there = publish(at, prefix, MarketBar, bars(symbols, range(_BEFORE), seed))
        there += publish(at, prefix, SignalEmitted, signals(symbols, each))
        say(f"  {symbols * each:,} signals begin to wait")
        with Process(arguments, environment(settings)) as process:
            begun = watch(
                settings.database_url,
                settings.database_schema,
                [process],
                _OFFSETS.format(0),
                there,
            )
        coming = range(_BEFORE, _BEFORE + sessions)
        count = publish(at, prefix, MarketBar, bars(symbols, coming, seed + 1))
        with Process(arguments, environment(settings)) as process:
            measured = watch(
                settings.database_url,
                settings.database_schema,
                [process],
                _OFFSETS.format(there),
                count,
            )
        _all_wait(settings)
    return {
        "bars_per_second": measured.events_per_second,
        "cpu_seconds_per_million": measured.cpu_seconds_per_million,
        "postgres_cpu_seconds_per_million": measured.postgres_cpu_seconds_per_million,
        "peak_mb": measured.peak_mb,
        "signals_and_bars_per_second_before": begun.events_per_second,
    }


def run(
    symbols: int = SYMBOLS,
    each: int = SIGNALS_PER_SYMBOL,
    sessions: int = SESSIONS,
    rounds: int = 1,
    seed: int = SEED,
) -> dict[str, Any]:
    """Measure.

    Args:
        symbols: How many.
        each: Signals of each that wait.
        sessions: Bars of each that come.
        rounds: How often.
        seed: Of the bars.

    Returns:
        The result file's content.
    """
    runs = []
    with servers() as at:
        for round_ in range(rounds):
            say(f"round {round_ + 1} of {rounds}: {symbols * sessions:,} bars")
            numbers = measure(at, symbols, each, sessions, seed + round_)
            say(f"  {numbers['bars_per_second']:,.0f} bars/s")
            runs.append({"way": OURS, **numbers})
    outcome = result("scoring", seed, runs, OURS, "bars_per_second")
    value = outcome["median"][OURS]["bars_per_second"]
    with Process(["-m", "benchmarks.scoring_memory"], {}) as filled:
        memory = json.loads(filled.wait(_FILL_SECONDS).splitlines()[-1])
    peak = memory["peak_mb"]
    return outcome | {
        "symbols": symbols,
        "waiting_signals": symbols * each,
        "bars": symbols * sessions,
        "ratios": {f"target {TARGET:,.0f} bars/s": round(value / TARGET, 3)},
        "memory": memory,
        "targets": {
            "bars_per_second": {"target": TARGET, "value": value, "met": value >= TARGET},
            "peak_mb with a million signals": {
                "target": ROOM_MB,
                "value": peak,
                "met": peak <= ROOM_MB,
            },
        },
    }


def main() -> None:
    """Measure as the arguments say, and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring", description=__doc__)
    parser.add_argument("--symbols", type=int, default=SYMBOLS)
    parser.add_argument("--sessions", type=int, default=SESSIONS, help="of bars that are timed")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for the result")
    options = parser.parse_args()
    outcome = run(options.symbols, sessions=options.sessions, rounds=options.rounds)
    show("scoring", outcome, options.output)


if __name__ == "__main__":
    main()

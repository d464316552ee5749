"""How the tracker's speed changes with a long history, and with a second process.

The tracker takes new events on top of 0.1, 1 and 10 million signals (50 with ``full``), loaded
into its tables by :mod:`benchmarks.pipeline.history`: its rate, its memory, and the time that a
report takes should hardly change. Ids are UUIDs of version 7, as the SDK makes them; on 10 million
also random ones, as other publishers may send. The same number of events is also measured without
a history, with one consumer and with two of one group.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from benchmarks.harness import result
from benchmarks.pipeline import events, history, together, verify
from benchmarks.pipeline.common import (
    Options,
    Servers,
    connect,
    make_topics,
    say,
    servers,
    settle,
    tracker,
    tracker_space,
)
from benchmarks.pipeline.measure import OFFSETS, watch
from trackrecord.reports.strategies import read_report
from trackrecord.runtime.settings import Settings

SIZES = (100_000, 1_000_000, 10_000_000)
LARGEST = 50_000_000
SIGNALS = 100_000
"""New signals of a run, each with its exit."""
RANDOM = SIZES[-1]
"""Signals of the history whose ids are random."""
ONE, TWO = "one consumer", "two consumers"
FLAT = 0.8
"""What is left of the rate, and of the speed of a report, on the largest history, at least."""
GROWN = 1.2
"""What memory may grow to."""
SCALING = 1.6
_KEEP_ABOVE = 1_000_000
_REPORTS = 25


@dataclass(frozen=True)
class Round:
    """The new events of a round: others each time, later than all before."""

    prefix: str
    signals: int
    seed: int
    number: int
    random_ids: bool

    def made(self) -> Any:
        """Its signals."""
        start = events.START + timedelta(days=7 * self.number)
        seed = self.seed + self.number
        return events.signals(self.signals, seed, start, random_ids=self.random_ids)

    @property
    def since(self) -> str:
        """The day on which it begins."""
        return (events.START + timedelta(days=7 * self.number)).date().isoformat()


def run(options: Options | None = None, at: Servers | None = None) -> dict[str, Any]:
    """Measure each size and each number of consumers in turn.

    Args:
        options: How often, and whether with the largest history.
        at: Servers that run already; a stack of its own by default.

    Raises:
        RuntimeError: The tracker failed, or its sums are wrong.
    """
    options = options or Options()
    sizes = (1_000, 5_000) if options.quick else (*SIZES, *([LARGEST] if options.full else []))
    runs: list[dict[str, Any]] = []
    with ExitStack() as stack:
        at = at or stack.enter_context(servers())
        kept = Histories(at, stack, _batch(options))
        for number in range(options.rounds):
            new = _publish(at, number, options, random_ids=False)
            for way, consumers in ((ONE, 1), (TWO, 2)):
                say(f"round {number + 1} of {options.rounds}: {way}")
                measured = together.measure(
                    at,
                    consumers,
                    new.signals,
                    options.seed + number,
                    **_batch(options),
                )
                numbers = {**measured.numbers(), "report_seconds": 0.0}
                runs.append({"way": way, **numbers})
                say(f"  {numbers['events_per_second']:,.0f} events/s")
            with_random = _publish(at, number, options, random_ids=True)
            several = [(size, new) for size in sizes]
            for size, new_ in [*several, (sizes[-1] if options.quick else RANDOM, with_random)]:
                way = _name(size, random_ids=new_.random_ids)
                say(f"round {number + 1} of {options.rounds}: on {way}")
                with ExitStack() as short:
                    settings = kept.of(size, new_, short)
                    settle(settings.database_url)
                    numbers = _measure(settings, new_)
                runs.append({"way": way, **numbers})
                say(f"  {numbers['events_per_second']:,.0f} events/s")
    smallest, largest = _name(sizes[0]), _name(sizes[-1])
    outcome = result("growth", options.seed, runs, smallest, "events_per_second")
    return outcome | summary(outcome["median"], smallest, largest)


def summary(of: dict[str, dict[str, float]], smallest: str, largest: str) -> dict[str, Any]:
    """Ratios and targets from the medians: the largest history to the smallest, two to one."""
    small, large, one, two = (of[way] for way in (smallest, largest, ONE, TWO))

    def share(name: str) -> float:
        return round(large[name] / small[name], 3)

    per_event = [
        each["cpu_seconds_per_million"] + each["postgres_cpu_seconds_per_million"]
        for each in (one, two)
    ]
    ratios = {
        f"rate on {largest} / on {smallest}": share("events_per_second"),
        f"report on {smallest} / on {largest}": round(1 / share("report_seconds"), 3),
        f"memory on {smallest} / on {largest}": round(1 / share("peak_mb"), 3),
        f"{TWO} / {ONE}, rate": round(two["events_per_second"] / one["events_per_second"], 3),
        f"{TWO} / {ONE}, work per CPU second, doubled": round(2 * per_event[0] / per_event[1], 3),
    }
    least = dict.fromkeys(list(ratios)[:2], FLAT)
    least[list(ratios)[2]] = round(1 / GROWN, 3)
    least[list(ratios)[4]] = SCALING
    return {
        "ratios": ratios,
        "history_days": history.DAYS,
        "targets": {
            name: {"target": target, "value": ratios[name], "met": ratios[name] >= target}
            for name, target in least.items()
        },
    }


def _name(size: int, *, random_ids: bool = False) -> str:
    return f"{size / 1e6:g} M signals{', random ids' if random_ids else ''}"


def _batch(options: Options) -> dict[str, str]:
    return {"TRACKRECORD_BATCH_SIZE": "500"} if options.quick else {}


def _publish(at: Servers, number: int, options: Options, *, random_ids: bool) -> Round:
    signals = 4_000 if options.quick else SIGNALS
    new = Round(make_topics(at), signals, options.seed, number, random_ids)
    events.publish_matched(at.broker, new.prefix, new.made)
    return new


class Histories:
    """The schemas that hold a history; the large ones are loaded once and kept."""

    def __init__(self, at: Servers, stack: ExitStack, more: dict[str, str]) -> None:
        """Keep large ones for as long as ``stack`` lasts; ``more`` is set in all of them."""
        self._at = at
        self._more = more
        self._stack = stack
        self._kept: dict[tuple[int, bool], Settings] = {}

    def of(self, size: int, new: Round, short: ExitStack) -> Settings:
        """Settings of a tracker on a history of so many signals, which has read nothing new yet.

        A small one is loaded anew each time, for a round makes it larger by too much; a large
        one stays, and what a round adds to it hardly counts.
        """
        key = (size, new.random_ids)
        if key not in self._kept:
            stack = self._stack if size > _KEEP_ABOVE else short
            settings = stack.enter_context(tracker_space(self._at, new.prefix, **self._more))
            url, schema = settings.database_url, settings.database_schema
            history.load(url, schema, size, random_ids=new.random_ids)
            if size <= _KEEP_ABOVE:
                return settings
            self._kept[key] = settings
        settings = self._kept[key].model_copy(update={"topic_prefix": new.prefix})
        connection = connect(settings.database_url, settings.database_schema)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM consumer_offsets")
        connection.close()
        return settings


def _measure(settings: Settings, new: Round) -> dict[str, float]:
    url, schema = settings.database_url, settings.database_schema
    with tracker(settings) as process:
        measured = watch(url, schema, [process], OFFSETS, 2 * new.signals)
    verify.tracker(url, schema, events.expected(new.made()), new.since)
    reports = []
    for _ in range(_REPORTS):
        started = time.monotonic()
        read_report(settings)
        reports.append(time.monotonic() - started)
    return {**measured.numbers(), "report_seconds": median(reports)}

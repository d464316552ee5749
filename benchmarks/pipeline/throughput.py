"""Events a second: the signal_tracker, other software for the same job, and the machine's limits.

All run on one broker and one database, in turn, ``rounds`` times; results are medians. The
signal_tracker gets entries and their exits, matches them, and keeps every guarantee of
docs/architecture.md. The other software gets as many exits that hold their entry: it writes one
row each and the sums per strategy and day, without matching and without a fence. After each run
all sums are compared with the generator's integers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.harness import result
from benchmarks.pipeline import events, plot, verify
from benchmarks.pipeline.common import (
    Options,
    Process,
    Servers,
    easy_space,
    environment,
    make_topics,
    say,
    servers,
    tracker,
    tracker_space,
)
from benchmarks.pipeline.measure import EASY, OFFSETS, Measurement, watch
from benchmarks.pipeline.quix_environment import Unavailable, quix_python
from trackrecord.runtime.settings import Settings

OURS = "signal_tracker"
FAUST, FAUST_BYTES, QUIX = "faust", "faust, bytes", "quix streams"
PLAIN, PER_EVENT = "plain batches", "commit per event"
BARE = "limit: own sql"
LIMITS = {
    "limit: consume": "consume",
    "limit: decode": "decode",
    "limit: copy": "copy",
    BARE: "sql",
}
PEERS = {
    PER_EVENT: ["per_event"],
    FAUST: ["with_faust", "records"],
    FAUST_BYTES: ["with_faust", "bytes"],
    QUIX: ["with_quix"],
    PLAIN: ["plain_batches"],
}
_LIMIT_SECONDS = 600.0

NOTES = {
    OURS: "entries and their exits, matched; `trackrecord run signal_tracker` as it ships",
    PER_EVENT: "poll, insert, commit; json; a part of the events, for it would take minutes",
    FAUST: "agent with take(1000), its typed records, execute_values",
    FAUST_BYTES: "the same, but Faust hands over bytes and json parses them",
    QUIX: "PostgreSQL sink with a checkpoint every 10,000 events, json; sums in its transaction",
    PLAIN: "consume(1000), a pydantic model for each event, execute_values",
    "limit: consume": "batches of 20,000 from the broker, dropped; no database",
    "limit: decode": "our decoder on messages in memory; no broker, no database",
    "limit: copy": "COPY of prepared text into a table without a key",
    BARE: "the signal_tracker's own statements from prepared batches; no broker, no decoding",
}
CLOCK = (
    "from the first commit seen to the last, looked for every 20 ms; consume: from its first "
    "batch; the other limits: from the first prepared batch"
)

TARGETS = {FAUST: 10.0, QUIX: 3.0, BARE: 0.7}
"""What our rate divided by theirs has to be at least."""
PEAK_MB = 300.0
"""What our process may take at most."""


@dataclass(frozen=True)
class Size:
    """How much each way gets.

    Attributes:
        events: What the peers and the tracker get (the tracker half of them entries).
        few: What the peer that commits each event gets.
        batch: The tracker's batch; its default, except in miniature.
    """

    events: int = 400_000
    few: int = 20_000
    batch: int = 20_000


MINIATURE = Size(events=8_000, few=500, batch=500)


@dataclass(frozen=True)
class Prepared:
    """What is on the broker, and what it comes to.

    Attributes:
        at: The servers.
        prefix: Of the topics.
        size: How much.
        bytes_per_event: Mean size of a value, by topic.
        matched: What the tracker has to come to.
        easy: What the peers have to come to.
        few: What the peer that commits each event has to come to.
    """

    at: Servers
    prefix: str
    size: Size
    bytes_per_event: dict[str, float]
    matched: events.Sums
    easy: events.Sums
    few: events.Sums


def run(options: Options | None = None, at: Servers | None = None) -> dict[str, Any]:
    """Run all ways in turn.

    Args:
        options: How much; three rounds of everything by default.
        at: Servers that run already; a stack of its own by default.

    Raises:
        RuntimeError: A way failed, or its sums are wrong.
    """
    options = options or Options()
    left_out: dict[str, str] = {}
    runs: list[dict[str, Any]] = []
    with ExitStack() as stack:
        ways = _ways(options, left_out)
        at = at or stack.enter_context(servers())
        size = MINIATURE if options.quick else Size()
        say(f"publishing {2 * size.events + size.few:,} events")
        prepared = prepare(at, size, options.seed)
        for round_ in range(options.rounds):
            for way, measured in ways.items():
                say(f"round {round_ + 1} of {options.rounds}: {way}")
                numbers = measured(prepared).numbers()
                say(f"  {numbers['events_per_second']:,.0f} events/s")
                runs.append({"way": way, **numbers})
    outcome = result("pipeline", options.seed, runs, _reference(runs), "events_per_second")
    return outcome | {
        "clock": CLOCK,
        "bytes_per_event": prepared.bytes_per_event,
        "ways": {way: note for way, note in NOTES.items() if way in ways},
        "left_out": left_out,
        "targets": targets(outcome),
    }


def _reference(runs: list[dict[str, Any]]) -> str:
    """Ours, or where only others were asked for the first of them."""
    return OURS if any(run["way"] == OURS for run in runs) else str(runs[0]["way"])


def targets(outcome: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Which of the promises a result keeps."""
    median, ratios = outcome["median"], outcome["ratios"]
    if OURS not in median:
        return {}
    kept: dict[str, dict[str, Any]] = {
        f"against {way}": {"target": least, "value": ratios[way], "met": ratios[way] >= least}
        for way, least in TARGETS.items()
        if way in ratios
    }
    peak = median[OURS]["peak_mb"]
    return kept | {"peak_mb": {"target": PEAK_MB, "value": peak, "met": peak <= PEAK_MB}}


def _ways(options: Options, left_out: dict[str, str]) -> dict[str, Callable[[Prepared], Any]]:
    """What to run, in order; what cannot run here is left out, with the reason."""
    wanted = {
        way: call
        for way, call in _all_ways().items()
        if not options.only or any(part in way for part in options.only)
    }
    if QUIX in wanted:
        try:
            say("looking for Quix Streams in an environment of its own")
            quix_python()
        except Unavailable as error:
            left_out[QUIX] = str(error)
            say(f"{QUIX} is left out: {error}")
            del wanted[QUIX]
    if not wanted:
        raise ValueError(f"no way is called {' or '.join(options.only)}: {', '.join(_all_ways())}")
    return wanted


def _all_ways() -> dict[str, Callable[[Prepared], Measurement]]:
    ways: dict[str, Callable[[Prepared], Measurement]] = {
        way: _as_peer(way, command) for way, command in PEERS.items()
    }
    ways[OURS] = as_it_ships
    return ways | {way: _as_limit(way, name) for way, name in LIMITS.items()}


def draw(outcome: dict[str, Any], folder: Path) -> None:
    """Draw the result into ``folder``."""
    plot.draw(outcome, OURS, folder / "pipeline.svg")


# -- what there is to consume ---------------------------------------------------------------------


def prepare(at: Servers, size: Size, seed: int) -> Prepared:
    """Publish what all ways consume, and add up what they have to come to."""
    prefix = make_topics(at)
    half = size.events // 2
    few = islice(events.signals(size.events, seed), size.few)
    sizes = {
        "entries and exits": events.publish_matched(
            at.broker, prefix, partial(events.signals, half, seed)
        ),
        "easy": events.publish_easy(at.broker, f"{prefix}easy", events.signals(size.events, seed)),
        "few": events.publish_easy(at.broker, f"{prefix}few", few),
    }
    return Prepared(
        at,
        prefix,
        size,
        {name: round(mean, 1) for name, mean in sizes.items()},
        events.expected(events.signals(half, seed)),
        events.expected(events.signals(size.events, seed)),
        events.expected(islice(events.signals(size.events, seed), size.few)),
    )


# -- the ways -------------------------------------------------------------------------------------


def as_it_ships(prepared: Prepared) -> Measurement:
    """The signal_tracker in a schema of its own, from the beginning of its topics."""
    batch = {"TRACKRECORD_BATCH_SIZE": str(prepared.size.batch)}
    with tracker_space(prepared.at, prepared.prefix, **batch) as settings:
        url, schema = settings.database_url, settings.database_schema
        with tracker(settings) as process:
            measured = watch(url, schema, [process], OFFSETS, prepared.size.events)
        verify.tracker(url, schema, prepared.matched)
    return measured


def _as_peer(way: str, command: list[str]) -> Callable[[Prepared], Measurement]:
    def measured(prepared: Prepared) -> Measurement:
        few = way == PER_EVENT
        total = prepared.size.few if few else prepared.size.events
        topic = prepared.prefix + ("few" if few else "easy")
        arguments = ["-m", f"benchmarks.pipeline.peers.{command[0]}", *command[1:]]
        python: Path | None = quix_python() if way == QUIX else None
        with easy_space(prepared.at, topic, events.PARTITIONS) as work:
            environ = work.environment()
            with Process(arguments, environ, str(python) if python else None) as process:
                found = watch(work.database_url, work.schema, [process], EASY, total)
            verify.peer(work.database_url, work.schema, prepared.few if few else prepared.easy)
        return found

    return measured


def _as_limit(way: str, name: str) -> Callable[[Prepared], Measurement]:
    def measured(prepared: Prepared) -> Measurement:
        batch = {"TRACKRECORD_BATCH_SIZE": str(prepared.size.batch)}
        with tracker_space(prepared.at, prepared.prefix, **batch) as settings:
            total = prepared.size.events
            found = limit(settings, name, total)
            if way == BARE:
                verify.tracker(settings.database_url, settings.database_schema, prepared.matched)
            if name == "copy":
                verify.copied(settings.database_url, settings.database_schema, prepared.easy)
        return found

    return measured


def limit(settings: Settings, name: str, total: int) -> Measurement:
    """One limit, in a process of its own."""
    arguments = ["-m", "benchmarks.pipeline.limits", name, str(total)]
    with Process(arguments, environment(settings)) as process:
        said = process.wait(_LIMIT_SECONDS)
    return Measurement(**json.loads(said.splitlines()[-1]))

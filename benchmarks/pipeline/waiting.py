"""How long until the tracker commits: at its start, after a crash, after the database's restart.

``start``: from the start of the process to the first commit, with events waiting. ``takeover``:
two share the partitions and one is killed with SIGKILL; from then until all events published to
its partitions right after are committed by the other. ``recovery``: Postgres is restarted under a
tracker while events come in; from its first answer until the first commit.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import Any

import psycopg2

from benchmarks.harness import machine, versions
from benchmarks.pipeline import events
from benchmarks.pipeline.common import (
    Options,
    Process,
    Servers,
    connect,
    make_topics,
    say,
    servers,
    tracker,
    tracker_space,
)
from benchmarks.pipeline.measure import OFFSETS, count
from benchmarks.pipeline.together import await_shared
from trackrecord.local.stack import Stack
from trackrecord.runtime.settings import Settings

SIGNALS = 1_000
_LOOK_SECONDS = 0.01
_PATIENCE_SECONDS = 90.0
START, TAKEOVER, RECOVERY = "start", "takeover", "recovery"
TARGETS = {START: 2.0, TAKEOVER: 15.0, RECOVERY: 10.0}
"""Seconds at most; the takeover's: the session time-out of 10 s as it ships, and 5."""
_QUICK_SESSION = {"TRACKRECORD_SESSION_TIMEOUT_MS": "3000"}


def run(options: Options | None = None, at: Servers | None = None) -> dict[str, Any]:
    """Wait for each in turn.

    Args:
        options: How often.
        at: Servers that run already; a stack of its own by default. Postgres is restarted only
            where they are a local stack.

    Raises:
        RuntimeError: It took longer than a minute and a half.
    """
    options = options or Options()
    more = _QUICK_SESSION if options.quick else {}
    runs: list[dict[str, Any]] = []
    with ExitStack() as stack:
        at = at or stack.enter_context(servers())
        ways: dict[str, Callable[[Servers, str, int, dict[str, str]], float]] = {
            START: start,
            TAKEOVER: takeover,
        }
        if at.home is not None:
            ways[RECOVERY] = recovery
        for number in range(options.rounds):
            for way, waited in ways.items():
                seconds = waited(at, make_topics(at), options.seed, more)
                say(f"round {number + 1} of {options.rounds}: {way} {seconds:.2f} s")
                runs.append({"way": way, "seconds": seconds})
    seconds_of = {way: median(run["seconds"] for run in runs if run["way"] == way) for way in ways}
    return {
        "name": "waiting",
        "machine": machine(),
        "versions": versions(),
        "seed": options.seed,
        "runs": runs,
        "median": {way: {"seconds": seconds} for way, seconds in seconds_of.items()},
        "ratios": {way: round(TARGETS[way] / seconds, 3) for way, seconds in seconds_of.items()},
        "targets": {
            way: {"target": TARGETS[way], "value": seconds, "met": seconds <= TARGETS[way]}
            for way, seconds in seconds_of.items()
        },
    }


def start(at: Servers, prefix: str, seed: int, more: dict[str, str]) -> float:
    """Seconds from the start of a tracker to its first commit."""
    _publish(at, prefix, seed)
    with tracker_space(at, prefix, **more) as settings, tracker(settings) as process:
        return _committed(settings, 1, process) - process.started


def takeover(at: Servers, prefix: str, seed: int, more: dict[str, str]) -> float:
    """Seconds from a crash until nothing waits for the one that crashed."""
    with tracker_space(at, prefix, **more) as settings, ExitStack() as stack:
        first, second = (stack.enter_context(tracker(settings)) for _ in range(2))
        await_shared(settings, [first, second])
        killed = time.monotonic()
        first.kill()
        _publish(at, prefix, seed)
        return _committed(settings, 2 * SIGNALS, second) - killed


def recovery(at: Servers, prefix: str, seed: int, more: dict[str, str]) -> float:
    """Seconds from the database's first answer after a restart to the first commit."""
    home = at.home
    if home is None:
        raise ValueError("only a local stack's database can be restarted from here")
    with tracker_space(at, prefix, **more) as settings, tracker(settings) as process:
        await_shared(settings, [process])
        answering = Answering(settings.database_url)
        restart = threading.Thread(target=Stack.restart, args=(home, "postgres"))
        restart.start()
        answering.gone()
        _publish(at, prefix, seed)
        back = answering.again()
        committed = _committed(settings, 1, process)
        restart.join()
        return committed - back


class Answering:
    """Notices that a database goes away and comes back."""

    def __init__(self, url: str) -> None:
        """Connect while it is there: the end of this session tells that it goes."""
        self._url = url
        self._session = connect(url)

    def gone(self) -> None:
        """Wait until it is away."""
        ends = time.monotonic() + _PATIENCE_SECONDS
        with contextlib.suppress(psycopg2.Error):
            while time.monotonic() < ends:
                with self._session.cursor() as cursor:
                    cursor.execute("SELECT 1")
                time.sleep(_LOOK_SECONDS)
            raise RuntimeError("the database was to be restarted, and is still there")

    def again(self) -> float:
        """Wait until it answers.

        Returns:
            When it did, on the monotonic clock.
        """
        ends = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < ends:
            with contextlib.suppress(psycopg2.Error):
                connect(self._url).close()
                return time.monotonic()
            time.sleep(_LOOK_SECONDS)
        raise RuntimeError("the database has not come back; see its log in the stack's folder")


def _publish(at: Servers, prefix: str, seed: int) -> None:
    events.publish_matched(at.broker, prefix, partial(events.signals, SIGNALS, seed))


def _committed(settings: Settings, wanted: int, process: Process) -> float:
    """When so many events were first seen to be committed, on the monotonic clock."""
    connection = connect(settings.database_url, settings.database_schema)
    ends = time.monotonic() + _PATIENCE_SECONDS
    try:
        with connection.cursor() as cursor:
            while (found := count(cursor, OFFSETS)) < wanted:
                if time.monotonic() > ends or not process.running:
                    raise RuntimeError(f"{found} of {wanted} are committed:\n{process.said()}")
                time.sleep(_LOOK_SECONDS)
            return time.monotonic()
    finally:
        connection.close()

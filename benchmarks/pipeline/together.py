"""The same events by one consumer and by two of one group, who begin at the same moment.

They join and share the partitions while there is nothing to read, are frozen while the events are
published, and go on together.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from benchmarks.pipeline import events, verify
from benchmarks.pipeline.common import (
    Process,
    Servers,
    connect,
    make_topics,
    tracker,
    tracker_space,
)
from benchmarks.pipeline.measure import OFFSETS, Measurement, check_alive, count, watch
from trackrecord.runtime.settings import Settings

# Frozen longer than this, they would lose their partitions. (A member hears of another that
# joins with its next heartbeat, a quarter of it, so longer would only be slower.)
_PATIENT = {"TRACKRECORD_SESSION_TIMEOUT_MS": "30000"}
_PATIENCE_SECONDS = 60.0


def measure(at: Servers, consumers: int, signals: int, seed: int, **more: str) -> Measurement:
    """The rate of so many consumers together, and what they and their sessions use.

    Args:
        at: The servers.
        consumers: How many processes.
        signals: How many entries, and exits.
        seed: Of the events.
        more: Variables for the consumers.

    Raises:
        RuntimeError: One failed, or the sums are wrong.
    """
    made = partial(events.signals, signals, seed)
    prefix = make_topics(at)
    with tracker_space(at, prefix, **_PATIENT, **more) as settings, ExitStack() as stack:
        url, schema = settings.database_url, settings.database_schema
        processes = [stack.enter_context(tracker(settings)) for _ in range(consumers)]
        await_shared(settings, processes)
        for process in processes:
            process.freeze()
        events.publish_matched(at.broker, prefix, made)
        for process in processes:
            process.thaw()
        measured = watch(url, schema, processes, OFFSETS, 2 * signals)
        verify.tracker(url, schema, events.expected(made()))
    return replace(measured, startup_seconds=0.0)


def await_shared(settings: Settings, processes: list[Process]) -> None:
    """Wait until each process has taken up its share of the partitions.

    Raises:
        RuntimeError: That does not happen.
    """
    query = (
        "SELECT CASE WHEN count(*) FILTER (WHERE owner_pid IS NOT NULL) ="
        f" {2 * settings.topic_partitions} THEN count(DISTINCT owner_pid) ELSE 0 END"
        " FROM consumer_offsets WHERE owner_pid IN (SELECT pid FROM pg_stat_activity)"
    )
    connection = connect(settings.database_url, settings.database_schema)
    ends = time.monotonic() + _PATIENCE_SECONDS
    try:
        with connection.cursor() as cursor:
            while count(cursor, query) != len(processes):
                check_alive(processes)
                if time.monotonic() > ends:
                    said = "\n".join(process.said() for process in processes)
                    raise RuntimeError(f"{len(processes)} consumers do not share:\n{said}")
                time.sleep(0.05)
    finally:
        connection.close()

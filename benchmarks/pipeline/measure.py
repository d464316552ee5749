"""Measure processes from the outside: how fast they commit, and the CPU and memory they use."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - it is a class

from benchmarks.pipeline.common import APPLICATION, Process, connect

_LOOK_SECONDS = 0.02
_PATIENCE_SECONDS = 60.0

OFFSETS = "SELECT coalesce(sum(next_offset), 0) FROM consumer_offsets"
"""How many events the tracker has committed: its positions move with its effects."""

EASY = "SELECT coalesce(sum(closed), 0) FROM easy_days"
"""How many events a peer has committed."""


@dataclass(frozen=True)
class Measurement:
    """One run of one way.

    Attributes:
        events_per_second: Committed, from the first commit on.
        cpu_seconds_per_million: Of the process or processes, per million events.
        postgres_cpu_seconds_per_million: Of their database sessions.
        peak_mb: The most memory that a process had (VmHWM), in millions of bytes.
        postgres_peak_mb: The most that a session had, shared buffers included.
        startup_seconds: From the start of the process to its first commit, or its first batch.
        events: How many were committed in all.
    """

    events_per_second: float
    cpu_seconds_per_million: float
    postgres_cpu_seconds_per_million: float
    peak_mb: float
    postgres_peak_mb: float
    startup_seconds: float
    events: float

    def numbers(self) -> dict[str, float]:
        """By name."""
        return asdict(self)


class Stolen:
    """How much of the processors' time a host gave to others, since this was made.

    On a virtual machine that shares its processors, a run that was robbed of them measures the
    neighbours. A machine that does not tell (``steal`` of ``/proc/stat``) lost none.
    """

    def __init__(self) -> None:
        self._stolen, self._all = _processor_times()

    def percent(self) -> float:
        """The share so far, of all processors."""
        stolen, whole = _processor_times()
        return 100 * (stolen - self._stolen) / max(whole - self._all, 0.01)


def _processor_times() -> tuple[float, float]:
    """Seconds that were stolen, and all seconds, of all processors since the start."""
    times = psutil.cpu_times()
    # Guests' time is in user time too.
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    return getattr(times, "steal", 0.0), sum(times) - guests


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of processes; one that is not on this machine counts nothing."""
    total = 0.0
    for pid in pids:
        with suppress(psutil.Error):
            used = psutil.Process(pid).cpu_times()
            total += used.user + used.system
    return total


def peak_bytes(pids: Iterable[int]) -> int:
    """The largest resident set (VmHWM) that any of the processes ever had."""
    peaks = [0]
    for pid in pids:
        with suppress(OSError):
            status = Path(f"/proc/{pid}/status").read_text()
            peaks += [
                int(line.split()[1]) * 1024
                for line in status.splitlines()
                if line.startswith("VmHWM:")
            ]
    return max(peaks)


def sessions(cursor: Cursor) -> list[int]:
    """The process ids of everybody's sessions but the measurement's own."""
    cursor.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND application_name <> %s",
        (APPLICATION,),
    )
    return [int(pid) for (pid,) in cursor.fetchall()]


def count(cursor: Cursor, query: str) -> int:
    """The whole number that a query gives."""
    cursor.execute(query)
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def check_alive(processes: Sequence[Process]) -> None:
    """Raise if one has ended.

    Raises:
        RuntimeError: It has, and this is what it said.
    """
    for process in processes:
        if not process.running:
            raise RuntimeError(f"{process.name} ended too early:\n{process.said()}")


def watch(
    url: str,
    schema: str,
    processes: Sequence[Process],
    query: str,
    total: int,
) -> Measurement:
    """Follow consumers until they have committed everything.

    The clock starts at the first commit, so that starting is apart. A run so small that one
    commit holds it all is timed from the start of the process instead.

    Args:
        url: The database.
        schema: Where the query looks.
        processes: The consumers, just started.
        query: Counts what is committed.
        total: How much that will be.

    Raises:
        RuntimeError: A consumer ended, stands still, or committed more than there is.
    """
    connection = connect(url, schema)
    pids = [process.pid for process in processes]
    started = min(process.started for process in processes)
    begun, first, before, before_there = 0.0, 0, 0.0, 0.0
    last, moved = 0, time.monotonic()
    try:
        with connection.cursor() as cursor:
            while True:
                done, now = count(cursor, query), time.monotonic()
                if done and not begun:
                    there = sessions(cursor)
                    begun, first = now, done
                    before, before_there = cpu_seconds(pids), cpu_seconds(there)
                if done >= total:
                    break
                if done > last:
                    last, moved = done, now
                elif now - moved > _PATIENCE_SECONDS:
                    said = "\n".join(process.said() for process in processes)
                    raise RuntimeError(
                        f"{processes[0].name} stands still at {done} of {total}:\n{said}"
                    )
                check_alive(processes)
                time.sleep(_LOOK_SECONDS)
            used, used_there = cpu_seconds(pids), cpu_seconds(there := sessions(cursor))
            peak, peak_there = peak_bytes(pids), peak_bytes(there)
    finally:
        connection.close()
    if done > total:
        raise RuntimeError(f"{processes[0].name} has committed {done} events of {total}")
    startup = begun - started
    if first == total:
        begun, first, before, before_there = started, 0, 0.0, 0.0
    return Measurement(
        events_per_second=(total - first) / (now - begun),
        cpu_seconds_per_million=(used - before) / (total - first) * 1e6,
        postgres_cpu_seconds_per_million=(used_there - before_there) / (total - first) * 1e6,
        peak_mb=peak / 1e6,
        postgres_peak_mb=peak_there / 1e6,
        startup_seconds=startup,
        events=float(total),
    )

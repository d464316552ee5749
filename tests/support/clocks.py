"""Clocks for tests: one that is wrong, and one that goes only when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from trackrecord.clock import SystemClock


class ShiftedClock(SystemClock):
    """The machine's clock, some seconds off; a negative number is late."""

    def __init__(self, seconds: float) -> None:
        self._off = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._off


class HandClock:
    """Stands still until it is moved, or somebody waits by it."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)) -> None:
        self._now = now
        self._seconds = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._seconds

    def sleep(self, seconds: float) -> None:
        self.move(seconds)

    def move(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._seconds += seconds

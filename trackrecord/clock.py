"""The wall clock and the waiting, in one place, so that rules never read them.

Whatever depends on time in the runtime and the SDK is given a :class:`Clock`. A stage's process
gets its own in :mod:`trackrecord.runtime.process.run`, a publisher in its constructor; everything
else is handed theirs.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """The present instant in UTC, which can be set back."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant in UTC, which can be set back."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


SYSTEM_CLOCK: Final[Clock] = SystemClock()
"""What everything uses that was given no other."""


def backoff(first: float = 0.1, most: float = 5.0) -> Iterator[float]:
    """Waits that double from ``first`` to ``most`` seconds, each with jitter.

    The jitter (half to the whole of the wait) keeps consumers that failed
    together from coming back together.
    """
    wait = first
    while True:
        yield wait * random.uniform(0.5, 1.0)  # noqa: S311 - not for secrets
        wait = min(wait * 2, most)

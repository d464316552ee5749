"""The wall clock and the waiting, in one place, so that rules never read them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime


def now() -> datetime:
    """The present instant in UTC."""
    return datetime.now(UTC)


monotonic = time.monotonic
"""Seconds from an arbitrary start; never goes back."""


def backoff(first: float = 0.1, most: float = 5.0) -> Iterator[float]:
    """Waits that double from ``first`` to ``most`` seconds, each with jitter.

    The jitter (half to the whole of the wait) keeps consumers that failed
    together from coming back together.
    """
    wait = first
    while True:
        yield wait * random.uniform(0.5, 1.0)  # noqa: S311 - not for secrets
        wait = min(wait * 2, most)

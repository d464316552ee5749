"""Where requests make and try strategies: beside the event loop, so many at once and no more.

What a strategy takes is the processor, and most of it in workers of the sandbox. Were any number
of requests let in, all others would wait for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from trackrecord.api.problems import ProblemError
from trackrecord.runtime.settings import Settings
from trackrecord.sandbox.from_settings import executor_of

AT_ONCE: Final = 2
"""How many are worked on."""

WAITING: Final = 14
"""How many more may wait for it."""

OF_ONE: Final = 4
"""How many of both may be of one user."""

_Found = TypeVar("_Found")


class Workshop:
    """Works for requests, with one sandbox for all.

    Attributes:
        executor: The sandbox; it starts when the first strategy is run.
    """

    def __init__(self, settings: Settings) -> None:
        """Work on nothing yet."""
        self.executor = executor_of(settings)
        self._places = CapacityLimiter(AT_ONCE)
        self._of: Counter[str] = Counter()

    async def work(self, whose: str, task: Callable[[], _Found]) -> _Found:
        """Do something in a thread, as soon as there is a place.

        Args:
            whose: Tells who asks from all others.
            task: What is done.

        Raises:
            ProblemError: This user has enough under way (429), or all have together (503).
        """
        if self._of[whose] >= OF_ONE:
            raise ProblemError(
                429, f"{OF_ONE} of your strategies are being worked on: ask again in a moment"
            )
        if self._of.total() >= AT_ONCE + WAITING:
            raise ProblemError(
                503, f"{self._of.total()} strategies are being worked on: ask again in a moment"
            )
        self._of[whose] += 1
        try:
            return await run_sync(task, limiter=self._places)
        finally:
            self._of[whose] -= 1
            if not self._of[whose]:
                del self._of[whose]

    def close(self) -> None:
        """End the workers of the sandbox."""
        self.executor.close()

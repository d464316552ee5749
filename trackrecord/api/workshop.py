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

from trackrecord.api.pool import Pool
from trackrecord.api.problems import ProblemError
from trackrecord.catalogue.laboratory import Laboratory
from trackrecord.catalogue.trial_bars import Bars, trial_bars
from trackrecord.runtime.settings import Settings

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
        laboratory: The sandbox, and bars to try strategies on; both come with the first strategy.
    """

    def __init__(self, settings: Settings, pool: Pool) -> None:
        """Work on nothing yet.

        Args:
            settings: Limits of the sandbox.
            pool: What bars are read with.
        """

        def bars() -> Bars:
            with pool.reading() as cursor:
                return trial_bars(cursor)

        self.laboratory = Laboratory(settings, bars)
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
        self.laboratory.close()

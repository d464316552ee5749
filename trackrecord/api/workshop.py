"""Where requests make, try and judge strategies: beside the event loop, so many at once.

What a strategy takes is the processor. Were any number of requests let in, all others would wait
for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from trackrecord.api.backtests import Backtests
from trackrecord.api.pool import Pool
from trackrecord.api.problems import ProblemError
from trackrecord.catalogue.laboratory import Bars, Laboratory
from trackrecord.catalogue.trial_bars import trial_bars
from trackrecord.runtime.settings import Settings

MADE_AT_ONCE: Final = 2
MADE_WAITING: Final = 14
"""More than that may wait for a place to be made or tried in."""
MADE_OF_ONE: Final = 4
"""How many of both may be of one user."""

JUDGED_AT_ONCE: Final = 1
JUDGED_WAITING: Final = 5
JUDGED_OF_ONE: Final = 2

_Found = TypeVar("_Found")


class Places:
    """A number of places to work at, and to wait for one."""

    def __init__(self, words: str, *, at_once: int, waiting: int, of_one: int) -> None:
        """Begin with all of them free.

        Args:
            words: What is worked on, and how.
            at_once: How many are worked on.
            waiting: How many more may wait.
            of_one: How many of both may be of one user.
        """
        self._words = words
        self._most, self._of_one = at_once + waiting, of_one
        self._places = CapacityLimiter(at_once)
        self._of: Counter[str] = Counter()

    async def work(self, whose: str, task: Callable[[], _Found]) -> _Found:
        """Do something in a thread, as soon as there is a place.

        Args:
            whose: Tells who asks from all others.
            task: What is done.

        Raises:
            ProblemError: This user has enough under way (429), or all have together (503).
        """
        if self._of[whose] >= self._of_one:
            raise ProblemError(429, f"{self._of_one} of your {self._words}: ask again in a moment")
        if self._of.total() >= self._most:
            raise ProblemError(503, f"{self._most} {self._words}: ask again in a moment")
        self._of[whose] += 1
        try:
            return await run_sync(task, limiter=self._places)
        finally:
            self._of[whose] -= 1
            if not self._of[whose]:
                del self._of[whose]


class Workshop:
    """Works for requests, with one sandbox for all.

    Attributes:
        laboratory: The sandbox, and bars to try strategies on; both come with the first strategy.
        making: Where strategies are made and tried.
        judging: Where they are backtested.
        backtests: What backtests them.
    """

    def __init__(self, settings: Settings, pool: Pool) -> None:
        """Work on nothing yet.

        Args:
            settings: Limits of the sandbox, and where the database is.
            pool: What bars are read with.
        """

        def bars() -> Bars:
            with pool.reading() as cursor:
                return trial_bars(cursor)

        self.laboratory = Laboratory(settings, bars)
        self.making = Places(
            "strategies are being made or tried",
            at_once=MADE_AT_ONCE,
            waiting=MADE_WAITING,
            of_one=MADE_OF_ONE,
        )
        self.judging = Places(
            "strategies are being judged",
            at_once=JUDGED_AT_ONCE,
            waiting=JUDGED_WAITING,
            of_one=JUDGED_OF_ONE,
        )
        self.backtests = Backtests(settings)

    def close(self) -> None:
        """End the workers of the sandbox, and backtests that are under way."""
        self.backtests.close()
        self.laboratory.close()

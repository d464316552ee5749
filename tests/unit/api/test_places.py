"""How many strategies are worked on at once, and who is told to come back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from trackrecord.api.problems import ProblemError
from trackrecord.api.workshop import Places

pytestmark = pytest.mark.timeout(30)


class Crowd:
    """Tasks that work until they are told to end, and how many work at once."""

    def __init__(self) -> None:
        self.end = threading.Event()
        self.now = 0
        self.most = 0
        self._lock = threading.Lock()

    def task(self) -> str:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.end.wait(20)
        with self._lock:
            self.now -= 1
        return "done"


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what it waits for is told by threads
        await asyncio.sleep(0.005)


async def refusal(places: Places, whose: str, crowd: Crowd) -> ProblemError:
    with pytest.raises(ProblemError) as raised:
        await places.work(whose, crowd.task)
    return raised.value


def test_so_many_are_worked_on_others_wait_and_more_are_told_to_come_back() -> None:
    async def run() -> None:
        places = Places("are busy", at_once=2, waiting=2, of_one=2)
        crowd = Crowd()
        working = [
            asyncio.create_task(places.work(whose, crowd.task))
            for whose in ("alice", "alice", "bob", "carol")
        ]
        await until(lambda: crowd.now == 2)
        assert (await refusal(places, "alice", crowd)).status == 429
        assert (await refusal(places, "dave", crowd)).status == 503
        crowd.end.set()
        assert await asyncio.gather(*working) == ["done"] * 4
        assert crowd.most == 2
        # All have left: there are places again, for whoever had too much under way as well.
        assert await places.work("alice", crowd.task) == "done"

    asyncio.run(run())


def test_what_fails_leaves_its_place() -> None:
    async def run() -> None:
        places = Places("are busy", at_once=1, waiting=0, of_one=1)

        def fails() -> None:
            raise ValueError("as it may")

        for _ in range(3):
            with pytest.raises(ValueError, match="as it may"):
                await places.work("alice", fails)

    asyncio.run(run())

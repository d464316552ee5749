"""Requests at an even pace, whatever the answers take; latencies are from when each was due.

A client that waited for one answer before it asks again would not see what a slow one keeps back.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue

import numpy as np

from benchmarks.reading.place import Place

_CLIENTS = 16
_TIMEOUT_SECONDS = 30.0

Mix = Mapping[str, tuple[int, Callable[[random.Random], str]]]
"""By the name of a route: how many of a hundred requests go there, and a path to ask."""


@dataclass
class Answers:
    """What came back.

    Attributes:
        seconds: By route, of each answer.
        failures: Answers that were neither 200 nor 304, or none at all, as text.
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: list[str] = field(default_factory=list)

    def percentile(self, percent: float, routes: Sequence[str] | None = None) -> float:
        """Milliseconds that so many percent of the answers of these routes took at most."""
        taken = [
            each for name in (self.seconds if routes is None else routes)
            for each in self.seconds[name]
        ]  # fmt: skip
        return float(np.percentile(taken, percent)) * 1000

    def count(self) -> int:
        """How many there were."""
        return sum(map(len, self.seconds.values()))


def ask(place: Place, mix: Mix, rate: int, seconds: float, seed: int) -> Answers:
    """Ask for some time.

    Args:
        place: Whom to ask.
        mix: What to ask for.
        rate: Requests a second.
        seconds: For how long.
        seed: Of what is drawn.
    """
    rng = random.Random(seed)
    names = list(mix)
    weights = [share for share, _ in mix.values()]
    due: SimpleQueue[tuple[float, str, str] | None] = SimpleQueue()
    answers = Answers()
    lock = threading.Lock()
    clients = [
        threading.Thread(target=_client, args=(place, due, answers, lock), daemon=True)
        for _ in range(_CLIENTS)
    ]
    for client in clients:
        client.start()
    began = time.monotonic()
    for number in range(int(rate * seconds)):
        at = began + number / rate
        time.sleep(max(0.0, at - time.monotonic()))
        name = rng.choices(names, weights)[0]
        due.put((at, name, mix[name][1](rng)))
    for _ in clients:
        due.put(None)
    for client in clients:
        client.join()
    return answers


def _client(
    place: Place,
    due: SimpleQueue[tuple[float, str, str] | None],
    answers: Answers,
    lock: threading.Lock,
) -> None:
    connection = http.client.HTTPConnection(place.address, timeout=_TIMEOUT_SECONDS)
    while (order := due.get()) is not None:
        at, name, path = order
        try:
            connection.request("GET", path, headers=dict(place.headers))
            answer = connection.getresponse()
            answer.read()
            problem = "" if answer.status in {200, 304} else f"{answer.status} {path}"
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            problem = f"{type(error).__name__} {path}"
        with lock:
            if problem:
                answers.failures.append(problem)
            answers.seconds[name].append(time.monotonic() - at)
    connection.close()

"""Where the faults of an episode take place: what there is to break, and when."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.support.pipeline import Pipeline
from tests.torture.crew import Crew, Member
from tests.torture.plan import Order, Plan

_TICK_SECONDS = 0.02

Action = Callable[[], None]


@dataclass(frozen=True)
class Place:
    """The stack that an episode uses.

    Attributes:
        bootstrap_servers: Kafka's.
        database_url: With the password.
        home: The stack's folder, where the episode may break the servers too.
    """

    bootstrap_servers: str
    database_url: str
    home: Path | None


@dataclass
class Record:
    """What came of a fault.

    Attributes:
        kind: Its kind.
        hit: Whether it landed while there was something to break.
        note: Why it could not be injected; empty if it was.
        evidence: Asked at the end; any that is true makes it a hit.
    """

    kind: str
    hit: bool = False
    note: str = ""
    evidence: list[Callable[[], bool]] = field(default_factory=list)

    def settle(self) -> None:
        """Ask for the evidence."""
        self.hit = self.hit or any(ask() for ask in self.evidence)
        self.evidence = []


@dataclass
class Scene:
    """An episode while it runs.

    Attributes:
        plan: What is to happen.
        pipeline: Topics, tables and processes.
        crew: The processes.
        place: The stack.
        space: The small disk of its tables (`servers.Space`), or why there is none.
        mended: Done when all faults are over, in this order.
        records: What came of the faults so far.
    """

    plan: Plan
    pipeline: Pipeline
    crew: Crew
    place: Place
    space: object = ""
    mended: list[Action] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    _due: list[tuple[float, int, Action]] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _watched: list[tuple[Member, Order]] = field(default_factory=list)

    def later(self, seconds: float, action: Action) -> None:
        """Do something so many seconds from now."""
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), action))

    def watch(self, member: Member, order: Order) -> None:
        """Thaw a member a while after it has frozen itself."""
        self._watched.append((member, order))

    def play(self) -> None:
        """Do all that is due, until nothing is."""
        while self._due:
            at, _, action = self._due[0]
            wait = at - time.monotonic()
            if wait <= 0:
                heapq.heappop(self._due)
                action()
            else:
                self.look()
                time.sleep(min(wait, _TICK_SECONDS))

    def look(self) -> None:
        """See whether somebody has frozen itself."""
        for member, order in self._watched:
            if not member.thaws and member.froze_itself:
                member.thaws = True
                self.later(order.seconds, partial(self.crew.thaw, member))

    def mend(self) -> None:
        """End what is still broken."""
        for action in self.mended:
            action()
        self.mended = []
        for member in self.crew.members:
            if member.frozen:
                self.crew.thaw(member)
        for stage in list(self.crew.shut):
            self.crew.open(stage)
        for stage, wanted in self.plan.members.items():
            whole = [each for each in self.crew.well(stage) if each.is_whole]
            if wanted and not whole:
                self.crew.start(stage)

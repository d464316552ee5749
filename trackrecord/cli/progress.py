"""How far a long command is: bars on a terminal, a line every few seconds where there is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.progress import Progress, TaskID

EVERY_SECONDS: Final = 5.0


@dataclass
class Step:
    """One part of the work.

    Attributes:
        name: What is done.
        done: How much of it is.
        total: Of how much.
        began: When, by ``clock``.
    """

    name: str
    done: int
    total: int
    began: float

    def words(self, now: float) -> str:
        """How far it is, how fast it goes and how long it still takes."""
        share = f" ({self.done / self.total:.0%})" if self.total else ""
        so_far = f"{self.name}: {self.done:,} of {self.total:,}{share}"
        seconds = now - self.began
        if not 0 < self.done < self.total or seconds <= 0:
            return so_far
        rate = self.done / seconds
        speed = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"  # noqa: PLR2004 - two digits
        return f"{so_far}, {speed}/s, about {_duration((self.total - self.done) / rate)} left"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - seconds of a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 - minutes of an hour
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


class Shown:
    """Takes how far each step is, and knows what was done last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives seconds."""
        self.clock = clock
        self.steps: dict[str, Step] = {}
        self.latest: Step | None = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """``done`` of ``total`` of a step are done; a stage is one, and so is what else is told."""
        step = self.steps.get(stage)
        if step is None or done < step.done:
            step = self.steps[stage] = Step(stage, done, total, self.clock())
        step.done, step.total = done, total
        self.latest = step

    def words(self) -> str | None:
        """How far the latest step is; None before the first."""
        return None if self.latest is None else self.latest.words(self.clock())


class _OnTerminal(Shown):
    def __init__(self, bars: Progress) -> None:
        super().__init__()
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        super().__call__(stage, done, total)
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=total)
        self._bars.update(self._tasks[stage], completed=done, total=total)


@contextmanager
def shown(console: Console, *, every: float = EVERY_SECONDS) -> Iterator[Shown]:
    """Show progress on a console while what is inside goes on.

    Args:
        console: On standard error.
        every: Seconds between two lines where it is no terminal.
    """
    if console.is_terminal:
        with Progress(console=console, transient=True) as bars:
            yield _OnTerminal(bars)
        return
    progress = Shown()
    over = threading.Event()

    def tell() -> None:
        while not over.wait(every):
            if words := progress.words():
                console.print(words)

    teller = threading.Thread(target=tell, name="progress", daemon=True)
    teller.start()
    try:
        yield progress
    finally:
        over.set()
        teller.join()

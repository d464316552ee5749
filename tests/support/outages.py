"""The broker or the database of a local stack, to be killed and awaited."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.support.pipeline import until
from trackrecord.local.stack import Stack


class Server:
    """The broker or the database of the stack, which its supervisor starts again."""

    def __init__(self, home: Path, name: str) -> None:
        self._home = home
        self._name = name

    @property
    def pid(self) -> int:
        """Its process while it is healthy, else 0."""
        state = Stack.read_state(self._home)
        for process in state.processes if state else ():
            if process.stage == self._name and process.healthy:
                return process.pid or 0
        return 0

    def signal(self, number: int) -> None:
        os.kill(until(lambda: self.pid, f"{self._name} runs"), number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def await_health(self, not_pid: int = 0) -> None:
        until(lambda: self.pid not in {0, not_pid}, f"{self._name} is back", 60)

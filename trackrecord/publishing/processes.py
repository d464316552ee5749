"""The processes of a script: ended with it, and with us, whatever they are told."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final, Self

_PR_SET_PDEATHSIG: Final = 1
_GLANCE_SECONDS: Final = 0.02
_ROUNDS: Final = 10

_libc: Any = ctypes.CDLL(None) if sys.platform == "linux" else None


class StopRequests:
    """Signals that ask this process to end, noted instead of obeyed while something is put away.

    What was ignored before, as SIGHUP is under ``nohup``, stays ignored.

    Attributes:
        first: The first signal that came; None: none did.
    """

    _NUMBERS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __init__(self) -> None:
        """Listen to none yet."""
        self.first: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        """Listen. Only the main thread may."""
        for number in self._NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let the signals do again what they did."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.first = self.first or signal.Signals(number)


def end_with_parent() -> Callable[[], None] | None:
    """What to do in a new child so that it ends when we are killed (Linux); None elsewhere."""
    if _libc is None:
        return None
    prctl, number = _libc.prctl, int(signal.SIGTERM)

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)

    return tie


def end_all(leader: int, mark: str, grace: float) -> None:
    """Ask a session to end, and then end by force what is left of it and of what it started.

    Args:
        leader: The process that began the session.
        mark: Stands in the environment of the leader alone, and so of what came of it. A process
            that has begun a session of its own, and whose parent has ended, is found by it.
        grace: Seconds between the request and force.
    """
    _signal_all(leader, mark, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while _alive(leader, mark) and time.monotonic() < deadline:
        time.sleep(_GLANCE_SECONDS)
    # Those that are killed may have started others meanwhile.
    for _ in range(_ROUNDS):
        if not _signal_all(leader, mark, signal.SIGKILL):
            return
        time.sleep(_GLANCE_SECONDS)


def _signal_all(leader: int, mark: str, number: signal.Signals) -> bool:
    """Send a signal to a session and to all that came of it; returns whether there was any."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
    found = _alive(leader, mark)
    for process in found:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)
    return bool(found)


def _alive(leader: int, mark: str) -> set[int]:
    """The living processes of a session, and those that came of it.

    Where there is no /proc, the group's leader stands for all of them.
    """
    if not Path("/proc/self/stat").exists():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, 0)
            return {leader}
        return set()
    found = set()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) == os.getpid():
            continue
        with suppress(OSError, ValueError, IndexError):
            # The second field is the program's name, which may hold anything but ends with ")".
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            state, session = fields[0], int(fields[3])
            if state not in "ZX" and (
                session == leader or mark.encode() in (folder / "environ").read_bytes()
            ):
                found.add(int(folder.name))
    return found

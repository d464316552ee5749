"""Close publishers at the end of the process, and renew them in forked children."""

from __future__ import annotations

import atexit
import ctypes
import os
from typing import Final, Protocol


class Closable(Protocol):
    """What a publisher offers for its end."""

    def close(self, timeout: float | None = ...) -> int:
        """End, waiting at most so many seconds."""

    def leave_to_parent(self) -> None:
        """Let go, in a forked child."""


AT_EXIT_SECONDS: Final = 2.0
"""How long a program that forgot to close its publisher waits for the brokers at its end."""

_open: set[Closable] = set()  # strong: one that nobody holds any more still has events to send


def opened(publisher: Closable) -> None:
    """Remember a publisher, to close it at the end."""
    _open.add(publisher)


def closed(publisher: Closable) -> None:
    """Forget a publisher."""
    _open.discard(publisher)


def keep_for_ever(thing: object) -> None:
    """Never let an object be freed.

    The Kafka client of a forked child has lost its threads; freeing it waits
    for them to end, and so for ever.
    """
    if thing is not None:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _close_all() -> None:
    for publisher in list(_open):
        publisher.close(AT_EXIT_SECONDS)


def _after_fork() -> None:
    for publisher in list(_open):
        publisher.leave_to_parent()
        _open.discard(publisher)


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

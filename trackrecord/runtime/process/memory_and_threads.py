"""How a stage's process starts, uses memory and collects garbage.

A consumer makes and drops a hundred thousand small objects a batch, none of them
in cycles, in several threads. The settings were measured on the signal_tracker (400,000
events): without the first, its peak is some 70 MB higher, without the second 6, without the
third 20; without the fourth, reading headers takes half as long again; with Python's own turns
instead of those of its handler, it applies a tenth fewer events a second.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
from typing import Final

_ALLOCATOR: Final = "_RJEM_MALLOC_CONF"
_ARENA_MAX: Final = -8
_MMAP_THRESHOLD: Final = -3
_TRIM_THRESHOLD: Final = -1
"""Their names for ``mallopt``: M_ARENA_MAX and so on of malloc.h."""
_YOUNG: Final = 200_000
"""Objects between two collections of the youngest; Python's default is 700."""


def stop_at_once() -> None:
    """Let SIGTERM end a process that has done nothing yet; a running stage stops in good order.

    An exception would not do: Python drops one that is raised while an object is deleted, or in
    a callback, and the stage would start although it was told to stop.
    """
    signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(0))


def give_memory_back() -> None:
    """Have allocators keep little that is free; before polars is imported."""
    os.environ.setdefault(_ALLOCATOR, "dirty_decay_ms:0,muzzy_decay_ms:0")
    # Only the GNU library has a heap for each thread, and this to limit them.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, 2)
        # It would raise both to what was freed last: after one batch, the rows of all later ones
        # stayed in heaps that are never given back.
        mallopt(_MMAP_THRESHOLD, 256 * 1024)
        mallopt(_TRIM_THRESHOLD, 128 * 1024)


def collect_rarely() -> None:
    """Leave what the start-up made out of collections, and make these rare."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 50)


def take_turns(seconds: float) -> None:
    """Say how long a thread keeps the interpreter while another waits; Python's default is 0.005.

    Short turns suit threads that mostly wait for the database: one that was answered goes on at
    once. Long ones suit a thread that computes in Python, which each turn of another slows down.
    """
    sys.setswitchinterval(seconds)

"""The home of a local stack, as it looks from outside: files, and a lock while the stack runs."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def home_in(folder: Path, name: str = ".trackrecord") -> Path:
    """A home in which a stack was started once, and is down."""
    home = folder / name
    home.mkdir(parents=True)
    (home / "ports.json").write_text("{}")
    return home


@contextmanager
def running_in(home: Path, brokers: str, **more: str) -> Iterator[None]:
    """Have a stack seem to run in a home, as its supervisor lets others see it."""
    state = {"phase": "ready", "kafka": brokers, "database_url": "postgresql://db", **more}
    (home / "state.json").write_text(json.dumps(state))
    with (home / "supervisor.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""Who waits for whom while a thread polls beside the loop's batch.

A poll may find that partitions come or go, and what is to be done then changes what the loop works
with. In the reading thread it waits until the loop has finished its batch; in the loop's own
thread, between batches, there is nothing to wait for.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class BetweenBatches:
    """A gate that is open while no batch is under way."""

    def __init__(self) -> None:
        """Begin closed, with no reading thread."""
        self._open = threading.Event()
        self._reader: int | None = None

    def read_from_here(self) -> None:
        """Make the calling thread the one that waits."""
        self._reader = threading.get_ident()

    def wait(self) -> None:
        """Return when no batch is under way; at once where the loop itself asks."""
        if threading.get_ident() == self._reader:
            self._open.wait()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Let whoever waits go on while this block runs: the batch is done."""
        self._open.set()
        try:
            yield
        finally:
            self._open.clear()

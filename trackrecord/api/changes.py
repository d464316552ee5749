"""What streams are told: that something has changed, by one poller for all who listen.

Nothing is told by the transactions of the stages themselves: a NOTIFY would make them wait for
one another. Versions are looked at four times a second instead, and only while somebody listens.
No stream holds a session of the database.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from fastapi.sse import ServerSentEvent

from trackrecord.api.problems import ProblemError
from trackrecord.clock import Clock
from trackrecord.errors import TrackrecordError
from trackrecord.events.types import wire_time

EVERY_SECONDS: Final = 0.25

MOST_LISTENERS: Final = 200
"""Streams of one process."""

_VERSION: Final = re.compile(r"[a-z_]{1,32}\.[0-9]{1,20}(-[a-z_]{1,32}\.[0-9]{1,20}){0,15}")

Versions = Mapping[str, int]
"""How far each kind of thing has moved."""


class Changes:
    """Those who listen, and the one poller that tells them."""

    def __init__(self, look: Callable[[], Versions], clock: Clock) -> None:
        """Look at nothing yet.

        Args:
            look: Reads the versions; called in a thread.
            clock: What tells the time.
        """
        self._look = look
        self._clock = clock
        self._versions: Versions | None = None
        self._moved = asyncio.Event()
        self._closed = False
        self._poller: asyncio.Task[None] | None = None
        self.listeners = 0

    def require_place(self) -> None:
        """See that one more may listen.

        Raises:
            ProblemError: Too many do (429).
        """
        if self.listeners >= MOST_LISTENERS:
            raise ProblemError(429, f"{self.listeners} streams are open, which is the most")

    async def follow(
        self,
        last: str | None,
        shown: Callable[[Versions], Versions] = lambda versions: versions,
        seconds: float | None = None,
    ) -> AsyncIterator[ServerSentEvent]:
        """Changes from now on, and first whether there were any since the version last told.

        Args:
            last: The id of the last event that the client was told; None: of none.
            shown: What the client is told of versions.
            seconds: After how long it ends, so that the client asks again; None: never.
        """
        said = read_version(last)
        until = None if seconds is None else self._clock.monotonic() + seconds
        self.listeners += 1
        if self._poller is None:
            self._versions = None
            self._poller = asyncio.create_task(self._poll())
        try:
            while not self._closed:
                moved = self._moved
                now = None if self._versions is None else shown(self._versions)
                if now is not None and now != said:
                    yield self._told(now, said)
                    said = now
                left = None if until is None else until - self._clock.monotonic()
                if left is not None and left <= 0:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(moved.wait(), left)
        finally:
            self.listeners -= 1
            if not self.listeners and self._poller is not None:
                self._poller.cancel()
                self._poller = None

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        self._wake()

    async def _poll(self) -> None:
        while not self._closed:
            try:
                found = await asyncio.to_thread(self._look)
            except TrackrecordError:
                pass  # the database is away: what changed is told once it is back
            else:
                if found != self._versions:
                    self._versions = found
                    self._wake()
            await asyncio.sleep(EVERY_SECONDS)

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    def _told(self, now: Versions, said: Versions | None) -> ServerSentEvent:
        changed = [name for name, at in now.items() if said is not None and said.get(name) != at]
        content: dict[str, Any] = {
            "as_of": wire_time(self._clock.now()),
            "version": write_version(now),
            "changed": changed,
        }
        return ServerSentEvent(
            data=content, event="here" if said is None else "change", id=content["version"]
        )


def write_version(versions: Versions) -> str:
    """Versions as the id of an event: ``scripts.12-signals.345``."""
    return "-".join(f"{name}.{at}" for name, at in sorted(versions.items()))


def read_version(text: str | None) -> Versions | None:
    """The other way round; None for what is none of ours, such as an id of another server."""
    if text is None or _VERSION.fullmatch(text) is None:
        return None
    return {name: int(at) for name, _, at in (part.partition(".") for part in text.split("-"))}

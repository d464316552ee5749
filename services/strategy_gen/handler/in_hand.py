"""Which requests this process has, and signs of life for all of them from one thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg2

from services.strategy_gen.store import STAGE
from trackrecord.catalogue.store import requests
from trackrecord.catalogue.store.requests import Request
from trackrecord.clock import Clock
from trackrecord.errors import TrackrecordError
from trackrecord.runtime.database import session
from trackrecord.runtime.jobs import describe
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.settings import Settings

_log = get_logger(__name__)

_BEATS: Final = 5
"""Signs of life within the time after which there is none."""


class InHand:
    """The requests that are worked upon; its thread lives as long as there are any."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Nothing is in hand yet."""
        self._settings = settings
        self._clock = clock
        self._requests: dict[str, Request] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._over = threading.Event()

    def all(self) -> list[Request]:
        """Those that are in hand."""
        with self._lock:
            return list(self._requests.values())

    @contextmanager
    def holding(self, request: Request) -> Iterator[None]:
        """Give signs of life for a request until the block ends."""
        with self._lock:
            self._requests[request.request_id] = request
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="alive", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._requests.pop(request.request_id, None)

    def close(self) -> None:
        """Give no more signs of life."""
        self._over.set()

    def _beat(self) -> None:
        while not self._over.wait(self._settings.strategy_stale_seconds / _BEATS):
            held = self.all()
            if not held:
                continue
            try:
                with session(self._settings, application=f"{STAGE} lives") as cursor:
                    now = self._clock.now()
                    for each in held:
                        requests.beat(cursor, each.request_id, each.epoch, now)
            except (TrackrecordError, psycopg2.Error) as error:
                _log.warning("no sign of life", reason=describe(error))

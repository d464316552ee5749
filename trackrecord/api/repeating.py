"""Work that is done beside the requests again and again, for as long as the process runs."""

from __future__ import annotations

import threading
from collections.abc import Callable

from trackrecord.errors import TrackrecordError
from trackrecord.runtime.logs import get_logger

_log = get_logger(__name__)


class Repeating:
    """A thread that works, rests, and works again.

    What goes wrong with the database or the broker is logged, and tried again after the rest:
    what was found before stays, with its own time.
    """

    def __init__(self, name: str, work: Callable[[], object], *, rest_seconds: float) -> None:
        """Prepare the thread.

        Args:
            name: Of the thread, and what is not done in the log.
            work: What is done.
            rest_seconds: How long it rests.
        """
        self._name = name
        self._work = work
        self._rest_seconds = rest_seconds
        self._stop = threading.Event()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def stop(self) -> None:
        """Do not begin again; what is being done is not waited for."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._work()
            except TrackrecordError as error:
                _log.warning("not done for now", work=self._name, reason=str(error))
            self._stop.wait(self._rest_seconds)

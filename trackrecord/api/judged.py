"""The numbers that are judged from daily returns: worked out beside the requests, and kept.

They need all strategies, as what luck gives depends on how many there are, so no request works
them out. A thread does, whenever the record has moved: measures are kept in the database for all
who read them (:mod:`trackrecord.reports.measure_keeper`), records in memory for requests.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from trackrecord.api.answers import version_of
from trackrecord.api.repeating import Repeating
from trackrecord.clock import Clock
from trackrecord.reports.measure_keeper import keep_measures
from trackrecord.reports.strategies import read_report
from trackrecord.runtime.errors import PassingError
from trackrecord.runtime.settings import Settings

LOOK_SECONDS: Final = 1.0
"""How often it looks whether the record has moved."""

_REST: Final = 0.5
"""How long it rests for each second of work."""

_FIRST_SECONDS: Final = 10.0
"""How long a request waits for the first numbers after the start."""


@dataclass(frozen=True)
class Judged:
    """Records with the numbers of daily returns.

    Attributes:
        as_of: When they were worked out.
        version: Of the record that they are of.
        records: By strategy, as ``trackrecord report`` gives them.
    """

    as_of: datetime
    version: str
    records: dict[str, Any]


class JudgedNumbers:
    """Keeps them up to date.

    Attributes:
        repeating: The thread that does.
    """

    def __init__(self, settings: Settings, clock: Clock, look: Callable[[], str]) -> None:
        """Know nothing yet.

        Args:
            settings: What is known of the strategies.
            clock: What tells the time.
            look: Reads a text that is another one once the record of signals has moved.
        """
        self._settings = settings
        self._clock = clock
        self._look = look
        self.repeating = Repeating(
            "judged numbers", self.refresh, clock, least_seconds=LOOK_SECONDS, per_second=_REST
        )
        self._known = threading.Event()
        self._judged: Judged | None = None

    def current(self) -> Judged:
        """The latest, with the time that they are of.

        Raises:
            PassingError: There are none yet.
        """
        if not self._known.wait(_FIRST_SECONDS) or self._judged is None:
            raise PassingError("the numbers are being worked out: ask again in a moment")
        return self._judged

    def refresh(self) -> bool:
        """Work them out if the record has moved, or another day begun; whether it was so.

        Raises:
            PassingError: The database does not answer.
        """
        now = self._clock.now()
        today = now.astimezone(ZoneInfo(self._settings.day_timezone)).date()
        version = version_of(self._look(), today)
        if self._judged is not None and self._judged.version == version:
            return False
        keep_measures(self._settings, now)
        report = read_report(self._settings)
        self._judged = Judged(report.as_of, version, report.records)
        self._known.set()
        return True

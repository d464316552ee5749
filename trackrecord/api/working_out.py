"""The process that works numbers out beside the API, so that no request waits for it.

It is started by the API with its settings on standard input, and ends when that is closed. To
standard output it writes all records whenever they have moved: a line of JSON that says when they
were worked out, of which version they are and how many bytes follow, and those bytes, JSON too.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

import orjson

from trackrecord.api.answers import as_json, version_of
from trackrecord.clock import SYSTEM_CLOCK, Clock
from trackrecord.errors import TrackrecordError
from trackrecord.events.types import wire_time
from trackrecord.redaction import remember_url
from trackrecord.reports.calibration_keeper import keep_calibrations
from trackrecord.reports.measure_keeper import TOGETHER, keep_measures
from trackrecord.reports.strategies import read_report
from trackrecord.reports.totals import moved
from trackrecord.runtime import logs
from trackrecord.runtime.database import session
from trackrecord.runtime.logs import get_logger
from trackrecord.runtime.settings import Settings

LOOK_SECONDS: Final = 1.0
"""How often it looks whether the record has moved."""

_REST: Final = 1.0
"""How long it rests for each second of work."""

_LONGEST_REST: Final = 5.0
"""However much there was to do: numbers are to be no older than a few seconds."""

_CALIBRATION_SECONDS: Final = 5.0
_CALIBRATION_REST: Final = 20.0
"""Outcomes move with every bar, what follows from them hardly."""

_NICENESS: Final = 19
"""How far behind requests and stages it comes where the system has no idle class."""

_log = get_logger(__name__)


class Worker:
    """Works out what has moved, and hands it on."""

    def __init__(
        self, settings: Settings, clock: Clock, hand_on: Callable[[bytes], object]
    ) -> None:
        """Know nothing yet.

        Args:
            settings: Of the API.
            clock: What tells the time.
            hand_on: Takes what is written to standard output.
        """
        self._settings = settings
        self._clock = clock
        self._hand_on = hand_on
        self._version: str | None = None
        self._calibrate_at = 0.0

    def turn(self) -> float:
        """Look once, and work out what has moved; how long to rest, in seconds."""
        began = self._clock.monotonic()
        try:
            self._records()
            rest = min(_LONGEST_REST, _REST * (self._clock.monotonic() - began))
            self._calibrations()
        except TrackrecordError as error:
            # What was worked out before stays, with its own time.
            _log.warning("numbers are not worked out for now", reason=str(error))
            rest = LOOK_SECONDS
        return max(LOOK_SECONDS, rest)

    def _records(self) -> None:
        now = self._clock.now()
        today = now.astimezone(ZoneInfo(self._settings.day_timezone)).date()
        with session(self._settings, application="trackrecord numbers") as cursor:
            version = version_of(moved(cursor), today)
        if version == self._version:
            return
        # Where all of a thousand move all the time, measuring all before anything is handed on
        # would never end, and take what requests and stages need.
        measured = keep_measures(self._settings, now, TOGETHER)
        report = read_report(self._settings, outdated=True)
        records = as_json(report.records)
        as_of = report.judged_as_of or report.as_of
        head = {
            "as_of": wire_time(as_of),
            "version": version_of(version, as_of < report.as_of and as_of),
            "bytes": len(records),
        }
        self._hand_on(orjson.dumps(head) + b"\n" + records)
        # Where there may be more to measure, the next turn goes on, whether anything moves or not.
        more = measured is not None and measured >= TOGETHER
        self._version = None if more or as_of < report.as_of else version

    def _calibrations(self) -> None:
        began = self._clock.monotonic()
        if began < self._calibrate_at:
            return
        keep_calibrations(self._settings, self._clock.now())
        ended = self._clock.monotonic()
        rest = max(_CALIBRATION_SECONDS, _CALIBRATION_REST * (ended - began))
        self._calibrate_at = ended + rest


def _come_last() -> None:
    """Take the processor only while nobody else wants it.

    A request is some milliseconds of work in several processes; where this one may take its share
    at each step, the request waits as often.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except (AttributeError, OSError):
        os.nice(_NICENESS)


def main() -> int:
    """Work until standard input is closed."""
    settings = Settings.model_validate_json(sys.stdin.readline(), by_alias=False, by_name=True)
    remember_url(settings.database_url)
    logs.configure("api", level=settings.log_level, style=settings.log_format)
    _come_last()
    output: BinaryIO = sys.stdout.buffer

    def hand_on(content: bytes) -> None:
        output.write(content)
        output.flush()

    worker = Worker(settings, SYSTEM_CLOCK, hand_on)
    while True:
        rest = worker.turn()
        if select.select([sys.stdin], [], [], rest)[0]:
            return 0


if __name__ == "__main__":
    sys.exit(main())

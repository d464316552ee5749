"""How well models' probabilities held: worked out beside the requests, and kept."""

from __future__ import annotations

from typing import Final

from trackrecord.api.repeating import Repeating
from trackrecord.clock import Clock
from trackrecord.reports.calibration_keeper import keep_calibrations
from trackrecord.runtime.settings import Settings

_LEAST_SECONDS: Final = 5.0
_REST: Final = 20.0
"""How long it rests for each second of work: outcomes move with every bar, what follows little."""


def calibrating(settings: Settings, clock: Clock) -> Repeating:
    """What keeps calibrations up to date while it runs."""
    return Repeating(
        "calibration",
        lambda: keep_calibrations(settings, clock.now()),
        clock,
        least_seconds=_LEAST_SECONDS,
        per_second=_REST,
    )

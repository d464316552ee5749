"""How many logins may fail before more are not even tried, and for how long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from trackrecord.errors import TrackrecordError

WINDOW: Final = timedelta(minutes=15)

OF_USER: Final = 10
"""Failures of one name, whether there is such a user or not, from wherever they come."""

OF_ADDRESS: Final = 50
"""Failures from one address, whatever names were tried."""


class TooManyAttemptsError(TrackrecordError):
    """Too many logins have failed.

    Attributes:
        seconds: After how many to try again.
    """

    def __init__(self, seconds: int) -> None:
        """Say when to try again."""
        super().__init__(f"too many logins have failed: try again in {seconds} s")
        self.seconds = seconds


def seconds_to_wait(failures: Sequence[datetime], most: int, now: datetime) -> int:
    """How long until another login may be tried; 0: it may be now.

    Args:
        failures: When logins have failed, in any order.
        most: How many may within the window.
        now: The time.
    """
    recent = sorted(at for at in failures if now - at < WINDOW)
    if len(recent) < most:
        return 0
    return max(1, math.ceil((recent[-most] + WINDOW - now).total_seconds()))

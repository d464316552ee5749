"""Times as numbers, which is how columns hold them: microseconds or days since 1970 UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

DAY: Final = 86_400_000_000
"""Microseconds."""

NEVER: Final = -(2**63)
"""Stands in columns of times for none; before all of them."""

NO_NUMBER: Final = (
    "write a time such as 2026-01-31T09:30:00Z, not a number of seconds or milliseconds since 1970"
)
"""What is said to who gives a number where a time is wanted: of which unit it is, nobody knows."""

_DIGITS: Final = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?")
_BASIC_DATE: Final = 8
"""Digits of a date that is written without hyphens."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY: Final = _EPOCH.date()
_MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Since 1970 UTC, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """The other way round, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def is_number(text: str) -> bool:
    """Whether a text that stands for a time is a number, and no date such as 20260131."""
    return _DIGITS.fullmatch(text) is not None and len(text) != _BASIC_DATE


def read_time(text: str) -> datetime:
    """A time that a file holds: ISO 8601 with T or a space; without an offset it is UTC.

    Args:
        text: Such as ``2026-01-31T09:30:00Z``, ``2026-01-31 09:30:00+00:00`` or ``2026-01-31``.

    Raises:
        ValueError: It is no time; of a number, :data:`NO_NUMBER` says what is wanted.
    """
    text = text.strip()
    if is_number(text):
        raise ValueError(NO_NUMBER)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"not a time such as 2026-01-31T09:30:00Z: {text[:64]!r}") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _FIRST_DAY).days


def date_of(number: int) -> date:
    """The other way round."""
    return _FIRST_DAY + timedelta(days=number)

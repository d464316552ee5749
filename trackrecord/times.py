"""Times as numbers, which is how columns hold them: microseconds or days since 1970 UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

DAY: Final = 86_400_000_000
"""Microseconds."""

NEVER: Final = -(2**63)
"""Stands in columns of times for none; before all of them."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY: Final = _EPOCH.date()
_MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Since 1970 UTC, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """The other way round, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _FIRST_DAY).days


def date_of(number: int) -> date:
    """The other way round."""
    return _FIRST_DAY + timedelta(days=number)

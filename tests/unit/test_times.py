"""Times become numbers and come back, to the microsecond."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from trackrecord.times import DAY, date_of, day_number, microseconds, moment

instants = st.datetimes(
    min_value=datetime(2, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(9998, 12, 31),  # noqa: DTZ001
    timezones=st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours))),
)


@given(instants)
def test_an_instant_comes_back_in_utc(instant: datetime) -> None:
    found = moment(microseconds(instant))
    assert found == instant
    assert found.tzinfo is UTC


@given(instants)
def test_a_day_is_the_utc_date_also_before_1970(instant: datetime) -> None:
    day = instant.astimezone(UTC).date()
    assert day_number(day) == microseconds(instant) // DAY
    assert date_of(day_number(day)) == day


def test_they_count_from_1970() -> None:
    assert microseconds(datetime(1970, 1, 2, microsecond=3, tzinfo=UTC)) == DAY + 3
    assert day_number(date(1969, 12, 31)) == -1

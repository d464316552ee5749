"""Are times UTC, to the microsecond, and never guessed?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.events import SignalEmitted
from trackrecord.events.codec import InvalidEventError, decode, encode, validate
from trackrecord.events.types import wire_time

from .builders import signal

offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)
instants = st.datetimes(
    min_value=datetime(2, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(9998, 12, 31),  # noqa: DTZ001
    timezones=offsets,
)


@given(instants)
def test_an_instant_comes_back_in_utc_to_the_microsecond(instant: datetime) -> None:
    event = validate(SignalEmitted, signal(emitted_at=instant.isoformat()))
    assert event.emitted_at == instant
    assert event.emitted_at.tzinfo is UTC
    assert decode(SignalEmitted, encode(event)) == event


@given(instants)
def test_equal_instants_have_equal_texts(instant: datetime) -> None:
    assert wire_time(instant) == wire_time(instant.astimezone(UTC))


def test_an_offset_is_converted() -> None:
    event = validate(SignalEmitted, signal(emitted_at="2026-03-02T09:15:00.000001+05:30"))
    assert wire_time(event.emitted_at) == "2026-03-02T03:45:00.000001Z"


@pytest.mark.parametrize("value", ["2026-03-02T09:15:00", datetime(2026, 3, 2, 9, 15)])  # noqa: DTZ001
def test_a_time_without_a_zone_is_refused(value: Any) -> None:
    with pytest.raises(InvalidEventError, match=r"emitted_at: .*offset"):
        validate(SignalEmitted, signal(emitted_at=value))


@pytest.mark.parametrize(
    "text", ["2026-03-02 09:15:00+00:00", "2026-03-02 09:15:00Z", "2026-03-02 14:45:00+05:30"]
)
def test_a_space_is_taken_for_the_t_and_written_as_one(text: str) -> None:
    event = validate(SignalEmitted, signal(emitted_at=text))
    assert wire_time(event.emitted_at) == "2026-03-02T09:15:00Z"


@pytest.mark.parametrize("value", [1772442900, 1772442900.5, "1772442900", "1772442900000"])
def test_a_number_is_refused_with_what_is_wanted(value: Any) -> None:
    with pytest.raises(InvalidEventError, match=r"2026-01-31T09:30:00Z, not a number of seconds"):
        validate(SignalEmitted, signal(emitted_at=value))


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-02",
        "2026-03-02  09:15:00Z",
        "2026-03-02 09:15:00",
        "1772442900",
        "-1.5",
        "2026-03-02T09:15Z",
        "2026-03-02T09:15:00.1234567Z",
        "2026-03-02T09:15:00z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T23:59:60Z",
        "2026-03-02T09:15:00+05:60",
        "2026-03-02T09:15:00+24:00",
        "2026-02-30T09:15:00Z",
        "2026-13-01T09:15:00Z",
        "0000-01-01T00:00:00Z",
        "20260302T091500Z",
        "2026-03-02T09:15:00Z\n",
        "",
        1772442900,
        1772442900.5,
        True,
        None,
    ],
)
def test_what_is_no_instant_is_refused(value: Any) -> None:
    with pytest.raises(InvalidEventError, match=r"^emitted_at: "):
        validate(SignalEmitted, signal(emitted_at=value))


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+05:30", "9999-12-31T23:59:59-00:01"])
def test_an_instant_whose_utc_year_does_not_exist_is_refused(value: str) -> None:
    with pytest.raises(InvalidEventError, match="outside the years 1 to 9999"):
        validate(SignalEmitted, signal(emitted_at=value))


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_the_first_and_the_last_instant_are_read(value: str) -> None:
    assert wire_time(validate(SignalEmitted, signal(emitted_at=value)).emitted_at) == value

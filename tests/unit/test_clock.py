"""Waiting: longer each time, never the same, never beyond the most."""

from __future__ import annotations

from itertools import islice

from trackrecord.clock import SYSTEM_CLOCK, backoff


def test_waits_double_up_to_the_most_with_at_most_half_of_jitter() -> None:
    waits = list(islice(backoff(0.1, 1.0), 8))
    for wait, whole in zip(waits, [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0], strict=True):
        assert whole / 2 <= wait <= whole


def test_two_that_failed_together_do_not_come_back_together() -> None:
    assert list(islice(backoff(), 5)) != list(islice(backoff(), 5))


def test_now_is_utc() -> None:
    assert SYSTEM_CLOCK.now().utcoffset() is not None
    assert str(SYSTEM_CLOCK.now().tzinfo) == "UTC"

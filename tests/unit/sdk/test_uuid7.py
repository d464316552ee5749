"""Ids that a publisher is given when it names none."""

import time
from uuid import RFC_4122, UUID

from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.sdk.uuid7 import new_id


def test_ids_are_uuids_of_version_7_that_tell_the_time() -> None:
    before = time.time_ns() // 1_000_000
    made = UUID(new_id(SYSTEM_CLOCK.now()))
    after = time.time_ns() // 1_000_000
    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= after


def test_ids_differ_and_later_ones_come_behind() -> None:
    first = [new_id(SYSTEM_CLOCK.now()) for _ in range(10_000)]
    time.sleep(0.002)
    then = [new_id(SYSTEM_CLOCK.now()) for _ in range(10_000)]
    assert len({*first, *then}) == 20_000
    assert max(first) < min(then)

"""Processes that freeze, are replaced, and come back: nothing they still hold takes effect."""

from __future__ import annotations

import random
import time

import pytest

from tests.faults.conftest import ROUNDS
from tests.support import compare, histories
from tests.support.pipeline import Pipeline, until

pytestmark = pytest.mark.kafka

SESSION = {"TRACKRECORD_SESSION_TIMEOUT_MS": "1000"}
TAKEOVER_SECONDS = 1 + 5
"""The session time-out, and what the successor may take after it."""


@pytest.mark.parametrize(
    ("fault", "number", "holds_transaction"),
    [
        ("freeze_before_loading", 2, False),
        ("freeze_inside_copy", 2, True),
        ("freeze_holding_locks", 2, True),
    ],
)
def test_a_frozen_consumer_is_replaced_and_what_it_still_does_has_no_effect(
    pipeline: Pipeline, seed: str, fault: str, number: int, *, holds_transaction: bool
) -> None:
    parts = [histories.make(f"{seed}-{n}", 150) for n in range(3)]
    places = pipeline.publish(parts[0])
    zombie = pipeline.start(
        "signal_tracker", fault, number, TRACKRECORD_BATCH_SIZE="200", **SESSION
    )
    until(lambda: zombie.is_frozen, "it is frozen")
    at = pipeline.read_so_far("signal_tracker")
    assert at < len(parts[0])

    successor = pipeline.start("signal_tracker", **SESSION)
    until(lambda: successor.lines("assigned"), "the successor is there", 20)
    pipeline.done("signal_tracker", TAKEOVER_SECONDS)
    ended = successor.lines("ended the session of a frozen predecessor")
    assert bool(ended) == holds_transaction

    places += pipeline.publish(parts[1])
    pipeline.done("signal_tracker")
    pipeline.check_tracker([*parts[0], *parts[1]], places)

    zombie.thaw()
    until(lambda: len(zombie.lines("assigned")) >= 2, "it left and joined again")
    places += pipeline.publish(parts[2])
    pipeline.done("signal_tracker")
    pipeline.check_tracker([*parts[0], *parts[1], *parts[2]], places)
    assert (zombie.stop(), successor.stop()) == (0, 0)


def test_the_successor_of_a_frozen_consumer_works_within_the_session_time_out_and_five_seconds(
    pipeline: Pipeline, seed: str
) -> None:
    events = histories.make(seed, 150)
    places = pipeline.publish(events)
    standby = pipeline.start_ready("signal_tracker", **SESSION)
    pipeline.done("signal_tracker")
    zombie = pipeline.start_ready("signal_tracker", "freeze_holding_locks", 1, **SESSION)
    more = histories.make(f"{seed}-more", 150)
    places += pipeline.publish(more)
    until(lambda: zombie.is_frozen, "it is frozen")
    frozen_at = time.monotonic()
    pipeline.done("signal_tracker")
    assert time.monotonic() - frozen_at < TAKEOVER_SECONDS
    pipeline.check_tracker([*events, *more], places)
    assert standby.lines("ended the session of a frozen predecessor")


def test_consumers_stopped_and_continued_at_random(
    pipeline: Pipeline, seed: str, rng: random.Random
) -> None:
    consumers = [
        pipeline.start("signal_tracker", TRACKRECORD_BATCH_SIZE="100", **SESSION) for _ in range(2)
    ]
    events, places = [], []
    for number in range(2 * ROUNDS):
        part = histories.make(f"{seed}-{number}", 500)
        events += part
        places += pipeline.publish(part)
        victim = rng.choice(consumers)
        victim.freeze()
        time.sleep(1.5 + rng.random())
        victim.thaw()
        time.sleep(rng.random() / 2)
    pipeline.done("signal_tracker")
    pipeline.check_tracker(events, places)
    assert [each.stop() for each in consumers] == [0, 0]


def test_a_batch_that_takes_longer_than_a_consumer_may_be_silent_has_no_effect_after_its_loss(
    pipeline: Pipeline, seed: str
) -> None:
    limits = {**SESSION, "TRACKRECORD_MAX_POLL_INTERVAL_MS": "1500"}
    events = histories.make(seed, 150)
    places = pipeline.publish(events)
    slow = pipeline.start("signal_tracker", "dawdle", 4, **limits)
    until(lambda: slow.lines("started"), "the slow one is there")
    time.sleep(1.0)
    pipeline.start("signal_tracker", **SESSION)
    pipeline.done("signal_tracker")
    until(lambda: len(slow.lines("assigned")) >= 2, "the slow one joined again")
    more = histories.make(f"{seed}-more", 150)
    places += pipeline.publish(more)
    pipeline.done("signal_tracker")
    pipeline.check_tracker([*events, *more], places)


def test_members_that_are_asked_to_stop_as_they_thaw_stop(
    pipeline: Pipeline, seed: str, rng: random.Random
) -> None:
    """The client hears of its loss while it is closed: one in some eighty waited for ever."""
    events = histories.make(seed, 500)
    places = pipeline.publish(events)
    for _ in range(ROUNDS):
        members = [
            pipeline.start("signal_tracker", TRACKRECORD_BATCH_SIZE="5", **SESSION)
            for _ in range(6)
        ]
        until(lambda: all(each.lines("assigned") for each in members), "all have joined")  # noqa: B023
        for each in members:
            each.freeze()
        compare.fetch(
            pipeline.settings,
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name = 'trackrecord signal_tracker'",
        )
        time.sleep(1.2 + rng.random())
        for each in members:
            each.thaw()
            each.ask_to_stop()
        assert [each.ended() for each in members] == [0] * 6
    pipeline.start("signal_tracker", **SESSION)
    pipeline.done("signal_tracker")
    pipeline.check_tracker(events, places)

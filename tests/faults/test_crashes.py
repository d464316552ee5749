"""Processes killed where it hurts: every event still has its effect exactly once."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.conftest import ROUNDS
from tests.support import histories, runs
from tests.support.extracted import check_signals
from tests.support.pipeline import Pipeline

pytestmark = pytest.mark.kafka

QUICK = {"TRACKRECORD_SESSION_TIMEOUT_MS": "1000"}
"""What was killed is missed after a second, so that its successor need not wait for three."""


def test_killed_again_and_again_while_20_000_events_come_in(
    pipeline: Pipeline, seed: str, rng: random.Random
) -> None:
    events = histories.make(seed, 8_500)
    assert len(events) >= 20_000
    with ThreadPoolExecutor(1) as pool:
        published = pool.submit(pipeline.publish, events)
        for _ in range(6 * ROUNDS):
            before = pipeline.read_so_far("signal_tracker")
            # Small batches, so that a kill meets one in any of its steps.
            victim = pipeline.start("signal_tracker", TRACKRECORD_BATCH_SIZE="100", **QUICK)
            pipeline.until_more_is_read("signal_tracker", before)
            time.sleep(rng.uniform(0, 0.3))
            victim.kill()
        places = published.result()
    assert 0 < pipeline.read_so_far("signal_tracker") < len(events)
    pipeline.start("signal_tracker")
    pipeline.done("signal_tracker")
    pipeline.check_tracker(events, places)


def test_two_consumers_of_which_one_or_the_other_is_killed(
    pipeline: Pipeline, seed: str, rng: random.Random
) -> None:
    events = histories.make(seed, 2_000)
    consumers = [
        pipeline.start("signal_tracker", TRACKRECORD_BATCH_SIZE="50", **QUICK) for _ in range(2)
    ]
    with ThreadPoolExecutor(1) as pool:
        published = pool.submit(pipeline.publish, events)
        for _ in range(2 * ROUNDS):
            time.sleep(rng.uniform(1.0, 2.0))
            place = rng.randrange(2)
            consumers[place].kill()
            consumers[place] = pipeline.start(
                "signal_tracker", TRACKRECORD_BATCH_SIZE="50", **QUICK
            )
        places = published.result()
    pipeline.done("signal_tracker")
    pipeline.check_tracker(events, places)


def test_killed_with_all_rows_written_and_nothing_committed(pipeline: Pipeline, seed: str) -> None:
    events = histories.make(seed, 300)
    places = pipeline.publish(events)
    pipeline.start(
        "signal_tracker", "die_holding_locks", 2, TRACKRECORD_BATCH_SIZE="100", **QUICK
    ).ended()
    pipeline.start("signal_tracker")
    pipeline.done("signal_tracker")
    pipeline.check_tracker(events, places)


@pytest.mark.parametrize(
    ("fault", "number", "repeats"),
    [
        ("die_before_sending", 2, None),
        ("die_halfway_through_sending", 2, True),
        ("die_before_deleting", 1, True),
    ],
)
def test_an_extractor_that_dies_between_its_commit_and_the_broker(
    pipeline: Pipeline, seed: str, fault: str, number: int, repeats: bool | None
) -> None:
    events = runs.make(seed, 600)
    places = pipeline.publish(events)
    pipeline.start("extractor", fault, number, TRACKRECORD_BATCH_SIZE="100", **QUICK).ended()
    pipeline.start("extractor")
    pipeline.done("extractor")
    repeated = check_signals(pipeline, events, places)
    assert repeats is None or bool(repeated) == repeats


def test_an_extractor_killed_again_and_again(
    pipeline: Pipeline, seed: str, rng: random.Random
) -> None:
    events = runs.make(seed, 3_000)
    places = pipeline.publish(events)
    for _ in range(2 * ROUNDS):
        before = pipeline.read_so_far("extractor")
        victim = pipeline.start("extractor", TRACKRECORD_BATCH_SIZE="50", **QUICK)
        pipeline.until_more_is_read("extractor", before)
        time.sleep(rng.uniform(0, 0.3))
        victim.kill()
    pipeline.start("extractor")
    pipeline.done("extractor")
    check_signals(pipeline, events, places)


def test_a_commit_whose_reply_is_lost_leaves_no_gap_on_the_wire(
    pipeline: Pipeline, seed: str
) -> None:
    events = runs.make(seed, 400)
    places = pipeline.publish(events)
    pipeline.start("extractor", "lose_the_commit_reply", 2, TRACKRECORD_BATCH_SIZE="100")
    pipeline.done("extractor", 20)
    check_signals(pipeline, events, places)


def test_a_commit_whose_reply_is_lost_has_its_effect_once(pipeline: Pipeline, seed: str) -> None:
    events = histories.make(seed, 200)
    places = pipeline.publish(events)
    pipeline.start("signal_tracker", "lose_the_commit_reply", 2, TRACKRECORD_BATCH_SIZE="100")
    pipeline.done("signal_tracker", 20)
    pipeline.check_tracker(events, places)

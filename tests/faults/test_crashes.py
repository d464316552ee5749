"""Processes killed where it hurts: every event still has its effect exactly once."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.conftest import ROUNDS
from tests.support import histories
from tests.support.pipeline import Pipeline

pytestmark = pytest.mark.kafka


def test_killed_again_and_again_while_20_000_events_come_in(
    pipeline: Pipeline, seed: str, rng: random.Random
) -> None:
    events = histories.make(seed, 8_500)
    assert len(events) >= 20_000
    with ThreadPoolExecutor(1) as pool:
        published = pool.submit(pipeline.publish, events)
        kills = 0
        # Small batches, so that a kill meets one in any of its steps.
        while kills < 6 * ROUNDS:
            victim = pipeline.start("signal_tracker", TRACKRECORD_BATCH_SIZE="300")
            time.sleep(rng.uniform(0.8, 2.0))
            victim.kill()
            kills += 1
        places = published.result()
    pipeline.start("signal_tracker")
    pipeline.done("signal_tracker")
    pipeline.check_tracker(events, places)

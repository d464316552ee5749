"""Any order, any consumer, any number of times: the same final state."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support import histories
from tests.support.pipeline import Pipeline, until
from trackrecord.events import Event, SignalClosed, SignalEmitted

pytestmark = pytest.mark.kafka

_BUSY = histories.Shape(
    strategies=1, symbols=1, currencies=("USD",), partial=1.0, double_exit=0.6, open_=0.0
)
"""Few rows that everybody wants."""


def test_entries_and_exits_of_the_same_signals_at_two_consumers_at_once_meet(
    pipeline: Pipeline, seed: str
) -> None:
    batches = {"TRACKRECORD_BATCH_SIZE": "20", "TRACKRECORD_BATCH_WAIT_MS": "5"}
    consumers = [pipeline.start("signal_tracker", **batches) for _ in range(2)]

    def shared() -> bool:
        return sorted(len((each.status() or {}).get("assigned", [])) for each in consumers) == [
            2,
            4,
        ]

    until(shared, "both have partitions")
    events = histories.make(seed, 400, _BUSY)
    entries = [each for each in events if isinstance(each, SignalEmitted)]
    exits = [each for each in events if isinstance(each, SignalClosed)]

    # One consumer has partitions 0 and 1 of both topics, the other has partition 2: entries
    # go to the one, and the exits of each signal to both of them.
    def of_exit(event: Event) -> int:
        assert isinstance(event, SignalClosed)
        return 0 if event.exit_id in {"x1", "x3"} else 2

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(pipeline.publish, entries, lambda _: 0)
        second = pool.submit(pipeline.publish, exits, of_exit)
        places = first.result() + second.result()
    pipeline.done("signal_tracker")
    pipeline.check_tracker([*entries, *exits], places)
    assert [each.stop() for each in consumers] == [0, 0]


def test_everything_three_times_and_exits_before_entries(
    pipeline: Pipeline, seed: str, rng: random.Random
) -> None:
    shape = histories.Shape(double_exit=0.5, correction=0.3, conflict=0.1)
    once = histories.make(seed, 250, shape)
    events: list[Event] = [each for each in once if isinstance(each, SignalClosed)]
    events += [each for each in once if isinstance(each, SignalEmitted)]
    events += rng.sample(once, len(once))
    events += rng.sample(once, len(once))
    pipeline.start("signal_tracker", TRACKRECORD_BATCH_SIZE="300")
    places = pipeline.publish(events)
    pipeline.done("signal_tracker")
    pipeline.check_tracker(events, places)

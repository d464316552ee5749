"""The tracker's statements against the oracle, on a real database, to the last digit."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from services.signal_tracker.handler import SignalTracker
from tests.support import compare, histories, oracle
from tests.support.messages import as_message
from trackrecord.events import Event, SignalClosed, SignalEmitted
from trackrecord.runtime import database
from trackrecord.runtime.decoding.batch import Reader
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context


def run(settings: Settings, events: Sequence[Event], batches: Sequence[int]) -> list[int]:
    """Apply events in batches of these sizes, by three in turn; the indices of those refused."""
    handler = SignalTracker(Context(settings, CollectorRegistry()))
    reader = Reader((SignalEmitted, SignalClosed), prepare=handler.prepare)
    connection = database.connect(settings, application="test", batches=handler.temporary)
    refused, start = [], 0
    for number, size in enumerate(batches):
        part = events[start : start + size]
        batch = reader.read(
            [as_message(event, start + i, (start + i) % 3) for i, event in enumerate(part)]
        )
        assert not batch.refused
        with connection, connection.cursor() as cursor:
            handler.load(batch, cursor)
            effects = handler.apply(replace(batch, lane=number % 3), cursor)
        refused += [start + each.position for each in effects.refused]
        start += size
    connection.close()
    return refused


@pytest.mark.kafka
@pytest.mark.parametrize("seed", range(30))
def test_any_history_in_any_batches_gives_what_the_oracle_says(
    settings: Settings, seed: int
) -> None:
    events = histories.make(seed, 60)
    rng = random.Random(seed)
    sizes, left = [], len(events)
    while left:
        sizes.append(min(left, rng.choice([1, 3, 20, 100])))
        left -= sizes[-1]
    refused = run(settings, events, sizes)
    expected = oracle.expect(events)
    compare.check(settings, expected)
    assert refused == expected.conflicts


@pytest.mark.kafka
def test_one_batch_and_many_batches_come_to_the_same(settings: Settings) -> None:
    events = histories.make("once", 400)
    assert run(settings, events, [len(events)]) == oracle.expect(events).conflicts
    compare.check(settings, oracle.expect(events))


@pytest.mark.kafka
def test_a_batch_of_which_nothing_could_be_read_changes_nothing(settings: Settings) -> None:
    assert run(settings, [], [0]) == []

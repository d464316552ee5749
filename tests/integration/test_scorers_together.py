"""Two outcome_scorers that share partitions in any turns come to what the rules say at once."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator

import pytest

from tests.support import markets, outcome_oracle
from tests.support.scorer import Scorer
from tests.torture.check_outcomes import differences
from trackrecord.events import Event, MarketBar, SignalEmitted
from trackrecord.runtime.settings import Settings
from trackrecord.testing import as_message

pytestmark = pytest.mark.kafka

PARTITIONS = 3


def partition_of(event: Event) -> int:
    return zlib.crc32(event.key.encode()) % PARTITIONS


def turns(rng: random.Random, events: list[Event]) -> Iterator[tuple[int, list[Event], bool]]:
    """Whose turn it is, its batch, and whether all members have forgotten everything before it.

    A member reads its partitions in their order, one ahead of the other or behind, and now and
    then they are shared out anew.
    """
    left = {
        number: [each for each in events if partition_of(each) == number]
        for number in range(PARTITIONS)
    }
    owners = {number: number % 2 for number in left}
    while any(left.values()):
        shared_anew = rng.random() < 0.1
        if shared_anew:
            owners = {number: rng.randrange(2) for number in left}
        member = rng.randrange(2)
        mine = [number for number, owner in owners.items() if owner == member]
        rng.shuffle(mine)
        room, batch = rng.choice([1, 5, 10, 40]), list[Event]()
        for number in mine:
            taken = rng.randint(0, room - len(batch))
            batch += left[number][:taken]
            left[number] = left[number][taken:]
        if batch or shared_anew:
            yield member, batch, shared_anew
    yield 0, [*markets.last_bars()], False


def with_moves(rng: random.Random, events: list[Event], most: int) -> list[Event]:
    """Some signals are told again, later, of another symbol: a correction, and that of one."""
    symbols = sorted({each.symbol for each in events if isinstance(each, MarketBar)})
    signals = [each for each in events if isinstance(each, SignalEmitted)]
    events = list(events)
    for signal in rng.sample(signals, most):
        after = events.index(signal)
        for revision in range(1, rng.choice([2, 3])):
            moved = {"symbol": rng.choice(symbols), "revision": signal.revision + revision}
            after = min(after + rng.choice([1, 20, 80]), len(events))
            events.insert(after, signal.model_copy(update=moved))
    return events


@pytest.mark.parametrize(
    ("seed", "late", "moved"),
    [(4, 25, 0), (19, 3, 0), (22, 2, 0), (48, 0, 0), (1, 0, 20), (2, 3, 20), (3, 3, 40)],
)
def test_members_in_any_turns_come_to_what_the_rules_say(
    settings: Settings, seed: int, late: int, moved: int
) -> None:
    rng = random.Random(seed)
    events = markets.make(f"together {seed}", markets.Shape(symbols=5, signals=60, late=late))
    events = with_moves(rng, events, moved)
    scorers = [Scorer(settings), Scorer(settings)]
    came: list[Event] = []
    for member, batch, forgotten in turns(rng, events):
        if forgotten:
            for each in scorers:
                each.handler.forget()
        came += batch
        scorers[member].read(
            [
                as_message(event, len(came) - len(batch) + place, partition_of(event))
                for place, event in enumerate(batch)
            ]
        )
    expected = outcome_oracle.expect(came)
    assert not differences(expected, settings)
    for each in scorers:
        each.connection.close()

"""What an episode publishes, and where each message landed."""

from __future__ import annotations

import json
import random
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from tests.faults import poison
from tests.support import histories, markets, runs, wire
from tests.torture.plan import Order, Plan
from trackrecord.events import (
    Event,
    MarketBar,
    ScriptExecuted,
    SignalClosed,
    SignalEmitted,
    derived_id,
)
from trackrecord.runtime.settings import Settings

_MODELS: tuple[type[Event], ...] = (SignalEmitted, SignalClosed, ScriptExecuted)
_LARGEST_POISON = 310_000
_CLOSED_SHARE = 0.4
_PATIENCE_SECONDS = 150
"""A broker that was killed may need a minute to be back on a machine that is busy."""
_OTHER_WORDS_SHARE = 0.1


@dataclass(frozen=True)
class Item:
    """A message to publish; ``event`` is None if no stage should be able to read it."""

    parcel: wire.Parcel
    event: Event | None


@dataclass(frozen=True)
class Sent:
    """A message that the broker has acknowledged."""

    item: Item
    place: wire.Place


def make(plan: Plan, settings: Settings) -> list[Item]:
    """The events of an episode, of all types, mixed."""
    rng = random.Random(f"mix {plan.seed}")
    said = runs.make(f"run-{plan.seed}", plan.runs)
    events: list[Event] = [
        *histories.make(f"signal-{plan.seed}", plan.signals, plan.shape),
        *said,
        *_exits_of(said, rng),
    ]
    rng.shuffle(events)
    if plan.market:
        events = _mixed(rng, events, markets.make(f"market-{plan.seed}", plan.market))
    return [Item(_parcel(rng, settings, plan, event), event) for event in events]


def _mixed(rng: random.Random, some: Sequence[Event], others: Sequence[Event]) -> list[Event]:
    """Two sequences as one, each in its own order."""
    left = [iter(some), iter(others)]
    turns = [0] * len(some) + [1] * len(others)
    rng.shuffle(turns)
    return [next(left[turn]) for turn in turns]


def _parcel(rng: random.Random, settings: Settings, plan: Plan, event: Event) -> wire.Parcel:
    found = wire.parcel(settings, event, _partition(plan, event))
    if isinstance(event, MarketBar) and found.value and rng.random() < _OTHER_WORDS_SHARE:
        # The same in other words, which is no contradiction.
        data = json.loads(found.value)
        data["open"] += "0" if "." in data["open"] else ".0"
        return replace(found, value=json.dumps(data).encode())
    return found


def _exits_of(said: Sequence[ScriptExecuted], rng: random.Random) -> Iterator[SignalClosed]:
    """Exits of signals that an extractor has yet to find, so that stages meet too."""
    for event in {each.execution_id: each for each in said}.values():
        if rng.random() < _CLOSED_SHARE:
            yield SignalClosed(
                signal_id=derived_id("signal", event.execution_id, 0),
                exit_id="x",
                symbol=f"SYM{rng.randrange(8)}",
                price=histories.money(rng),
                closed_at=event.finished_at + timedelta(hours=rng.randint(1, 50)),
                reason="manual",
            )


def _partition(plan: Plan, event: Event) -> int | None:
    """Its key's, or in a scattered history one that entry and exits of a signal do not share."""
    match event:
        case SignalEmitted() if plan.scattered:
            name = event.signal_id
        case SignalClosed() if plan.scattered:
            name = f"{event.signal_id} {event.exit_id}"
        case _:
            return None
    return zlib.crc32(name.encode()) % plan.partitions


def poisoned(plan: Plan, order: Order, settings: Settings, items: Sequence[Item]) -> list[Item]:
    """A burst of bad messages, made from one of the good ones."""
    rng = random.Random(f"poison {plan.seed} {order.at}")
    models = _MODELS if plan.runs else _MODELS[:2]
    models += (MarketBar,) if plan.market else ()
    model = models[order.number % len(models)]
    good = rng.choice([each for each in items if isinstance(each.event, model)])
    assert good.event
    parcels = [
        each
        for each in poison.parcels(settings, rng, good.event)
        if len(each.value or b"") <= _LARGEST_POISON
    ]
    found = []
    for parcel in rng.sample(parcels, rng.randint(8, 25)):
        event = poison.read(model, parcel)
        # What became another event by chance may be about a signal of another partition, and
        # what it says must come before or after what that partition says.
        if event is None or _same_subject(event, good.event):
            found.append(Item(replace(parcel, partition=good.parcel.partition), event))
    return found


def _same_subject(event: Event, good: Event) -> bool:
    match event, good:
        case SignalEmitted(), SignalEmitted():
            return event.signal_id == good.signal_id
        case SignalClosed(), SignalClosed():
            return (event.signal_id, event.exit_id) == (good.signal_id, good.exit_id)
        case MarketBar(), MarketBar():
            return event.symbol == good.symbol
    return False


class Publisher(threading.Thread):
    """Publishes an episode's events in bursts, whatever happens meanwhile.

    Attributes:
        sent: What the broker has acknowledged.
        error: What went wrong, if something did.
    """

    def __init__(self, plan: Plan, settings: Settings) -> None:
        """Make the events; they are published from `start` on."""
        super().__init__(daemon=True)
        self.sent: list[Sent] = []
        self.error: Exception | None = None
        self._settings = settings
        items = make(plan, settings)
        cuts = sorted(
            random.Random(f"bursts {plan.seed}").sample(range(1, len(items)), len(plan.bursts) - 1)
        )
        parts = [
            items[first:last] for first, last in zip([0, *cuts], [*cuts, len(items)], strict=True)
        ]
        self._bursts = list(zip(plan.bursts, parts, strict=True))
        self._bursts += [
            (order.at, poisoned(plan, order, settings, items))
            for order in plan.orders
            if order.kind == "poison"
        ]
        self._bursts.sort(key=lambda each: each[0])

    def run(self) -> None:
        """Publish it all."""
        producer = wire.producer_of(self._settings, _PATIENCE_SECONDS)
        started = time.monotonic()
        try:
            for at, items in self._bursts:
                time.sleep(max(0.0, started + at - time.monotonic()))
                places = wire.send(
                    self._settings, [each.parcel for each in items], producer=producer
                )
                self.sent += [Sent(item, place) for item, place in zip(items, places, strict=True)]
        except Exception as error:  # noqa: BLE001 - told by the thread that waits for this one
            self.error = error

    def end_market(self) -> None:
        """Publish one more session, when all else is done; it tells who has ceased to trade."""
        items = [Item(wire.parcel(self._settings, bar), bar) for bar in markets.last_bars()]
        places = wire.send(self._settings, [each.parcel for each in items])
        self.sent += [Sent(item, place) for item, place in zip(items, places, strict=True)]

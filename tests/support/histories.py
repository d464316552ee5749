"""Random histories of signals and exits, from a seed."""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from trackrecord.events import SignalClosed, SignalEmitted

START = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


@dataclass
class Shape:
    """How wild a history is; each number is a probability."""

    strategies: int = 5
    symbols: int = 8
    currencies: tuple[str, ...] = ("USD", "INR")
    partial: float = 0.4
    double_exit: float = 0.1
    open_: float = 0.1
    duplicate: float = 0.2
    correction: float = 0.1
    moved: float = 0.05
    early: float = 0.1
    below_zero: float = 0.05
    conflict: float = 0.05
    orphan: float = 0.05
    shuffle: bool = True


@dataclass
class History:
    """Events in the order in which they are sent."""

    events: list[SignalEmitted | SignalClosed] = field(default_factory=list)


def money(random_: random.Random, most: int = 500, places: int = 2) -> Decimal:
    return Decimal(random_.randint(1, most * 10**places)).scaleb(-places)


def make(
    seed: int | str, signals: int, shape: Shape | None = None
) -> list[SignalEmitted | SignalClosed]:
    """Events of ``signals`` signals, shuffled, with duplicates, corrections and conflicts."""
    shape = shape or Shape()
    rng = random.Random(seed)
    events: list[SignalEmitted | SignalClosed] = []
    for number in range(signals):
        events.extend(_signal(rng, f"{seed}-{number}", shape))
    if shape.shuffle:
        rng.shuffle(events)
    return events


def _signal(rng: random.Random, signal_id: str, shape: Shape) -> list[SignalEmitted | SignalClosed]:
    emitted_at = START + timedelta(minutes=rng.randint(0, 60 * 24 * 10))
    places = rng.choice([0, 2, 2, 2, 6, 18])
    quantity = rng.choice([Decimal(1), Decimal(rng.randint(1, 100)), money(rng, 50, 3)])
    symbol = f"SYM{rng.randrange(shape.symbols)}"
    entry = SignalEmitted(
        signal_id=signal_id,
        strategy=f"strategy-{rng.randrange(shape.strategies)}",
        symbol=symbol,
        side=rng.choice(["BUY", "SELL"]),
        price=_price(rng, places, shape),
        quantity=quantity,
        currency=rng.choice(shape.currencies),
        emitted_at=emitted_at,
        leverage=rng.choice([None, None, Decimal(3)]),
        entry=rng.choice(["filled", "filled", "next_open"]),
        account=_account(signal_id),
        **_fee(rng),
    )
    events: list[SignalEmitted | SignalClosed] = []
    if rng.random() >= shape.orphan:
        events += _with_noise(rng, entry, shape)
    exits = 0 if rng.random() < shape.open_ else 1
    if rng.random() < shape.partial:
        exits += rng.randint(1, 3)
    if rng.random() < shape.double_exit:
        exits += 1
    for number in range(exits):
        part = rng.choice(
            [
                None,
                None,
                (quantity / 3).quantize(Decimal("0.001")) or None,
                quantity / 2,
                quantity * 2,
            ]
        )
        exit_ = SignalClosed(
            signal_id=signal_id,
            exit_id=f"x{number}",
            symbol=symbol,
            price=rng.choice([_price(rng, places, shape), entry.price, Decimal(0)]),
            quantity=part if part and part > 0 else None,
            closed_at=emitted_at + _until_exit(rng, shape),
            reason=rng.choice(["target", "stop", "manual"]),
            interest=rng.choice([None, None, money(rng, 2)]),
            funding=rng.choice([None, None, -money(rng, 2)]),
            entry_price=rng.choice([None, _price(rng, places, shape)]),
            **_fee(rng),
        )
        events += _with_noise(rng, exit_, shape)
    return events


def _account(key: str) -> str | None:
    """Not drawn, so that a seed gives the history that it gave before signals had one."""
    return (None, None, "live", "paper", "backtest", "imported")[zlib.crc32(key.encode()) % 6]


def _price(rng: random.Random, places: int, shape: Shape) -> Decimal:
    price = money(rng, 500, places)
    return rng.choice([-price, Decimal(0)]) if rng.random() < shape.below_zero else price


def _until_exit(rng: random.Random, shape: Shape) -> timedelta:
    if rng.random() >= shape.early:
        return timedelta(hours=rng.choice([1, 1, 5, 30, 100]))
    # Just tolerated, just no longer, and long before the entry, perhaps on another day.
    return -rng.choice([
        timedelta(0), timedelta(seconds=20), timedelta(seconds=300),
        timedelta(seconds=300, microseconds=1), timedelta(hours=2), timedelta(hours=30),
    ])  # fmt: skip


def _fee(rng: random.Random) -> dict[str, Decimal]:
    return rng.choice([{}, {}, {"fee": money(rng, 3)}, {"fee_rate": Decimal("0.001")}])


def _with_noise(
    rng: random.Random, event: SignalEmitted | SignalClosed, shape: Shape
) -> list[SignalEmitted | SignalClosed]:
    events = [event]
    if rng.random() < shape.duplicate:
        events.append(event)
    if rng.random() < shape.conflict:
        events.append(event.model_copy(update={"price": event.price + 1}))
    if rng.random() < shape.correction:
        events.append(
            event.model_copy(update={"price": event.price + Decimal("0.5"), "revision": 1})
        )
    if rng.random() < shape.moved:
        when = "emitted_at" if isinstance(event, SignalEmitted) else "closed_at"
        moved = getattr(event, when) + timedelta(minutes=rng.choice([-3000, -90, -4, 4, 90, 3000]))
        update: dict[str, Any] = {when: moved, "revision": 2}
        if isinstance(event, SignalEmitted):
            update["account"] = _account(f"{event.signal_id} moved")
        events.append(event.model_copy(update=update))
    return events

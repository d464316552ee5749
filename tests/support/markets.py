"""Random markets: bars and the signals that they judge, from a seed, in the order of publication.

Bars are missing, doubled, late, corrected and contradicted, and some symbols cease to trade.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from trackrecord.events import Event, MarketBar, SignalClosed, SignalEmitted

START = datetime(2026, 1, 5, tzinfo=UTC)
_LENGTHS = {"1d": (timedelta(days=1), timedelta(hours=8)), "1h": (timedelta(hours=1),) * 2}
"""By timeframe: from one open to the next, and from an open to its close."""
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Shape:
    """How wild a market is; most numbers are probabilities.

    Attributes:
        symbols: How many; each third of them ceases to trade, and every sixth comes back.
        bars: Of each symbol, at most.
        signals: On all symbols together.
        late: Bars by which an event may come too late, at most.
    """

    symbols: int = 5
    bars: int = 45
    signals: int = 150
    late: int = 0
    missing: float = 0.05
    jump: float = 0.01
    duplicate: float = 0.1
    correction: float = 0.1
    conflict: float = 0.04
    second_source: float = 0.05
    revised: float = 0.1
    closed: float = 0.2


def make(seed: str, shape: Shape) -> list[Event]:
    """Events, in the order in which they are published."""
    rng = random.Random(f"market {seed}")
    timed: list[tuple[float, Event]] = []
    for number in range(shape.symbols):
        bars = _walk(rng, number, shape)
        step, _ = _LENGTHS[bars[0].timeframe]
        found = [each for bar in bars for each in _published(rng, bar, shape)]
        for turn in range(shape.signals // shape.symbols):
            found += _signal(rng, f"{seed}-{number}-{turn}", bars, shape)
        # One unit is a bar, so that symbols of all timeframes go on beside each other.
        timed += [
            ((at - START) / step + after + rng.random() * shape.late, event)
            for at, after, event in found
        ]
    timed.sort(key=lambda each: each[0])
    return [event for _, event in timed]


def last_bars() -> list[MarketBar]:
    """One more session of every timeframe, behind all others: a market that goes on."""
    return [
        _bar("LAST", timeframe, 400, (Decimal(10),) * 4, START) for timeframe in sorted(_LENGTHS)
    ]


def _walk(rng: random.Random, number: int, shape: Shape) -> list[MarketBar]:
    """The bars of a symbol as they are in the end."""
    timeframe = "1h" if number % 4 > 1 else "1d"
    gone = range(shape.bars // 2, shape.bars - 8 if number % 6 == 0 else shape.bars)
    price, bars = rng.uniform(20, 200), []
    for place in range(shape.bars):
        opened = price * (1 + rng.gauss(0, 0.01))
        if rng.random() < shape.jump:
            opened *= rng.choice([0.5, 2])
        close = opened * (1 + rng.gauss(0, 0.025))
        high = max(opened, close) * (1 + abs(rng.gauss(0, 0.01)))
        low = min(opened, close) * (1 - abs(rng.gauss(0, 0.01)))
        price = close
        prices = tuple(Decimal(str(round(each, 2))) for each in (opened, high, low, close))
        if rng.random() > shape.missing and not (number % 3 == 0 and place in gone):
            bars.append(_bar(f"MKT{number}", timeframe, place, prices, START))
    return bars


def _bar(
    symbol: str, timeframe: str, place: int, prices: tuple[Decimal, ...], start: datetime
) -> MarketBar:
    step, length = _LENGTHS[timeframe]
    opened, high, low, close = prices
    return MarketBar(
        symbol=symbol,
        timeframe=timeframe,
        source="feed",
        opened_at=start + place * step,
        closed_at=start + place * step + length,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=Decimal(1000),
    )


Timed = tuple[datetime, float, Event]
"""An event, the moment that it is about, and how many bars later it is published."""


def _published(rng: random.Random, bar: MarketBar, shape: Shape) -> Iterator[Timed]:
    """A bar as a feed publishes it: doubled, wrong at first, contradicted."""
    at = bar.opened_at
    other = bar.model_copy(update={"close": bar.low})
    if rng.random() < shape.second_source:
        # The first by name counts, whichever comes first.
        other_source = rng.choice(["a feed", "other"])
        yield at, rng.choice([0, 3]), other.model_copy(update={"source": other_source})
    if rng.random() < shape.correction:
        yield at, 0, other
        # Sometimes the correction is there before what it corrects.
        yield at, rng.choice([-1, 0, 1, 3, 15]), bar.model_copy(update={"revision": 1})
        bar = other
    else:
        yield at, 0, bar
    if rng.random() < shape.duplicate:
        yield at, rng.choice([0, 1, 9]), bar
    if rng.random() < shape.conflict:
        yield at, rng.choice([0, 1, 9]), bar.model_copy(update={"high": bar.high + _CENT})


def _signal(
    rng: random.Random, signal_id: str, bars: list[MarketBar], shape: Shape
) -> Iterator[Timed]:
    """A signal after one of the bars, what corrects it, and who closes it."""
    before = rng.choice(bars)
    up = rng.choice([1, -1])
    wrong = -1 if rng.random() < 0.04 else 1
    at = before.closed_at
    signal = SignalEmitted(
        signal_id=signal_id,
        strategy=f"market-{rng.randrange(4)}",
        symbol=before.symbol,
        side="BUY" if up > 0 else "SELL",
        price=before.close,
        quantity=Decimal(rng.randint(1, 20)),
        emitted_at=at,
        timeframe=before.timeframe,
        target_price=_level(before.close, wrong * up * 0.04) if rng.random() < 0.8 else None,
        stop_loss=_level(before.close, -up * 0.03) if rng.random() < 0.8 else None,
        horizon_bars=rng.choice([1, 3, 8, 30, None]),
        entry=rng.choice(["filled", "next_open"]),
        exits="barriers" if rng.random() < 0.7 else "own",
        fee=rng.choice([None, Decimal("0.5")]),
    )
    yield at, 0.5, signal
    if rng.random() < shape.duplicate:
        yield at, rng.choice([0.5, 5]), signal
    if rng.random() < shape.revised:
        change = {"target_price": _level(signal.price, up * 0.06), "revision": 1}
        yield at, rng.choice([0, 0.6, 2, 9]), signal.model_copy(update=change)
    if signal.exits == "own" or rng.random() < shape.closed:
        closed_after = timedelta(hours=rng.choice([1, 30, 100]))
        exit_ = SignalClosed(
            signal_id=signal_id,
            exit_id="mine",
            symbol=signal.symbol,
            price=_level(signal.price, rng.gauss(0, 0.03)),
            quantity=rng.choice([None, None, signal.quantity / 2]),
            closed_at=at + closed_after,
            reason="manual",
        )
        yield at, rng.choice([0, 1, 5, 20]), exit_


def _level(price: Decimal, share: float) -> Decimal:
    return (price * (1 + Decimal(str(round(share, 4))))).quantize(_CENT)

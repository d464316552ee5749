"""The events of a run, made from a seed, and their results as whole numbers.

Prices are whole cents, quantities whole tenths, fees whole cents; so every PnL is a whole number
of thousandths, and a consumer's sums of decimals are compared with sums of integers.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from trackrecord.events import SignalClosed, SignalEmitted
from trackrecord.events.codec import headers

SEED = 7
SYMBOLS = 500
STRATEGIES = 40
PARTITIONS = 12
_SPAN = timedelta(days=4)
_HELD = timedelta(minutes=95)
START = datetime(2026, 1, 5, tzinfo=UTC)
"""When the first signal is emitted, if nothing else is said."""
_FLUSH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Signal:
    """An entry and the exit that closes it.

    Attributes:
        signal_id: A UUID: random, or of version 7, as the SDK makes them.
        exit_id: Likewise.
        strategy: One of 40, unless others are asked for.
        symbol: One of 500.
        side: BUY or SELL.
        tenths: Quantity, in tenths.
        entry: Price in cents.
        exit: Price in cents.
        entry_fee: In cents.
        exit_fee: In cents.
        emitted_at: When it was said.
        closed_at: When it ended.
    """

    signal_id: str
    exit_id: str
    strategy: str
    symbol: str
    side: str
    tenths: int
    entry: int
    exit: int
    entry_fee: int
    exit_fee: int
    emitted_at: datetime
    closed_at: datetime

    @property
    def fees(self) -> int:
        """Both fees, in thousandths."""
        return (self.entry_fee + self.exit_fee) * 10

    @property
    def pnl(self) -> int:
        """Net, in thousandths."""
        gained = self.exit - self.entry if self.side == "BUY" else self.entry - self.exit
        return gained * self.tenths - self.fees


def signals(
    count: int,
    seed: int = SEED,
    start: datetime = START,
    *,
    random_ids: bool = True,
    strategies: int = STRATEGIES,
) -> Iterator[Signal]:
    """Make signals in the order of their times; the same ones for the same arguments.

    Args:
        count: How many.
        seed: Of all that is drawn.
        start: When the first is emitted.
        random_ids: Whether ids are random throughout, or begin with the time of emission.
        strategies: Of how many they are.
    """
    digits = len(str(strategies - 1))
    rng = random.Random(seed)
    step = _SPAN / max(count, 1)
    for number in range(count):
        entry = rng.randint(10_000, 20_000)
        emitted_at = start + number * step
        yield Signal(
            signal_id=_identifier(rng, None if random_ids else emitted_at),
            exit_id=_identifier(rng, None if random_ids else emitted_at),
            strategy=f"strategy-{rng.randrange(strategies):0{digits}d}",
            symbol=f"SYM{rng.randrange(SYMBOLS):03d}",
            side="BUY" if rng.random() < 0.5 else "SELL",  # noqa: PLR2004 - as often as not
            tenths=rng.randint(1, 1000),
            entry=entry,
            exit=entry + rng.randint(-500, 520),
            entry_fee=rng.randint(0, 99),
            exit_fee=rng.randint(0, 99),
            emitted_at=emitted_at,
            closed_at=emitted_at + _HELD,
        )


def _identifier(rng: random.Random, at: datetime | None) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    if at is not None:
        digits = f"{int(at.timestamp() * 1000):012x}7{digits[13:]}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def money(cents: int) -> str:
    """Cents as a decimal text."""
    return f"{cents // 100}.{cents % 100:02d}"


def wire_time(instant: datetime) -> str:
    """A UTC time as it stands in an event, with microseconds."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def entry_value(signal: Signal) -> bytes:
    """The value of a ``signal_emitted``."""
    return (
        f'{{"signal_id":"{signal.signal_id}","strategy":"{signal.strategy}",'
        f'"symbol":"{signal.symbol}","side":"{signal.side}","price":"{money(signal.entry)}",'
        f'"quantity":"{signal.tenths // 10}.{signal.tenths % 10}","currency":"USD",'
        f'"emitted_at":"{wire_time(signal.emitted_at)}","timeframe":"1d",'
        f'"target_price":"{money(signal.entry + 500)}","stop_loss":"{money(signal.entry - 500)}",'
        f'"fee":"{money(signal.entry_fee)}","confidence":0.{signal.tenths:04d}}}'
    ).encode()


def exit_value(signal: Signal) -> bytes:
    """The value of the ``signal_closed`` that ends it."""
    return (
        f'{{"signal_id":"{signal.signal_id}","exit_id":"{signal.exit_id}",'
        f'"symbol":"{signal.symbol}","strategy":"{signal.strategy}",'
        f'"price":"{money(signal.exit)}","quantity":"{signal.tenths // 10}.{signal.tenths % 10}",'
        f'"closed_at":"{wire_time(signal.closed_at)}","fee":"{money(signal.exit_fee)}",'
        f'"reason":"closed in full at the limit price"}}'
    ).encode()


def easy_value(signal: Signal) -> bytes:
    """The value of an exit that carries its entry: what the peers read."""
    return (
        f'{{"signal_id":"{signal.signal_id}","exit_id":"{signal.exit_id}",'
        f'"symbol":"{signal.symbol}","strategy":"{signal.strategy}","side":"{signal.side}",'
        f'"entry_price":"{money(signal.entry)}","price":"{money(signal.exit)}",'
        f'"quantity":"{signal.tenths // 10}.{signal.tenths % 10}",'
        f'"closed_at":"{wire_time(signal.closed_at)}",'
        f'"fees":"{money(signal.entry_fee + signal.exit_fee)}","reason":"limit price"}}'
    ).encode()


@dataclass
class Day:
    """What a strategy's day comes to; money in thousandths."""

    signals: int = 0
    closed: int = 0
    wins: int = 0
    losses: int = 0
    pnl: int = 0
    fees: int = 0


Sums = dict[tuple[str, str], Day]
"""By strategy and day (ISO)."""


def expected(made: Iterable[Signal]) -> Sums:
    """What signals come to; an entry counts on its own day, the rest on the day of the exit."""
    sums: Sums = defaultdict(Day)
    for signal in made:
        sums[signal.strategy, signal.emitted_at.date().isoformat()].signals += 1
        day = sums[signal.strategy, signal.closed_at.date().isoformat()]
        day.closed += 1
        day.wins += signal.pnl > 0
        day.losses += signal.pnl < 0
        day.pnl += signal.pnl
        day.fees += signal.fees
    return dict(sums)


def thousandths(value: Decimal) -> int:
    """Exact money as a whole number of thousandths.

    Raises:
        ValueError: It is none.
    """
    scaled = value * 1000
    if scaled != int(scaled):
        raise ValueError(f"{value} is no whole number of thousandths")
    return int(scaled)


# -- to the broker -----------------------------------------------------------------------------


def make_topic(broker: str, topic: str) -> None:
    """Make a topic as the pipeline's own are made."""
    config = {"retention.ms": "-1", "message.timestamp.type": "LogAppendTime"}
    client = AdminClient({"bootstrap.servers": broker, "log_level": 0})
    new = NewTopic(topic, num_partitions=PARTITIONS, replication_factor=1, config=config)
    client.create_topics([new], operation_timeout=20)[topic].result()


class Sender:
    """Publishes keyed by symbol, as the SDK does.

    Attributes:
        count: Events sent.
        size: Bytes of their values.
    """

    def __init__(self, broker: str) -> None:
        """Connect to a broker, ``host:port``."""
        self.count = self.size = 0
        self._heads = event_headers()
        # Not compressed: Faust's client reads lz4 only with a package that it does not bring.
        self._producer = Producer(
            {
                "bootstrap.servers": broker,
                "linger.ms": 20,
                "queue.buffering.max.messages": 1_000_000,
                "queue.buffering.max.kbytes": 1_048_576,
                "partitioner": "murmur2_random",
            }
        )

    def send(self, topic: str, signal: Signal, value: bytes, event_type: str | None) -> None:
        """Queue one event; ``event_type`` says which CloudEvents headers it gets, if any."""
        head = self._heads[event_type] if event_type else None
        self._producer.produce(topic, value, signal.symbol, headers=head)
        self.count += 1
        self.size += len(value)
        if self.count % 1000 == 0:
            self._producer.poll(0)

    def flush(self) -> None:
        """Wait until the broker has acknowledged everything.

        Raises:
            RuntimeError: It has not.
        """
        if self._producer.flush(_FLUSH_SECONDS):
            raise RuntimeError("the broker has not acknowledged all events; see its log")


def publish_matched(broker: str, prefix: str, made: Callable[[], Iterator[Signal]]) -> float:
    """Publish entries, then their exits, to the pipeline's topics under a prefix.

    Returns:
        The mean size of a value in bytes.
    """
    sender = Sender(broker)
    for topic, value in (("signal_emitted", entry_value), ("signal_closed", exit_value)):
        for signal in made():
            sender.send(prefix + topic, signal, value(signal), topic)
    sender.flush()
    return sender.size / sender.count


def publish_easy(broker: str, topic: str, made: Iterator[Signal]) -> float:
    """Publish exits that carry their entry.

    Returns:
        The mean size of a value in bytes.
    """
    make_topic(broker, topic)
    sender = Sender(broker)
    for signal in made:
        sender.send(topic, signal, easy_value(signal), None)
    sender.flush()
    return sender.size / sender.count


def event_headers() -> dict[str, list[tuple[str, str | bytes | None]]]:
    """Headers of a real event of each type; consumers look at the type only."""
    identity, price = {"signal_id": "a", "symbol": "A"}, Decimal(1)
    samples = (
        SignalEmitted.model_validate(
            {**identity, "strategy": "a", "side": "BUY", "price": price, "emitted_at": START}
        ),
        SignalClosed.model_validate(
            {**identity, "exit_id": "a", "price": price, "closed_at": START, "reason": "a"}
        ),
    )
    return {each.event_type: list(headers(each, source="/bench", time=START)) for each in samples}

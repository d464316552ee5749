"""The example strategies: their logic on bars, and as processes on a broker."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.events import MarketBar, SignalClosed, SignalEmitted
from trackrecord.events.codec import decode, encode
from trackrecord.local.mock_broker import mock_broker

FOLDER = Path(__file__).parents[3] / "examples" / "strategies"
# The strategies find their neighbours as any script does: in their own folder.
sys.path.insert(0, str(FOLDER))

import brackets  # type: ignore[import-not-found]  # noqa: E402
import mean_reversion  # type: ignore[import-not-found]  # noqa: E402
import moving_average_cross  # type: ignore[import-not-found]  # noqa: E402
from decisions import Enter, Leave  # type: ignore[import-not-found]  # noqa: E402

LOGICS: list[Callable[[], Any]] = [
    moving_average_cross.MovingAverageCross,
    mean_reversion.MeanReversion,
]
MORNING = datetime(2012, 1, 2, 14, 30, tzinfo=UTC)


def bar(day: int, low: str, high: str, opened: str, close: str) -> MarketBar:
    at = MORNING + timedelta(days=day)
    return MarketBar(
        symbol="TEST",
        timeframe="1d",
        source="test",
        opened_at=at,
        closed_at=at + timedelta(hours=6, minutes=30),
        open=Decimal(opened),
        high=Decimal(high),
        low=Decimal(low),
        close=Decimal(close),
        volume=Decimal(1000),
    )


def flat(day: int, price: str) -> MarketBar:
    return bar(day, price, price, price, price)


def decide(logic: Any, bars: list[MarketBar]) -> list[Any]:
    return [decision for each in bars for decision in logic.on_bar(each)]


def falling_then_rising(logic: Any) -> tuple[int, Any]:
    """Drive a short cross (2 over 3 bars) into a long position at 11; next day, entry."""
    prices = ["10", "9", "8", "11"]
    decisions = decide(logic, [flat(day, price) for day, price in enumerate(prices)])
    (entry,) = decisions
    return len(prices), entry


def test_a_cross_up_opens_a_long_at_the_close() -> None:
    _, entry = falling_then_rising(moving_average_cross.MovingAverageCross(2, 3))

    assert entry == Enter(
        trade="moving_average_cross-2-3:TEST:2012-01-05",
        at=MORNING + timedelta(days=3, hours=6, minutes=30),
        side="BUY",
        price=Decimal(11),
        quantity=Decimal(909),
        target=Decimal("11.55"),
    )


@pytest.mark.parametrize(("opened", "filled"), [("11.2", "11.55"), ("11.8", "11.8")])
def test_half_leaves_at_the_first_target_or_beyond_it_at_the_open(opened: str, filled: str) -> None:
    logic = moving_average_cross.MovingAverageCross(2, 3)
    day, _ = falling_then_rising(logic)

    (half,) = logic.on_bar(bar(day, "11", "12", opened, "11.9"))
    assert (half.exit, half.price, half.quantity) == ("1-target", Decimal(filled), Decimal(454))
    # The target counts once.
    assert logic.on_bar(bar(day + 1, "11", "14", "12", "13")) == []


def test_a_cross_back_closes_the_rest_and_turns_short() -> None:
    logic = moving_average_cross.MovingAverageCross(2, 3)
    day, entry = falling_then_rising(logic)
    decisions = decide(logic, [bar(day, "11", "12", "11", "12"), flat(day + 1, "5")])

    half, rest, short = decisions
    assert half.quantity + rest.quantity == entry.quantity
    assert (rest.exit, rest.price, rest.trade) == ("2-cross", Decimal(5), entry.trade)
    assert (short.side, short.price, short.target) == ("SELL", Decimal(5), Decimal("4.75"))


def oversold(logic: Any) -> tuple[int, Any]:
    """Twenty sessions at rest, then a fall out of the band; next day, entry."""
    bars = [flat(day, "100" if day % 2 else "101") for day in range(20)]
    (entry,) = decide(logic, [*bars, flat(20, "90")])
    return 21, entry


def test_a_fall_out_of_the_band_is_bought_with_levels_on_both_sides() -> None:
    _, entry = oversold(mean_reversion.MeanReversion())

    assert (entry.side, entry.price, entry.horizon_bars) == ("BUY", Decimal(90), 10)
    assert entry.target == Decimal("99.95")
    assert entry.price - entry.stop == entry.target - entry.price


@pytest.mark.parametrize(
    ("low", "high", "opened", "price", "reason"),
    [
        ("89", "100", "91", "99.95", "target"),
        ("80", "91", "90", "80.05", "stop"),
        ("80", "100", "90", "80.05", "stop"),
        ("79", "91", "79.5", "79.5", "stop"),
        ("80", "102", "101", "101", "target"),
    ],
)
def test_levels_fill_where_the_session_reached_them(
    low: str, high: str, opened: str, price: str, reason: str
) -> None:
    logic = mean_reversion.MeanReversion()
    day, entry = oversold(logic)

    (leave,) = logic.on_bar(bar(day, low, high, opened, opened))
    at = MORNING + timedelta(days=day, hours=6, minutes=30)
    assert leave == Leave(entry.trade, "exit", at, Decimal(price), entry.quantity, reason)


def test_a_position_expires_at_the_close_of_its_tenth_session() -> None:
    logic = mean_reversion.MeanReversion()
    day, _ = oversold(logic)

    assert decide(logic, [flat(day + i, "92") for i in range(9)]) == []
    (leave,) = logic.on_bar(bar(day + 9, "91", "93", "92", "92.5"))
    assert (leave.reason, leave.price) == ("expired", Decimal("92.5"))


def weeks(count: int) -> list[MarketBar]:
    """Weekdays of so many weeks, each bar with a true range of 2."""
    days = [day for day in range(7 * count) if day % 7 < 5]  # MORNING is a Monday's
    return [bar(day, "99", "101", "100", "100") for day in days]


def test_brackets_opens_both_sides_at_the_close_of_a_weeks_first_session() -> None:
    bars = weeks(8)
    decisions = decide(brackets.Brackets(), bars)

    mondays = [each for each in bars if each.opened_at.weekday() == 0]
    # The true ranges of 14 sessions are known from the fourth Monday on.
    assert [each.at for each in decisions[::2]] == [each.closed_at for each in mondays[3:]]
    for long, short in zip(decisions[::2], decisions[1::2], strict=True):
        assert (long.side, short.side) == ("BUY", "SELL")
        assert long.price == short.price == Decimal(100)
        assert long.target - 100 == 100 - short.target > 0
        assert 100 - long.stop == short.stop - 100 > 0
    distances = [((one.target - 100) / 2, (100 - one.stop) / 2) for one in decisions[::2]]
    assert set(distances) == {(1, 4), (2, 2), (4, 1)}
    assert all(one != other for one, other in pairwise(distances))


def test_brackets_says_the_same_whenever_it_was_started() -> None:
    bars = weeks(12)
    whole = decide(brackets.Brackets(), bars)
    late = decide(brackets.Brackets(), bars[12:])
    assert late
    assert late == whole[-len(late) :]


def test_brackets_has_no_level_at_or_below_zero() -> None:
    wild = [flat(0, "1"), *(bar(day, "1", "60", "2", "2") for day in range(1, 60) if day % 7 < 5)]
    assert decide(brackets.Brackets(), wild) == []


def check_record(decisions: list[tuple[MarketBar, Any]]) -> int:
    """Check the rules that any record of decisions keeps; returns the number of entries."""
    entered: dict[str, Any] = {}
    left: dict[str, Decimal] = {}
    exits: set[tuple[str, str]] = set()
    for at, decision in decisions:
        assert decision.at == at.closed_at
        assert decision.quantity > 0
        if isinstance(decision, Enter):
            assert decision.trade not in entered
            assert all(quantity == 0 for quantity in left.values())
            assert decision.price == at.close
            entered[decision.trade], left[decision.trade] = decision, decision.quantity
        else:
            assert at.closed_at > entered[decision.trade].at
            assert at.low <= decision.price <= at.high
            assert (decision.trade, decision.exit) not in exits
            exits.add((decision.trade, decision.exit))
            left[decision.trade] -= decision.quantity
            assert left[decision.trade] >= 0
    return len(entered)


@pytest.mark.parametrize("logic", LOGICS)
def test_on_real_bars_positions_follow_one_another_at_prices_that_were_there(
    logic: Callable[[], Any], real_bars: list[MarketBar]
) -> None:
    entries = 0
    for symbol in {each.symbol for each in real_bars}:
        book, bars = logic(), [each for each in real_bars if each.symbol == symbol]
        entries += check_record([(each, d) for each in bars for d in book.on_bar(each)])
    assert entries >= 20


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.integers(1, 400)] * 4), min_size=60, max_size=120))
def test_on_any_bars_positions_follow_one_another(rows: list[tuple[int, ...]]) -> None:
    bars = [
        bar(day, *(f"{value / 4:.2f}" for value in (min(row), max(row), row[0], row[1])))
        for day, row in enumerate(rows)
    ]
    for book in (moving_average_cross.MovingAverageCross(3, 7), mean_reversion.MeanReversion()):
        check_record([(each, d) for each in bars for d in book.on_bar(each)])


def publish_bars(servers: str, bars: list[MarketBar]) -> None:
    producer = Producer({"bootstrap.servers": servers, "partitioner": "murmur2_random"})
    producer.produce("t.market_bar", b"no bar at all", key="AAPL")
    for each in bars:
        producer.produce("t.market_bar", encode(each), key=each.key)
    assert producer.flush(20) == 0


def read_topic(servers: str, topic: str) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "test"})
    try:
        parts = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        ends = [consumer.get_watermark_offsets(TopicPartition(topic, p))[1] for p in parts]
        consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in parts])
        values: list[bytes] = []
        deadline = time.monotonic() + 20
        while len(values) < sum(ends) and time.monotonic() < deadline:
            messages = consumer.consume(500, 0.2)
            values += [m.value() or b"" for m in messages if m.error() is None]
        return values
    finally:
        consumer.close()


def run_strategy(name: str, servers: str, home: Path, *extra: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), *extra],
        env={
            **os.environ,
            "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": servers,
            "TRACKRECORD_TOPIC_PREFIX": "t.",
            "TRACKRECORD_HOME": str(home),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["moving_average_cross", "mean_reversion", "brackets"])
def test_a_strategy_process_publishes_its_logics_decisions_and_again_the_same(
    name: str, real_bars: list[MarketBar], tmp_path: Path
) -> None:
    symbols = ["AAPL", "GOOG", "IBM"]
    since, until = date(2011, 3, 1), date(2012, 6, 29)
    with mock_broker() as servers:
        # Duplicates on the wire are normal, and the last bars lie beyond what is asked for.
        publish_bars(servers, real_bars + real_bars[:50])
        arguments = ("--symbols", *symbols, "--since", str(since), "--until", str(until))
        code, output = run_strategy(name, servers, tmp_path, *arguments)
        assert code == 0, output
        assert "t.market_bar: passed over a bar: not readable JSON" in output
        first = [read_topic(servers, f"t.{kind}") for kind in ("signal_emitted", "signal_closed")]
        code, output = run_strategy(name, servers, tmp_path, *arguments)
        assert code == 0, output
        both = [read_topic(servers, f"t.{kind}") for kind in ("signal_emitted", "signal_closed")]

    assert [set(values) for values in both] == [set(values) for values in first]
    assert [len(values) for values in both] == [2 * len(values) for values in first]
    signals = {s.signal_id: s for s in (decode(SignalEmitted, value) for value in first[0])}
    exits = [decode(SignalClosed, value) for value in first[1]]
    assert {signal.strategy for signal in signals.values()} == {name}

    logic = {
        "moving_average_cross": LOGICS[0],
        "mean_reversion": LOGICS[1],
        "brackets": brackets.Brackets,
    }[name]
    expected: dict[type, set[tuple[Any, ...]]] = defaultdict(set)
    books = {symbol: logic() for symbol in symbols}
    for each in real_bars:
        if each.symbol in symbols and since <= each.opened_at.date() <= until:
            for d in books[each.symbol].on_bar(each):
                tail = (d.side,) if isinstance(d, Enter) else (d.exit,)
                expected[type(d)].add((d.trade, d.at, d.price, *tail))
    assert {(s.signal_id, s.emitted_at, s.price, s.side) for s in signals.values()} == expected[
        Enter
    ]
    assert {(e.signal_id, e.closed_at, e.price, e.exit_id) for e in exits} == expected[Leave]
    assert all(e.symbol == signals[e.signal_id].symbol for e in exits)


def test_a_strategy_without_bars_says_what_to_do(tmp_path: Path) -> None:
    arguments = ("--symbols", "AAPL", "--until", "2012-06-29", "--idle-seconds", "1")
    code, output = run_strategy("mean_reversion", "127.0.0.1:1", tmp_path, *arguments)

    assert code == 2
    assert "trackrecord up" in output
    assert "Traceback" not in output

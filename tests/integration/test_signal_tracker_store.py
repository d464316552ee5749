"""The tracker's statements against the oracle, on a real database, to the last digit."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction as F
from typing import Any

import pytest
from confluent_kafka import Message
from prometheus_client import CollectorRegistry

from services.signal_tracker.handler import SignalTracker
from tests.support import histories, oracle
from trackrecord.events import Event, SignalClosed, SignalEmitted
from trackrecord.runtime import database
from trackrecord.runtime.batch import Reader
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context


def as_message(event: Event, offset: int, partition: int = 0) -> Message:
    return Message(
        topic=event.event_type,
        partition=partition,
        offset=offset,
        key=event.key.encode(),
        value=event.to_json(),
        timestamp=(2, 1_770_000_000_000),
    )


def run(settings: Settings, events: Sequence[Event], batches: Sequence[int]) -> list[int]:
    """Apply events in batches of the given sizes; the indices of those refused."""
    reader = Reader((SignalEmitted, SignalClosed))
    handler = SignalTracker(Context(settings, CollectorRegistry()))
    connection = database.connect(settings, application="test")
    refused, start = [], 0
    for size in batches:
        part = events[start : start + size]
        batch = reader.read(
            [as_message(event, start + i, (start + i) % 3) for i, event in enumerate(part)]
        )
        assert not batch.refused
        with connection, connection.cursor() as cursor:
            handler.load(batch, cursor)
            effects = handler.apply(batch, cursor)
        refused += [start + each.position for each in effects.refused]
        start += size
    connection.close()
    return refused


def fetch(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    connection = database.connect(settings, application="test")
    with connection, connection.cursor() as cursor:
        result = database.rows(cursor, query)
    connection.close()
    return result


def check(settings: Settings, expected: oracle.Expected) -> None:
    """Compare every table with the oracle."""
    signals = {
        row[0]: row[1:]
        for row in fetch(
            settings,
            "SELECT signal_id, quantity - closed_quantity, realised_pnl, closed_at, outcome,"
            ' "return" FROM signals WHERE revision >= 0',
        )
    }
    assert set(signals) == set(expected.signals)
    for signal_id, state in expected.signals.items():
        open_, pnl, closed_at, outcome, return_ = signals[signal_id]
        got = {
            "open": F(open_), "realised_pnl": F(pnl), "closed_at": closed_at, "outcome": outcome,
            "return": None if return_ is None else F(return_),
        }  # fmt: skip
        assert got == state, signal_id
    exits = {
        (row[0], row[1]): dict(
            zip(("closed", "pnl", "fees", "carry"), map(F, row[2:]), strict=True)
        )
        for row in fetch(
            settings,
            "SELECT signal_id, exit_id, closed_quantity, realised_pnl, fees, carry FROM exits",
        )
    }
    assert exits == expected.exits
    for table, owner, wanted in (
        ("strategy_days", "strategy", expected.strategy_days),
        ("symbol_days", "symbol", expected.symbol_days),
    ):
        names = [
            "signals", "exits", "closed", "wins", "losses", "breakevens", "total_pnl",
            "gross_profit", "gross_loss", "realised_pnl", "fees", "carry", "sum_return",
        ]  # fmt: skip
        sums = ", ".join(f"sum({name})" for name in names)
        got_days = {
            row[:3]: {n: F(v) for n, v in zip(names, row[3:], strict=True) if v}
            for row in fetch(
                settings, f"SELECT {owner}, currency, day, {sums} FROM {table} GROUP BY 1, 2, 3"
            )
        }
        assert {k: v for k, v in got_days.items() if v} == {
            k: {n: v for n, v in sums_.items() if v} for k, sums_ in wanted.items()
        }


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
    check(settings, expected)
    assert refused == expected.conflicts


@pytest.mark.kafka
def test_one_batch_and_many_batches_come_to_the_same(settings: Settings) -> None:
    events = histories.make("once", 400)
    assert run(settings, events, [len(events)]) == oracle.expect(events).conflicts
    check(settings, oracle.expect(events))

"""Bad input to the outcome_scorer through Kafka: each refused in plain words, or told in tables."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support import wire
from tests.support.compare import fetch
from tests.support.pipeline import Pipeline
from tests.support.scorer import DAY, FIRST, bar, long
from trackrecord.events import Event, MarketBar

pytestmark = pytest.mark.kafka

FLAT = (100, 101, 99, 100)

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"high": "98"}, "high is below open, close or low"),
    ({"low": "100.5"}, "low is above open or close"),
    ({"close": "NaN"}, "close: "),
    ({"open": "Infinity"}, "open: "),
    ({"low": "-one"}, "low: "),
    ({"volume": "NaN"}, "volume: "),
    ({"closed_at": "2026-01-05T00:00:00Z"}, "closed_at is not after opened_at"),
    ({"opened_at": "yesterday"}, "opened_at: "),
    ({"close": None}, "close: "),
]


def changed(pipeline: Pipeline, event: Event, fields: dict[str, Any]) -> wire.Parcel:
    parcel = wire.parcel(pipeline.settings, event)
    return replace(parcel, value=json.dumps(json.loads(parcel.value or b"") | fields).encode())


def test_bars_that_cannot_be_are_dead_letters_in_plain_words(pipeline: Pipeline) -> None:
    good = bar("AAA", 0, FLAT)
    places = wire.send(
        pipeline.settings, [changed(pipeline, good, fields) for fields, _ in REFUSED]
    )
    [there] = pipeline.publish([good])
    [contradicts] = pipeline.publish([bar("AAA", 0, (100, 102, 99, 100))])
    assert there[:2] == contradicts[:2]
    pipeline.start("outcome_scorer")
    pipeline.done("outcome_scorer")
    reasons = {
        tuple(row[:3]): row[3]
        for row in fetch(
            pipeline.settings, "SELECT topic, partition, log_offset, reason FROM dead_letters"
        )
    }
    for place, (fields, words) in zip(places, REFUSED, strict=True):
        assert words in reasons[place], fields
    assert "a correction needs a higher revision" in reasons[contradicts]
    assert len(reasons) == len(REFUSED) + 1
    assert fetch(pipeline.settings, "SELECT high FROM bars") == [(Decimal(101),)]


def test_bars_in_any_order_wrong_sides_and_symbols_without_bars(pipeline: Pipeline) -> None:
    days: list[MarketBar] = [bar("AAA", day, FLAT) for day in (3, 1, 0, 2, 1)]
    days.append(bar("AAA", 4, (104, 106, 103, 105)))
    signals = [
        long(signal_id="sound", target_price=Decimal(105)),
        long(signal_id="wrong target", target_price=Decimal(95)),
        long(signal_id="wrong stop", stop_loss=Decimal(101)),
        long(signal_id="wrong side", side="SELL", target_price=Decimal(105), exits="barriers"),
        long(signal_id="without bars", symbol="NONE", target_price=Decimal(105)),
    ]
    pipeline.publish([*signals, *days])
    pipeline.start("outcome_scorer")
    pipeline.done("outcome_scorer")
    settings = pipeline.settings
    assert fetch(settings, "SELECT count(*) FROM dead_letters") == [(0,)]
    assert fetch(settings, "SELECT signal_id, outcome, exit_price FROM outcomes ORDER BY 1") == [
        ("sound", "target", Decimal(105)),
        ("wrong side", "void", None),
        ("wrong stop", "void", None),
        ("wrong target", "void", None),
    ]
    assert fetch(
        settings, "SELECT signal_id, problem, ends_at FROM watched_signals ORDER BY 1"
    ) == [
        ("sound", None, None),
        ("without bars", None, None),
        ("wrong side", "the target lies on the wrong side of the entry", None),
        ("wrong stop", "the stop lies on the wrong side of the entry", None),
        ("wrong target", "the target lies on the wrong side of the entry", None),
    ]
    # What is void has no exit, so nothing closes it.
    assert wire.read(settings, settings.topic("signal_closed")) == []
    assert fetch(settings, "SELECT known_at FROM outcomes WHERE signal_id = 'sound'") == [
        (FIRST + 4 * DAY + timedelta(hours=8),)
    ]

"""A symbol is taken for delisted only when all its bars that were published have been read."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import psycopg2
import pytest
from confluent_kafka import Producer

from tests.support import wire
from tests.support.compare import fetch
from tests.support.pipeline import Pipeline, until
from tests.support.scorer import Scorer, bar, long
from trackrecord.events import Event, MarketBar, SignalClosed, SignalEmitted
from trackrecord.events.codec import decode
from trackrecord.runtime import kafka
from trackrecord.runtime.admin.migrate import migrate
from trackrecord.runtime.errors import PassingError
from trackrecord.runtime.loop.unread_messages import Unread
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

FLAT = (100, 101, 99, 100)
DAYS, HORIZON, CEASES = 60, 30, 12
SYMBOLS = [f"S{number}" for number in range(9)]
GONE = "GONE"


def where(event: Event, partitions: int) -> int:
    """Symbols side by side, each on a partition."""
    symbol = event.symbol  # type: ignore[attr-defined]
    return (SYMBOLS.index(symbol) if symbol in SYMBOLS else 0) % partitions


def history() -> list[Event]:
    """One signal of each symbol that nobody manages, and bars, session by session."""
    signals = [
        long(symbol, signal_id=symbol, horizon_bars=HORIZON, exits="barriers",
             target_price=Decimal(200), stop_loss=Decimal(50))
        for symbol in (*SYMBOLS, GONE)
    ]  # fmt: skip
    bars = [
        bar(symbol, day, FLAT)
        for day in range(DAYS)
        for symbol in (*SYMBOLS, GONE)
        if symbol != GONE or day < CEASES
    ]
    return [*signals, *bars]


def exits(settings: Settings) -> dict[str, list[str]]:
    """What was published of each signal."""
    found: dict[str, list[str]] = {}
    for each in wire.read(settings, settings.topic("signal_closed")):
        closed = decode(SignalClosed, each.value or b"")
        found.setdefault(closed.signal_id, []).append(closed.closed_at.isoformat())
    return found


@pytest.mark.parametrize("members", [1, 2])
def test_sessions_that_piled_up_end_nothing_that_has_bars_unread(
    pipeline: Pipeline, members: int
) -> None:
    settings = pipeline.settings
    events = history()
    signals = [each for each in events if isinstance(each, SignalEmitted)]
    pipeline.publish(signals)
    first = pipeline.start("outcome_scorer")
    pipeline.done("outcome_scorer")
    first.stop()
    pipeline.publish(events[len(signals) :], lambda event: where(event, settings.topic_partitions))
    for _ in range(members):
        pipeline.start("outcome_scorer", TRACKRECORD_BATCH_SIZE="20")
    pipeline.done("outcome_scorer")
    bars = {(each.symbol, each.opened_at): each for each in events if isinstance(each, MarketBar)}
    closes = sorted({each.closed_at for each in bars.values()})
    # The entry bar is the first after the emission; the tenth session without a bar tells.
    expired = {symbol: [closes[HORIZON].isoformat()] for symbol in SYMBOLS}
    assert exits(settings) == expired | {GONE: [closes[CEASES - 1].isoformat()]}
    assert fetch(settings, "SELECT signal_id, known_at FROM outcomes WHERE delisted") == [
        (GONE, closes[CEASES + 9])
    ]


def test_what_had_ended_waits_again_when_its_symbol_comes_back_from_two_sources(
    settings: Settings,
) -> None:
    scorer = Scorer(settings)
    scorer.apply([long(horizon_bars=HORIZON, stop_loss=Decimal(95))])
    days = [bar("AAA", 0, FLAT), bar("AAA", 1, FLAT), bar("AAA", 2, (94, 95, 93, 94))]
    scorer.apply([*days, *[bar("BBB", day, FLAT) for day in range(15)]])
    ends = "SELECT outcome, ends_at IS NULL FROM outcomes"
    assert scorer.rows(ends) == [("stop", False)]
    back = bar("AAA", 15, FLAT)
    scorer.apply([back, back.model_copy(update={"source": "another"})])
    assert scorer.rows(ends) == [("stop", True)]
    scorer.connection.close()


def leads(settings: Settings, topic: str) -> bool:
    """Whether the broker, too, knows that it has the topic."""
    client = kafka.admin(settings)
    with suppress(PassingError):
        return bool(kafka.end_offsets(client, kafka.partitions_of(client, [topic])))
    return False


def test_what_is_unread_is_told_from_marks_of_transactions(settings: Settings) -> None:
    kafka.ensure_topics(settings)
    migrate(settings)
    topic = settings.topic("market_bar")
    unread = Unread("outcome_scorer", settings)
    connection = psycopg2.connect(settings.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute(f'SET search_path = "{settings.database_schema}"')
        assert until(lambda: leads(settings, topic), "the broker leads the new topic")
        assert not unread.any(cursor, topic)
        producer = Producer(
            {
                "bootstrap.servers": settings.kafka_bootstrap_servers,
                "transactional.id": settings.topic("feed"),
            }
        )
        producer.init_transactions(20)
        for is_true in (False, True):
            producer.begin_transaction()
            sent = wire.parcel(settings, bar("AAA", 0, FLAT), 0)
            producer.produce(topic, sent.value, sent.key, partition=0, headers=list(sent.headers))
            producer.flush(20)
            if is_true:
                producer.commit_transaction(20)
            else:
                producer.abort_transaction(20)
                assert not unread.any(cursor, topic), "what was withdrawn is no message"
        assert until(lambda: unread.any(cursor, topic), "the transaction can be read")
        # The message lies behind the one that was withdrawn and its mark.
        for stands, left in ((2, True), (3, False)):
            cursor.execute(
                "INSERT INTO consumer_offsets"
                " (stage, topic, partition, topic_id, epoch, next_offset)"
                " VALUES ('outcome_scorer', %s, 0, '', 1, %s)"
                " ON CONFLICT (stage, topic, partition)"
                " DO UPDATE SET next_offset = excluded.next_offset",
                (topic, stands),
            )
            assert unread.any(cursor, topic) is left
        connection.rollback()
    connection.close()

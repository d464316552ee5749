"""The outcome_scorer's handler without its process, and bars and signals to give it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from confluent_kafka import Message

from services.outcome_scorer.service import STAGE
from trackrecord.events import Event, MarketBar, SignalEmitted
from trackrecord.runtime import database
from trackrecord.runtime.decoding.decoder import Refusal
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Handler, Outgoing
from trackrecord.testing import Member, as_message

FIRST = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
HOURS = timedelta(hours=8)


class Scorer:
    """The stage's handler on tables of its own, and what it published."""

    def __init__(self, settings: Settings) -> None:
        self._member = Member(STAGE, settings)
        self._offset = 0

    @property
    def handler(self) -> Handler:
        return self._member.handler

    @property
    def connection(self) -> database.Connection:
        return self._member.connection

    @property
    def said(self) -> list[Outgoing]:
        """All that it has published."""
        return self._member.outgoing

    def apply(self, events: Sequence[Event]) -> list[str]:
        """One batch; the reasons of what was refused."""
        messages = []
        for event in events:
            self._offset += 1
            messages.append(as_message(event, self._offset, self._offset % 3))
        return [each.reason for each in self.read(messages)]

    def read(self, messages: Sequence[Message]) -> list[Refusal]:
        """One batch of messages; what was refused of it."""
        refused = self._member.apply(messages)
        assert {each.error_class for each in refused} <= {"conflict"}, refused
        return refused

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connection, self.connection.cursor() as cursor:
            return database.rows(cursor, query)


def bar(
    symbol: str, day: int, prices: Sequence[float], revision: int = 0, split: str | None = None
) -> MarketBar:
    opened, high, low, close = (Decimal(str(round(each, 2))) for each in prices)
    return MarketBar(
        symbol=symbol,
        timeframe="1d",
        source="test",
        opened_at=FIRST + day * DAY,
        closed_at=FIRST + day * DAY + HOURS,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=Decimal(1000),
        split_ratio=None if split is None else Decimal(split),
        revision=revision,
    )


def long(symbol: str = "AAA", **more: Any) -> SignalEmitted:
    """A long at 100, emitted when the first bar closes."""
    said = {"signal_id": "s", "strategy": "m", "side": "BUY", "price": Decimal(100)}
    return SignalEmitted.model_validate(
        {**said, "symbol": symbol, "emitted_at": FIRST + HOURS, **more}
    )

"""The smallest stage that does everything a stage can, and one consumer of it in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import polars as pl
from prometheus_client import CollectorRegistry

from tests.support import compare, wire
from tests.support.pipeline import until
from trackrecord.events import Event, SignalClosed, SignalEmitted
from trackrecord.events.codec import encode, headers
from trackrecord.runtime import database, kafka
from trackrecord.runtime.database import Cursor
from trackrecord.runtime.decoding.batch import Batch
from trackrecord.runtime.decoding.decoder import Refusal
from trackrecord.runtime.health import Health
from trackrecord.runtime.loop.membership import Membership
from trackrecord.runtime.metrics import RUNTIME_METRICS, Metrics
from trackrecord.runtime.outbox import Outbox
from trackrecord.runtime.process.run import assemble
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context, Effects, Handler, Outgoing, Stage

START = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
TOO_MUCH = Decimal(1_000_000)
"""The table refuses a price from here on."""

Fault = Callable[[Cursor], None]


class Sink(Handler):
    """Each signal is a row; one that asks for barriers is closed by an outgoing event."""

    def __init__(self, _context: Context | None = None) -> None:
        self.sizes: list[int] = []
        self.lanes: set[int] = set()
        self.forgotten = 0
        self.before: Fault = lambda _cursor: None
        self.after: Fault = lambda _cursor: None

    def load(self, batch: Batch, cursor: Cursor) -> None:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS new_sunk (signal_id text, price numeric)"
            " ON COMMIT DELETE ROWS"
        )
        frame = batch.of(SignalEmitted).select("signal_id", "price")
        database.copy_rows(cursor, "new_sunk", database.CopyRows.of(frame))

    def apply(self, batch: Batch, cursor: Cursor) -> Effects:
        self.before(cursor)
        cursor.execute("INSERT INTO sunk (signal_id, price) SELECT * FROM new_sunk")
        self.after(cursor)
        frame = batch.of(SignalEmitted)
        self.sizes.append(frame.height)
        self.lanes.add(batch.lane)
        return Effects(
            refused=[
                Refusal(position, "conflict", "no tables in this stage like it")
                for position in frame.filter(pl.col("symbol") == "NEVER")["position"].to_list()
            ],
            outgoing=[
                _outgoing(row)
                for row in frame.filter(pl.col("exits") == "barriers").iter_rows(named=True)
            ],
        )

    def forget(self) -> None:
        self.forgotten += 1


def _outgoing(row: dict[str, Any]) -> Outgoing:
    event = SignalClosed(
        signal_id=row["signal_id"],
        exit_id="x",
        symbol=row["symbol"],
        price=row["price"],
        closed_at=START,
        reason="sink",
    )
    about = headers(event, source="/sink", time=START)
    return Outgoing("signal_closed", event.key.encode(), encode(event), about, row["position"])


SINK = Stage("sink", (SignalEmitted,), (SignalClosed,), Sink, ())


def signals(count: int, start: int = 0, **fields: Any) -> list[SignalEmitted]:
    return [
        SignalEmitted(
            **{
                "signal_id": f"s{number}",
                "strategy": "sma",
                "symbol": f"SYM{number % 7}",
                "side": "BUY",
                "price": Decimal(number + 1),
                "emitted_at": START + timedelta(minutes=number),
            }
            | fields
        )
        for number in range(start, start + count)
    ]


def parcels(settings: Settings, events: Iterable[Event]) -> list[wire.Parcel]:
    return [wire.parcel(settings, event) for event in events]


def publish(settings: Settings, events: Iterable[Event]) -> list[wire.Place]:
    return wire.send(settings, parcels(settings, events))


def bad(settings: Settings, value: bytes | None, *headers: tuple[str, bytes]) -> wire.Parcel:
    return wire.Parcel(settings.topic("signal_emitted"), b"SYM0", value, headers)


def make_table(settings: Settings) -> None:
    kafka.ensure_topics(settings)
    compare.fetch(
        settings,
        "CREATE TABLE sunk (signal_id text PRIMARY KEY, price numeric CHECK (price < %s));"
        " SELECT 1",
        (TOO_MUCH,),
    )


def sunk(settings: Settings) -> set[str]:
    return {signal_id for (signal_id,) in compare.fetch(settings, "SELECT signal_id FROM sunk")}


class Running:
    """A consumer that turns in a thread; what ended it is kept."""

    def __init__(
        self,
        settings: Settings,
        handler: Sink | None = None,
        *,
        membership: type[Membership] = Membership,
        outbox: Outbox | None = None,
    ) -> None:
        self.settings = settings
        self.handler = handler or Sink()
        self.registry = CollectorRegistry()
        self.health = Health("sink")
        metrics = Metrics(self.registry, "sink", RUNTIME_METRICS)
        self.consumer = assemble(
            SINK,
            self.handler,
            settings,
            metrics,
            self.health,
            membership=membership,
            outbox=outbox,
        )
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self.consumer.run()
        except BaseException as error:  # noqa: BLE001 - a test looks at it
            self.error = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask it to end in good order, and wait until it has."""
        self.consumer.stop()
        self.ended()

    def ended(self) -> BaseException | None:
        """Wait until it has ended; returns what ended it, None if it was asked to."""
        self._thread.join(20)
        assert not self._thread.is_alive(), "the consumer does not end"
        return self.error

    def ready(self) -> Self:
        until(lambda: self.health.ready, "the consumer has its partitions")
        return self

    def has(self, *signal_ids: str) -> None:
        """Wait until these signals are rows."""
        until(lambda: set(signal_ids) <= sunk(self.settings), f"{len(signal_ids)} rows")

    def caught_up(self) -> None:
        """Wait until everything on the topic is read."""
        client = kafka.admin(self.settings)
        topic = self.settings.topic("signal_emitted")
        ends = kafka.end_offsets(client, kafka.partitions_of(client, [topic]))
        until(
            lambda: (
                self.error is not None
                or all(positions(self.settings).get(place, 0) == end for place, end in ends.items())
            ),
            "the consumer has read everything",
        )
        assert self.error is None, self.error

    def metric(self, name: str, **labels: str) -> float:
        value = self.registry.get_sample_value(name, {"stage": "sink", **labels})
        return 0.0 if value is None else value


@contextmanager
def running(
    settings: Settings,
    handler: Sink | None = None,
    *,
    membership: type[Membership] = Membership,
    outbox: Outbox | None = None,
) -> Iterator[Running]:
    with Running(settings, handler, membership=membership, outbox=outbox) as consumer:
        yield consumer.ready()


def positions(settings: Settings) -> dict[tuple[str, int], int]:
    return {
        (topic, number): offset
        for topic, number, offset in compare.fetch(
            settings, "SELECT topic, partition, next_offset FROM consumer_offsets"
        )
    }

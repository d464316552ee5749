"""A Faust agent that takes batches of 1000 and writes each with ``execute_values``.

With the argument ``records`` the topic has a ``faust.Record`` for its values, as Faust's own
documentation does it; with ``bytes`` it hands over bytes, and they are parsed as the others do.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import faust

from benchmarks.pipeline.peers import job

_BATCH = 1000
_WITHIN = 0.1


class Exit(faust.Record, serializer="json", coerce=True):
    """An exit that carries its entry."""

    signal_id: str
    exit_id: str
    strategy: str
    symbol: str
    side: str
    quantity: Decimal
    entry_price: Decimal
    price: Decimal
    fees: Decimal
    closed_at: str
    reason: str


def row_of(event: Exit) -> job.Row:
    """Bring an exit into the form in which every peer writes it."""
    return job.row_of(
        event.signal_id,
        event.exit_id,
        event.strategy,
        event.symbol,
        event.side,
        event.quantity,
        event.entry_price,
        event.price,
        event.fees,
        event.closed_at,
    )


def application(work: job.Work, values: str) -> faust.App:
    """The app with its agent.

    Args:
        work: What to do.
        values: ``records`` or ``bytes``.
    """
    app = faust.App(
        work.group,
        broker=f"kafka://{work.broker}",
        store="memory://",
        datadir=work.state,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
        stream_wait_empty=False,
    )
    row: Callable[[Any], job.Row]
    if values == "records":
        topic, row = app.topic(work.topic, value_type=Exit, key_serializer="raw"), row_of
    else:
        row = job.read
        topic = app.topic(
            work.topic, value_type=bytes, value_serializer="raw", key_serializer="raw"
        )
    connection = work.connect()

    @app.agent(topic)
    async def keep(stream: Any) -> None:
        async for batch in stream.take(_BATCH, within=_WITHIN):
            job.write(connection, [row(value) for value in batch])

    return app


def main(values: str) -> None:
    """Work until ended."""
    app = application(job.Work.from_environment(), values)
    faust.Worker(app, loglevel="WARN").execute_from_commandline()


if __name__ == "__main__":
    main(sys.argv[1])

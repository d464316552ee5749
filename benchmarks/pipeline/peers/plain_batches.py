"""``consume(1000)``, a pydantic model for each event, ``execute_values``, commit."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from confluent_kafka import Consumer, TopicPartition
from pydantic import BaseModel

from benchmarks.pipeline.peers import job

_BATCH = 1000


class Exit(BaseModel):
    """An exit that carries its entry."""

    signal_id: str
    exit_id: str
    strategy: str
    symbol: str
    side: Literal["BUY", "SELL"]
    quantity: Decimal
    entry_price: Decimal
    price: Decimal
    fees: Decimal
    closed_at: datetime
    reason: str

    def row(self) -> job.Row:
        """As a row of ``easy_exits``."""
        return job.row_of(
            self.signal_id,
            self.exit_id,
            self.strategy,
            self.symbol,
            self.side,
            self.quantity,
            self.entry_price,
            self.price,
            self.fees,
            self.closed_at.isoformat(),
        )


def main() -> None:
    """Work until ended."""
    work = job.Work.from_environment()
    connection = work.connect()
    consumer = Consumer(
        {
            "bootstrap.servers": work.broker,
            "group.id": work.group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.assign([TopicPartition(work.topic, each, 0) for each in range(work.partitions)])
    while True:
        messages = consumer.consume(_BATCH, 0.1)
        good = [message.value() or b"" for message in messages if message.error() is None]
        if good:
            job.write(connection, [Exit.model_validate_json(value).row() for value in good])
            consumer.commit(asynchronous=True)


if __name__ == "__main__":
    main()

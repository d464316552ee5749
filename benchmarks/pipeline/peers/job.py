"""The easier job: an exit that carries its entry becomes a row, and moves its strategy's day.

Only what every peer has may be imported here: some run in an environment of their own.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class
from psycopg2.extras import execute_values

TABLES = """
CREATE TABLE easy_exits (
    signal_id text NOT NULL, exit_id text NOT NULL, strategy text NOT NULL, symbol text NOT NULL,
    quantity numeric NOT NULL, entry_price numeric NOT NULL, price numeric NOT NULL,
    fees numeric NOT NULL, closed_at timestamptz NOT NULL, day date NOT NULL, pnl numeric NOT NULL,
    PRIMARY KEY (signal_id, exit_id)
);
CREATE TABLE easy_days (
    strategy text, day date, closed bigint NOT NULL, pnl numeric NOT NULL, fees numeric NOT NULL,
    PRIMARY KEY (strategy, day)
)
"""

COLUMNS = (
    "signal_id", "exit_id", "strategy", "symbol", "quantity", "entry_price", "price", "fees",
    "closed_at", "day", "pnl",
)  # fmt: skip

_MOVE_DAYS = """
INSERT INTO easy_days
SELECT strategy, day, count(*), sum(pnl), sum(fees) FROM new GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (strategy, day) DO UPDATE
SET closed = easy_days.closed + excluded.closed, pnl = easy_days.pnl + excluded.pnl,
    fees = easy_days.fees + excluded.fees
"""

WRITE = f"""
WITH new AS (
    INSERT INTO easy_exits ({", ".join(COLUMNS)}) VALUES %s
    ON CONFLICT DO NOTHING RETURNING strategy, day, pnl, fees
) {_MOVE_DAYS}
"""
"""One statement, so that only rows that really went in move the sums."""

Row = tuple[str, str, str, str, Decimal, Decimal, Decimal, Decimal, str, str, Decimal]


@dataclass(frozen=True)
class Work:
    """What a peer is told through its environment.

    Attributes:
        broker: ``host:port``.
        database_url: Of the database.
        schema: Holds the tables.
        topic: What to consume, from its beginning.
        partitions: How many it has.
        group: The consumer group, new for each run.
        state: An empty folder for what a peer keeps on disk.
    """

    broker: str
    database_url: str
    schema: str
    topic: str
    partitions: int
    group: str
    state: str

    def environment(self) -> dict[str, str]:
        """As variables, for the process that does the work."""
        return {f"BENCH_{name.upper()}": str(value) for name, value in vars(self).items()}

    @classmethod
    def from_environment(cls) -> Work:
        """Read what :meth:`environment` wrote."""
        of = {name: os.environ[f"BENCH_{name.upper()}"] for name in cls.__annotations__}
        return cls(**{**of, "partitions": int(of["partitions"])})  # type: ignore[arg-type]

    def connect(self) -> Connection:
        """Open a connection in which unqualified names mean the schema."""
        return psycopg2.connect(
            self.database_url,
            application_name="peer",
            options=f"-c search_path={self.schema} -c timezone=UTC",
        )


def row_of(
    signal_id: str,
    exit_id: str,
    strategy: str,
    symbol: str,
    side: str,
    quantity: Decimal,
    entry_price: Decimal,
    price: Decimal,
    fees: Decimal,
    closed_at: str,
) -> Row:
    """The row of an exit; its PnL is net of fees."""
    gained = price - entry_price if side == "BUY" else entry_price - price
    return (
        signal_id, exit_id, strategy, symbol, quantity, entry_price, price, fees, closed_at,
        closed_at[:10], gained * quantity - fees,
    )  # fmt: skip


def read(value: bytes) -> Row:
    """The row of a message, read with no more checks than that the numbers are numbers."""
    event: dict[str, Any] = json.loads(value)
    return row_of(
        event["signal_id"],
        event["exit_id"],
        event["strategy"],
        event["symbol"],
        event["side"],
        Decimal(event["quantity"]),
        Decimal(event["entry_price"]),
        Decimal(event["price"]),
        Decimal(event["fees"]),
        event["closed_at"],
    )


def write(connection: Connection, rows: list[Row]) -> None:
    """Insert rows and move the sums, in one transaction."""
    with connection, connection.cursor() as cursor:
        execute_values(cursor, WRITE, rows, page_size=len(rows))

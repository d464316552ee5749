"""A history in the tracker's own tables, as if it had come through Kafka long ago.

Signals with one exit each, all closed, over the days before the events of a run begin (250 unless
another spread is asked for), by the same strategies and in the same symbols. They are made in the
database, and the sums are computed from them. Ids are UUIDs of version 7, as the SDK makes them,
or random ones, for which rows that lie together in an index do not lie together in the table.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from psycopg2.extensions import cursor as Cursor  # noqa: N812 - it is a class

from benchmarks.pipeline.common import connect, say
from benchmarks.pipeline.events import START, STRATEGIES, SYMBOLS
from trackrecord.performance.sums.sums import ACCOUNTS
from trackrecord.runtime.late_marks import MARKED

DAYS = 250
_CHUNK = 1_000_000


# Each column from another hash of the number: no two of them go together.
def _any(below: int, seed: int) -> str:
    return f"(hashint8extended(n, {seed}) & 2147483647) % {below}"


@dataclass(frozen=True)
class Spread:
    """Over what a history is spread.

    Attributes:
        strategies: How many there are.
        days: How long it is.
        unequal: Whether ten of them hold half of it, and half of them some 50 signals each.
    """

    strategies: int = STRATEGIES
    days: int = DAYS
    unequal: bool = False

    def strategy(self, size: int) -> str:
        """SQL of the name of the n-th of ``size`` signals' strategy."""
        digits = len(str(self.strategies - 1))
        number = f"({_any(self.strategies, 1)})"
        if self.unequal:
            small = self.strategies // 2
            of_small = round(2e6 * 50 * small / size)
            number = f"""(CASE WHEN {_any(2, 9)} = 0 THEN {_any(10, 1)}
                WHEN {_any(1_000_000, 10)} < {of_small} THEN {small} + {_any(small, 1)}
                ELSE 10 + {_any(small - 10, 1)} END)"""
        return f"'strategy-' || lpad({number}::text, {digits}, '0')"

    def signals(self, size: int, first: int, last: int, *, random_ids: bool) -> str:
        """SQL of the signals of a history of ``size``, from the ``first`` to the ``last``."""
        begin = "''"
        if not random_ids:
            # The time in milliseconds, as UUIDs of version 7 begin.
            begin = "lpad(to_hex((extract(epoch FROM emitted_at) * 1000)::bigint), 12, '0') || '7'"
        return f"""
SELECT (made_at || substr(md5(n::text), length(made_at) + 1))::uuid::text AS signal_id,
       (made_at || substr(md5('exit' || n), length(made_at) + 1))::uuid::text AS exit_id,
       {self.strategy(size)} AS strategy,
       'SYM' || lpad(symbol::text, 3, '0') AS symbol,
       side, price, quantity, entry_fee, exit_price, entry_fee + exit_fee AS fees,
       exit_fee, emitted_at, emitted_at + interval '95 minutes' AS closed_at,
       (exit_price - price) * quantity * CASE side WHEN 'BUY' THEN 1 ELSE -1 END
           - entry_fee - exit_fee AS pnl,
       price * quantity + entry_fee * CASE side WHEN 'BUY' THEN 1 ELSE -1 END AS basis
FROM (
    SELECT n, {_any(SYMBOLS, 2)} AS symbol,
           CASE {_any(2, 3)} WHEN 0 THEN 'BUY' ELSE 'SELL' END AS side,
           (10000 + {_any(10001, 4)}) * 0.01 AS price,
           (10000 + {_any(10001, 4)} - 500 + {_any(1021, 5)})
               * 0.01 AS exit_price,
           (1 + {_any(1000, 6)}) * 0.1 AS quantity,
           {_any(100, 7)} * 0.01 AS entry_fee,
           {_any(100, 8)} * 0.01 AS exit_fee,
           timestamptz '{START.isoformat()}' - interval '{self.days} days'
               + n * (interval '{self.days - 1} days' / {size}::float8) AS emitted_at
    FROM generate_series({first}::bigint, {last}::bigint) AS n
) AS drawn CROSS JOIN LATERAL (SELECT {begin} AS made_at) AS begun
"""


AS_BEFORE = Spread()

_SIGNALS = """
INSERT INTO signals (signal_id, revision, strategy, symbol, side, price, quantity, currency,
    emitted_at, timeframe, exits, entry, fee, appended_at, backdated)
SELECT signal_id, 0, strategy, symbol, side, price, quantity, 'USD', emitted_at, '1d', 'own',
       'filled', entry_fee, emitted_at, false
FROM ({}) AS made
"""

_EXITS = """
INSERT INTO exits (signal_id, exit_id, revision, symbol, strategy, price, quantity, closed_at, fee,
    reason, appended_at, closed_quantity, realised_pnl, fees, signal_pnl, "return", outcome)
SELECT signal_id, exit_id, 0, symbol, strategy, exit_price, quantity, closed_at, exit_fee,
       'target', closed_at, quantity, pnl, fees, pnl, round(pnl::numeric(60, 30) / basis, 18),
       sign(pnl)
FROM ({}) AS made
"""

_INSERT = {"signals": _SIGNALS, "exits": _EXITS}

_OF_ENTRIES = {"signals": "count(*)"}
_OF_EXITS = {
    "exits": "count(*)",
    "closed": "count(*)",
    "wins": "count(*) FILTER (WHERE outcome = 1)",
    "losses": "count(*) FILTER (WHERE outcome = -1)",
    "breakevens": "count(*) FILTER (WHERE outcome = 0)",
    "total_pnl": "sum(realised_pnl)",
    "gross_profit": "sum(realised_pnl) FILTER (WHERE outcome = 1)",
    "gross_loss": "sum(realised_pnl) FILTER (WHERE outcome = -1)",
    "realised_pnl": "sum(realised_pnl)",
    "fees": "sum(fees)",
    "sum_return": 'sum("return")',
    "pnl_squares": "sum(realised_pnl * realised_pnl)",
}
_NONE_HERE = {"backdated", "carry", "without_return", *MARKED, *ACCOUNTS.values()}


def load(url: str, schema: str, size: int, *, random_ids: bool, spread: Spread = AS_BEFORE) -> None:
    """Fill the tracker's empty tables.

    Args:
        url: The database.
        schema: The tracker's.
        size: How many signals.
        random_ids: Whether ids are random throughout, or begin with the time of emission.
        spread: Over what it is spread.

    Raises:
        RuntimeError: A table of sums has a column that this does not know how to fill.
    """
    started = time.monotonic()
    # Two at a time: that many cores the smallest machine has.
    with ThreadPoolExecutor(2) as threads:
        list(
            threads.map(partial(_fill, url, schema, size, random_ids, spread), ("signals", "exits"))
        )
        list(threads.map(partial(_add_up, url, schema), ("strategy", "symbol")))
    connection = connect(url, schema)
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    connection.close()
    say(f"  {size:,} signals loaded in {time.monotonic() - started:.0f} s")


def _fill(url: str, schema: str, size: int, random_ids: bool, spread: Spread, table: str) -> None:
    with _session(url, schema) as cursor:
        key = _drop_key(cursor, table)
        for first in range(1, size + 1, _CHUNK):
            last = min(size, first + _CHUNK - 1)
            made = spread.signals(size, first, last, random_ids=random_ids)
            cursor.execute(_INSERT[table].format(made))
        cursor.execute(key)
        cursor.execute(f"VACUUM (ANALYZE) {table}")


@contextmanager
def _session(url: str, schema: str) -> Iterator[Cursor]:
    connection = connect(url, schema)
    try:
        with connection.cursor() as cursor:
            # Loading is not what is measured: it need not wait for the disk each time.
            cursor.execute("SET synchronous_commit = off; SET maintenance_work_mem = '1GB'")
            cursor.execute("SET work_mem = '256MB'")
            yield cursor
    finally:
        connection.close()


def _drop_key(cursor: Cursor, table: str) -> str:
    """Drop a table's primary key: an index is built faster than it grows.

    Returns:
        The statement that makes it again.
    """
    cursor.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype = 'p'",
        (table,),
    )
    name, definition = cursor.fetchall()[0]
    cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    return f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"


def _add_up(url: str, schema: str, owner: str) -> None:
    with _session(url, schema) as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = %s ORDER BY ordinal_position",
            (f"{owner}_days",),
        )
        keys = (owner, "currency", "day", "lane")
        sums = [name for (name,) in cursor.fetchall() if name not in keys]
        unknown = set(sums) - _OF_ENTRIES.keys() - _OF_EXITS.keys() - _NONE_HERE
        if unknown:
            raise RuntimeError(
                f"{owner}_days has columns that benchmarks/pipeline/history.py does not fill: "
                f"{', '.join(sorted(unknown))}"
            )

        def part(table: str, at: str, of: dict[str, str]) -> str:
            values = ", ".join(f"coalesce({of.get(name, '0')}, 0) AS {name}" for name in sums)
            return (
                f"SELECT {owner}, 'USD' AS currency, ({at} AT TIME ZONE 'UTC')::date AS day,"
                f" 0 AS lane, {values} FROM {table} GROUP BY 1, 2, 3"
            )

        added = ", ".join(f"sum({name})" for name in sums)
        cursor.execute(
            f"INSERT INTO {owner}_days ({', '.join((*keys, *sums))})"
            f" SELECT {', '.join(keys)}, {added} FROM ({part('signals', 'emitted_at', _OF_ENTRIES)}"
            f" UNION ALL {part('exits', 'closed_at', _OF_EXITS)}) AS parts GROUP BY 1, 2, 3, 4"
        )
        cursor.execute(f"VACUUM (ANALYZE) {owner}_days")
        if owner == "strategy":
            whole = "strategy, currency, lane"
            cursor.execute(
                f"INSERT INTO strategy_totals ({whole}, version, {', '.join(sums)})"
                f" SELECT {whole}, 1, {added} FROM strategy_days GROUP BY {whole}"
            )
            cursor.execute("VACUUM (ANALYZE) strategy_totals")

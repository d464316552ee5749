"""The tables of signals that wait for bars, and of signals that were closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from services.outcome_scorer.rows.signals import READ, WrittenSignal
from services.outcome_scorer.rows.symbols import Asked, Key
from services.outcome_scorer.store.asked import ask
from trackrecord.outcomes.model import ENTRY_NOT_POSITIVE
from trackrecord.runtime.database import (
    CopyRows,
    Cursor,
    copy_rows,
    execute_planned,
    read_columns,
    rows,
)
from trackrecord.runtime.sql_times import micros, moment

TEMPORARY: Final = """
CREATE TEMPORARY TABLE new_signals (
    position integer, appended_at timestamptz, signal_id text COLLATE "C", revision integer,
    strategy text COLLATE "C", symbol text COLLATE "C", timeframe text COLLATE "C",
    side text COLLATE "C", price numeric, target_price numeric, stop_loss numeric,
    horizon_bars integer, entry text COLLATE "C", exits text COLLATE "C",
    confidence double precision, emitted_at timestamptz
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE new_closes (
    signal_id text COLLATE "C", closed_at timestamptz, reason text
) ON COMMIT DELETE ROWS;
"""


def load(cursor: Cursor, signals: CopyRows, closes: CopyRows) -> None:
    """COPY the signals and exits of a batch into temporary tables; locks nothing of others."""
    copy_rows(cursor, "new_signals", signals)
    copy_rows(cursor, "new_closes", closes)


_COLUMNS: Final = (
    "revision", "strategy", "symbol", "timeframe", "direction", "price", "target_price",
    "stop_loss", "horizon_bars", "next_open", "barriers", "confidence", "emitted_at",
    "appended_at", "problem",
)  # fmt: skip

_WRITE: Final = f"""
INSERT INTO watched_signals (signal_id, {", ".join(_COLUMNS)})
SELECT signal_id, revision, strategy, symbol, timeframe, up, price, target_price, stop_loss,
       coalesce(horizon_bars, %(horizon)s), entry = 'next_open', exits = 'barriers', confidence,
       emitted_at, appended_at,
       CASE WHEN price <= 0 AND entry = 'filled' THEN '{ENTRY_NOT_POSITIVE}'
            WHEN (target_price - price) * up <= 0
                THEN 'the target lies on the wrong side of the entry'
            WHEN (price - stop_loss) * up <= 0
                THEN 'the stop lies on the wrong side of the entry'
       END
FROM (SELECT *, CASE side WHEN 'BUY' THEN 1 ELSE -1 END AS up FROM new_signals) AS n
ORDER BY signal_id
ON CONFLICT (signal_id) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)}, ends_at = NULL
WHERE watched_signals.revision < excluded.revision
RETURNING signal_id, xmax = 0, problem IS NOT NULL
"""
"""Signals that are new or corrected; says which, and whether nothing can be said of them."""


def write(cursor: Cursor, default_horizon: int) -> list[WrittenSignal]:
    """Write the signals of the batch, and tell which are new or corrected.

    Args:
        cursor: In the transaction.
        default_horizon: Bars that a signal without a horizon of its own has.
    """
    execute_planned(cursor, _WRITE, {"horizon": default_horizon})
    return [WrittenSignal(*row) for row in cursor.fetchall()]


_LEAVE: Final = """
WITH moved AS (
    SELECT w.symbol, w.timeframe
    FROM new_signals AS n JOIN watched_signals AS w USING (signal_id)
    WHERE n.revision > w.revision AND (w.symbol, w.timeframe) <> (n.symbol, n.timeframe)
    ORDER BY w.signal_id FOR UPDATE OF w
), left_ AS (
    SELECT symbol, timeframe FROM watched_symbols
    WHERE (symbol, timeframe) IN (SELECT * FROM moved)
    ORDER BY symbol, timeframe FOR UPDATE
)
UPDATE watched_symbols AS w SET version = version + 1
FROM left_ WHERE w.symbol = left_.symbol AND w.timeframe = left_.timeframe
RETURNING w.symbol, w.timeframe
"""
"""Symbols that a correction takes a signal away from: who has them in memory reads them again."""


def leave(cursor: Cursor) -> list[Key]:
    """Symbols and timeframes that signals of the batch leave for others, by a correction.

    What is in memory of them is out of date from now on, here and with every other member.
    """
    return rows(cursor, _LEAVE)


_WRITE_CLOSES: Final = """
INSERT INTO closings (signal_id, closed_at, reason, own)
SELECT DISTINCT ON (signal_id) signal_id, closed_at, reason, false FROM new_closes
ORDER BY signal_id, closed_at
ON CONFLICT DO NOTHING
"""


def write_closes(cursor: Cursor) -> None:
    """Note signals that were closed by others: they get no exit of ours."""
    execute_planned(cursor, _WRITE_CLOSES, {})


_OF_ANOTHER: Final = -1
"""Bars held by no outcome: what is on record was said of another strategy, symbol or moment, before
a correction. It is told anew, even where it is the same."""


def _read(*, ended: bool) -> str:
    """Signals of the symbols asked for: those that wait, or those whose horizon had elapsed."""
    which = f"w.ends_at >= {moment('a.since')}" if ended else "w.ends_at IS NULL"
    return f"""
SELECT w.signal_id, a.number, w.direction, w.price, w.target_price, w.stop_loss,
       w.horizon_bars, w.next_open, {micros("w.emitted_at")} AS emitted_at,
       o.outcome, o.how, o.ambiguous, {micros("o.exit_opened_at")} AS exit_opened_at,
       o.exit_price, o."return", o.mae, o.mfe, o.delisted,
       CASE WHEN (o.strategy, o.symbol, o.emitted_at) = (w.strategy, w.symbol, w.emitted_at)
            THEN o.bars_held WHEN o.signal_id IS NOT NULL THEN {_OF_ANOTHER} END AS bars_held,
       {micros("o.known_at")} AS known_at
FROM asked AS a JOIN watched_signals AS w USING (symbol, timeframe)
LEFT JOIN outcomes AS o ON o.signal_id = w.signal_id AND o.policy = %(policy)s
WHERE {which} AND w.problem IS NULL
ORDER BY w.signal_id
"""


def read(
    cursor: Cursor, asked: Sequence[Asked], policy: str, *, ended: bool = False
) -> pl.DataFrame:
    """Signals of symbols, with what is on record of them.

    Args:
        cursor: In the transaction.
        asked: Symbols.
        policy: Of the outcomes.
        ended: Those whose horizon had elapsed at ``since`` or after, instead of those that wait.
    """
    ask(cursor, asked)
    return read_columns(cursor, _read(ended=ended), {"policy": policy}, READ)

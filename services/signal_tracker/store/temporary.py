"""The temporary tables of a session: a batch is worked on in them, a commit empties them."""

from __future__ import annotations

import re
from typing import Final

from services.signal_tracker.tables import COUNTED, MONEY


def _kept_in_row(columns: str) -> str:
    """Columns none of which is ever moved out of its row.

    A table that has such columns alone has no second table for long values, which would be
    emptied at every commit too.
    """
    return re.sub(r"\b(text|numeric)\b", r"\1 STORAGE PLAIN", columns)


TEMPORARY: Final = """
CREATE TEMPORARY TABLE new_entries (
    position integer, appended_at timestamptz,
    signal_id text COLLATE "C", revision integer,
    strategy text COLLATE "C", symbol text COLLATE "C", side text COLLATE "C",
    price numeric, quantity numeric, currency text COLLATE "C", emitted_at timestamptz,
    timeframe text COLLATE "C", target_price numeric, stop_loss numeric, horizon_bars integer,
    exits text COLLATE "C", entry text COLLATE "C", fee numeric, fee_rate numeric,
    leverage numeric, confidence double precision, source text COLLATE "C",
    execution_id text COLLATE "C", model_version text COLLATE "C", account text COLLATE "C",
    metadata jsonb
) ON COMMIT DELETE ROWS;
""" + _kept_in_row(f"""
CREATE TEMPORARY TABLE new_exits (
    position integer, appended_at timestamptz,
    signal_id text COLLATE "C", exit_id text COLLATE "C", revision integer,
    symbol text COLLATE "C", strategy text COLLATE "C", price numeric, quantity numeric,
    closed_at timestamptz, fee numeric, fee_rate numeric, interest numeric, funding numeric,
    reason text COLLATE "C", entry_price numeric
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE old_signals (
    signal_id text COLLATE "C", revision integer, strategy text COLLATE "C",
    symbol text COLLATE "C", side text COLLATE "C", price numeric, quantity numeric,
    currency text COLLATE "C", emitted_at timestamptz, fee numeric, fee_rate numeric,
    leverage numeric, entry text COLLATE "C", backdated boolean, said_revision integer,
    corrected_late boolean, account text COLLATE "C"
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE old_exits (
    signal_id text COLLATE "C", exit_id text COLLATE "C", revision integer,
    symbol text COLLATE "C", strategy text COLLATE "C", price numeric, quantity numeric,
    closed_at timestamptz, fee numeric, fee_rate numeric, interest numeric, funding numeric,
    reason text COLLATE "C", entry_price numeric, closed_quantity numeric, realised_pnl numeric,
    fees numeric, carry numeric, signal_pnl numeric, "return" numeric, outcome smallint,
    before_entry boolean, backdated boolean, corrected_late boolean
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE several (
    signal_id text COLLATE "C"
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE folded (
    position integer, signal_id text COLLATE "C", exit_id text COLLATE "C",
    strategy text COLLATE "C", symbol text COLLATE "C", currency text COLLATE "C", day date,
    closed_quantity numeric, realised_pnl numeric, fees numeric, carry numeric,
    signal_pnl numeric, "return" numeric, outcome smallint, before_entry boolean
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE deltas (
    strategy text COLLATE "C", symbol text COLLATE "C", currency text COLLATE "C",
    day date,
    {", ".join(f"{name} bigint" for name in COUNTED)},
    {", ".join(f"{name} numeric" for name in MONEY)}
) ON COMMIT DELETE ROWS;
""")

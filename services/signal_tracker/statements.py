"""The statements that :mod:`services.signal_tracker.store` runs on entries and exits.

Each works on all signals of a batch at once. What a statement needs from an
earlier one stands in a temporary table that is emptied at commit.
"""

from __future__ import annotations

import re
from typing import Final

from services.signal_tracker.sum_statements import COUNTED, MONEY

ENTRY_CONTENT: Final = (
    "strategy", "symbol", "side", "price", "quantity", "currency", "emitted_at", "timeframe",
    "target_price", "stop_loss", "horizon_bars", "exits", "entry", "fee", "fee_rate", "leverage",
    "confidence", "source", "execution_id", "model_version", "metadata",
)  # fmt: skip
EXIT_CONTENT: Final = (
    "symbol", "strategy", "price", "quantity", "closed_at", "fee", "fee_rate", "interest",
    "funding", "reason", "entry_price",
)  # fmt: skip
REALISED: Final = (
    "closed_quantity", "realised_pnl", "fees", "carry", "signal_pnl", '"return"', "outcome",
)  # fmt: skip
"""What an exit came to; the last three are the whole signal's, at the exit that closes it."""


def listed(names: tuple[str, ...], table: str = "") -> str:
    """Names as SQL lists them."""
    return ", ".join(f"{table}.{name}" if table else name for name in names)


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
    execution_id text COLLATE "C", model_version text COLLATE "C", metadata jsonb
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
    leverage numeric, entry text COLLATE "C", backdated boolean
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE old_exits (
    signal_id text COLLATE "C", exit_id text COLLATE "C", revision integer,
    symbol text COLLATE "C", strategy text COLLATE "C", price numeric, quantity numeric,
    closed_at timestamptz, fee numeric, fee_rate numeric, interest numeric, funding numeric,
    reason text COLLATE "C", entry_price numeric, closed_quantity numeric, realised_pnl numeric,
    fees numeric, carry numeric, signal_pnl numeric, "return" numeric, outcome smallint
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE several (
    signal_id text COLLATE "C"
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE folded (
    position integer, signal_id text COLLATE "C", exit_id text COLLATE "C",
    strategy text COLLATE "C", symbol text COLLATE "C", currency text COLLATE "C", day date,
    closed_quantity numeric, realised_pnl numeric, fees numeric, carry numeric,
    signal_pnl numeric, "return" numeric, outcome smallint
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE deltas (
    strategy text COLLATE "C", symbol text COLLATE "C", currency text COLLATE "C",
    day date,
    {", ".join(f"{name} bigint" for name in COUNTED)},
    {", ".join(f"{name} numeric" for name in MONEY)}
) ON COMMIT DELETE ROWS;
""")
"""Made when a session opens."""


LOCK_KNOWN: Final = """
WITH locked AS (
    INSERT INTO old_signals
    SELECT signal_id, revision, strategy, symbol, side, price, quantity, currency, emitted_at,
           fee, fee_rate, leverage, entry, backdated
    FROM signals
    WHERE signal_id = ANY (ARRAY(SELECT signal_id FROM new_entries
                                 UNION ALL SELECT signal_id FROM new_exits))
    ORDER BY signal_id
    FOR UPDATE
    RETURNING signal_id
)
SELECT count(*), count(*) FILTER (WHERE signal_id IN (SELECT signal_id FROM new_entries))
FROM locked
"""
"""Lock the signals that are there, in one order, before anything else of them is read.

Both sides of a signal meet at this lock, whichever consumers they came to. How many there
are, and how many of them have an entry in the batch.
"""

# One descent into the index for all keys in order, where a join makes one for each.
_AMONG_KNOWN: Final = "ANY (ARRAY(SELECT signal_id FROM old_signals))"

READ_EXITS: Final = f"""
INSERT INTO old_exits
SELECT e.signal_id, e.exit_id, e.revision, {listed(EXIT_CONTENT, "e")}, {listed(REALISED, "e")}
FROM exits AS e WHERE signal_id = {_AMONG_KNOWN}
"""


def _conflicts(new: str, old: str, key: tuple[str, ...], content: tuple[str, ...]) -> str:
    same = " AND ".join(f"o.{name} = n.{name}" for name in key)
    later = " AND ".join(f"h.{name} = n.{name}" for name in key)
    return f"""
SELECT n.position
FROM {new} AS n JOIN {old} AS o ON {same} AND o.revision = n.revision
WHERE ({listed(content, "n")}) IS DISTINCT FROM ({listed(content, "o")})
AND NOT EXISTS (SELECT FROM {new} AS h WHERE {later}
                AND h.revision > n.revision AND h.position < n.position)
"""


def _conflicts_within(new: str, known: str, key: tuple[str, ...], content: tuple[str, ...]) -> str:
    first = (
        f"(SELECT DISTINCT ON ({listed(key)}, revision) * FROM {new}"
        f" ORDER BY {listed(key)}, revision, position)"
    )
    same = " AND ".join(f"k.{name} = n.{name}" for name in key)
    return (
        _conflicts(new, first, key, content)
        + f"AND NOT EXISTS (SELECT FROM {known} AS k WHERE {same} AND k.revision >= n.revision)"
    )


CONFLICTS: Final = " UNION ".join(
    (
        _conflicts(
            "new_entries",
            f"(SELECT * FROM signals WHERE signal_id = {_AMONG_KNOWN})",
            ("signal_id",),
            ENTRY_CONTENT,
        ),
        _conflicts("new_exits", "old_exits", ("signal_id", "exit_id"), EXIT_CONTENT),
    )
)
"""Positions of events whose id and revision are there with other content."""

CONFLICTS_WITHIN: Final = " UNION ".join(
    (
        _conflicts_within("new_entries", "old_signals", ("signal_id",), ENTRY_CONTENT),
        _conflicts_within("new_exits", "old_exits", ("signal_id", "exit_id"), EXIT_CONTENT),
    )
)
"""The same, among the events of the batch."""

DROP_REPEATS: Final = """
DELETE FROM new_entries USING (
    SELECT position, row_number() OVER (
        PARTITION BY signal_id ORDER BY revision DESC, position) AS place
    FROM new_entries) AS ranked
WHERE new_entries.position = ranked.position AND place > 1;
DELETE FROM new_exits USING (
    SELECT position, row_number() OVER (
        PARTITION BY signal_id, exit_id ORDER BY revision DESC, position) AS place
    FROM new_exits) AS ranked
WHERE new_exits.position = ranked.position AND place > 1;
"""
"""Of what the batch names twice, the highest revision stays, and of that the first."""

DROP_KNOWN: Final = """
DELETE FROM new_entries AS n USING old_signals AS o
WHERE o.signal_id = n.signal_id AND o.revision >= n.revision;
DELETE FROM new_exits AS n USING old_exits AS o
WHERE o.signal_id = n.signal_id AND o.exit_id = n.exit_id AND o.revision >= n.revision;
"""

BACKDATED: Final = "n.appended_at - n.emitted_at > make_interval(secs => %(backdated_after)s)"

# Not ON CONFLICT DO NOTHING: it costs a third more, and whoever meets a row that another
# consumer makes at the same moment has to begin again in any case.
MAKE_SIGNALS: Final = f"""
INSERT INTO signals (signal_id, revision, {listed(ENTRY_CONTENT)}, appended_at, backdated)
SELECT signal_id, revision, {listed(ENTRY_CONTENT)}, appended_at, {BACKDATED}
FROM new_entries AS n
WHERE NOT EXISTS (SELECT FROM old_signals AS o WHERE o.signal_id = n.signal_id)
ORDER BY signal_id
"""

MAKE_WAITING: Final = """
INSERT INTO signals (signal_id, revision)
SELECT DISTINCT signal_id, -1
FROM new_exits AS x
WHERE NOT EXISTS (SELECT FROM old_signals AS o WHERE o.signal_id = x.signal_id)
  AND NOT EXISTS (SELECT FROM new_entries AS n WHERE n.signal_id = x.signal_id)
ORDER BY signal_id
"""
"""A signal of which only exits are known gets a row that waits for its entry."""

CORRECT_SIGNALS: Final = f"""
UPDATE signals AS s
SET revision = n.revision, {", ".join(f"{name} = n.{name}" for name in ENTRY_CONTENT)},
    appended_at = n.appended_at, backdated = {BACKDATED}
FROM new_entries AS n JOIN old_signals AS o USING (signal_id)
WHERE s.signal_id = n.signal_id
"""

EXIT_COLUMNS: Final = (
    f"signal_id, exit_id, revision, {listed(EXIT_CONTENT)}, appended_at, {listed(REALISED)}"
)

WRITE_OR_CORRECT_EXITS: Final = f"""
INSERT INTO exits ({EXIT_COLUMNS})
SELECT n.signal_id, n.exit_id, n.revision, {listed(EXIT_CONTENT, "n")}, n.appended_at,
       coalesce(f.closed_quantity, 0), coalesce(f.realised_pnl, 0), coalesce(f.fees, 0),
       coalesce(f.carry, 0), f.signal_pnl, f."return", f.outcome
FROM new_exits AS n LEFT JOIN folded AS f USING (position)
ORDER BY n.signal_id, n.exit_id
ON CONFLICT (signal_id, exit_id) DO UPDATE
SET revision = excluded.revision, appended_at = excluded.appended_at,
    {", ".join(f"{name} = excluded.{name}" for name in (*EXIT_CONTENT, *REALISED))}
"""

REFOLD_OLD_EXITS: Final = f"""
UPDATE exits AS e
SET {", ".join(f"{name} = f.{name}" for name in REALISED)}
FROM folded AS f
WHERE f.position IS NULL AND e.signal_id = f.signal_id AND e.exit_id = f.exit_id
  AND ({listed(REALISED, "e")}) IS DISTINCT FROM ({listed(REALISED, "f")})
"""
"""An exit that came late changes what the exits after it realised."""


COUNTS: Final = f"""
SELECT entries - corrected, corrected, backdated, exits - corrected_exits, corrected_exits, excess
FROM (SELECT (SELECT count(*) FROM new_entries) AS entries,
             (SELECT count(*) FROM new_entries JOIN old_signals AS o USING (signal_id)
              WHERE o.revision >= 0) AS corrected,
             (SELECT count(*) FROM new_entries AS n WHERE {BACKDATED}) AS backdated,
             (SELECT count(*) FROM new_exits) AS exits,
             (SELECT count(*) FROM new_exits JOIN old_exits USING (signal_id, exit_id))
                 AS corrected_exits,
             (SELECT count(*) FROM folded
              WHERE position IS NOT NULL AND closed_quantity = 0) AS excess) AS counted
"""
"""What a batch did: new and corrected signals, backdated ones, new and corrected exits, excess."""

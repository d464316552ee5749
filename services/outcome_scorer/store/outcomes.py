"""The tables of outcomes, and of the exits that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import polars as pl

from services.outcome_scorer.rows.outcomes import RECORD, OwnExit, Scored
from services.outcome_scorer.store.totals import noting_changes
from trackrecord.runtime.database import CopyRows, Cursor, copy_rows, read_columns, rows
from trackrecord.runtime.sql_times import micros, moment

TEMPORARY: Final = """
CREATE TEMPORARY TABLE new_outcomes (
    round integer, position integer, signal_id text COLLATE "C", outcome text COLLATE "C",
    label smallint,
    "return" double precision, mae double precision, mfe double precision, bars_held integer,
    how text COLLATE "C", ambiguous boolean, delisted boolean, exit_opened_at bigint,
    exit_at bigint, known_at bigint, ends_at bigint, changed boolean
) ON COMMIT DELETE ROWS;
"""

_WRITE_WAITING_ENDS: Final = f"""
UPDATE watched_signals AS w SET ends_at = {moment("n.ends_at")}
FROM new_outcomes AS n
WHERE n.round = %(round)s AND w.signal_id = n.signal_id
  AND w.ends_at IS DISTINCT FROM {moment("n.ends_at")}
"""

_COLUMNS: Final = (
    "outcome", "label", '"return"', "mae", "mfe", "bars_held", "exit_price", "how", "ambiguous",
    "delisted", "exit_opened_at", "known_at", "ends_at", "scored_at",
)  # fmt: skip

_SPLITS: Final = """(
    SELECT product(s.split_ratio) FROM bars AS s
    WHERE s.symbol = w.symbol AND s.timeframe = w.timeframe AND s.split_ratio IS NOT NULL
      AND s.opened_at > w.emitted_at AND s.opened_at <= {until}
      AND NOT EXISTS (
          SELECT FROM bars AS better
          WHERE better.symbol = s.symbol AND better.timeframe = s.timeframe
            AND better.opened_at = s.opened_at AND better.source < s.source))"""
"""New shares for one that there was at the emission; null without a split. Of several sources of
one bar the first by name counts."""


def _of_old_shares(price: str, until: str) -> str:
    """What a price is per share at the emission, in at most as many digits as events hold."""
    splits = _SPLITS.format(until=until)
    return f"coalesce(trim_scale(round({price} * {splits}, 18)), {price})"


_WRITE: Final = noting_changes(f"""
INSERT INTO outcomes AS o (signal_id, policy, revision, strategy, symbol, emitted_at,
                           {", ".join(_COLUMNS)})
SELECT n.signal_id, %(policy)s, 0, w.strategy, w.symbol, w.emitted_at, n.outcome, n.label,
       n."return", n.mae, n.mfe, nullif(n.bars_held, 0),
       CASE n.how WHEN 'gap' THEN {_of_old_shares("b.open", moment("n.exit_opened_at"))}
                  WHEN 'expiry' THEN {_of_old_shares("b.close", moment("n.exit_opened_at"))}
                  WHEN 'intrabar' THEN CASE n.outcome WHEN 'target' THEN w.target_price
                                                      ELSE w.stop_loss END END,
       n.how, n.ambiguous, n.delisted, {moment("n.exit_opened_at")}, {moment("n.known_at")},
       {moment("n.ends_at")}, %(now)s
FROM new_outcomes AS n JOIN watched_signals AS w USING (signal_id)
LEFT JOIN LATERAL (
    SELECT open, close FROM bars
    WHERE symbol = w.symbol AND timeframe = w.timeframe
      AND opened_at = {moment("n.exit_opened_at")}
    ORDER BY source LIMIT 1) AS b ON true
WHERE n.round = %(round)s AND n.changed
ORDER BY n.signal_id
ON CONFLICT (signal_id, policy) DO UPDATE
SET revision = o.revision + CASE WHEN o.signal_id IN (
        SELECT signal_id FROM new_outcomes WHERE round < %(round)s AND changed) THEN 0 ELSE 1 END,
    strategy = excluded.strategy, symbol = excluded.symbol,
    emitted_at = excluded.emitted_at,
    {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)}
""")
"""The price is the level's or the bar's own, to the last digit, per share at the emission;
the arrays hold floats. What changes twice in a batch is told once, and so has one revision."""

_WRITE_ENDS: Final = f"""
UPDATE outcomes AS o SET ends_at = {moment("n.ends_at")}
FROM new_outcomes AS n
WHERE n.round = %(round)s AND o.signal_id = n.signal_id AND o.policy = %(policy)s
  AND NOT n.changed
"""

_CLOSE: Final = f"""
INSERT INTO closings (signal_id, exit_price, closed_at, reason, own, entry_price)
SELECT o.signal_id, o.exit_price, {moment("n.exit_at")}, o.outcome, true,
       CASE WHEN w.next_open THEN (
           SELECT {_of_old_shares("b.open", "b.opened_at")} FROM bars AS b
           WHERE b.symbol = w.symbol AND b.timeframe = w.timeframe
             AND b.opened_at >= w.emitted_at
           ORDER BY b.opened_at, b.source LIMIT 1) END
FROM new_outcomes AS n JOIN outcomes AS o ON o.signal_id = n.signal_id AND o.policy = %(policy)s
JOIN watched_signals AS w ON w.signal_id = n.signal_id
WHERE n.round = %(round)s AND n.changed AND w.barriers AND o.exit_price IS NOT NULL
ORDER BY o.signal_id
ON CONFLICT DO NOTHING
RETURNING signal_id, exit_price::text, closed_at, reason, entry_price::text
"""
"""Exits of signals that nobody manages, once: what was published is not changed by late bars."""


def write(cursor: Cursor, outcomes: pl.DataFrame, policy: str, now: datetime) -> list[OwnExit]:
    """Record what happened to signals, and return the exits to publish.

    Args:
        cursor: In the transaction.
        outcomes: As they are loaded; ``round`` tells them from others of the same batch.
        policy: Which level counts when one bar reaches both target and stop.
        now: When they were scored.
    """
    parameters = {"policy": policy, "now": now, "round": outcomes["round"][0]}
    copy_rows(cursor, "new_outcomes", CopyRows.of(outcomes))
    cursor.execute(_WRITE_WAITING_ENDS, parameters)
    cursor.execute(_WRITE, parameters)
    cursor.execute(_WRITE_ENDS, parameters)
    return [OwnExit(*row) for row in rows(cursor, _CLOSE, parameters)]


_SCORED: Final = """
SELECT DISTINCT ON (n.position, n.signal_id)
       n.position, o.signal_id, o.strategy, o.symbol, o.revision, o.outcome, o.label, o."return",
       o.mae, o.mfe, o.bars_held, o.exit_price::text, o.ambiguous, a.feature_set, a.features
FROM new_outcomes AS n JOIN outcomes AS o ON o.signal_id = n.signal_id AND o.policy = %(policy)s
LEFT JOIN assessments AS a ON a.signal_id = n.signal_id
WHERE n.changed
ORDER BY n.position, n.signal_id
"""


def scored(cursor: Cursor, policy: str) -> list[Scored]:
    """What has changed in this batch, with the features that were stored at the emission."""
    return [Scored(*row) for row in rows(cursor, _SCORED, {"policy": policy})]


_RECORD: Final = f"""
SELECT strategy, {micros("known_at")} AS known_at, "return" FROM outcomes
WHERE policy = %(policy)s AND strategy = ANY (%(strategies)s)
  AND known_at < {moment("%(until)s")} AND "return" IS NOT NULL
"""


def record(cursor: Cursor, strategies: Sequence[str], policy: str, until: int) -> pl.DataFrame:
    """Outcomes of strategies whose exit bar had closed before a moment."""
    parameters = {"strategies": list(strategies), "policy": policy, "until": until}
    return read_columns(cursor, _RECORD, parameters, RECORD)

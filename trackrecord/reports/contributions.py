"""What each signal and exit contributes to sums, read from their tables, and when.

The tracker adds the same to ``strategy_days`` and ``symbol_days``. Here it is read for a part of a
day, or for some signals alone.
"""

from __future__ import annotations

from typing import Final

from trackrecord.performance.sums.sums import ACCOUNTS

_OF_ACCOUNTS: Final = ", ".join(
    f"coalesce(account = '{kind}', false)::int AS {name}" for kind, name in ACCOUNTS.items()
)
_OF_NO_ACCOUNT: Final = ", ".join("0" for _ in ACCOUNTS)

EXITS: Final = """
    SELECT s.strategy, s.symbol, s.currency, greatest(x.closed_at, s.emitted_at) AS at,
           x.realised_pnl, x.fees, x.carry, x.signal_pnl, x."return", x.outcome
    FROM exits AS x JOIN signals AS s USING (signal_id) WHERE x.closed_quantity > 0
"""
"""SQL of the exits that closed something; further conditions may follow."""


def contributions(entries: str, exits: str) -> str:
    """SQL of a row for each: strategy, symbol, currency, ``at``, and every sum but the marks.

    Args:
        entries: A condition on the rows of ``signals`` that are known.
        exits: SQL of rows of :data:`EXITS`.
    """
    return f"""
        SELECT strategy, symbol, currency, emitted_at AS at, 1 AS signals,
               backdated::int AS backdated, 0 AS exits, 0 AS closed, 0 AS wins, 0 AS losses,
               0 AS breakevens, 0 AS without_return, 0::numeric AS total_pnl,
               0::numeric AS gross_profit, 0::numeric AS gross_loss, 0::numeric AS realised_pnl,
               0::numeric AS fees, 0::numeric AS carry, 0::numeric AS sum_return,
               0::numeric AS pnl_squares, {_OF_ACCOUNTS}
        FROM signals WHERE revision >= 0 AND {entries}
        UNION ALL
        SELECT strategy, symbol, currency, at, 0, 0, 1, (outcome IS NOT NULL)::int,
               coalesce(outcome = 1, false)::int, coalesce(outcome = -1, false)::int,
               coalesce(outcome = 0, false)::int, (outcome IS NOT NULL AND "return" IS NULL)::int,
               coalesce(signal_pnl, 0), CASE outcome WHEN 1 THEN signal_pnl ELSE 0 END,
               CASE outcome WHEN -1 THEN signal_pnl ELSE 0 END, realised_pnl, fees, carry,
               coalesce("return", 0), coalesce(signal_pnl * signal_pnl, 0),
               {_OF_NO_ACCOUNT}
        FROM ({exits}) AS exits
    """

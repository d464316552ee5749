"""What the sums by strategy and by symbol gain and lose through a batch.

A signal's new contributions are added, its old ones taken away. ``deltas``
holds them by strategy, symbol, currency, day and partition.
"""

from __future__ import annotations

from typing import Final

COUNTED: Final = ("signals", "backdated", "exits", "closed", "wins", "losses", "breakevens")
MONEY: Final = (
    "total_pnl", "gross_profit", "gross_loss", "realised_pnl", "fees", "carry", "sum_return",
    "pnl_squares",
)  # fmt: skip
SUMS: Final = (*COUNTED, *MONEY)
"""What ``strategy_days`` and ``symbol_days`` add up."""

SUM_COLUMNS: Final = ", ".join(SUMS)


def _insert(owner: str, day: str, sums: dict[str, str], sign: str, source: str) -> str:
    values = ", ".join(f"{sign}{sums[name]}" if name in sums else "0" for name in SUMS)
    return f"""
INSERT INTO deltas
SELECT {owner}.strategy, {owner}.symbol, {owner}.currency, {day}, {owner}.partition, {values}
FROM {source}
GROUP BY 1, 2, 3, 4, 5
"""


def _entries(row: str, backdated: str) -> dict[str, str]:
    return {"signals": f"count({row}.signal_id)", "backdated": f"sum(({backdated})::int)"}


_EXITS: Final = {
    "exits": "count(*)",
    "realised_pnl": "sum(x.realised_pnl)",
    "fees": "sum(x.fees)",
    "carry": "sum(x.carry)",
    "closed": "count(x.outcome)",
    "wins": "count(*) FILTER (WHERE x.outcome = 1)",
    "losses": "count(*) FILTER (WHERE x.outcome = -1)",
    "breakevens": "count(*) FILTER (WHERE x.outcome = 0)",
    "total_pnl": "coalesce(sum(x.signal_pnl), 0)",
    "gross_profit": "coalesce(sum(x.signal_pnl) FILTER (WHERE x.outcome = 1), 0)",
    "gross_loss": "coalesce(sum(x.signal_pnl) FILTER (WHERE x.outcome = -1), 0)",
    "sum_return": 'coalesce(sum(x."return"), 0)',
    "pnl_squares": "coalesce(sum(x.signal_pnl * x.signal_pnl), 0)",
}

_EMITTED: Final = "({}.emitted_at AT TIME ZONE %(timezone)s)::date"

ADD_ENTRIES: Final = _insert(
    "n",
    _EMITTED.format("n"),
    _entries("n", "n.appended_at - n.emitted_at > make_interval(secs => %(backdated_after)s)"),
    "",
    "new_entries AS n",
)

TAKE_OLD_ENTRIES: Final = _insert(
    "o",
    _EMITTED.format("o"),
    _entries("o", "o.backdated"),
    "-",
    "old_signals AS o JOIN new_entries USING (signal_id) WHERE o.revision >= 0",
)

ADD_EXITS: Final = _insert("x", "x.day", _EXITS, "", "folded AS x WHERE x.closed_quantity > 0")

TAKE_OLD_EXITS: Final = _insert(
    "o",
    "(x.closed_at AT TIME ZONE %(timezone)s)::date",
    _EXITS,
    "-",
    "old_exits AS x JOIN several USING (signal_id) JOIN old_signals AS o USING (signal_id)"
    " WHERE x.closed_quantity > 0",
)


def move_days(table: str, owner: str) -> str:
    """Add the deltas to a table of sums; a row that would not change is left alone."""
    sums = ", ".join(f"sum({name}) AS {name}" for name in SUMS)
    changes = " OR ".join(f"sum({name}) <> 0" for name in SUMS)
    added = ", ".join(f"{name} = days.{name} + excluded.{name}" for name in SUMS)
    return f"""
INSERT INTO {table} AS days ({owner}, currency, day, partition, {SUM_COLUMNS})
SELECT {owner}, currency, day, partition, {sums}
FROM deltas
GROUP BY {owner}, currency, day, partition
HAVING {changes}
ORDER BY {owner}, currency, day, partition
ON CONFLICT ({owner}, currency, day, partition) DO UPDATE SET {added}
"""

"""What the sums by strategy and by symbol gain and lose through a batch.

A signal's new contributions are added, its old ones taken away. Where there are
old ones, ``deltas`` holds both by strategy, symbol, currency and day;
else the sums are added at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from services.signal_tracker.store.signals import BACKDATED
from services.signal_tracker.tables import NAMED, SUMS
from trackrecord.performance.sums.sums import ACCOUNTS
from trackrecord.runtime.late_marks import MARKED, marks

SUM_COLUMNS: Final = ", ".join(SUMS)


@dataclass(frozen=True)
class _Part:
    """A part of what a batch changes: rows, what they are of, and what of them is summed."""

    source: str
    owner: str
    day: str
    sums: dict[str, str]
    sign: str = ""

    def select(self, *columns: str) -> str:
        """The sums by some columns of the owner, and by day."""
        values = ", ".join(f"{self.sign}{self.sums.get(name, '0')} AS {name}" for name in SUMS)
        named = ", ".join(f"{self.owner}.{name}" for name in columns)
        groups = ", ".join(str(place + 1) for place in range(len(columns) + 1))
        return f"SELECT {named}, {self.day} AS day, {values} FROM {self.source} GROUP BY {groups}"

    def into_deltas(self) -> str:
        """The statement that adds them to ``deltas``."""
        return f"INSERT INTO deltas {self.select('strategy', 'symbol', 'currency')}"


def _entries(row: str, backdated: str) -> dict[str, str]:
    return {
        "signals": f"count({row}.signal_id)",
        "backdated": f"sum(({backdated})::int)",
        **{
            name: f"count(*) FILTER (WHERE {row}.account = '{kind}')"
            for kind, name in ACCOUNTS.items()
        },
    }


_EXITS: Final = {
    "exits": "count(*)",
    "realised_pnl": "sum(x.realised_pnl)",
    "fees": "sum(x.fees)",
    "carry": "sum(x.carry)",
    "closed": "count(x.outcome)",
    "wins": "count(*) FILTER (WHERE x.outcome = 1)",
    "losses": "count(*) FILTER (WHERE x.outcome = -1)",
    "breakevens": "count(*) FILTER (WHERE x.outcome = 0)",
    "without_return": 'count(*) FILTER (WHERE x.outcome IS NOT NULL AND x."return" IS NULL)',
    "total_pnl": "coalesce(sum(x.signal_pnl), 0)",
    "gross_profit": "coalesce(sum(x.signal_pnl) FILTER (WHERE x.outcome = 1), 0)",
    "gross_loss": "coalesce(sum(x.signal_pnl) FILTER (WHERE x.outcome = -1), 0)",
    "sum_return": 'coalesce(sum(x."return"), 0)',
    "pnl_squares": "coalesce(sum(x.signal_pnl * x.signal_pnl), 0)",
}

_EMITTED: Final = "({}.emitted_at AT TIME ZONE %(timezone)s)::date"

_NEW_ENTRIES: Final = _Part(
    "new_entries AS n",
    "n",
    _EMITTED.format("n"),
    _entries("n", BACKDATED),
)
_OLD_ENTRIES: Final = _Part(
    "old_signals AS o JOIN new_entries AS n USING (signal_id) WHERE o.revision >= 0",
    "o",
    _EMITTED.format("o"),
    _entries("o", "o.backdated"),
    "-",
)
_NEW_EXITS: Final = _Part("folded AS x WHERE x.closed_quantity > 0", "x", "x.day", _EXITS)
# Of other batches the marks are looked up, before and after: see below.
_REALISED: Final = replace(
    _NEW_EXITS,
    source="realised AS x WHERE x.closed_quantity > 0",
    sums=_EXITS | {"exits_backdated": "count(*) FILTER (WHERE x.backdated)"},
)
_IN_REALISED: Final = {"strategy": "owner", "symbol": "traded"}
_OLD_EXITS: Final = _Part(
    "old_exits AS x JOIN several AS v USING (signal_id) JOIN old_signals AS o USING (signal_id)"
    " WHERE x.closed_quantity > 0",
    "o",
    "(greatest(x.closed_at, o.emitted_at) AT TIME ZONE %(timezone)s)::date",
    _EXITS,
    "-",
)


def _marks(source: str, sign: str = "") -> _Part:
    return _Part(
        f"({source}) AS m",
        "m",
        "(m.at AT TIME ZONE %(timezone)s)::date",
        {name: f"sum(m.{name})" for name in MARKED},
        sign,
    )


_OLD_MARKS: Final = _marks(marks("old_signals", "old_exits"), "-")
_NEW_MARKS: Final = _marks(f"""
WITH {NAMED}, signals_now AS MATERIALIZED (
    SELECT s.* FROM named JOIN signals AS s USING (signal_id)
), exits_now AS MATERIALIZED (
    SELECT x.* FROM named JOIN exits AS x USING (signal_id) WHERE x.backdated OR x.corrected_late
)
{marks("signals_now", "exits_now")}""")

CHANGES: Final = tuple(
    part.into_deltas()
    for part in (_NEW_ENTRIES, _OLD_ENTRIES, _NEW_EXITS, _OLD_EXITS, _OLD_MARKS, _NEW_MARKS)
)
"""The statements that add what is new to ``deltas`` and take away what was there."""


def _summed(owner: str, source: str) -> str:
    sums = ", ".join(f"sum({name}) AS {name}" for name in SUMS)
    return f"SELECT {owner}, currency, day, {sums} FROM {source} GROUP BY {owner}, currency, day"


def _upsert(table: str, owner: str, source: str) -> str:
    """Add sums to the rows of our own lane; one batch locks its rows in one order."""
    added = ", ".join(f"{name} = days.{name} + excluded.{name}" for name in SUMS)
    return f"""
INSERT INTO {table} AS days ({owner}, currency, day, {SUM_COLUMNS}, lane)
SELECT *, %(lane)s::integer FROM ({source}) AS summed
ORDER BY 1, 2, 3
ON CONFLICT ({owner}, currency, day, lane) DO UPDATE SET {added}
"""


def new_days(owner: str, *, entries: bool, exits: bool) -> str:
    """Rows of what new entries, and the rows of ``realised``, add: nothing is taken away.

    Args:
        owner: Whose they are.
        entries: Whether there are entries.
        exits: Whether there are exits.
    """
    parts = []
    if entries:
        parts.append(_NEW_ENTRIES.select(f"{owner} AS {owner}", "currency"))
    if exits:
        parts.append(_REALISED.select(f"{_IN_REALISED[owner]} AS {owner}", "currency"))
    if len(parts) == 1:
        return parts[0]
    return _summed(owner, f"({' UNION ALL '.join(parts)}) AS parts")


def add_days(table: str, owner: str, rows: str) -> str:
    """Add rows of :func:`new_days`, or of a table that holds them, to a table of sums."""
    return _upsert(table, owner, f"SELECT * FROM {rows}")


def move_days(table: str, owner: str) -> str:
    """Add the deltas to a table of sums; a row that would not change is left alone."""
    changes = " OR ".join(f"sum({name}) <> 0" for name in SUMS)
    return _upsert(table, owner, f"{_summed(owner, 'deltas')} HAVING {changes}")


def move_totals(rows: str) -> str:
    """Add rows of sums to the totals of their strategies, and give those another version.

    They have another one where the sums stay, too: a correction may change no sum, and yet what
    is read of the strategy. It follows the clock, so that a replay does not use one again.

    Args:
        rows: A table with strategy, currency and every sum.
    """
    sums = ", ".join(f"sum({name})" for name in SUMS)
    added = ", ".join(f"{name} = totals.{name} + excluded.{name}" for name in SUMS)
    return f"""
INSERT INTO strategy_totals AS totals (strategy, currency, {SUM_COLUMNS}, version, lane)
SELECT strategy, currency, {sums},
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, %(lane)s::integer
FROM {rows} GROUP BY strategy, currency ORDER BY 1, 2
ON CONFLICT (strategy, currency, lane) DO UPDATE
SET version = greatest(totals.version + 1, excluded.version), {added}
"""

"""The columns of the stage's tables, and what replay compares of them.

What is compared is the same however it came about: no lane, no wall clock, decimals in one form.
"""

from __future__ import annotations

from typing import Final

from trackrecord.performance.sums.sums import ACCOUNTS
from trackrecord.runtime.late_marks import MARKED
from trackrecord.runtime.stage import DerivedTable

ENTRY_CONTENT: Final = (
    "strategy", "symbol", "side", "price", "quantity", "currency", "emitted_at", "timeframe",
    "target_price", "stop_loss", "horizon_bars", "exits", "entry", "fee", "fee_rate", "leverage",
    "confidence", "source", "execution_id", "model_version", "account", "metadata",
)  # fmt: skip
"""What ``signal_emitted`` holds besides id and revision."""

MARKS: Final = ("backdated", "ahead")
"""What is known of an entry's own time against the broker's."""

FIRST_SAID: Final = ("first_appended_at", "said_revision", "corrected_late")
"""When the first revision came, the last that came within the tolerance of it, and whether
something else is on record now."""

EXIT_CONTENT: Final = (
    "symbol", "strategy", "price", "quantity", "closed_at", "fee", "fee_rate", "interest",
    "funding", "reason", "entry_price",
)  # fmt: skip
"""What ``signal_closed`` holds besides ids and revision."""

REALISED: Final = (
    "closed_quantity", "realised_pnl", "fees", "carry", "signal_pnl", '"return"', "outcome",
    "before_entry",
)  # fmt: skip
"""What an exit came to; ``signal_pnl``, ``return`` and ``outcome`` are the whole signal's, at the
exit that closes it."""


def listed(names: tuple[str, ...], table: str = "") -> str:
    """Names as SQL lists them."""
    return ", ".join(f"{table}.{name}" if table else name for name in names)


EXIT_COLUMNS: Final = (
    f"signal_id, exit_id, revision, {listed(EXIT_CONTENT)}, appended_at, {listed(FIRST_SAID)},"
    f" backdated, {listed(REALISED)}"
)
"""The columns of ``exits``, as they are written."""

TOLD_LATE: Final = "{0}.appended_at - {0}.closed_at > make_interval(secs => %(backdated_after)s)"
"""SQL of whether the broker got a new exit later than its own time by more than the tolerance."""

NAMED: Final = """named AS MATERIALIZED (
    SELECT signal_id FROM old_signals UNION SELECT signal_id FROM new_entries
    UNION SELECT signal_id FROM new_exits
)"""
"""SQL of the signals that a batch names. It is joined: an array of so many ids would be searched
from its beginning for each row."""

COUNTED: Final = (
    "signals", "backdated", "exits", "closed", "wins", "losses", "breakevens", "without_return",
    *MARKED, *ACCOUNTS.values(),
)  # fmt: skip
MONEY: Final = (
    "total_pnl", "gross_profit", "gross_loss", "realised_pnl", "fees", "carry", "sum_return",
    "pnl_squares",
)  # fmt: skip
SUMS: Final = (*COUNTED, *MONEY)
"""What ``strategy_days``, ``symbol_days`` and ``strategy_totals`` add up."""

DAYS: Final = (("strategy_days", "strategy"), ("symbol_days", "symbol"))
"""The tables of sums, and whose they are."""

_NUMERIC: Final = frozenset(
    {"price", "quantity", "target_price", "stop_loss", "fee", "fee_rate", "leverage", "interest",
     "funding", "entry_price", *(set(REALISED) - {"outcome", "before_entry"})}
)  # fmt: skip


# Rows from before these columns were kept have none of it: then the last revision counts.
_SAID_AS_IT_IS: Final = {
    "first_appended_at": "coalesce(first_appended_at, appended_at) AS first_appended_at",
    "said_revision": "coalesce(said_revision, nullif(revision, -1)) AS said_revision",
}


def _content(table: str, names: tuple[str, ...]) -> str:
    columns = ", ".join(
        f"trim_scale({name}) AS {name}" if name in _NUMERIC else _SAID_AS_IT_IS.get(name, name)
        for name in names
    )
    return f"SELECT {columns} FROM {table}"


def _sums_content(table: str, keys: tuple[str, ...]) -> str:
    """Over lanes, without rows that came to nothing."""
    sums = ", ".join(
        f"trim_scale(sum({name})) AS {name}" if name in MONEY else f"sum({name}) AS {name}"
        for name in SUMS
    )
    changes = " OR ".join(f"sum({name}) <> 0" for name in SUMS)
    return f"SELECT {listed(keys)}, {sums} FROM {table} GROUP BY {listed(keys)} HAVING {changes}"


TABLES: Final = (
    DerivedTable(
        "signals",
        _content(
            "signals",
            ("signal_id", "revision", *ENTRY_CONTENT, "appended_at", *FIRST_SAID, *MARKS),
        ),
        ("signal_id",),
    ),
    DerivedTable(
        "exits",
        _content(
            "exits",
            (
                "signal_id",
                "exit_id",
                "revision",
                *EXIT_CONTENT,
                "appended_at",
                *FIRST_SAID,
                "backdated",
                *REALISED,
            ),
        ),
        ("signal_id", "exit_id"),
    ),
    DerivedTable(
        "signal_revisions",
        _content("signal_revisions", ("signal_id", "revision", *ENTRY_CONTENT, "appended_at")),
        ("signal_id", "revision"),
    ),
    DerivedTable(
        "exit_revisions",
        _content(
            "exit_revisions",
            ("signal_id", "exit_id", "revision", *EXIT_CONTENT, "appended_at"),
        ),
        ("signal_id", "exit_id", "revision"),
    ),
    *(
        DerivedTable(table, _sums_content(table, keys), keys)
        for table, keys in (
            *((table, (owner, "currency", "day")) for table, owner in DAYS),
            ("strategy_totals", ("strategy", "currency")),
        )
    ),
)

"""What the tables hold, in a form that is the same however it came about: for replay."""

from __future__ import annotations

from typing import Final

from services.signal_tracker.statements import ENTRY_CONTENT, EXIT_CONTENT, REALISED
from services.signal_tracker.sum_statements import MONEY, SUMS
from trackrecord.runtime.stage import DerivedTable

_NUMERIC: Final = frozenset(
    {"price", "quantity", "target_price", "stop_loss", "fee", "fee_rate", "leverage", "interest",
     "funding", "entry_price", *(set(REALISED) - {"outcome"})}
)  # fmt: skip


def _content(table: str, names: tuple[str, ...]) -> str:
    columns = ", ".join(
        f"trim_scale({name}) AS {name}" if name in _NUMERIC else name for name in names
    )
    return f"SELECT {columns} FROM {table}"


def _days_content(table: str, owner: str) -> str:
    """Over lanes, without rows that came to nothing."""
    sums = ", ".join(
        f"trim_scale(sum({name})) AS {name}" if name in MONEY else f"sum({name}) AS {name}"
        for name in SUMS
    )
    changes = " OR ".join(f"sum({name}) <> 0" for name in SUMS)
    return (
        f"SELECT {owner}, currency, day, {sums} FROM {table}"
        f" GROUP BY {owner}, currency, day HAVING {changes}"
    )


TABLES: Final = (
    DerivedTable(
        "signals",
        _content("signals", ("signal_id", "revision", *ENTRY_CONTENT, "appended_at", "backdated")),
        ("signal_id",),
    ),
    DerivedTable(
        "exits",
        _content(
            "exits",
            ("signal_id", "exit_id", "revision", *EXIT_CONTENT, "appended_at", *REALISED),
        ),
        ("signal_id", "exit_id"),
    ),
    DerivedTable(
        "strategy_days",
        _days_content("strategy_days", "strategy"),
        ("strategy", "currency", "day"),
    ),
    DerivedTable(
        "symbol_days", _days_content("symbol_days", "symbol"), ("symbol", "currency", "day")
    ),
)

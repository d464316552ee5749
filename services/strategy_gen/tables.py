"""The tables of strategies that are kept."""

from __future__ import annotations

from typing import Final

from trackrecord.runtime.jobs import RecordedTable
from trackrecord.runtime.stage import DerivedTable

TABLES: Final[tuple[DerivedTable, ...]] = ()
"""What replay rebuilds and compares: nothing. What a language model answered once it would not
answer again, and what an owner has changed since is in no event."""

RECORDED: Final = tuple(
    RecordedTable(name)
    for name in (
        "strategies",
        "strategy_versions",
        "strategy_tries",
        "strategy_requests",
        "generation_log",
    )
)
"""Tables of decisions: recorded once, never worked out again."""

"""The tables of the trainer."""

from __future__ import annotations

from typing import Final

from trackrecord.runtime.jobs import RecordedTable
from trackrecord.runtime.stage import DerivedTable

TABLES: Final[tuple[DerivedTable, ...]] = ()
"""What replay rebuilds and compares: nothing. A run depends on the time it was given and on when
it was asked for, and which model served is part of history: what was decided is kept as it was."""

RECORDED: Final = tuple(
    RecordedTable(name)
    for name in ("models", "model_files", "champions", "training_jobs", "ml_training_log")
)
"""Tables of decisions: recorded once, never worked out again."""

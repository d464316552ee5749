"""The sums of the stage's tables, and what replay compares of them.

What is compared is the same however it came about: no lane, no wall clock, decimals in one form.
"""

from __future__ import annotations

from typing import Final

from trackrecord.runtime.stage import DerivedTable

SUMS: Final = (
    "runs", "failures", "buys", "sells", "holds", "undecided", "profits", "losses", "breakevens",
    "results", "sum_return_pct",
)  # fmt: skip
"""What ``script_days`` adds up."""

TOTALS: Final = (
    "runs", "failures", "profits", "losses", "breakevens", "results", "sum_return_pct",
)  # fmt: skip
"""What ``script_totals`` adds up, by final action."""


def _over_lanes(names: tuple[str, ...]) -> str:
    return ", ".join(f"trim_scale(sum({name})::numeric) AS {name}" for name in names)


TABLES: Final = (
    DerivedTable(
        "executions",
        "SELECT execution_id, script, program, symbol, started_at, finished_at, exit_code,"
        " output_bytes, digest, final_action, trim_scale(return_pct) AS return_pct, outcome,"
        " extractor_version, appended_at FROM executions",
        ("execution_id",),
    ),
    DerivedTable(
        "recommendations",
        "SELECT execution_id, number, script, action, symbol,"
        " trim_scale(entry_price) AS entry_price, trim_scale(target_price) AS target_price,"
        " trim_scale(stop_loss) AS stop_loss, confidence, said_at, signal_id, no_signal,"
        " closed_by FROM recommendations",
        ("execution_id", "number"),
    ),
    DerivedTable(
        "script_days",
        f"SELECT script, day, {_over_lanes(SUMS)} FROM script_days GROUP BY script, day",
        ("script", "day"),
    ),
    DerivedTable(
        "script_totals",
        f"SELECT script, action, {_over_lanes(TOTALS)}, max(last_run) AS last_run"
        " FROM script_totals GROUP BY script, action",
        ("script", "action"),
    ),
    DerivedTable(
        "refused_outputs",
        # Of each script and reason the lane with the latest example, and what all lanes have.
        "SELECT DISTINCT ON (script, rule, reason) script, rule, reason,"
        " sum(outputs) OVER alike AS outputs, min(first_at) OVER alike AS first_at,"
        " last_at, last_run, excerpt FROM refused_outputs"
        " WINDOW alike AS (PARTITION BY script, rule, reason)"
        " ORDER BY script, rule, reason, last_at DESC, last_run DESC",
        ("script", "rule", "reason"),
    ),
)

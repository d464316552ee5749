"""Reading the records of scripts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from trackrecord.performance.exact import round_ratio
from trackrecord.runtime.database import connect, rows
from trackrecord.runtime.settings import Settings

_NAMES = (
    "runs", "failures", "buys", "sells", "holds", "undecided", "profits", "losses", "breakevens",
    "results", "sum_return_pct",
)  # fmt: skip


def read_scripts(settings: Settings) -> dict[str, dict[str, Any]]:
    """Each script's record, by name.

    ``success_rate`` is profits / (profits + losses + breakevens) of the results
    that the script itself reported as realised; ``average_return_pct`` is over
    those that gave a percentage. Both are null where there is none.

    Raises:
        PassingError: The database does not answer.
    """
    connection = connect(settings, application="trackrecord report")
    try:
        with connection, connection.cursor() as cursor:
            sums = ", ".join(f"sum({name})" for name in _NAMES)
            found = rows(cursor, f"SELECT script, {sums} FROM script_days GROUP BY 1 ORDER BY 1")
            last = dict(
                rows(cursor, "SELECT script, max(finished_at) FROM executions GROUP BY script")
            )
    finally:
        connection.close()
    return {script: _record(values, last[script]) for script, *values in found}


def _record(values: list[Any], last_run: Any) -> dict[str, Any]:
    *counts, total = values
    record: dict[str, Any] = {
        name: int(count) for name, count in zip(_NAMES[:-1], counts, strict=True)
    }
    outcomes = record["profits"] + record["losses"] + record["breakevens"]
    average = round_ratio(total, Decimal(record["results"]), 6) if record["results"] else None
    record["success_rate"] = record["profits"] / outcomes if outcomes else None
    record["average_return_pct"] = None if average is None else float(average)
    record["last_run"] = last_run.isoformat()
    return record

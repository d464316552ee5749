"""Reading the records of scripts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from trackrecord.extraction import generate_ai_insight
from trackrecord.performance.exact import round_ratio
from trackrecord.performance.trend import trend
from trackrecord.runtime.database import Cursor, rows, session
from trackrecord.runtime.settings import Settings

_NAMES = (
    "runs", "failures", "buys", "sells", "holds", "undecided", "profits", "losses", "breakevens",
    "results", "sum_return_pct",
)  # fmt: skip

_LATEST = 300
"""Results that a trend is judged on, the newest."""

_SIGNS = {"profit": 1.0, "breakeven": 0.0, "loss": -1.0}


def read_scripts(settings: Settings) -> dict[str, dict[str, Any]]:
    """Each script's record, by name, in one snapshot of the database.

    ``success_rate`` is profits / (profits + losses + breakevens) of the results
    that the script itself reported as realised; ``average_return_pct`` is over
    those that gave a percentage. Both are null where there is none. The trend
    compares the latest third of results with those before, and the insight
    says all of it in words.

    Raises:
        PassingError: The database does not answer.
    """
    with session(settings, application="trackrecord report", snapshot=True) as cursor:
        sums = ", ".join(f"sum({name})" for name in _NAMES)
        found = rows(cursor, f"SELECT script, {sums} FROM script_days GROUP BY 1 ORDER BY 1")
        return {script: _record(cursor, script, values) for script, *values in found}


def _record(cursor: Cursor, script: str, values: list[Any]) -> dict[str, Any]:
    *counts, total = values
    record: dict[str, Any] = {
        name: int(count) for name, count in zip(_NAMES[:-1], counts, strict=True)
    }
    outcomes = record["profits"] + record["losses"] + record["breakevens"]
    average = round_ratio(total, Decimal(record["results"]), 6) if record["results"] else None
    record["success_rate"] = record["profits"] / outcomes if outcomes else None
    record["average_return_pct"] = None if average is None else float(average)
    record["recommendations"] = dict(
        rows(
            cursor,
            "SELECT coalesce(final_action, 'NONE'), count(*) FROM executions WHERE script = %s"
            " GROUP BY 1 ORDER BY 1",
            (script,),
        )
    )
    record["last_run"] = _last_run(cursor, script).isoformat()
    judged = trend(_results(cursor, script))
    record["trend"], record["trend_p_value"] = judged.direction, judged.p_value
    record["reasons"] = {} if judged.reason is None else {"trend": judged.reason}
    record["insight"] = generate_ai_insight(
        runs=record["runs"],
        success_rate=None if not outcomes else 100 * record["success_rate"],
        average_return=record["average_return_pct"],
        recommendations={
            name: count for name, count in record["recommendations"].items() if name != "NONE"
        },
    )
    return record


def _last_run(cursor: Cursor, script: str) -> datetime:
    at = rows(cursor, "SELECT max(finished_at) FROM executions WHERE script = %s", (script,))[0][0]
    return datetime.fromisoformat(at.isoformat())


def _results(cursor: Cursor, script: str) -> list[float]:
    """The latest results, oldest first: returns if all gave one, else the outcomes' signs."""
    found = rows(
        cursor,
        "SELECT return_pct, outcome FROM executions WHERE script = %s AND outcome IS NOT NULL"
        " ORDER BY finished_at DESC, execution_id DESC LIMIT %s",
        (script, _LATEST),
    )[::-1]
    if all(return_pct is not None for return_pct, _ in found):
        return [float(return_pct) for return_pct, _ in found]
    return [_SIGNS[outcome] for _, outcome in found]

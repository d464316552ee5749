"""One script's results: how they are distributed, and the latest against those before them."""

from __future__ import annotations

from typing import Any, Final

from trackrecord.runtime.database import Cursor, rows

RECENT: Final = 10
"""Runs that are set beside those before them."""

_PARTS: Final = """
    SELECT number <= %(recent)s, count(*), count(*) FILTER (WHERE outcome = 'profit'),
           count(*) FILTER (WHERE outcome = 'loss'),
           count(*) FILTER (WHERE outcome = 'breakeven'), avg(return_pct)::float8
    FROM (SELECT outcome, return_pct,
                 row_number() OVER (ORDER BY finished_at DESC, execution_id DESC) AS number
          FROM executions WHERE script = %(script)s) AS runs
    GROUP BY 1
"""


def analytics(cursor: Cursor, script: str, record: dict[str, Any]) -> dict[str, Any]:
    """What :meth:`trackrecord.api.reading.Reading.script_analytics` tells.

    Args:
        cursor: In one snapshot.
        script: Its name.
        record: As ``trackrecord report`` gives it.
    """
    found = {
        is_recent: _part(*numbers)
        for is_recent, *numbers in rows(cursor, _PARTS, {"script": script, "recent": RECENT})
    }
    recent, earlier = found.get(True, _part()), found.get(False, _part())
    told = sum(record[name] for name in ("profits", "losses", "breakevens"))
    return {
        "script": script,
        **record,
        "distribution": {
            "actions": record["recommendations"],
            "outcomes": {
                "profit": record["profits"],
                "loss": record["losses"],
                "breakeven": record["breakevens"],
                "none": record["runs"] - told,
            },
        },
        "recent": recent,
        "earlier": earlier,
        "difference": {
            name: None
            if recent[name] is None or earlier[name] is None
            else recent[name] - earlier[name]
            for name in ("success_rate", "average_return_pct")
        },
        "summary": record["insight"],
    }


def _part(
    runs: int = 0,
    profits: int = 0,
    losses: int = 0,
    breakevens: int = 0,
    average: float | None = None,
) -> dict[str, Any]:
    told = profits + losses + breakevens
    return {
        "runs": runs,
        "profit": profits,
        "loss": losses,
        "breakeven": breakevens,
        "none": runs - told,
        "success_rate": profits / told if told else None,
        "average_return_pct": average,
    }

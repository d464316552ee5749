"""Reading the records of scripts: of all at once from their totals, and of one in detail."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from trackrecord.extraction import generate_ai_insight
from trackrecord.performance.script_results import Results, recent_against_earlier
from trackrecord.performance.trend import trend
from trackrecord.reports.hidden import NOTHING, Hidden, as_parameter, visible
from trackrecord.runtime.database import Cursor, rows, session
from trackrecord.runtime.settings import Settings

RECENT: Final = 10
"""Runs that are set beside those before them, by default."""

_LATEST: Final = 300
"""Results that a trend is judged on, the newest."""

_BUYS: Final = ("BUY", "STRONG_BUY", "BTST_BUY")
_SELLS: Final = ("SELL", "STRONG_SELL")
_NONE: Final = "NONE"

_RESULT_SUMS: Final = ("runs", "profits", "losses", "breakevens", "results", "sum_return_pct")

_TOTALS: Final = f"""
SELECT script, sum(failures), max(last_run), json_object_agg(action, runs ORDER BY action),
       {", ".join(f"sum({name})" for name in _RESULT_SUMS)}
FROM (
    SELECT script, action, max(last_run) AS last_run, sum(failures) AS failures,
           {", ".join(f"sum({name}) AS {name}" for name in _RESULT_SUMS)}
    FROM script_totals
    WHERE (%(script)s::text IS NULL OR script = %(script)s) AND {visible("script")}
    GROUP BY script, action
) AS each GROUP BY script ORDER BY script
"""
"""Each script's totals over lanes; null as the script asks for all."""

# Returns if all of the latest results gave one, else the outcomes' signs.
_RESULTS: Final = """
SELECT names.script, latest.results
FROM (
    SELECT DISTINCT script FROM script_totals
    WHERE %(script)s::text IS NULL OR script = %(script)s
) AS names
CROSS JOIN LATERAL (
    SELECT CASE WHEN bool_and(return_pct IS NOT NULL)
                THEN array_agg(return_pct::float8 ORDER BY finished_at, execution_id)
                ELSE array_agg(CASE outcome WHEN 'profit' THEN 1 WHEN 'loss' THEN -1 ELSE 0
                               END::float8 ORDER BY finished_at, execution_id) END AS results
    FROM (
        SELECT return_pct, outcome, finished_at, execution_id FROM executions
        WHERE script = names.script AND outcome IS NOT NULL
        ORDER BY finished_at DESC, execution_id DESC LIMIT %(latest)s
    ) AS newest
) AS latest
"""

_RECENT: Final = """
SELECT count(*), count(*) FILTER (WHERE outcome = 'profit'),
       count(*) FILTER (WHERE outcome = 'loss'), count(*) FILTER (WHERE outcome = 'breakeven'),
       count(return_pct), coalesce(sum(return_pct), 0)
FROM (
    SELECT outcome, return_pct FROM executions WHERE script = %(script)s
    ORDER BY finished_at DESC, execution_id DESC LIMIT %(recent)s
) AS latest
"""


class _Totals(NamedTuple):
    """A script's totals; ``actions``: runs by final action."""

    script: str
    failures: int
    last_run: datetime
    actions: dict[str, int]
    results: Results


def read_script_list(settings: Settings) -> dict[str, dict[str, Any]]:
    """Each script's counts and averages, by name: what :func:`read_scripts` tells, without trends.

    Raises:
        PassingError: The database does not answer.
    """
    with session(settings, application="trackrecord report") as cursor:
        return script_list(cursor)


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
        return script_records(cursor)


def read_script_analytics(
    settings: Settings, script: str, recent: int = RECENT
) -> dict[str, Any] | None:
    """One script in detail, in one snapshot of the database; see :func:`script_analytics`.

    Raises:
        PassingError: The database does not answer.
    """
    with session(settings, application="trackrecord report", snapshot=True) as cursor:
        return script_analytics(cursor, script, recent)


def script_list(cursor: Cursor, hidden: Hidden = NOTHING) -> dict[str, dict[str, Any]]:
    """Each script's counts and averages, by name, as :func:`read_script_list` gives them.

    Args:
        cursor: In a transaction.
        hidden: Scripts that are left out.
    """
    return {each.script: _record(each) for each in _totals(cursor, None, hidden)}


def script_records(cursor: Cursor) -> dict[str, dict[str, Any]]:
    """Each script's record, by name, as :func:`read_scripts` gives it.

    Args:
        cursor: In a transaction that sees one snapshot.
    """
    records = script_list(cursor)
    results = _results(cursor, None)
    for script, record in records.items():
        judged = trend(results.get(script, ()))
        record["trend"], record["trend_p_value"] = judged.direction, judged.p_value
        record["reasons"] = {} if judged.reason is None else {"trend": judged.reason}
        record["insight"] = _insight(record)
    return records


def script_analytics(
    cursor: Cursor, script: str, recent: int = RECENT, hidden: Hidden = NOTHING
) -> dict[str, Any] | None:
    """What a script decided and reported, and its latest runs against those before them.

    Args:
        cursor: In a transaction that sees one snapshot.
        script: Its name.
        recent: How many of the latest runs are set beside the others, one at least.
        hidden: Scripts that are not told to have run.

    Returns:
        The counts and averages of :func:`script_list`; ``distribution``: runs by final action
        (``NONE``: no decision) and by reported outcome (``none``: no result); and what
        :func:`trackrecord.performance.script_results.recent_against_earlier` tells. None where no
        such script has run.
    """
    found = _totals(cursor, script, hidden)
    if not found:
        return None
    [every] = found
    [latest] = rows(cursor, _RECENT, {"script": script, "recent": recent})
    judged = trend(_results(cursor, script)[script])
    record = _record(every)
    return {
        "script": script,
        **record,
        "distribution": {
            "actions": record["recommendations"],
            "outcomes": every.results.outcomes(),
        },
        **recent_against_earlier(every.results, Results(*latest), judged),
    }


def _totals(cursor: Cursor, script: str | None, hidden: Hidden) -> list[_Totals]:
    asked = {"script": script, "hidden": as_parameter(hidden)}
    return [_totals_of(*row) for row in rows(cursor, _TOTALS, asked)]


def _totals_of(
    script: str, failures: Decimal, last_run: datetime, actions: dict[str, int], *sums: Decimal
) -> _Totals:
    *counts, total = sums
    runs, profits, losses, breakevens, percentages = map(int, counts)
    results = Results(runs, profits, losses, breakevens, percentages, total)
    return _Totals(script, int(failures), last_run, actions, results)


def _record(totals: _Totals) -> dict[str, Any]:
    results, actions = totals.results, totals.actions
    rate, average = results.success_rate, results.average_return_pct
    return {
        "runs": results.runs,
        "failures": totals.failures,
        "buys": sum(actions.get(name, 0) for name in _BUYS),
        "sells": sum(actions.get(name, 0) for name in _SELLS),
        "holds": actions.get("HOLD", 0),
        "undecided": actions.get(_NONE, 0),
        "profits": results.profits,
        "losses": results.losses,
        "breakevens": results.breakevens,
        "results": results.percentages,
        "success_rate": None if rate is None else float(rate),
        "average_return_pct": None if average is None else float(average),
        "recommendations": actions,
        "last_run": totals.last_run.isoformat(),
    }


def _insight(record: dict[str, Any]) -> str:
    rate = record["success_rate"]
    return generate_ai_insight(
        runs=record["runs"],
        success_rate=None if rate is None else 100 * rate,
        average_return=record["average_return_pct"],
        recommendations={
            name: count for name, count in record["recommendations"].items() if name != _NONE
        },
    )


def _results(cursor: Cursor, script: str | None) -> dict[str, list[float]]:
    """Each script's latest results, oldest first."""
    found = rows(cursor, _RESULTS, {"script": script, "latest": _LATEST})
    return {name: results or [] for name, results in found}

"""Reading why outputs of scripts recommend nothing, grouped by the reason."""

from __future__ import annotations

from typing import Any, Final

from trackrecord.runtime.database import rows, session
from trackrecord.runtime.settings import Settings

# What all lanes have counted; the lane with the latest run has the example.
_QUERY: Final = """
    SELECT DISTINCT ON (rule, reason, script) rule, reason, script,
           sum(outputs) OVER alike, min(first_at) OVER alike, last_at, last_run, excerpt
    FROM refused_outputs
    WINDOW alike AS (PARTITION BY rule, reason, script)
    ORDER BY rule, reason, script, last_at DESC, last_run DESC
"""


def read_refused(settings: Settings) -> dict[str, Any]:
    """Why outputs recommend nothing, in one snapshot of the database.

    Returns:
        ``runs``: all that were read; ``refused``: those that are counted here; ``reasons``: each
        with its ``rule``, ``reason``, number of ``outputs``, the ``first_at`` and ``last_at`` of
        their runs, and its ``scripts``, each with the same counts, and the ``execution_id`` and
        an ``excerpt`` of its latest run. The most frequent comes first.

    Raises:
        PassingError: The database does not answer.
    """
    with session(settings, application="trackrecord report", snapshot=True) as cursor:
        ((runs,),) = rows(cursor, "SELECT coalesce(sum(runs), 0) FROM script_days")
        found = rows(cursor, _QUERY)
    reasons: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for rule, reason, script, outputs, first_at, last_at, last_run, excerpt in found:
        reasons.setdefault((rule, reason), []).append(
            {
                "script": script,
                "outputs": int(outputs),
                "first_at": first_at.isoformat(),
                "last_at": last_at.isoformat(),
                "execution_id": last_run,
                "excerpt": excerpt,
            }
        )
    groups = [_group(rule, reason, scripts) for (rule, reason), scripts in reasons.items()]
    return {
        "runs": int(runs),
        "refused": sum(group["outputs"] for group in groups),
        "reasons": sorted(groups, key=lambda group: -group["outputs"]),
    }


def _group(rule: str, reason: str, scripts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "rule": rule,
        "reason": reason,
        "outputs": sum(one["outputs"] for one in scripts),
        "first_at": min(one["first_at"] for one in scripts),
        "last_at": max(one["last_at"] for one in scripts),
        "scripts": sorted(scripts, key=lambda one: -one["outputs"]),
    }

"""Reading what became of signals on the bars that followed."""

from __future__ import annotations

from typing import Any, Final

from trackrecord.reports.hidden import NOTHING, Hidden, as_parameter, visible
from trackrecord.runtime.database import Cursor, rows, session
from trackrecord.runtime.settings import Settings

OUTCOMES: Final = ("target", "stop", "expired", "void")

_COUNTS: Final = (*OUTCOMES, "ambiguous")

_BY_STRATEGY: Final = f"""
SELECT policy, strategy, {", ".join(f"sum({name})::bigint" for name in _COUNTS)},
       (sum(sum_return) / nullif(sum(returns), 0))::float8
FROM outcome_totals WHERE {visible("strategy")} GROUP BY policy, strategy
HAVING {" OR ".join(f"sum({name}) <> 0" for name in OUTCOMES)}
ORDER BY policy, strategy
"""
"""Over lanes; a strategy whose signals a correction has moved elsewhere has none left."""

_VERDICTS: Final = f"""
SELECT verdict, sum(assessed)::bigint FROM verdict_totals WHERE {visible("strategy")}
GROUP BY 1 ORDER BY 1
"""


def read_outcomes(settings: Settings) -> dict[str, dict[str, dict[str, Any]]]:
    """What became of each strategy's signals, by its name, under each policy on record.

    Returns:
        Counts of target, stop, expired and void; how many were ambiguous (target and stop inside
        one bar); and the mean gross return as a fraction, null where there is none.

    Raises:
        PassingError: The database does not answer.
    """
    with session(settings, application="trackrecord report") as cursor:
        return outcomes_of(cursor)


def outcomes_of(cursor: Cursor, hidden: Hidden = NOTHING) -> dict[str, dict[str, dict[str, Any]]]:
    """The same, in a transaction that is open, without strategies that are hidden."""
    outcomes: dict[str, dict[str, dict[str, Any]]] = {}
    for policy, strategy, *counts, average in rows(
        cursor, _BY_STRATEGY, {"hidden": as_parameter(hidden)}
    ):
        outcomes.setdefault(policy, {})[strategy] = {
            **dict(zip(_COUNTS, counts, strict=True)),
            "average_return": average,
        }
    return outcomes


def read_verdicts(settings: Settings) -> dict[str, int]:
    """How many signals were given each verdict; ``none`` where no model was live.

    Raises:
        PassingError: The database does not answer.
    """
    with session(settings, application="trackrecord report") as cursor:
        return verdicts_of(cursor)


def verdicts_of(cursor: Cursor, hidden: Hidden = NOTHING) -> dict[str, int]:
    """The same, in a transaction that is open, without strategies that are hidden."""
    return dict(rows(cursor, _VERDICTS, {"hidden": as_parameter(hidden)}))

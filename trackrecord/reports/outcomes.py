"""Reading what became of signals on the bars that followed."""

from __future__ import annotations

from typing import Any, Final

from trackrecord.runtime.database import rows, session
from trackrecord.runtime.settings import Settings

OUTCOMES: Final = ("target", "stop", "expired", "void")

_BY_STRATEGY: Final = f"""
SELECT policy, strategy,
       {", ".join(f"count(*) FILTER (WHERE outcome = '{name}')" for name in OUTCOMES)},
       count(*) FILTER (WHERE ambiguous), avg("return")
FROM outcomes WHERE outcome <> 'pending'
GROUP BY policy, strategy ORDER BY policy, strategy
"""

_VERDICTS: Final = """
SELECT coalesce(verdict, 'none'), count(*) FROM assessments GROUP BY 1 ORDER BY 1
"""


def read_outcomes(settings: Settings) -> dict[str, dict[str, dict[str, Any]]]:
    """What became of each strategy's signals, by its name, under each policy on record.

    Returns:
        Counts of target, stop, expired and void; how many were ambiguous (target and stop inside
        one bar); and the mean gross return as a fraction, null where there is none.

    Raises:
        PassingError: The database does not answer.
    """
    outcomes: dict[str, dict[str, dict[str, Any]]] = {}
    for policy, strategy, *counts, ambiguous, average in _read(settings, _BY_STRATEGY, {}):
        outcomes.setdefault(policy, {})[strategy] = {
            **dict(zip(OUTCOMES, counts, strict=True)),
            "ambiguous": ambiguous,
            "average_return": average,
        }
    return outcomes


def read_verdicts(settings: Settings) -> dict[str, int]:
    """How many signals were given each verdict; ``none`` where no model was live.

    Raises:
        PassingError: The database does not answer.
    """
    return dict(_read(settings, _VERDICTS, {}))


def _read(settings: Settings, query: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with session(settings, application="trackrecord report") as cursor:
        return rows(cursor, query, parameters)

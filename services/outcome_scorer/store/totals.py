"""The tables of totals: outcomes by policy and strategy, and verdicts by version and strategy.

They move in the transaction of what they add up. Rows are those of our own lane, which nobody
else writes.
"""

from __future__ import annotations

from typing import Final

from services.outcome_scorer.tables import OUTCOME_SUMS
from trackrecord.runtime.database import Cursor, execute_planned

_NAMES: Final = ", ".join(OUTCOME_SUMS)

TEMPORARY: Final = f"""
CREATE TEMPORARY TABLE outcome_changes (
    strategy text COLLATE "C",
    {", ".join(f"{name} {kind}" for name, kind in OUTCOME_SUMS.items())}
) ON COMMIT DELETE ROWS;
"""

_OF_ONE: Final = {
    **{name: f"(outcome = '{name}')::int" for name in ("target", "stop", "expired", "void")},
    "ambiguous": "ambiguous::int",
    "returns": '("return" IS NOT NULL)::int',
    # Sums of doubles would depend on the order in which they are added.
    "sum_return": 'coalesce(round("return"::numeric, 12), 0)',
}
"""What one outcome adds to each sum."""

_COLUMNS: Final = 'o.strategy, o.outcome, o.ambiguous, o."return"'


def noting_changes(write: str) -> str:
    """Make a statement note in ``outcome_changes`` what it adds and takes away.

    Args:
        write: Writes outcomes of ``new_outcomes`` that have changed, of the policy and round that
            are its parameters, into ``outcomes AS o``. Their symbols are locked, so that what a
            statement sees at its beginning is what it writes over.
    """
    sums = ", ".join(f"sum(sign * {_OF_ONE[name]})" for name in OUTCOME_SUMS)
    return f"""
WITH before AS (
    SELECT {_COLUMNS}
    FROM new_outcomes AS n
    JOIN outcomes AS o ON o.signal_id = n.signal_id AND o.policy = %(policy)s
    WHERE n.round = %(round)s AND n.changed
), after AS ({write} RETURNING {_COLUMNS}
)
INSERT INTO outcome_changes (strategy, {_NAMES})
SELECT strategy, {sums}
FROM (SELECT 1 AS sign, * FROM after UNION ALL SELECT -1, * FROM before) AS either
WHERE outcome <> 'pending' GROUP BY strategy
"""


_MOVE_OUTCOMES: Final = f"""
INSERT INTO outcome_totals AS held (policy, strategy, lane, {_NAMES})
SELECT %(policy)s, strategy, %(lane)s, {", ".join(f"sum({name})" for name in OUTCOME_SUMS)}
FROM outcome_changes GROUP BY strategy
HAVING {" OR ".join(f"sum({name}) <> 0" for name in OUTCOME_SUMS)}
ORDER BY strategy
ON CONFLICT (policy, strategy, lane) DO UPDATE
SET {", ".join(f"{name} = held.{name} + excluded.{name}" for name in OUTCOME_SUMS)}
"""


def move_outcomes(cursor: Cursor, policy: str, lane: int) -> None:
    """Add to the totals what all rounds of the batch have changed, once, in one order.

    Args:
        cursor: In the transaction.
        policy: Of the outcomes.
        lane: Whose rows are moved.
    """
    execute_planned(cursor, _MOVE_OUTCOMES, {"policy": policy, "lane": lane})


def counting_verdicts(write: str) -> str:
    """Make a statement that writes ``assessments AS a`` add to the totals what is new of them."""
    return f"""
WITH written AS ({write} RETURNING a.model_version, a.strategy, a.verdict
)
INSERT INTO verdict_totals AS held (model_version, strategy, verdict, lane, assessed)
SELECT coalesce(model_version, ''), strategy, coalesce(verdict, 'none'), %(lane)s, count(*)
FROM written GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
ON CONFLICT (model_version, strategy, verdict, lane) DO UPDATE
SET assessed = held.assessed + excluded.assessed
"""

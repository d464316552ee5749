"""What the API reads of strategies and scripts: the one place that knows how it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from trackrecord.api.answers import version_of
from trackrecord.api.judged import Judged, JudgedNumbers
from trackrecord.api.released import released
from trackrecord.performance.sums.sums import Sums
from trackrecord.performance.sums.written import record
from trackrecord.reports.hidden import NOTHING, Hidden, as_parameter, visible
from trackrecord.reports.outcomes import outcomes_of, verdicts_of
from trackrecord.reports.scripts import script_analytics, script_list
from trackrecord.reports.totals import READ, SUMMED, sums_of
from trackrecord.runtime.database import Cursor, rows
from trackrecord.runtime.settings import Settings

ORDERS: Final[Mapping[str, str]] = {
    "signals": "signals",
    "closed": "closed",
    "open": "signals - closed",
    "wins": "wins",
    "win_rate": "wins / nullif(closed, 0)",
    "total_pnl": "total_pnl",
    "average_pnl": "total_pnl / nullif(closed, 0)",
    "realised_pnl": "realised_pnl",
    "fees": "fees",
    "profit_factor": "gross_profit / nullif(abs(gross_loss), 0)",
    "average_return": "sum_return / nullif(closed - without_return, 0)",
}
"""What strategies are sorted by, as SQL of their sums; besides their name."""

_STAGES: Final[Mapping[str, str]] = {
    "signal_tracker": "signals",
    "outcome_scorer": "outcomes",
    "extractor": "scripts",
}
"""What each stage writes, in the words of the API."""

_ADDED: Final = ", ".join(f"sum({name}) AS {name}" for name in SUMMED)
_TOTALS: Final = f"""
    SELECT strategy, currency, {_ADDED}
    FROM strategy_totals
    WHERE (%(strategies)s::text[] IS NULL OR strategy = ANY(%(strategies)s))
      AND (%(currency)s::text IS NULL OR currency = %(currency)s) AND {visible("strategy")}
    GROUP BY strategy, currency HAVING sum(signals) > 0 OR sum(exits) > 0
"""

_VERSIONS: Final = """
    SELECT stage, sum(next_offset), sum(epoch) || '/' || max(updated_at)
    FROM consumer_offsets GROUP BY stage
    UNION ALL
    SELECT 'trainer', count(*) + (SELECT count(*) FROM champions), '' FROM ml_training_log
"""


Keys = tuple[Decimal | None, str, str]
"""What a page of strategies is sorted by: the number, the name, the currency."""


class Reading:
    """Reads what the stages have kept."""

    def __init__(self, settings: Settings, judged: JudgedNumbers) -> None:
        """Read nothing yet.

        Args:
            settings: What is known of the strategies.
            judged: The numbers of daily returns, which are worked out beside.
        """
        self._salt = (released(), settings.model_dump_json(exclude={"kafka"}))
        self._judged = judged

    def versions(self, cursor: Cursor) -> dict[str, int]:
        """How far each kind of thing has moved: signals, outcomes, scripts and models."""
        return {
            _STAGES.get(stage, "models"): int(moved)
            for stage, moved, _ in rows(cursor, _VERSIONS)
            if stage in _STAGES or stage == "trainer"
        }

    def version(self, cursor: Cursor, *kinds: str, view: str = "") -> str:
        """A text that is another one once any of some kinds of things has changed.

        Args:
            cursor: Inside a transaction.
            kinds: Of things.
            view: Another text for who sees something else of them.
        """
        moved = [
            each
            for each in sorted(rows(cursor, _VERSIONS))
            if _STAGES.get(each[0], "models") in kinds
        ]
        return version_of(*self._salt, *kinds, *moved, view)

    def strategies(
        self,
        cursor: Cursor,
        *,
        order: str,
        descending: bool,
        currency: str | None,
        after: Keys | None,
        limit: int,
        hidden: Hidden = NOTHING,
    ) -> list[tuple[Keys, dict[str, Any]]]:
        """One page of strategies, each in each of its currencies, with what their sums say.

        Args:
            cursor: Inside a transaction.
            order: One of :data:`ORDERS`, or ``strategy``.
            descending: The largest first; what has no such number comes last either way.
            currency: Only in this one.
            after: The keys of the last row of the page before.
            limit: How many at most.
            hidden: Strategies that are left out.

        Returns:
            The records, each behind its keys.
        """
        by_name = order == "strategy"
        direction = "DESC" if descending else "ASC"
        key = "NULL::numeric" if by_name else f"({ORDERS[order]})::numeric"
        name_direction = direction if by_name else "ASC"
        ordered = f"ORDER BY key {direction} NULLS LAST, strategy {name_direction}, currency"
        # All are ranked by one number; the other sums are added up of one page's alone.
        query = f"""
            SELECT page.key, page.strategy, page.currency, {", ".join(READ.values())}
            FROM (
                SELECT * FROM (
                    SELECT {key} AS key, strategy, currency FROM ({_TOTALS}) AS totals
                ) AS ranked
                WHERE {_behind(after, descending, by_name=by_name)} {ordered} LIMIT %(limit)s
            ) AS page
            CROSS JOIN LATERAL (
                SELECT {_ADDED} FROM strategy_totals AS own
                WHERE own.strategy = page.strategy AND own.currency = page.currency
            ) AS sums
            {ordered}
        """
        at, name, its_currency = after or (None, None, None)
        found = rows(
            cursor,
            query,
            {
                "strategies": None,
                "currency": currency,
                "limit": limit,
                "key": at,
                "name": name,
                "its_currency": its_currency,
                "hidden": as_parameter(hidden),
            },
        )
        return [
            ((key, name, currency), {"strategy": name, **record({currency: sums_of(values)})})
            for key, name, currency, *values in found
        ]

    def totals(
        self,
        cursor: Cursor,
        strategies: Sequence[str] | None = None,
        hidden: Hidden = NOTHING,
    ) -> dict[str, dict[str, Sums]]:
        """Sums of strategies by currency, without those hidden; of all where none are named."""
        asked = {
            "strategies": None if strategies is None else list(strategies),
            "currency": None,
            "hidden": as_parameter(hidden),
        }
        totals: dict[str, dict[str, Sums]] = {}
        query = (
            f"SELECT strategy, currency, {', '.join(READ.values())} FROM ({_TOTALS}) AS totals"
            " ORDER BY 1, 2"
        )
        for name, currency, *values in rows(cursor, query, asked):
            totals.setdefault(name, {})[currency] = sums_of(values)
        return totals

    def most_active(self, cursor: Cursor, count: int) -> list[str]:
        """The strategies with the most signals."""
        found = rows(
            cursor,
            "SELECT strategy FROM strategy_totals GROUP BY strategy HAVING sum(signals) > 0"
            " ORDER BY sum(signals) DESC, strategy LIMIT %s",
            (count,),
        )
        return [name for (name,) in found]

    def judged(self, hidden: Hidden = NOTHING, view: str = "") -> Judged:
        """Records with their judged numbers, as last worked out, without those hidden.

        What is worked out of all (how much luck gives) is that of all.

        Raises:
            PassingError: They were not worked out yet.
        """
        judged = self._judged.current()
        if not view:
            return judged
        seen = {name: each for name, each in judged.records.items() if name not in hidden}
        return Judged(judged.as_of, version_of(judged.version, view), seen)

    def scripts(self, cursor: Cursor, hidden: Hidden = NOTHING) -> dict[str, dict[str, Any]]:
        """Counts and averages of scripts, by name, in the order of the alphabet."""
        return script_list(cursor, hidden)

    def outcomes(self, cursor: Cursor, hidden: Hidden = NOTHING) -> dict[str, Any]:
        """What became of signals on the bars, by policy and strategy, and the verdicts given."""
        return {
            "policies": outcomes_of(cursor, hidden),
            "verdicts": verdicts_of(cursor, hidden),
        }

    def script_analytics(
        self, cursor: Cursor, script: str, hidden: Hidden = NOTHING
    ) -> dict[str, Any] | None:
        """What a script decided and reported, and its latest runs against those before them.

        Returns:
            As :func:`trackrecord.reports.scripts.script_analytics`: None where no such script has
            run.
        """
        return script_analytics(cursor, script, hidden=hidden)


def _behind(after: Keys | None, descending: bool, *, by_name: bool) -> str:
    """SQL of what comes after a row in the order of a page; nulls are last."""
    if after is None:
        return "true"
    if by_name:
        further = "<" if descending else ">"
        return (
            f"(strategy {further} %(name)s"
            " OR (strategy = %(name)s AND currency > %(its_currency)s))"
        )
    alike = "(strategy, currency) > (%(name)s, %(its_currency)s)"
    if after[0] is None:
        return f"key IS NULL AND {alike}"
    further = "<" if descending else ">"
    return f"(key {further} %(key)s OR (key = %(key)s AND {alike}) OR key IS NULL)"

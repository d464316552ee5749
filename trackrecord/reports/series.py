"""Reading what strategies came to day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from trackrecord.performance.sums.sums import Sums
from trackrecord.reports.hidden import NOTHING, Hidden, as_parameter, visible
from trackrecord.reports.totals import SUMMED, sums_of
from trackrecord.runtime.database import Cursor, rows

COLUMNS: Final = (
    "day", "currency", "signals", "exits", "closed", "wins", "losses", "breakevens", "total_pnl",
    "realised_pnl", "fees", "carry", "backdated", "exits_backdated", "corrected_late",
)  # fmt: skip
"""What a series tells of each day."""

_BETWEEN: Final = (
    "strategy = %(strategy)s AND (%(since)s::date IS NULL OR day >= %(since)s)"
    " AND (%(until)s::date IS NULL OR day <= %(until)s)"
)


def series_query() -> str:
    """A SELECT of :data:`COLUMNS` of one ``strategy`` from ``since`` to ``until``, both included.

    Lanes are added up; a day that corrections have emptied is left out.
    """
    sums = ", ".join(f"sum({name}) AS {name}" for name in COLUMNS[2:])
    return (
        f"SELECT day, currency, {sums} FROM strategy_days WHERE {_BETWEEN} GROUP BY day, currency"
        " HAVING sum(signals) <> 0 OR sum(exits) <> 0 OR sum(closed) <> 0"
        " ORDER BY day, currency"
    )


def read_series(
    cursor: Cursor, strategy: str, since: date | None = None, until: date | None = None
) -> list[dict[str, Any]]:
    """One strategy's days on which something happened, oldest first.

    Args:
        cursor: Inside a transaction.
        strategy: Whose.
        since: The first day; None: from the beginning.
        until: The last day, included; None: to the end.

    Returns:
        By the names of :data:`COLUMNS`, one record for each day and currency, with
        ``cumulative_pnl``: what its exits realised since the first of these days.
    """
    parameters = {"strategy": strategy, "since": since, "until": until}
    totals: dict[str, Any] = {}
    series = []
    for row in rows(cursor, series_query(), parameters):
        record = dict(zip(COLUMNS, row, strict=True))
        currency = record["currency"]
        totals[currency] = totals.get(currency, 0) + record["realised_pnl"]
        series.append({**_whole(record), "cumulative_pnl": totals[currency]})
    return series


def read_thinned_lines(
    cursor: Cursor, strategies: Sequence[str], since: date, until: date, points: int
) -> dict[str, list[dict[str, Any]]]:
    """What strategies realised over the same days, as lines of few points, oldest first.

    Args:
        cursor: Inside a transaction.
        strategies: Whose.
        since: The first day; lines begin at 0 before it.
        until: The last day, included.
        points: How many a line has at most, above 0.

    Returns:
        By strategy, for each currency: ``currency``, ``days`` (the last of each step on which
        something happened) and ``cumulative_pnl`` at the end of each, exact.
    """
    found = rows(
        cursor,
        """
        SELECT DISTINCT ON (strategy, currency, step) strategy, currency, day, total
        FROM (
            SELECT strategy, currency, day,
                   (day - %(since)s::date) * %(points)s
                       / (%(until)s::date - %(since)s::date + 1) AS step,
                   sum(sum(realised_pnl)) OVER (PARTITION BY strategy, currency ORDER BY day)
                       AS total
            FROM strategy_days
            WHERE strategy = ANY(%(strategies)s) AND day BETWEEN %(since)s AND %(until)s
            GROUP BY strategy, currency, day
            HAVING sum(signals) <> 0 OR sum(exits) <> 0 OR sum(closed) <> 0
        ) AS running
        ORDER BY strategy, currency, step, day DESC
        """,
        {"strategies": list(strategies), "since": since, "until": until, "points": points},
    )
    lines: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in strategies}
    for name, currency, day, total in found:
        line = lines[name].setdefault(
            currency, {"currency": currency, "days": [], "cumulative_pnl": []}
        )
        line["days"].append(day)
        line["cumulative_pnl"].append(total)
    return {name: list(by_currency.values()) for name, by_currency in lines.items()}


def read_spans(
    cursor: Cursor, strategies: Sequence[str], hidden: Hidden = NOTHING
) -> dict[str, tuple[date, date, list[str]]]:
    """The first and last day of each strategy that is not hidden, and its currencies."""
    found = rows(
        cursor,
        "SELECT strategy, min(day), max(day), array_agg(DISTINCT currency) FROM strategy_days"
        " WHERE strategy = ANY(%(strategies)s) AND (signals <> 0 OR exits <> 0 OR closed <> 0)"
        f" AND {visible('strategy')} GROUP BY 1",
        {"strategies": list(strategies), "hidden": as_parameter(hidden)},
    )
    return {name: (first, last, currencies) for name, first, last, currencies in found}


def read_sums(
    cursor: Cursor, strategy: str, since: date | None, until: date | None
) -> dict[str, Sums]:
    """One strategy's sums over some days, by currency."""
    sums = ", ".join(f"sum({name})" for name in SUMMED)
    found = rows(
        cursor,
        f"SELECT currency, {sums} FROM strategy_days WHERE {_BETWEEN} GROUP BY 1 ORDER BY 1",
        {"strategy": strategy, "since": since, "until": until},
    )
    return {currency: sums_of(values) for currency, *values in found}


def _whole(record: dict[str, Any]) -> dict[str, Any]:
    """The database adds up whole numbers to decimals."""
    return {
        name: int(value) if isinstance(getattr(Sums, name, None), int) else value
        for name, value in record.items()
    }

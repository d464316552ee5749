"""Months and lines of strategies, kept beside their measures, so that a list is drawn at once.

They are of the same version as the measures that ``strategy_measures`` holds in the same row.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trackrecord.performance.sums.days import DayTable
from trackrecord.performance.sums.over_time import Line, Month, lines_of, months_of
from trackrecord.performance.sums.written import text
from trackrecord.reports.totals import Owner
from trackrecord.runtime.database import Cursor, rows


@dataclass(frozen=True)
class Picture:
    """What is kept of a strategy in one currency to be drawn.

    Attributes:
        currency: Of the money in it.
        as_of: When it was worked out.
        months: Records with ``month``, ``signals``, ``closed``, ``realised_pnl`` and
            ``average_return``, oldest first.
        line: Cumulative realised PnL at even steps, and how far it was below its highest, as
            :class:`~trackrecord.performance.sums.over_time.Line`; None of a strategy on whose
            days nothing happened.
    """

    currency: str
    as_of: datetime
    months: list[dict[str, Any]]
    line: dict[str, Any] | None


def keep_pictures(cursor: Cursor, days: DayTable, owners: Sequence[Owner]) -> None:
    """Write months and lines beside measures that were written before in the same transaction.

    Args:
        cursor: Inside that transaction.
        days: Sums by day; the index in it is the place in ``owners``.
        owners: Whose.
    """
    months = months_of(days, len(owners))
    lines = lines_of(days, len(owners))
    cursor.execute(
        """
        UPDATE strategy_measures AS kept SET months = drawn.months, line = drawn.line
        FROM unnest(%(strategies)s::text[], %(currencies)s::text[], %(months)s::json[],
                    %(lines)s::json[])
            AS drawn (strategy, currency, months, line)
        WHERE kept.strategy = drawn.strategy AND kept.currency = drawn.currency
        """,
        {
            "strategies": [strategy for strategy, _ in owners],
            "currencies": [currency for _, currency in owners],
            "months": [json.dumps([_of_month(month) for month in each]) for each in months],
            "lines": [None if line is None else json.dumps(_of_line(line)) for line in lines],
        },
    )


def read_pictures(cursor: Cursor, strategies: Sequence[str]) -> dict[str, list[Picture]]:
    """What is kept of some strategies, by name, each in the order of its currencies.

    Args:
        cursor: Inside a transaction.
        strategies: Whose; those of which nothing is kept yet are left out.
    """
    found = rows(
        cursor,
        "SELECT strategy, currency, measured_at, months, line FROM strategy_measures"
        " WHERE strategy = ANY(%s) AND months IS NOT NULL ORDER BY strategy, currency",
        (list(strategies),),
    )
    pictures: dict[str, list[Picture]] = {}
    for strategy, currency, as_of, months, line in found:
        pictures.setdefault(strategy, []).append(Picture(currency, as_of, months, line))
    return pictures


def read_lines(
    cursor: Cursor, strategies: Sequence[str]
) -> dict[tuple[str, str], dict[str, Any] | None]:
    """The lines that are kept of some strategies, by name and currency.

    Args:
        cursor: Inside a transaction.
        strategies: Whose; those of which nothing is kept yet are left out.
    """
    found = rows(
        cursor,
        "SELECT strategy, currency, line FROM strategy_measures WHERE strategy = ANY(%s)",
        (list(strategies),),
    )
    return {(strategy, currency): line for strategy, currency, line in found}


def drawn_at(cursor: Cursor) -> datetime | None:
    """When the latest of all was worked out; None where nothing is kept."""
    ((found,),) = rows(cursor, "SELECT max(measured_at) FROM strategy_measures")
    return found  # type: ignore[no-any-return]  # rows are of any type


def _of_month(month: Month) -> dict[str, Any]:
    return {
        "month": f"{month.month:%Y-%m}",
        "signals": month.signals,
        "closed": month.closed,
        "realised_pnl": text(month.realised_pnl),
        "average_return": month.average_return,
    }


def _of_line(line: Line) -> dict[str, Any]:
    return {
        "since": line.since.isoformat(),
        "until": line.until.isoformat(),
        "values": [text(value) for value in line.values],
        "below_peak": text(line.below_peak),
        "deepest": text(line.deepest),
    }

"""What numbers of daily returns are made of, kept in ``strategy_measures`` so that few wait for it.

Measuring a strategy takes milliseconds, nearly all of them for its intervals; a thousand take
seconds. What is kept counts only as long as the strategy's version, the day and the way of
measuring are the same, so whoever reads it has the numbers that measuring anew would give.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np

from trackrecord.performance.measure import FloatArray
from trackrecord.performance.sums.days import Sessions
from trackrecord.performance.sums.many_series import FLAT_COLUMNS
from trackrecord.performance.sums.written import text
from trackrecord.reports.totals import Owner
from trackrecord.runtime.database import Cursor, rows
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.settings.per_strategy import (
    capital_by_strategy,
    of_strategy,
    sessions_by_strategy,
)

_FORMULAS: Final = 1
"""To be raised when a formula of :mod:`trackrecord.performance.sums.many_series` changes."""


class Outdated(NamedTuple):
    """Measures of a strategy that has moved since.

    Attributes:
        measured_at: When they were measured.
        measures: Of shape (FLAT_COLUMNS,).
    """

    measured_at: datetime
    measures: FloatArray


@dataclass(frozen=True)
class Way:
    """How a strategy is measured.

    Attributes:
        capital: Money, None where it is not known.
        sessions: Which days count.
        name: Of all that measures depend on besides the record and the day.
    """

    capital: Decimal | None
    sessions: Sessions
    name: str


def ways(settings: Settings, owners: Sequence[Owner]) -> dict[Owner, Way]:
    """How each strategy is measured, in each of its currencies.

    Args:
        settings: What is known of the strategies.
        owners: All of them: one amount cannot be the capital of a strategy in two currencies.
    """
    capital = capital_by_strategy(settings.capital)
    sessions = sessions_by_strategy(settings.sessions)
    currencies: dict[str, int] = {}
    for name, _ in owners:
        currencies[name] = currencies.get(name, 0) + 1
    found = {}
    for owner in owners:
        name, _ = owner
        money = of_strategy(capital, name) if currencies[name] == 1 else None
        kind = of_strategy(sessions, name) or "weekdays"
        shown = "none" if money is None else text(money)
        way = f"{_FORMULAS} capital={shown} sessions={kind} timezone={settings.day_timezone}"
        found[owner] = Way(money, kind, way)
    return found


def read_kept(
    cursor: Cursor, versions: Mapping[Owner, int], until: date, ways: Mapping[Owner, Way]
) -> dict[Owner, FloatArray]:
    """The kept measures that still hold, each of shape (FLAT_COLUMNS,).

    Args:
        cursor: In the snapshot that ``versions`` were read in.
        versions: Of the strategies in question.
        until: The last day that is to count.
        ways: How each is measured.
    """
    found = rows(
        cursor,
        "SELECT strategy, currency, version, method, measures FROM strategy_measures"
        " WHERE until = %(until)s AND cardinality(measures) = %(columns)s",
        {"until": until, "columns": FLAT_COLUMNS},
    )
    return {
        owner: np.array(measures, dtype=np.float64)
        for strategy, currency, version, method, measures in found
        if versions.get(owner := (strategy, currency)) == version and ways[owner].name == method
    }


def read_outdated(
    cursor: Cursor, owners: Collection[Owner], ways: Mapping[Owner, Way]
) -> dict[Owner, Outdated]:
    """What is kept of strategies that have moved since, for who would rather not wait.

    Args:
        cursor: In a transaction.
        owners: The strategies in question.
        ways: How each is measured.
    """
    found = rows(
        cursor,
        "SELECT strategy, currency, method, measured_at, measures FROM strategy_measures"
        " WHERE cardinality(measures) = %(columns)s",
        {"columns": FLAT_COLUMNS},
    )
    return {
        owner: Outdated(measured_at, np.array(measures, dtype=np.float64))
        for strategy, currency, method, measured_at, measures in found
        if (owner := (strategy, currency)) in owners and ways[owner].name == method
    }


def keep(
    cursor: Cursor,
    measures: Mapping[Owner, FloatArray],
    versions: Mapping[Owner, int],
    until: date,
    ways: Mapping[Owner, Way],
) -> None:
    """Write measures, in place of older ones; arguments as of :func:`read_kept`."""
    strategies, currencies, numbers, methods, values = [], [], [], [], []
    for owner, row in sorted(measures.items()):
        strategies.append(owner[0])
        currencies.append(owner[1])
        numbers.append(versions[owner])
        methods.append(ways[owner].name)
        values.append("{" + ",".join(map(repr, row.tolist())) + "}")
    cursor.execute(
        """
        INSERT INTO strategy_measures AS kept
            (strategy, currency, version, until, method, measured_at, measures)
        SELECT strategy, currency, version, %(until)s, method, now(), measures::double precision[]
        FROM unnest(%(strategies)s::text[], %(currencies)s::text[], %(versions)s::bigint[],
                    %(methods)s::text[], %(measures)s::text[])
            AS measured (strategy, currency, version, method, measures)
        ON CONFLICT (strategy, currency) DO UPDATE
        SET version = excluded.version, until = excluded.until, method = excluded.method,
            measured_at = excluded.measured_at, measures = excluded.measures
        """,
        {
            "until": until,
            "strategies": strategies,
            "currencies": currencies,
            "versions": numbers,
            "methods": methods,
            "measures": values,
        },
    )

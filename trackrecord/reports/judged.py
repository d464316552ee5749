"""The numbers of strategies: from their sums, and from daily returns that are measured or kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from trackrecord.performance.measure import FloatArray, Numbers
from trackrecord.performance.sums.days import DayTable
from trackrecord.performance.sums.many_series import FLAT_COLUMNS, Measured, series_numbers
from trackrecord.performance.sums.records import measured_of, periods_per_year
from trackrecord.performance.sums.sums import Sums, numbers_of_sums
from trackrecord.reports.daily_sums import read_days
from trackrecord.reports.kept_measures import Way
from trackrecord.reports.totals import Owner
from trackrecord.runtime.database import Cursor

Judged = dict[str, dict[str, Numbers]]
"""The numbers of each strategy, by currency."""


def measure(
    cursor: Cursor,
    days: str,
    parameters: Mapping[str, Any],
    owners: Sequence[Owner],
    until: date,
    ways: Mapping[Owner, Way],
) -> dict[Owner, FloatArray]:
    """Measure the daily returns of strategies; each row is of shape (FLAT_COLUMNS,).

    Args:
        cursor: In the snapshot that is reported on.
        days: SQL of rows of sums: owner, currency, day, and every sum.
        parameters: Of that SQL.
        owners: Whose.
        until: The last day that counts.
        ways: How each is measured.
    """
    if not owners:
        return {}
    return measured_rows(read_own_days(cursor, days, parameters, owners), owners, until, ways)


def read_own_days(
    cursor: Cursor, days: str, parameters: Mapping[str, Any], owners: Sequence[Owner]
) -> DayTable:
    """The days of some strategies; arguments as of :func:`measure`."""
    named = list(dict.fromkeys(name for name, _ in owners))
    # They are found by the key, unless it is nearly all of them.
    own = f"SELECT * FROM ({days}) AS days WHERE owner = ANY(%(measured)s)"
    return read_days(cursor, own, {**parameters, "measured": named}, owners)


def measured_rows(
    table: DayTable, owners: Sequence[Owner], until: date, ways: Mapping[Owner, Way]
) -> dict[Owner, FloatArray]:
    """What :func:`measure` gives, of days that are read already."""
    measured = measured_of(
        table,
        len(owners),
        until,
        capital=[ways[owner].capital for owner in owners],
        sessions=[ways[owner].sessions for owner in owners],
    )
    return dict(zip(owners, measured.flat(), strict=True))


def judge(
    sums: Mapping[Owner, Sums],
    measures: Mapping[Owner, FloatArray],
    ways: Mapping[Owner, Way],
    trials: int,
) -> Judged:
    """The numbers of strategies.

    Args:
        sums: Of those that are asked for.
        measures: Of all on record, since what luck gives depends on all of them; as
            :func:`measure` gives them.
        ways: How each was measured.
        trials: How many strategies were tried in all; at least those on record.
    """
    owners = list(measures)
    series = series_numbers(
        Measured.of_flat(np.array(list(measures.values())).reshape(-1, FLAT_COLUMNS)),
        periods_per_year([ways[owner].sessions for owner in owners], len(owners)),
        trials=trials,
    )
    places = [place for place, owner in enumerate(owners) if owner in sums]
    judged: Judged = defaultdict(dict)
    for place, (values, reasons) in zip(places, series.rows(places), strict=True):
        owner, currency = owners[place]
        of_sums = numbers_of_sums(sums[owner, currency])
        judged[owner][currency] = Numbers(of_sums.values | values, of_sums.reasons | reasons)
    return judged

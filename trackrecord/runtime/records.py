"""Reading records: from the sums that the signal_tracker keeps to what a report shows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from trackrecord.performance.record import Sums
from trackrecord.performance.summary import record
from trackrecord.runtime import clock
from trackrecord.runtime.database import Connection, Cursor, connect, rows
from trackrecord.runtime.settings import Settings

By = Literal["strategy", "symbol", "day"]

_NAMES = tuple(Sums.__annotations__)
_COLUMNS = ", ".join(f"sum({name})" for name in _NAMES)

# What happened on the day that is cut, up to the instant of the cut: the same
# contributions that the sums hold, read from the signals and exits themselves.
_PART_OF_DAY = """
    SELECT {owner} AS owner, currency, {day} AS day, {sums} FROM (
        SELECT strategy, symbol, currency, emitted_at AS at, 1 AS signals,
               backdated::int AS backdated, 0 AS exits, 0 AS closed, 0 AS wins, 0 AS losses,
               0 AS breakevens, 0::numeric AS total_pnl, 0::numeric AS gross_profit,
               0::numeric AS gross_loss, 0::numeric AS realised_pnl, 0::numeric AS fees,
               0::numeric AS carry, 0::numeric AS sum_return
        FROM signals WHERE revision >= 0 AND emitted_at >= %(midnight)s AND emitted_at <= %(as_of)s
        UNION ALL
        SELECT s.strategy, s.symbol, s.currency, x.closed_at, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
               x.realised_pnl, x.fees, x.carry, 0
        FROM exits AS x JOIN signals AS s USING (signal_id)
        WHERE x.closed_quantity > 0 AND x.closed_at >= %(midnight)s AND x.closed_at <= %(as_of)s
        UNION ALL
        SELECT strategy, symbol, currency, closed_at, 0, 0, 0, 1, (outcome = 1)::int,
               (outcome = -1)::int, (outcome = 0)::int, realised_pnl,
               CASE outcome WHEN 1 THEN realised_pnl ELSE 0 END,
               CASE outcome WHEN -1 THEN realised_pnl ELSE 0 END, 0, 0, 0,
               coalesce("return", 0)
        FROM signals WHERE closed_at >= %(midnight)s AND closed_at <= %(as_of)s
    ) AS part GROUP BY 1, 2, 3
"""


@dataclass(frozen=True)
class Report:
    """Records as of an instant of event time.

    Attributes:
        as_of: Up to when; the time of asking where no instant was named.
        records: By owner (strategy or symbol); of ``by="day"``, by owner and day.
    """

    as_of: datetime
    records: dict[str, Any]


def read_report(
    settings: Settings,
    *,
    by: By = "strategy",
    strategy: str | None = None,
    as_of: datetime | None = None,
) -> Report:
    """Read records, in one snapshot of the database.

    Args:
        settings: Where the tables are.
        by: What a record is of.
        strategy: Only this one's (not for ``by="symbol"``).
        as_of: Event time; what was emitted or closed later does not count.

    Raises:
        PassingError: The database does not answer.
    """
    connection = connect(settings, application="trackrecord report")
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection, connection.cursor() as cursor:
            found = _sums(cursor, settings, by, strategy, as_of)
    finally:
        connection.close()
    records: dict[str, Any] = {}
    for owner, inner in sorted(found.items()):
        if by == "day":
            records[owner] = {
                day: record(by_currency) for day, by_currency in sorted(_by_day(inner).items())
            }
        else:
            records[owner] = record({currency: sums for (currency, _), sums in inner.items()})
    return Report(as_of or clock.now(), records)


def _sums(
    cursor: Cursor, settings: Settings, by: By, strategy: str | None, as_of: datetime | None
) -> dict[str, dict[tuple[str, str | None], Sums]]:
    owner = "symbol" if by == "symbol" else "strategy"
    table = f"{owner}_days"
    day = "day::text" if by == "day" else "NULL::text"
    parameters: dict[str, Any] = {"timezone": settings.day_timezone, "strategy": strategy}
    before, part = "", ""
    if as_of is not None:
        midnight = rows(
            cursor,
            "SELECT date_trunc('day', %s AT TIME ZONE %s) AT TIME ZONE %s",
            (as_of, settings.day_timezone, settings.day_timezone),
        )[0][0]
        parameters |= {"as_of": as_of, "midnight": midnight}
        before = "AND day < (%(as_of)s AT TIME ZONE %(timezone)s)::date"
        part = "UNION ALL" + _PART_OF_DAY.format(
            owner=owner,
            day="(at AT TIME ZONE %(timezone)s)::date::text" if by == "day" else "NULL::text",
            sums=", ".join(f"sum({name}) AS {name}" for name in _NAMES),
        )
    mine = "WHERE owner = %(strategy)s" if strategy is not None and owner == "strategy" else ""
    query = f"""
        SELECT owner, currency, day, {_COLUMNS} FROM (
            SELECT {owner} AS owner, currency, {day} AS day, {", ".join(_NAMES)}
            FROM {table} WHERE true {before} {part}
        ) AS days {mine} GROUP BY 1, 2, 3
        HAVING {" OR ".join(f"sum({name}) <> 0" for name in _NAMES)}
    """
    result: dict[str, dict[tuple[str, str | None], Sums]] = defaultdict(dict)
    for name, currency, day_text, *values in rows(cursor, query, parameters):
        pairs = zip(_NAMES, values, strict=True)
        result[name][currency, day_text] = Sums(
            **{key: type(getattr(Sums, key))(value) for key, value in pairs}
        )
    return result


def _by_day(inner: dict[tuple[str, str | None], Sums]) -> dict[str, dict[str, Sums]]:
    days: dict[str, dict[str, Sums]] = defaultdict(dict)
    for (currency, day), sums in inner.items():
        days[str(day)][currency] = sums
    return days


def read_signals(connection: Connection, strategy: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest signals with what became of them, money as ``Decimal``."""
    columns = (
        "signal_id", "strategy", "symbol", "side", "price", "quantity", "currency", "emitted_at",
        "backdated", "closed_quantity", "excess_quantity", "realised_pnl", "fees", "closed_at",
        '"return"', "outcome",
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        found = rows(
            cursor,
            f"SELECT {', '.join(columns)} FROM signals WHERE revision >= 0"
            " AND (%(strategy)s::text IS NULL OR strategy = %(strategy)s)"
            " ORDER BY emitted_at DESC, signal_id LIMIT %(limit)s",
            {"strategy": strategy, "limit": limit},
        )
    names = [name.strip('"') for name in columns]
    return [dict(zip(names, row, strict=True)) for row in found]

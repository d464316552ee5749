"""What records would hold if only what was said in time counted: ``report --verified``.

Of each signal and exit the last revision counts that the broker got within the tolerance of the
first. Whatever was first told later than its own time by more than the tolerance is left out: a
signal with its exits, or an exit. Most of a record is the same either way. So the sums that are
kept are taken, what the signals in question contribute is taken from them, and what they would
contribute is worked out anew by the rules of the tracker and added.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from trackrecord.performance.exact import exact
from trackrecord.performance.sums.sums import ACCOUNTS, Sums
from trackrecord.performance.sums.written import add
from trackrecord.reports.contributions import EXITS, contributions
from trackrecord.reports.totals import SUMMED
from trackrecord.runtime.database import Cursor, rows
from trackrecord.runtime.late_marks import MARKED
from trackrecord.runtime.settings import Settings
from trackrecord.tracking import Entry, Exit, Position, fold

Key = tuple[str, str, date]
"""Owner, currency and day."""


# What is in question: all that was told or corrected after the fact, and the signal it is of.
_IN_QUESTION: Final = """in_question AS MATERIALIZED (
    SELECT signal_id FROM signals WHERE backdated
    UNION SELECT signal_id FROM signals WHERE corrected_late
    UNION SELECT signal_id FROM exits WHERE backdated
    UNION SELECT signal_id FROM exits WHERE corrected_late
)"""
_AMONG_THEM: Final = "IN (SELECT signal_id FROM in_question)"

# The marks stay, as they say what was left out.
_MOVED: Final = tuple(name for name in SUMMED if name not in {"backdated", *MARKED})

_CONTRIBUTED: Final = f"""
    WITH {_IN_QUESTION}
    SELECT {{owner}}, currency, (at AT TIME ZONE %(timezone)s)::date AS day,
           {", ".join(f"sum({name})" for name in _MOVED)}
    FROM ({contributions(f"signal_id {_AMONG_THEM}", f"{EXITS} AND x.signal_id {_AMONG_THEM}")})
        AS contributed
    WHERE %(as_of)s::timestamptz IS NULL OR at <= %(as_of)s
    GROUP BY 1, 2, 3
"""

_SAID: Final = f"""
    WITH {_IN_QUESTION}, said AS (
        SELECT s.signal_id, s.first_appended_at, s.appended_at AS at,
               coalesce(r.strategy, s.strategy) AS strategy, coalesce(r.symbol, s.symbol) AS symbol,
               coalesce(r.currency, s.currency) AS currency, coalesce(r.side, s.side) AS side,
               coalesce(r.price, s.price) AS price, coalesce(r.quantity, s.quantity) AS quantity,
               coalesce(r.emitted_at, s.emitted_at) AS emitted_at,
               coalesce(r.entry, s.entry) AS entry,
               CASE WHEN r.signal_id IS NULL THEN s.account ELSE r.account END AS account,
               CASE WHEN r.signal_id IS NULL THEN s.fee ELSE r.fee END AS fee,
               CASE WHEN r.signal_id IS NULL THEN s.fee_rate ELSE r.fee_rate END AS fee_rate,
               CASE WHEN r.signal_id IS NULL THEN s.leverage ELSE r.leverage END AS leverage
        FROM signals AS s LEFT JOIN signal_revisions AS r
            ON r.signal_id = s.signal_id AND r.revision = s.said_revision
        WHERE s.revision >= 0 AND s.signal_id {_AMONG_THEM}
    ), in_time AS (
        SELECT * FROM said
        WHERE coalesce(first_appended_at, at) - emitted_at <= make_interval(secs => %(tolerance)s)
    ), exits_said AS (
        SELECT x.signal_id, x.exit_id, x.first_appended_at, x.appended_at AS at,
               coalesce(r.price, x.price) AS price, coalesce(r.closed_at, x.closed_at) AS closed_at,
               CASE WHEN r.signal_id IS NULL THEN x.quantity ELSE r.quantity END AS quantity,
               CASE WHEN r.signal_id IS NULL THEN x.fee ELSE r.fee END AS fee,
               CASE WHEN r.signal_id IS NULL THEN x.fee_rate ELSE r.fee_rate END AS fee_rate,
               CASE WHEN r.signal_id IS NULL THEN x.interest ELSE r.interest END AS interest,
               CASE WHEN r.signal_id IS NULL THEN x.funding ELSE r.funding END AS funding,
               CASE WHEN r.signal_id IS NULL THEN x.entry_price ELSE r.entry_price
               END AS entry_price
        FROM exits AS x LEFT JOIN exit_revisions AS r
            ON r.signal_id = x.signal_id AND r.exit_id = x.exit_id AND r.revision = x.said_revision
        WHERE x.signal_id IN (SELECT signal_id FROM in_time)
    )
    SELECT e.signal_id, e.strategy, e.symbol, e.currency, e.side, e.price, e.quantity, e.fee,
           e.fee_rate, e.leverage, e.emitted_at, e.entry, e.account,
           x.exit_id, x.price, x.closed_at, x.quantity, x.fee, x.fee_rate, x.interest, x.funding,
           x.entry_price
    FROM in_time AS e LEFT JOIN exits_said AS x
        ON x.signal_id = e.signal_id
       AND coalesce(x.first_appended_at, x.at) - x.closed_at <= make_interval(secs => %(tolerance)s)
    ORDER BY e.signal_id
"""


class _Signal(NamedTuple):
    """A signal as it was first said, and the exits that were told in time."""

    strategy: str
    symbol: str
    currency: str
    emitted_at: datetime
    account: str | None
    entry: Entry
    exits: tuple[Exit, ...]


def adjustments(
    cursor: Cursor, settings: Settings, owner: str, as_of: datetime | None
) -> list[dict[str, Any]]:
    """What has to be added to the sums on record, so that only what was said in time counts.

    Args:
        cursor: In the snapshot that is reported on.
        settings: What the tolerance is, and when a day ends.
        owner: ``strategy`` or ``symbol``.
        as_of: Event time; what was emitted or closed later does not count.

    Returns:
        A row for each owner, currency and day: their names, and every sum; many are below 0.
    """
    zone = ZoneInfo(settings.day_timezone)
    tolerance = timedelta(seconds=settings.backdated_after_seconds)
    changes: dict[Key, dict[str, Decimal | int]] = defaultdict(lambda: defaultdict(int))
    with exact():
        for key, name, value in _contributed(cursor, settings, owner, as_of):
            changes[key][name] -= value
        for said in _said(cursor, settings):
            position = fold(said.entry, said.exits, tolerance)
            for at, name, value in _contributions(said, position):
                if as_of is None or at <= as_of:
                    key = (getattr(said, owner), said.currency, at.astimezone(zone).date())
                    changes[key][name] += value
    return [
        {"owner": key[0], "currency": key[1], "day": key[2].isoformat()}
        | {name: str(values.get(name, 0)) for name in SUMMED}
        for key, values in sorted(changes.items())
        if any(values.values())
    ]


def adjusted(
    sums: Mapping[tuple[str, str], Sums], changes: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, str], Sums]:
    """Sums over all days with the adjustments added; those that came to nothing are left out.

    Args:
        sums: By owner and currency.
        changes: What :func:`adjustments` gives.
    """
    found = dict(sums)
    for row in changes:
        owner = (row["owner"], row["currency"])
        change = Sums(
            **{name: type(getattr(Sums, name))(row[name]) for name in Sums.__annotations__}
        )
        found[owner] = add(found.get(owner, Sums()), change)
    return {owner: found[owner] for owner in sorted(found) if any(vars(found[owner]).values())}


def with_adjustments(days: str) -> str:
    """SQL of rows of sums, with the adjustments of the parameter ``first_said`` beside them.

    Args:
        days: SQL of owner, currency, day and every sum.
    """
    columns = ", ".join(f"{name} numeric" for name in SUMMED)
    named = ", ".join(SUMMED)
    return f"""
        SELECT owner, currency, day, {named} FROM ({days}) AS kept
        UNION ALL
        SELECT owner, currency, day, {named}
        FROM jsonb_to_recordset(%(first_said)s::jsonb)
            AS f(owner text COLLATE "C", currency text COLLATE "C", day date, {columns})
    """


def as_parameter(adjusted: list[dict[str, Any]]) -> str:
    """Adjustments as the parameter of :func:`with_adjustments`."""
    return json.dumps(adjusted)


def _contributed(
    cursor: Cursor, settings: Settings, owner: str, as_of: datetime | None
) -> Iterator[tuple[Key, str, Any]]:
    """What the signals in question contribute to the sums on record."""
    query = _CONTRIBUTED.format(owner=owner)
    found = rows(cursor, query, {"timezone": settings.day_timezone, "as_of": as_of})
    for name, currency, day, *values in found:
        for summed, value in zip(_MOVED, values, strict=True):
            yield (name, currency, day), summed, value


def _said(cursor: Cursor, settings: Settings) -> Iterator[_Signal]:
    found = rows(cursor, _SAID, {"tolerance": settings.backdated_after_seconds})
    for _, several in groupby(found, key=lambda row: row[0]):
        lines = list(several)
        (_, strategy, symbol, currency, side, price, quantity, fee, fee_rate, leverage, emitted_at,
         entry, account, *_) = lines[0]  # fmt: skip
        yield _Signal(
            strategy,
            symbol,
            currency,
            emitted_at,
            account,
            Entry(side, price, quantity, fee, fee_rate, leverage, emitted_at, entry == "next_open"),
            tuple(Exit(*line[13:]) for line in lines if line[13] is not None),
        )


def _contributions(said: _Signal, position: Position) -> Iterator[tuple[datetime, str, Any]]:
    """What a signal adds to sums, and when."""
    yield said.emitted_at, "signals", 1
    if said.account is not None:
        yield said.emitted_at, ACCOUNTS[said.account], 1
    for one in position.exits:
        if one.quantity:
            yield one.closed_at, "exits", 1
            yield one.closed_at, "realised_pnl", one.pnl
            yield one.closed_at, "fees", one.fees
            yield one.closed_at, "carry", one.carry
    at, pnl = position.closed_at, position.realised_pnl
    if at is None:
        return
    yield at, "closed", 1
    yield (
        at,
        {"win": "wins", "loss": "losses", "breakeven": "breakevens"}[position.outcome or ""],
        1,
    )
    yield at, "without_return", int(position.return_ is None)
    yield at, "total_pnl", pnl
    yield at, "sum_return", position.return_ or Decimal(0)
    yield at, "pnl_squares", pnl * pnl
    if position.outcome != "breakeven":
        yield at, "gross_profit" if position.outcome == "win" else "gross_loss", pnl

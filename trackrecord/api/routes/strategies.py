"""Strategies: what they came to, by day, against one another."""

from __future__ import annotations

from datetime import date
from itertools import islice
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from trackrecord.api.answers import answer, unchanged, version_of
from trackrecord.api.cursors import decimal_of
from trackrecord.api.parts import parts_of
from trackrecord.api.problems import not_found
from trackrecord.api.routes.asking import (
    VERSION_ONE,
    Asked,
    Currency,
    Day,
    Limit,
    Paged,
    PathName,
    Text,
)
from trackrecord.api.shapes import Comparison, Days, Leaderboard, Months, Strategies, Strategy
from trackrecord.api.standing import standing_of, with_standing
from trackrecord.api.who import Who
from trackrecord.performance.sums.written import add, record
from trackrecord.reports.pictures import drawn_at, read_lines, read_pictures
from trackrecord.reports.series import read_series, read_spans, read_sums, read_thinned_lines
from trackrecord.runtime.database import Cursor

router = APIRouter(prefix=VERSION_ONE, tags=["strategies"])

_MOST_COMPARED = 8
_POINTS = 250
"""Of each line of a comparison: what a screen can show; `/days` has all of them."""


class _Listed(Paged):
    sort: Literal[
        "strategy", "signals", "closed", "open", "wins", "win_rate", "total_pnl", "average_pnl",
        "realised_pnl", "fees", "profit_factor", "average_return",
    ] = "total_pnl"  # fmt: skip
    """By what."""
    order: Literal["asc", "desc"] | None = None
    """By default the largest first, and names from A to Z; what has no such number comes last."""
    currency: Currency | None = None
    """Only in this one."""
    line: bool = False
    """Whether each comes with its cumulative PnL as a line of at most 60 points."""


class _Between(Asked):
    from_: Annotated[Day | None, Field(alias="from")] = None
    """The first day."""
    to: Day | None = None
    """The last day, included."""


Account = Literal["live", "paper", "imported", "backtest", "mixed", "unknown"]
_ACCOUNTS: tuple[str, ...] = get_args(Account)
"""In the order in which a leaderboard shows them."""


class _Ranked(Asked):
    by: Literal[
        "deflated_sharpe_ratio", "probabilistic_sharpe_ratio", "sharpe", "sortino", "win_rate",
        "profit_factor", "average_return", "sqn", "closed",
    ] = "deflated_sharpe_ratio"  # fmt: skip
    """By which number."""
    currency: Currency | None = None
    """Only in this one."""
    account: Account | None = None
    """Only of this kind of account; `mixed` have signals of several, `unknown` name none."""
    limit: Limit = 50
    """How many rows of each kind of account."""


class _Compared(Asked):
    s: Annotated[list[Text], Field(min_length=1, max_length=_MOST_COMPARED)]
    """A strategy; once for each."""


@router.get("/strategies", response_model=Strategies, operation_id="list_strategies")
def list_strategies(request: Request, who: Who, asked: Annotated[_Listed, Query()]) -> Response:
    """All strategies, each in each of its currencies, with what their sums say."""
    parts = parts_of(request)
    descending = asked.order == "desc" or (asked.order is None and asked.sort != "strategy")
    after = None
    if asked.cursor is not None:
        key, name, currency = parts.cursors.of(who.whose).read(
            "strategies", asked.filters(), asked.cursor, 3
        )
        after = (decimal_of(key), name, currency)
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        version = parts.reading.version(cursor, "signals", view=who.view)
        if asked.line:
            version = version_of(version, drawn_at(cursor))
        if same := unchanged(request, version):
            return same
        found = parts.reading.strategies(
            cursor,
            order=asked.sort,
            descending=descending,
            currency=asked.currency,
            after=after,
            limit=asked.limit + 1,
            hidden=who.hidden,
        )
        records = with_standing(cursor, who, [each for _, each in found[: asked.limit]])
        if asked.line:
            _draw(cursor, records)
    following = None
    if len(found) > asked.limit:
        keys, _ = found[asked.limit - 1]
        following = parts.cursors.of(who.whose).written("strategies", asked.filters(), keys)
    return answer({"strategies": records, "next": following}, as_of=as_of, version=version)


@router.get("/strategies/{name}", response_model=Strategy, operation_id="show_strategy")
def show_strategy(
    request: Request, who: Who, name: PathName, asked: Annotated[Asked, Query()]
) -> Response:
    """One strategy: its sums as they stand, and the numbers of its daily returns."""
    del asked
    parts = parts_of(request)
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        totals = parts.reading.totals(cursor, [name], who.hidden).get(name)
        standing = standing_of(cursor, who, name)
        moved = parts.reading.version(cursor, "signals", view=who.view)
    if totals is None:
        raise not_found(f"there is no strategy {name!r} on record")
    judged = parts.reading.judged(who.hidden, who.view)
    version = version_of(moved, judged.version)
    if same := unchanged(request, version):
        return same
    content = {
        "strategy": name,
        "standing": standing,
        "totals": record(totals),
        "judged": judged.records.get(name) or record(totals),
        "judged_as_of": judged.as_of,
    }
    return answer(content, as_of=as_of, version=version)


@router.get("/strategies/{name}/days", response_model=Days, operation_id="show_days")
def show_days(
    request: Request, who: Who, name: PathName, asked: Annotated[_Between, Query()]
) -> Response:
    """One strategy by day: the days on which something happened, oldest first."""
    parts = parts_of(request)
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        version = parts.reading.version(cursor, "signals", view=who.view)
        if name not in read_spans(cursor, [name], who.hidden):
            raise not_found(f"there is no strategy {name!r} on record")
        if same := unchanged(request, version):
            return same
        days = read_series(cursor, name, asked.from_, asked.to)
    content = {"strategy": name, "day_timezone": parts.settings.day_timezone, "days": days}
    return answer(content, as_of=as_of, version=version)


@router.get("/strategies/{name}/months", response_model=Months, operation_id="show_months")
def show_months(
    request: Request, who: Who, name: PathName, asked: Annotated[Asked, Query()]
) -> Response:
    """One strategy by month, and its cumulative PnL as a line of at most 60 points.

    They are worked out beside the requests, with the numbers of daily returns.
    """
    del asked
    parts = parts_of(request)
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        if name not in read_spans(cursor, [name], who.hidden):
            raise not_found(f"there is no strategy {name!r} on record")
        pictures = read_pictures(cursor, [name]).get(name, [])
    version = version_of(*(each.as_of for each in pictures), who.view)
    if same := unchanged(request, version):
        return same
    content = {
        "strategy": name,
        "day_timezone": parts.settings.day_timezone,
        "currencies": [
            {
                "currency": each.currency,
                "judged_as_of": each.as_of,
                "months": each.months,
                "line": each.line,
            }
            for each in pictures
        ],
    }
    return answer(content, as_of=as_of, version=version)


@router.get("/leaderboard", response_model=Leaderboard, operation_id="leaderboard")
def leaderboard(request: Request, who: Who, asked: Annotated[_Ranked, Query()]) -> Response:
    """Strategies by one number, the best first; those without it are left out.

    Kinds of account are ranked apart, one after another: each begins with rank 1.
    """
    parts = parts_of(request)
    as_of = parts.clock.now()
    judged = parts.reading.judged(who.hidden, who.view)
    if same := unchanged(request, judged.version):
        return same
    rows = [
        {"strategy": name, **numbers}
        for name, found in judged.records.items()
        for numbers in _by_currency(found)
        if asked.currency in {None, numbers["currency"]}
        and asked.account in {None, numbers["account"]}
        and numbers.get(asked.by) is not None
    ]
    rows.sort(key=lambda row: (-row[asked.by], row["strategy"], row["currency"]))
    shown = [
        row | {"rank": place}
        for kind in _ACCOUNTS
        for place, row in enumerate(
            islice((row for row in rows if row["account"] == kind), asked.limit), 1
        )
    ]
    with parts.pool.reading() as cursor:
        ranked = with_standing(cursor, who, shown)
    content = {
        "by": asked.by,
        "judged_as_of": judged.as_of,
        "strategies": ranked,
    }
    return answer(content, as_of=as_of, version=judged.version)


@router.get("/compare", response_model=Comparison, operation_id="compare")
def compare(request: Request, who: Who, asked: Annotated[_Compared, Query()]) -> Response:
    """Up to eight strategies over the days that all of them have, with lines to draw."""
    parts = parts_of(request)
    names = list(dict.fromkeys(asked.s))
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        version = parts.reading.version(cursor, "signals", view=who.view)
        spans = read_spans(cursor, names, who.hidden)
        if missing := [name for name in names if name not in spans]:
            raise not_found(f"there is no strategy {', '.join(map(repr, missing))} on record")
        if same := unchanged(request, version):
            return same
        since = max(first for first, _, _ in spans.values())
        until = min(last for _, last, _ in spans.values())
        compared, together, why_not = _over(cursor, names, since, until)
        compared = with_standing(cursor, who, compared)
    content = {
        "since": since if since <= until else None,
        "until": until if since <= until else None,
        "strategies": compared,
        "together": together,
        "why_not_summed": why_not,
    }
    return answer(content, as_of=as_of, version=version)


def _over(
    cursor: Cursor, names: list[str], since: date, until: date
) -> tuple[list[dict[str, Any]], dict[str, Any] | None, str | None]:
    """Each strategy over the common days, all of them summed, or why they are not."""
    if since > until:
        none: list[dict[str, Any]] = [
            {"strategy": name, "record": None, "lines": []} for name in names
        ]
        return none, None, "they have no day in common"
    sums = {name: read_sums(cursor, name, since, until) for name in names}
    lines = read_thinned_lines(cursor, names, since, until, _POINTS)
    compared = [
        {
            "strategy": name,
            "record": record(sums[name]) if sums[name] else None,
            "lines": lines[name],
        }
        for name in names
    ]
    currencies = sorted({currency for each in sums.values() for currency in each})
    if len(currencies) != 1:
        return compared, None, f"their money is in different currencies: {', '.join(currencies)}"
    every = [each[currencies[0]] for each in sums.values() if each]
    total = every[0]
    for further in every[1:]:
        total = add(total, further)
    return compared, record({currencies[0]: total}), None


def _draw(cursor: Cursor, records: list[dict[str, Any]]) -> None:
    """Put the line of each record into it."""
    lines = read_lines(cursor, [row["strategy"] for row in records])
    for row in records:
        row["line"] = lines.get((row["strategy"], row["currency"]))


def _by_currency(found: dict[str, Any]) -> list[dict[str, Any]]:
    if "currency" in found:
        return [found]
    return [{"currency": name, **numbers} for name, numbers in found["currencies"].items()]

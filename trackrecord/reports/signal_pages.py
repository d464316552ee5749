"""Reading signals by pages, newest first, each page from where the last one ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.reports.hidden import NOTHING, Hidden, as_parameter, visible
from trackrecord.runtime.database import Cursor, rows

Outcome = Literal["open", "win", "loss", "breakeven"]

OUTCOMES: Final[Mapping[int, Outcome]] = {1: "win", -1: "loss", 0: "breakeven"}
"""What a closed signal came to, by how it is stored; null is open."""

COLUMNS: Final = (
    "signal_id", "strategy", "symbol", "side", "price", "entry_price", "quantity",
    "currency", "emitted_at", "timeframe", "target_price", "stop_loss", "confidence",
    "model_version", "source", "account", "backdated", "corrected_late", "exits_before_entry",
    "exits_backdated", "exits_corrected_late", "closed_quantity", "excess_quantity",
    "realised_pnl", "fees", "closed_at", "return", "outcome",
)  # fmt: skip
"""What a page tells of each signal, under the names of the view ``positions``."""

_MERGED: Final = 2_000
"""Strategies up to which the newest of all signals are found from the newest of each: a look into
an index for each of them. Where there are more, the index by blocks of time is asked, which must
look at all that came lately."""
_FIRST_DAYS: Final = 1
_WIDER: Final = 4
_MOST_DAYS: Final = 16_384


@dataclass(frozen=True)
class SignalFilter:
    """Which signals; what is None does not matter.

    Attributes:
        strategy: Whose.
        symbol: Of which instrument.
        side: BUY or SELL.
        outcome: What became of it.
        since: Emitted then or later.
        until: Emitted before.
        hidden: Strategies whose signals are left out.
    """

    strategy: str | None = None
    symbol: str | None = None
    side: str | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None
    hidden: Hidden = NOTHING

    @property
    def is_of_all(self) -> bool:
        """Whether all signals of a time are wanted, but for those of strategies left out."""
        return all(each is None for each in (self.strategy, self.symbol, self.side, self.outcome))

    def condition(self) -> tuple[str, dict[str, Any]]:
        """SQL over ``signals AS s``, and its parameters."""
        wanted = ["s.revision >= 0"]
        named: dict[str, Any] = {
            "strategy": self.strategy,
            "symbol": self.symbol,
            "side": self.side,
            "since": self.since,
            "until": self.until,
        }
        equal = [name for name in ("strategy", "symbol", "side") if named[name] is not None]
        wanted += [f"s.{name} = %({name})s" for name in equal]
        if self.hidden:
            wanted.append(visible("s.strategy"))
            named["hidden"] = as_parameter(self.hidden)
        if self.since is not None:
            wanted.append("s.emitted_at >= %(since)s")
        if self.until is not None:
            wanted.append("s.emitted_at < %(until)s")
        if self.outcome is not None:
            closing = "SELECT FROM exits AS x WHERE x.signal_id = s.signal_id AND x.outcome"
            number = {name: stored for stored, name in OUTCOMES.items()}.get(self.outcome)
            if number is None:
                wanted.append(f"NOT EXISTS ({closing} IS NOT NULL)")
            else:
                wanted.append(f"EXISTS ({closing} = %(number)s)")
                named["number"] = number
        return " AND ".join(wanted), named


def read_page(
    cursor: Cursor,
    which: SignalFilter,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """One page of signals, the newest first, money as ``Decimal``.

    Args:
        cursor: Inside a transaction.
        which: Which signals.
        after: Time and id of the last signal of the page before; None for the first page.
        limit: How many at most.

    Returns:
        By the names of :data:`COLUMNS`, the outcome as a word (None: open).
    """
    condition, parameters = which.condition()
    if after is not None:
        condition += " AND (s.emitted_at, s.signal_id) < (%(after_at)s, %(after_id)s)"
        parameters |= {"after_at": after[0], "after_id": after[1]}
    parameters["limit"] = limit
    if which.is_of_all and _strategies(cursor) <= _MERGED:
        return [as_record(row) for row in rows(cursor, _merged(which, condition), parameters)]
    found: list[tuple[Any, ...]] = []
    for lower in _lower_bounds(cursor, which, after):
        bounded = condition if lower is None else f"{condition} AND s.emitted_at >= %(lower)s"
        found = rows(cursor, _page(bounded), parameters | {"lower": lower})
        if len(found) == limit:
            break
    return [as_record(row) for row in found]


def as_record(row: tuple[Any, ...]) -> dict[str, Any]:
    """A row of :data:`COLUMNS` by name, its outcome as a word."""
    record = dict(zip(COLUMNS, row, strict=True))
    record["outcome"] = OUTCOMES.get(record["outcome"])
    return record


def selected(names: tuple[str, ...] = COLUMNS) -> str:
    """Columns as SQL lists them."""
    return ", ".join(f'"{name}"' for name in names)


def _page(condition: str) -> str:
    return (
        f"SELECT {selected()} FROM positions WHERE signal_id IN ("
        f"SELECT signal_id FROM signals AS s WHERE {condition}"
        " ORDER BY s.emitted_at DESC, s.signal_id DESC LIMIT %(limit)s)"
        " ORDER BY emitted_at DESC, signal_id DESC"
    )


def _strategies(cursor: Cursor) -> int:
    """How many strategies are on record, up to one more than :data:`_MERGED`."""
    ((found,),) = rows(
        cursor,
        "SELECT count(*) FROM (SELECT DISTINCT strategy FROM strategy_totals LIMIT %s) AS known",
        (_MERGED + 1,),
    )
    return int(found)


def _merged(which: SignalFilter, condition: str) -> str:
    """SQL of the newest signals of all, found by the index that each strategy's have.

    A signal that is among the newest of all is of a strategy whose own newest one is among the
    newest of those.
    """
    known = "SELECT DISTINCT strategy FROM strategy_totals"
    if which.hidden:
        known += f" WHERE {visible('strategy')}"
    order = "ORDER BY emitted_at DESC, signal_id DESC"

    def newest(most: str) -> str:
        return (
            "SELECT s.strategy, s.emitted_at, s.signal_id FROM signals AS s"
            f" WHERE s.strategy = known.strategy AND {condition} {order} LIMIT {most}"
        )

    latest = f"SELECT newest.* FROM ({known}) AS known CROSS JOIN LATERAL ({newest('1')}) AS newest"
    return (
        f"SELECT {selected()} FROM positions WHERE signal_id IN ("
        f"SELECT found.signal_id FROM ({latest} {order} LIMIT %(limit)s) AS known"
        f" CROSS JOIN LATERAL ({newest('%(limit)s')}) AS found"
        " ORDER BY found.emitted_at DESC, found.signal_id DESC LIMIT %(limit)s)"
        f" {order}"
    )


def _lower_bounds(
    cursor: Cursor, which: SignalFilter, after: tuple[datetime, str] | None
) -> Iterator[datetime | None]:
    """From when on to look, a longer time with each step, and at last without a bound.

    Of all signals there is no index that holds them in order, and the one by blocks of time
    finds a day among years in milliseconds; those of one strategy have an index of their own.
    """
    if which.strategy is None:
        before = min((each for each in (which.until, after and after[0]) if each), default=None)
        now = SYSTEM_CLOCK.now()
        yield from _back(min(now, before) if before else now, which.since, _FIRST_DAYS)
        # Where nothing has been said for long, what was said last is found first.
        if newest := _newest(cursor, before):
            yield from _back(newest, which.since, _MOST_DAYS)
    yield None


def _back(end: datetime, since: datetime | None, most_days: int) -> Iterator[datetime]:
    """Times before an end, each further back, as long as they are after ``since``."""
    days = _FIRST_DAYS
    while days <= most_days:
        try:
            lower = end - timedelta(days=days)
        except OverflowError:
            return
        if since is not None and lower <= since:
            return
        yield lower
        days *= _WIDER


def _newest(cursor: Cursor, before: datetime | None) -> datetime | None:
    """When the newest signal before some time was emitted: a look into an index a strategy."""
    ((found,),) = rows(
        cursor,
        """
        SELECT max(newest.emitted_at)
        FROM (SELECT DISTINCT strategy FROM strategy_totals) AS known
        CROSS JOIN LATERAL (
            SELECT emitted_at FROM signals
            WHERE strategy = known.strategy AND emitted_at < coalesce(%s, 'infinity'::timestamptz)
            ORDER BY emitted_at DESC LIMIT 1
        ) AS newest
        """,
        (before,),
    )
    return found  # type: ignore[no-any-return]  # rows are of any type

"""Reading records: from the sums that the signal_tracker keeps to what a report shows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from trackrecord.clock import SYSTEM_CLOCK
from trackrecord.performance.sums.sums import Sums
from trackrecord.performance.sums.written import record, written
from trackrecord.reports.contributions import EXITS, contributions
from trackrecord.reports.first_said import (
    adjusted,
    adjustments,
    as_parameter,
    with_adjustments,
)
from trackrecord.reports.irregularities import Irregularities, read_irregularities
from trackrecord.reports.judged import Judged, judge, measure
from trackrecord.reports.kept_measures import read_kept, read_outdated
from trackrecord.reports.kept_measures import ways as ways_of
from trackrecord.reports.totals import SUMMED, Owner, read_totals, read_versions, sums_of
from trackrecord.runtime.database import Cursor, rows, session
from trackrecord.runtime.late_marks import MARKED, marks
from trackrecord.runtime.settings import Settings

By = Literal["strategy", "symbol", "day"]

_COLUMNS = ", ".join(f"sum({name})" for name in SUMMED)

# What happened on the day that is cut, up to the instant of the cut: the same
# contributions that the sums hold, read from the signals and exits themselves. An exit
# counts no sooner than its entry, so one of an earlier day may belong to this one.
_PART_OF_DAY = """
    SELECT {owner} AS owner, currency, (at AT TIME ZONE %(timezone)s)::date AS day, {sums} FROM (
        SELECT *, 0 AS exits_backdated, 0 AS corrected_late, 0 AS moved_in_late
        FROM ({contributions}) AS contributed WHERE at <= %(as_of)s
        UNION ALL
        SELECT strategy, symbol, currency, at, {nothing},
               exits_backdated, corrected_late, moved_in_late
        FROM ({marks}) AS marks WHERE at >= %(midnight)s AND at <= %(as_of)s
    ) AS part GROUP BY 1, 2, 3
"""
_OF_DAY = contributions(
    "emitted_at >= %(midnight)s AND emitted_at <= %(as_of)s",
    f"{EXITS} AND x.closed_at >= %(midnight)s AND x.closed_at <= %(as_of)s"
    f" UNION ALL {EXITS} AND x.closed_at < %(midnight)s AND s.emitted_at >= %(midnight)s",
)
_LATE_EXITS = """(
    SELECT * FROM exits WHERE (backdated OR corrected_late) AND closed_at >= %(midnight)s
    UNION ALL
    SELECT x.* FROM exits AS x JOIN signals AS s USING (signal_id)
    WHERE (x.backdated OR x.corrected_late) AND x.closed_at < %(midnight)s
      AND s.emitted_at >= %(midnight)s
)"""


@dataclass(frozen=True)
class Report:
    """Records as of an instant of event time.

    Attributes:
        as_of: Up to when; the time of asking where no instant was named.
        records: By owner (strategy or symbol); of ``by="day"``, by owner and day. A strategy's
            also says how many of its signals and exits look wrong, if any do.
        irregularities: What looks wrong on record.
        beside: Where ``records`` are of what was said in time: the ordinary ones, by owner.
        judged_as_of: Up to when all numbers of daily returns are known; earlier than ``as_of``
            only where outdated ones were asked for.
    """

    as_of: datetime
    records: dict[str, Any]
    irregularities: Irregularities
    beside: dict[str, Any] | None = None
    judged_as_of: datetime | None = None


def read_report(
    settings: Settings,
    *,
    by: By = "strategy",
    strategy: str | None = None,
    as_of: datetime | None = None,
    trials: int | None = None,
    verified: bool = False,
    outdated: bool = False,
) -> Report:
    """Read records, in one snapshot of the database.

    Records of strategies also hold the numbers of daily returns; sessions end with the day
    of ``as_of``.

    Args:
        settings: Where the tables are, and what is known of the strategies.
        by: What a record is of.
        strategy: Only this one's (not for ``by="symbol"``).
        as_of: Event time; what was emitted or closed later does not count.
        trials: How many strategies were tried in all; by default what the settings say,
            and at least those on record.
        verified: Count only what was said in time (see :mod:`trackrecord.reports.first_said`),
            and give the ordinary records beside.
        outdated: Of strategies that have moved since, give the numbers of daily returns that are
            kept, rather than measure them.

    Raises:
        PassingError: The database does not answer.
    """
    instant = as_of or SYSTEM_CLOCK.now()
    with session(settings, application="trackrecord report", snapshot=True) as cursor:
        days, parameters = _days(cursor, settings, by, as_of)
        irregular = read_irregularities(cursor, as_of, strategy)
        owner = "symbol" if by == "symbol" else "strategy"
        measured: list[datetime] = []
        changes = adjustments(cursor, settings, owner, as_of) if verified else []
        if by == "strategy":
            reader = _Strategies(
                cursor, settings, instant, trials, as_of is None, outdated, measured
            )

            def read(changes: list[dict[str, Any]]) -> dict[str, Any]:
                judged = reader.judged(days, parameters, changes, strategy)
                return {
                    name: written(numbers) | irregular.of(name) for name, numbers in judged.items()
                }

        else:

            def read(changes: list[dict[str, Any]]) -> dict[str, Any]:
                changed, also = _changed(days, parameters, changes)
                return _summed(by, _sums(cursor, by, changed, also, strategy))

        records = read([])
        if not verified:
            return Report(instant, records, irregular, judged_as_of=min([instant, *measured]))
        return Report(instant, read(changes), irregular, records)


def _changed(
    days: str, parameters: dict[str, Any], changes: list[dict[str, Any]]
) -> tuple[str, dict[str, Any]]:
    """Rows of sums with adjustments beside them, and the parameters."""
    if not changes:
        return days, parameters
    return with_adjustments(days), parameters | {"first_said": as_parameter(changes)}


def _summed(by: By, found: dict[str, dict[tuple[str, str | None], Sums]]) -> dict[str, Any]:
    """Records from sums alone: of symbols, and of each day of a strategy."""
    if by == "day":
        return {
            owner: {day: record(parts) for day, parts in sorted(_by_day(inner).items())}
            for owner, inner in sorted(found.items())
        }
    return {
        owner: record({currency: sums for (currency, _), sums in inner.items()})
        for owner, inner in sorted(found.items())
    }


def read_names(settings: Settings) -> list[str]:
    """The strategies on record, in the order of the alphabet.

    Raises:
        PassingError: The database does not answer.
    """
    with session(settings, application="trackrecord report") as cursor:
        found = rows(
            cursor,
            "SELECT strategy FROM strategy_totals GROUP BY 1 HAVING sum(signals) > 0 ORDER BY 1",
        )
    return [name for (name,) in found]


@dataclass(frozen=True)
class _Strategies:
    """Reads the numbers of strategies, in one snapshot."""

    cursor: Cursor
    settings: Settings
    instant: datetime
    trials: int | None
    now: bool
    """Whether all that is on record counts: then totals and measures are kept."""
    outdated: bool
    """Whether measures are taken as they are kept, though a strategy has moved since."""
    measured_at: list[datetime]
    """When those were measured that were taken so: filled by reading."""

    def judged(
        self,
        days: str,
        parameters: dict[str, Any],
        changes: list[dict[str, Any]],
        strategy: str | None,
    ) -> Judged:
        """The numbers of one strategy or of all, from rows of sums and adjustments to them."""
        until = self.instant.astimezone(ZoneInfo(self.settings.day_timezone)).date()
        versions = read_versions(self.cursor) if self.now else {}
        if self.now and not changes:
            owners = list(versions)
            totals = read_totals(self.cursor, strategy)
            sums = {owner: total.sums for owner, total in totals.items()}
        else:
            sums = self._all_sums(days, parameters, changes)
            owners = list(sums)
            sums = {owner: sums[owner] for owner in owners if strategy in {None, owner[0]}}
        ways = ways_of(self.settings, owners)
        moved = {(row["owner"], row["currency"]) for row in changes}
        holding = {owner: versions[owner] for owner in owners if owner in versions.keys() - moved}
        kept = read_kept(self.cursor, holding, until, ways) if holding else {}
        stale = [owner for owner in owners if owner not in kept]
        if self.outdated and stale:
            found = read_outdated(self.cursor, stale, ways)
            kept |= {owner: each.measures for owner, each in found.items()}
            self.measured_at.extend(each.measured_at for each in found.values())
            stale = [owner for owner in stale if owner not in found]
        kept |= measure(self.cursor, *_changed(days, parameters, changes), stale, until, ways)
        trials = self.settings.trials if self.trials is None else self.trials
        # In one order, whichever were kept: a spread of numbers is added up in it.
        return judge(sums, {owner: kept[owner] for owner in owners}, ways, trials)

    def _all_sums(
        self, days: str, parameters: dict[str, Any], changes: list[dict[str, Any]]
    ) -> dict[Owner, Sums]:
        """Sums that are not kept as they are asked for: as of an instant, or with adjustments."""
        if self.now:
            totals = read_totals(self.cursor)
            return adjusted({owner: total.sums for owner, total in totals.items()}, changes)
        found = _sums(self.cursor, "strategy", *_changed(days, parameters, changes), None)
        return {
            (name, currency): found[name][currency, None]
            for name in sorted(found)
            for currency, _ in sorted(found[name], key=lambda key: key[0])
        }


def _days(
    cursor: Cursor, settings: Settings, by: By, as_of: datetime | None
) -> tuple[str, dict[str, Any]]:
    """A SELECT of the rows of sums that count, and its parameters."""
    owner = "symbol" if by == "symbol" else "strategy"
    parameters: dict[str, Any] = {"timezone": settings.day_timezone}
    before, part = "", ""
    if as_of is not None:
        midnight = rows(
            cursor,
            "SELECT date_trunc('day', %s AT TIME ZONE %s) AT TIME ZONE %s",
            (as_of, settings.day_timezone, settings.day_timezone),
        )[0][0]
        parameters |= {"as_of": as_of, "midnight": midnight}
        before = "WHERE day < (%(as_of)s AT TIME ZONE %(timezone)s)::date"
        part = "UNION ALL" + _PART_OF_DAY.format(
            owner=owner,
            sums=", ".join(f"sum({name}) AS {name}" for name in SUMMED),
            nothing=", ".join("0" for name in SUMMED if name not in MARKED),
            contributions=_OF_DAY,
            marks=marks("signals", _LATE_EXITS),
        )
    days = f"""
        SELECT {owner} AS owner, currency, day, {", ".join(SUMMED)}
        FROM {owner}_days {before} {part}
    """
    return days, parameters


def _sums(
    cursor: Cursor, by: By, days: str, parameters: dict[str, Any], strategy: str | None
) -> dict[str, dict[tuple[str, str | None], Sums]]:
    """Sums by owner, and by currency and day (None unless ``by="day"``)."""
    query = f"""
        SELECT owner, currency, {"day::text" if by == "day" else "NULL::text"}, {_COLUMNS}
        FROM ({days}) AS days {"" if strategy is None else "WHERE owner = %(strategy)s"}
        GROUP BY 1, 2, 3
        HAVING {" OR ".join(f"sum({name}) <> 0" for name in SUMMED)}
    """
    result: dict[str, dict[tuple[str, str | None], Sums]] = defaultdict(dict)
    for name, currency, day, *values in rows(cursor, query, parameters | {"strategy": strategy}):
        result[name][currency, day] = sums_of(values)
    return result


def _by_day(inner: dict[tuple[str, str | None], Sums]) -> dict[str, dict[str, Sums]]:
    days: dict[str, dict[str, Sums]] = defaultdict(dict)
    for (currency, day), sums in inner.items():
        days[str(day)][currency] = sums
    return days


def read_signals(settings: Settings, strategy: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest signals with what became of them, money as ``Decimal``.

    Raises:
        PassingError: The database does not answer.
    """
    columns = (
        "signal_id", "strategy", "symbol", "side", "price", "entry_price", "quantity",
        "currency", "emitted_at", "account", "backdated", "corrected_late", "exits_before_entry",
        "exits_backdated", "exits_corrected_late", "closed_quantity",
        "excess_quantity", "realised_pnl", "fees", "closed_at", '"return"', "outcome",
    )  # fmt: skip
    with session(settings, application="trackrecord report") as cursor:
        found = rows(
            cursor,
            f"SELECT {', '.join(columns)} FROM positions WHERE signal_id IN ("
            " SELECT signal_id FROM signals WHERE revision >= 0"
            " AND (%(strategy)s::text IS NULL OR strategy = %(strategy)s)"
            " ORDER BY emitted_at DESC, signal_id LIMIT %(limit)s)"
            " ORDER BY emitted_at DESC, signal_id",
            {"strategy": strategy, "limit": limit},
        )
    names = [name.strip('"') for name in columns]
    return [dict(zip(names, row, strict=True)) for row in found]

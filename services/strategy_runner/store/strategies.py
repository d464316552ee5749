"""Which strategies are active, as their owners have set it, and their suspension."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from psycopg2.extras import execute_values

from services.strategy_runner.rows import VersionKey
from trackrecord.runtime.database import Cursor, execute_planned, rows
from trackrecord.runtime.sql_times import micros


class Listed(NamedTuple):
    """A version of a strategy as far as it changes without becoming another version."""

    strategy_id: str
    version: int
    name: str
    """That its signals bear."""
    symbols: tuple[str, ...]
    """That it trades; ``*`` is all."""
    timeframe: str
    source: str | None
    quantity: Decimal
    currency: str
    parameters: str
    """JSON."""
    takes_over: bool
    activated_at: int
    """Microseconds since 1970 UTC."""
    is_active: bool
    """Whether it may enter: else it only leaves what it holds."""
    is_asked: bool
    """Whether it is asked at all: not while it is suspended."""

    @property
    def key(self) -> VersionKey:
        """Strategy and version."""
        return self.strategy_id, self.version


class Written(NamedTuple):
    """What a version is; it never changes."""

    code: str
    rule: Any
    """JSON, or None."""


_ACTIVE: Final = "s.status = 'active' AND s.deleted_at IS NULL AND s.suspended_at IS NULL"
_COLUMNS: Final = f"""
    s.strategy_id::text, v.version, s.record_name, s.symbols, s.timeframe, s.source, s.quantity,
    s.currency, s.parameters::text, s.takes_over, {micros("s.activated_at")},
    {_ACTIVE} AND s.version = v.version, s.suspended_at IS NULL
"""

_LIST: Final = f"""
SELECT {_COLUMNS}
FROM strategies AS s JOIN strategy_versions AS v
  ON v.strategy_id = s.strategy_id AND v.version = s.version
WHERE {_ACTIVE} AND s.timeframe = ANY(%(timeframes)s) AND v.is_valid
ORDER BY s.activated_at, s.strategy_id
"""

_OTHERS: Final = f"""
SELECT {_COLUMNS}
FROM unnest(%(ids)s::uuid[], %(versions)s::integer[]) AS asked (strategy_id, version)
JOIN strategy_versions AS v USING (strategy_id, version)
JOIN strategies AS s USING (strategy_id)
"""


def active(cursor: Cursor, timeframes: Sequence[str]) -> list[Listed]:
    """The strategies that are active on bars of some timeframes, as of this transaction."""
    execute_planned(cursor, _LIST, {"timeframes": list(timeframes)})
    return [_listed(row) for row in cursor.fetchall()]


def others(cursor: Cursor, keys: Sequence[VersionKey]) -> list[Listed]:
    """Versions that are not the active ones, and still hold something."""
    asked = {"ids": [key[0] for key in keys], "versions": [key[1] for key in keys]}
    return [_listed(row) for row in rows(cursor, _OTHERS, asked)]


def _listed(row: Sequence[Any]) -> Listed:
    return Listed(
        row[0], row[1], row[2], tuple(row[3]), row[4], row[5], row[6], row[7], row[8],
        row[9], row[10] or 0, row[11], row[12],
    )  # fmt: skip


def written(cursor: Cursor, keys: Sequence[VersionKey]) -> dict[VersionKey, Written]:
    """What versions are made of."""
    asked = {"ids": [key[0] for key in keys], "versions": [key[1] for key in keys]}
    found = rows(
        cursor,
        "SELECT v.strategy_id::text, v.version, v.code, v.rule"
        " FROM unnest(%(ids)s::uuid[], %(versions)s::integer[]) AS asked (strategy_id, version)"
        " JOIN strategy_versions AS v USING (strategy_id, version)",
        asked,
    )
    return {(strategy, version): Written(code, rule) for strategy, version, code, rule in found}


_SUSPEND: Final = """
UPDATE strategies AS s SET suspended_at = v.at::timestamptz, suspended_why = v.why
FROM (VALUES %s) AS v (strategy_id, why, at)
WHERE s.strategy_id = v.strategy_id::uuid AND s.suspended_at IS NULL
"""


def suspend(cursor: Cursor, reasons: Iterable[tuple[str, str]], now: datetime) -> None:
    """Ask strategies no more, until somebody resumes them."""
    values = sorted((strategy, why, now) for strategy, why in reasons)
    if values:
        execute_values(cursor, _SUSPEND, values)

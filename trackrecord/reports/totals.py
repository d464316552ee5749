"""Totals of strategies: the sums over all of their days, which the signal_tracker keeps too."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from trackrecord.performance.sums.sums import Sums
from trackrecord.runtime.database import Cursor, rows

SUMMED: Final = tuple(Sums.__annotations__)
"""The names of the sums, which are columns of ``strategy_totals``, too."""

_READ_AS: Final = tuple(type(getattr(Sums, name)) for name in SUMMED)

READ: Final = {
    name: f"{name}::bigint" if kind is int else name
    for name, kind in zip(SUMMED, _READ_AS, strict=True)
}
"""SQL of each sum as it is read fastest: the database adds counts up as decimals."""

Owner = tuple[str, str]
"""A strategy and a currency in which it trades."""


_ANYTHING: Final = " OR ".join(f"sum({name}) <> 0" for name in SUMMED)


class Total(NamedTuple):
    """What a strategy's signals in one currency came to.

    Attributes:
        version: Another one whenever something of the strategy has changed.
        sums: Over all days.
    """

    version: int
    sums: Sums


def moved(cursor: Cursor) -> str:
    """A text that is another one once anything of any strategy has changed."""
    [(versions, count)] = rows(cursor, "SELECT sum(version)::text, count(*) FROM strategy_totals")
    return f"{versions or 0}/{count}"


def read_versions(cursor: Cursor) -> dict[Owner, int]:
    """The version of every strategy in each of its currencies, in the order of the alphabet.

    Those that came to nothing, since a correction took all away, are left out.
    """
    found = rows(
        cursor,
        f"SELECT strategy, currency, sum(version)::bigint FROM strategy_totals"
        f" GROUP BY 1, 2 HAVING {_ANYTHING} ORDER BY 1, 2",
    )
    return {(strategy, currency): version for strategy, currency, version in found}


def read_totals(cursor: Cursor, strategy: str | None = None) -> dict[Owner, Total]:
    """Totals by strategy and currency, in the order of the alphabet.

    Those that came to nothing are left out.

    Args:
        cursor: Of a reader.
        strategy: Only this one's.
    """
    added = ", ".join(f"sum({name})" for name in SUMMED)
    found = rows(
        cursor,
        f"""
        SELECT strategy, currency, sum(version)::bigint, {added} FROM strategy_totals
        {"" if strategy is None else "WHERE strategy = %(strategy)s"}
        GROUP BY 1, 2 HAVING {_ANYTHING} ORDER BY 1, 2
        """,
        {"strategy": strategy},
    )
    return {
        (name, currency): Total(version, sums_of(values))
        for name, currency, version, *values in found
    }


def sums_of(values: list[object]) -> Sums:
    """Sums from what the database gives for :data:`SUMMED`, in that order."""
    read: list[Any] = [
        value if type(value) is kind else kind(value)
        for kind, value in zip(_READ_AS, values, strict=True)
    ]
    return Sums(*read)

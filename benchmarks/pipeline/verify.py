"""Check that the tables hold exactly the result of what was sent; else speed means nothing."""

from __future__ import annotations

from typing import Any

from benchmarks.pipeline.common import connect
from benchmarks.pipeline.events import Sums, thousandths

_SHOWN = 3


class WrongError(RuntimeError):
    """A consumer's sums are not what was sent."""


def _rows(url: str, schema: str, query: str) -> list[tuple[Any, ...]]:
    connection = connect(url, schema)
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()
    finally:
        connection.close()


def _compare(what: str, found: dict[Any, Any], wanted: dict[Any, Any]) -> None:
    different = [key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key)]
    if different:
        lines = "\n".join(
            f"  {key}: {found.get(key)} instead of {wanted.get(key)}"
            for key in sorted(different)[:_SHOWN]
        )
        raise WrongError(f"{what}: {len(different)} sum(s) are wrong, such as\n{lines}")


def tracker(url: str, schema: str, expected: Sums, since: str = "-infinity") -> None:
    """Compare the tracker's sums, signals and exits with what was sent.

    Args:
        url: The database.
        schema: The tracker's.
        expected: What was sent.
        since: The day from which on it counts; what lies before is history.

    Raises:
        WrongError: Something differs.
    """
    found = {
        (strategy, day): (*counts, thousandths(pnl), thousandths(fees))
        for strategy, day, *counts, pnl, fees in _rows(
            url,
            schema,
            "SELECT strategy, day::text, sum(signals)::bigint, sum(exits)::bigint,"
            " sum(closed)::bigint, sum(wins)::bigint, sum(losses)::bigint, sum(total_pnl),"
            f" sum(fees) FROM strategy_days WHERE day >= '{since}' GROUP BY 1, 2",
        )
    }
    wanted = {
        key: (day.signals, day.closed, day.closed, day.wins, day.losses, day.pnl, day.fees)
        for key, day in expected.items()
    }
    _compare("strategy_days", found, wanted)
    closed = sum(day.closed for day in expected.values())
    pnl = sum(day.pnl for day in expected.values())
    for table, query in (
        ("symbol_days", "SELECT sum(closed)::bigint, sum(total_pnl) FROM symbol_days WHERE day"),
        ("exits", "SELECT count(*), sum(realised_pnl) FROM exits WHERE closed_at"),
    ):
        ((number, total),) = _rows(url, schema, f"{query} >= '{since}'")
        _compare(table, {"all": (number, thousandths(total))}, {"all": (closed, pnl)})
    entries = f"SELECT count(*) FROM signals WHERE revision >= 0 AND emitted_at >= '{since}'"
    ((number,),) = _rows(url, schema, entries)
    _compare("signals", {"all": number}, {"all": sum(day.signals for day in expected.values())})


def _easy(expected: Sums) -> dict[Any, Any]:
    return {key: (day.closed, day.pnl, day.fees) for key, day in expected.items() if day.closed}


def peer(url: str, schema: str, expected: Sums) -> None:
    """Compare a peer's sums and rows with what was sent.

    Raises:
        WrongError: Something differs.
    """
    for query in (
        "SELECT strategy, day::text, closed, pnl, fees FROM easy_days",
        "SELECT strategy, day::text, count(*), sum(pnl), sum(fees) FROM easy_exits GROUP BY 1, 2",
    ):
        _compare(query, _sums(url, schema, query), _easy(expected))


def copied(url: str, schema: str, expected: Sums) -> None:
    """Compare what was copied with what was sent.

    Raises:
        WrongError: Something differs.
    """
    query = "SELECT strategy, day::text, count(*), sum(pnl), sum(fees) FROM bare GROUP BY 1, 2"
    _compare("bare", _sums(url, schema, query), _easy(expected))


def _sums(url: str, schema: str, query: str) -> dict[Any, Any]:
    return {
        (strategy, day): (closed, thousandths(pnl), thousandths(fees))
        for strategy, day, closed, pnl, fees in _rows(url, schema, query)
    }

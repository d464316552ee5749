"""The tracker's tables against what the oracle says, to the last digit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction as F
from typing import Any

from tests.support import oracle
from trackrecord.runtime import database
from trackrecord.runtime.settings import Settings

_SUMS = (
    "signals", "exits", "closed", "wins", "losses", "breakevens", "without_return", "total_pnl",
    "gross_profit", "gross_loss", "realised_pnl", "fees", "carry", "sum_return", "pnl_squares",
    "live_signals", "paper_signals", "backtest_signals", "imported_signals",
)  # fmt: skip

_MARKS = ("exits_backdated", "corrected_late", "moved_in_late")


@contextmanager
def session(settings: Settings) -> Iterator[database.Cursor]:
    """A cursor in a session of its own, committed at the end."""
    connection = database.connect(settings, application="test")
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def fetch(settings: Settings, query: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
    """Run one query in a session of its own."""
    with session(settings) as cursor:
        return database.rows(cursor, query, parameters)


def check(settings: Settings, expected: oracle.Expected) -> None:
    """Compare signals, exits and the sums of days with the oracle, exactly."""
    _check_signals(settings, expected)
    exits = {
        (row[0], row[1]): dict(
            zip(("closed", "pnl", "fees", "carry"), map(F, row[2:-1]), strict=True)
        )
        | {"before_entry": row[-1]}
        for row in fetch(
            settings,
            "SELECT signal_id, exit_id, closed_quantity, realised_pnl, fees, carry, before_entry"
            " FROM exits",
        )
    }
    _same(exits, expected.exits, "exits")
    summed = _SUMS
    if expected.first_said is not None:
        _check_first_said(settings, expected)
        summed += _MARKS
    _check_totals(settings)
    for table, owner, wanted in (
        ("strategy_days", "strategy", expected.strategy_days),
        ("symbol_days", "symbol", expected.symbol_days),
    ):
        sums = ", ".join(f"sum({name})" for name in summed)
        days = {
            row[:3]: {n: F(v) for n, v in zip(summed, row[3:], strict=True) if v}
            for row in fetch(
                settings, f"SELECT {owner}, currency, day, {sums} FROM {table} GROUP BY 1, 2, 3"
            )
        }
        _same(
            {key: values for key, values in days.items() if values},
            {key: {n: v for n, v in values.items() if v} for key, values in wanted.items()},
            table,
        )


def _check_totals(settings: Settings) -> None:
    """The totals of strategies are the sums over their days."""
    names = ", ".join(f"sum({name})" for name in (*_SUMS, *_MARKS))
    in_days, totals = (
        {
            row[:2]: row[2:]
            for row in fetch(
                settings, f"SELECT strategy, currency, {names} FROM {table} GROUP BY 1, 2"
            )
            if any(row[2:])
        }
        for table in ("strategy_days", "strategy_totals")
    )
    _same(totals, in_days, "strategy_totals")


def _check_first_said(settings: Settings, expected: oracle.Expected) -> None:
    assert expected.first_said is not None
    found: dict[Any, Any] = {
        row[0]: row[1:]
        for row in fetch(
            settings,
            "SELECT signal_id, first_appended_at, said_revision, corrected_late FROM signals"
            " WHERE revision >= 0",
        )
    }
    found |= {
        row[:2]: row[2:]
        for row in fetch(
            settings,
            "SELECT signal_id, exit_id, first_appended_at, said_revision, corrected_late"
            " FROM exits",
        )
    }
    wanted = {
        key: (said.at, said.event.revision, said.corrected_late)
        for key, said in expected.first_said.items()
    }
    _same(found, wanted, "signals and exits as they were first said")


def _check_signals(settings: Settings, expected: oracle.Expected) -> None:
    signals = {
        signal_id: {
            "open": F(open_),
            "realised_pnl": F(pnl),
            "closed_at": closed_at,
            "outcome": outcome,
            "return": None if return_ is None else F(return_),
        }
        for signal_id, open_, pnl, closed_at, outcome, return_ in fetch(
            settings,
            "SELECT signal_id, quantity - closed_quantity, realised_pnl, closed_at, outcome,"
            ' "return" FROM positions WHERE true',
        )
    }
    _same(signals, expected.signals, "signals")


def _same(got: dict[Any, Any], wanted: dict[Any, Any], what: str) -> None:
    """Equal; else name a few that are not, for thousands of rows tell nobody anything."""
    if got == wanted:
        return
    keys = [key for key in {*got, *wanted} if got.get(key) != wanted.get(key)]
    shown = "\n".join(f"  {key}: {got.get(key)} instead of {wanted.get(key)}" for key in keys[:3])
    raise AssertionError(f"{len(keys)} of {len(wanted)} {what} differ:\n{shown}")

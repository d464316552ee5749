"""Totals against the rows that they add up, recounted here one by one."""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from trackrecord.runtime.database import Cursor, rows

Totals = dict[tuple[str, ...], dict[str, Any]]

_DIGITS = Decimal("1e-12")
_REPORTED = {"profit": "profits", "loss": "losses", "breakeven": "breakevens"}


def check_outcomes(cursor: Cursor) -> None:
    """Outcomes by policy and strategy, and verdicts by version and strategy."""
    wanted: Totals = {}
    for policy, strategy, outcome, ambiguous, value in rows(
        cursor,
        'SELECT policy, strategy, outcome, ambiguous, "return" FROM outcomes'
        " WHERE outcome <> 'pending'",
    ):
        sums = wanted.setdefault((policy, strategy), defaultdict(int))
        sums[outcome] += 1
        sums["ambiguous"] += ambiguous
        if value is not None:
            sums["returns"] += 1
            # As the database turns a double into a decimal.
            sums["sum_return"] += Decimal(f"{value:.15g}").quantize(_DIGITS, ROUND_HALF_UP)
    names = ("target", "stop", "expired", "void", "ambiguous", "returns", "sum_return")
    _same(cursor, "outcome_totals", ("policy", "strategy"), names, wanted)
    given: Totals = {}
    for version, strategy, verdict in rows(
        cursor, "SELECT model_version, strategy, verdict FROM assessments"
    ):
        key = (version or "", strategy, verdict or "none")
        given.setdefault(key, defaultdict(int))["assessed"] += 1
    of = ("model_version", "strategy", "verdict")
    _same(cursor, "verdict_totals", of, ("assessed",), given)


def check_scripts(cursor: Cursor) -> None:
    """Runs by script and final action."""
    wanted: Totals = {}
    last: dict[tuple[str, ...], Any] = {}
    for script, action, code, outcome, percent, at in rows(
        cursor,
        "SELECT script, final_action, exit_code, outcome, return_pct, finished_at FROM executions",
    ):
        key = (script, action or "NONE")
        sums = wanted.setdefault(key, defaultdict(int))
        sums["runs"] += 1
        sums["failures"] += code != 0
        if outcome is not None:
            sums[_REPORTED[outcome]] += 1
        if percent is not None:
            sums["results"] += 1
            sums["sum_return_pct"] += percent
        last[key] = max(at, last.get(key, at))
    names = ("runs", "failures", *_REPORTED.values(), "results", "sum_return_pct")
    _same(cursor, "script_totals", ("script", "action"), names, wanted)
    found = rows(cursor, "SELECT script, action, max(last_run) FROM script_totals GROUP BY 1, 2")
    assert {row[:2]: row[2] for row in found} == last


def _same(
    cursor: Cursor, table: str, key: tuple[str, ...], names: tuple[str, ...], wanted: Totals
) -> None:
    sums = ", ".join(f"sum({name})" for name in names)
    owner = ", ".join(key)
    found = {
        row[: len(key)]: dict(zip(names, row[len(key) :], strict=True))
        for row in rows(cursor, f"SELECT {owner}, {sums} FROM {table} GROUP BY {owner}")
    }
    assert _without_zeros(found) == _without_zeros(wanted), table


def _without_zeros(totals: Totals) -> Totals:
    """A row that came to nothing may be there, or not."""
    shown = {
        key: {name: value for name, value in sums.items() if value} for key, sums in totals.items()
    }
    return {key: sums for key, sums in shown.items() if sums}

"""The table of strategies: readable in 100 columns, and plain about how little is known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from trackrecord.cli.main import app
from trackrecord.cli.report_tables import strategies_table, what_it_rests_on, what_to_know
from trackrecord.performance.sums.days import Day, DayTable
from trackrecord.performance.sums.records import records
from trackrecord.performance.sums.written import written
from trackrecord.reports.irregularities import Irregularities
from trackrecord.reports.strategies import Report

MONDAY = date(2026, 1, 5)


def rows(strategy: str, sessions: int) -> list[Day]:
    """One trade a day: two wins of 130 and a loss of 90 in turn."""
    found = []
    for number in range(sessions):
        pnl = D(130) if number % 3 else D(-90)
        won = pnl > 0
        found.append(
            Day(
                strategy, MONDAY + timedelta(days=number), signals=1, exits=1, closed=1,
                wins=int(won), losses=int(not won), total_pnl=pnl, realised_pnl=pnl,
                gross_profit=pnl if won else D(0), gross_loss=D(0) if won else pnl,
                sum_return=pnl / 10_000, pnl_squares=pnl * pnl,
            )
        )  # fmt: skip
    return found


def report(listed: list[Day], capital: D | None = None) -> dict[str, Any]:
    names, table = DayTable.of(listed)
    found = records(
        table, len(names), date(2026, 11, 2), capital=[capital] * len(names), sessions="every_day"
    )
    return {name: written({"USD": numbers}) for name, numbers in zip(names, found, strict=True)}


def shown(value: Any) -> str:
    console = Console(width=100, file=StringIO(), highlight=False)
    console.print(value)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_it_fits_100_columns_with_every_number_whole() -> None:
    words = shown(strategies_table(report(rows("moving_average_cross", 300))))
    assert max(map(len, words.splitlines())) <= 100
    assert "67 % (61–72)" in words  # noqa: RUF001
    for cell in ("moving_average_cross", "300", "17,000.00 USD", "2.89"):
        assert cell in words
    assert "…" not in words
    assert "too few" not in words


def test_a_short_record_says_so() -> None:
    words = " ".join(shown(strategies_table(report(rows("new", 3)))).split())
    assert "too few trades to tell" in words


def test_what_was_said_in_time_stands_above_the_ordinary_record() -> None:
    in_time, on_record = report(rows("sma", 3)), report(rows("sma", 300))
    first, second = [
        line for line in shown(strategies_table(in_time, on_record)).splitlines() if "USD" in line
    ]
    assert first.split()[:3] == ["sma", "3", "3"]
    assert second.split()[:4] == ["on", "record", "300", "300"]


def test_what_was_told_late_is_said_below_the_table() -> None:
    marks = {"backdated": 1, "exits_backdated": 1200, "corrected_late": 2, "moved_in_late": 0}
    at = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    found = Report(at, {"sma": marks, "rsi": marks}, Irregularities())
    first, *late = what_to_know("strategy", found)
    assert first.startswith("as of 2026-11-02 09:30 UTC")
    assert [line.split(" ")[0] for line in late] == ["2", "2,400", "4"]
    assert [line.rpartition(" ")[2] for line in late] == [
        "(backdated)", "(exits_backdated)", "(corrected_late)",
    ]  # fmt: skip
    by_day = Report(at, {"sma": {"2026-11-02": marks}}, Irregularities())
    assert what_to_know("day", by_day)[1].startswith("1 signal reached the broker")


def test_nothing_closed_is_shown_as_not_defined() -> None:
    words = shown(strategies_table(report([Day("waits", MONDAY, signals=2)])))
    assert words.split().count("-") == 5


def test_a_name_is_printed_as_it_is() -> None:
    assert "[bold]x[/bold]" in shown(strategies_table(report(rows("[bold]x[/bold]", 3))))


def test_one_line_says_what_dsr_and_returns_rest_on() -> None:
    one, two = rows("a", 5), rows("a", 5) + rows("b", 5)
    assert what_it_rests_on(report(one, D(1000))) == (
        "DSR is corrected for 1 strategy; basis: returns on capital"
    )
    assert what_it_rests_on(report(two)) == (
        "DSR is corrected for 2 strategies; basis: mean trade returns (no TRACKRECORD_CAPITAL)"
    )
    mixed = report(one, D(1000)) | {"b": report(rows("b", 5))["b"]}
    assert "where it is known" in what_it_rests_on(mixed)


@pytest.mark.parametrize(
    "arguments",
    [["--trials", "0"], ["--trials", "5", "--by", "day"], ["--trials", "5", "--scripts"]],
)
def test_trials_that_mean_nothing_are_refused(arguments: list[str]) -> None:
    ran = CliRunner().invoke(app, ["report", *arguments])
    assert ran.exit_code == 2
    assert "--trials" in ran.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--policy", "stop_first"], "--policy goes with --outcomes"),
        (["--outcomes", "--scripts"], "--outcomes goes without --scripts"),
        (["--outcomes", "--by", "day"], "--outcomes goes without --by"),
        (["--outcomes", "--as-of", "2026-01-31"], "--as-of goes with"),
        (["--strategy", "a", "--by", "symbol"], "--strategy goes with"),
        (["--scripts", "--by", "signal"], "--scripts goes without --by"),
        (["--scripts", "--by", "strategy"], "--scripts goes without --by"),
        (["--limit", "5"], "--limit goes with --by signal"),
        (["--scripts", "--limit", "5"], "--limit goes with --by signal"),
        (["--outcomes", "--policy", "nonsense"], "nonsense"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: list[str], words: str) -> None:
    ran = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["report", *arguments])
    assert ran.exit_code == 2
    assert words in ran.output

"""What a publisher does to its record afterwards is marked, and does not count with --verified.

Each test is a way to look better than one was.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.test_tracker_state_machine import Said, Store
from trackrecord.events import SignalClosed, SignalEmitted
from trackrecord.reports.strategies import read_report
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

SOON, LATE = timedelta(minutes=1), timedelta(days=3)
AT = datetime(2026, 3, 2, 15, tzinfo=UTC)


def entry(name: str = "a", **fields: Any) -> SignalEmitted:
    values = {"signal_id": name, "strategy": "good", "symbol": "AAPL", "side": "BUY",
              "price": "100", "emitted_at": AT}  # fmt: skip
    return SignalEmitted(**(values | fields))


def exit_(price: str, name: str = "a", **fields: Any) -> SignalClosed:
    values = {"signal_id": name, "exit_id": "x", "symbol": "AAPL", "price": price,
              "closed_at": AT + timedelta(hours=2), "reason": "target"}  # fmt: skip
    return SignalClosed(**(values | fields))


HONEST: list[tuple[Said, datetime]] = [
    (entry(), AT + SOON),
    (exit_("60"), AT + timedelta(hours=2) + SOON),
]
"""A signal that lost 40 USD, said in time."""


def told(settings: Settings, *events: tuple[Said, datetime]) -> None:
    """Have the tracker read events, each of which the broker got at its moment."""
    store = Store(settings)
    try:
        for event, at in events:
            store.apply([event], [at])
    finally:
        store.close()


def money(settings: Settings, strategy: str = "good", **options: Any) -> str:
    record = read_report(settings, **options).records.get(strategy)
    return "nothing" if record is None else str(record["total_pnl"])


def marks(settings: Settings, strategy: str = "good", **options: Any) -> dict[str, int]:
    record = read_report(settings, **options).records[strategy]
    names = ("backdated", "exits_backdated", "corrected_late", "moved_in_late")
    return {name: record[name] for name in names if record[name]}


def test_what_was_said_in_time_bears_no_mark(settings: Settings) -> None:
    told(settings, *HONEST)
    assert marks(settings) == {}
    assert money(settings) == money(settings, verified=True) == "-40"


def test_a_loser_that_is_moved_to_another_strategy(settings: Settings) -> None:
    told(settings, *HONEST, (entry(strategy="dustbin", revision=1), AT + LATE))
    assert marks(settings) == {"corrected_late": 1}
    assert marks(settings, "dustbin") == {"backdated": 1, "moved_in_late": 1}
    assert (money(settings), money(settings, "dustbin")) == ("0", "-40")
    found = read_report(settings, verified=True)
    assert found.records["good"]["total_pnl"] == "-40"
    assert found.records["dustbin"]["signals"] == 0
    assert found.beside is not None
    assert found.beside["dustbin"]["total_pnl"] == "-40"


def test_an_exit_whose_price_is_bettered(settings: Settings) -> None:
    told(settings, *HONEST, (exit_("140", revision=1), AT + LATE))
    assert marks(settings) == {"corrected_late": 1}
    assert (money(settings), money(settings, verified=True)) == ("40", "-40")


def test_an_entry_whose_price_is_bettered_with_a_fresh_time(settings: Settings) -> None:
    better = entry(price="10", emitted_at=AT + timedelta(hours=1), revision=1)
    told(settings, *HONEST, (better, AT + timedelta(hours=1) + SOON))
    assert marks(settings) == {"corrected_late": 1}
    assert (money(settings), money(settings, verified=True)) == ("50", "-40")


def test_an_exit_told_days_late_at_the_best_price_of_its_day(settings: Settings) -> None:
    told(settings, (entry(), AT + SOON), (exit_("999"), AT + LATE))
    assert marks(settings) == {"exits_backdated": 1}
    assert (money(settings), money(settings, verified=True)) == ("899", "0")
    verified = read_report(settings, verified=True).records["good"]
    assert (verified["signals"], verified["open"]) == (1, 1)


def test_an_exit_that_is_moved_into_the_past_is_told_late(settings: Settings) -> None:
    first = exit_("60", closed_at=AT + LATE)
    moved = exit_("140", revision=1)
    told(settings, (entry(), AT + SOON), (first, AT + LATE), (moved, AT + LATE + SOON))
    assert marks(settings) == {"exits_backdated": 1}
    assert (money(settings), money(settings, verified=True)) == ("40", "0")


def test_an_entry_that_is_told_when_its_end_is_known(settings: Settings) -> None:
    told(settings, (entry(), AT + LATE), (exit_("140", closed_at=AT + LATE), AT + LATE))
    assert marks(settings) == {"backdated": 1}
    assert (money(settings), money(settings, verified=True)) == ("40", "0")


def test_a_correction_within_the_tolerance_is_what_was_said(settings: Settings) -> None:
    at = AT + timedelta(hours=2)
    right = (exit_("70", revision=1), at + SOON + timedelta(minutes=5))
    told(settings, *HONEST, right)
    assert marks(settings) == {}
    assert money(settings) == money(settings, verified=True) == "-30"
    told(settings, (exit_("90", revision=2), at + SOON + timedelta(minutes=5, milliseconds=1)))
    assert marks(settings) == {"corrected_late": 1}
    assert (money(settings), money(settings, verified=True)) == ("-10", "-30")


def test_the_same_content_under_a_later_revision_is_no_correction(settings: Settings) -> None:
    told(settings, *HONEST, (exit_("60", revision=1), AT + LATE))
    assert marks(settings) == {}
    assert money(settings, verified=True) == "-40"


def test_as_of_leaves_out_the_marks_of_what_came_later(settings: Settings) -> None:
    late = (exit_("999"), AT + LATE)
    other = AT + timedelta(days=10)
    told(settings, (entry(), AT + SOON), late, (entry("b", emitted_at=other), other + SOON),
         (exit_("101", "b", closed_at=other), other + LATE))  # fmt: skip
    assert marks(settings) == {"exits_backdated": 2}
    at = AT + timedelta(hours=2)
    assert marks(settings, as_of=at) == {"exits_backdated": 1}
    assert marks(settings, as_of=at - timedelta(seconds=1)) == {}
    assert money(settings, as_of=at) == "899"
    assert money(settings, as_of=at, verified=True) == "0"


def test_by_symbol_and_by_day_count_likewise(settings: Settings) -> None:
    told(settings, *HONEST, (exit_("140", revision=1), AT + LATE))
    by_symbol = read_report(settings, by="symbol", verified=True)
    assert by_symbol.records["AAPL"]["total_pnl"] == "-40"
    by_day = read_report(settings, by="day", strategy="good", verified=True)
    assert by_day.records["good"][f"{AT:%Y-%m-%d}"]["total_pnl"] == "-40"


def test_all_revisions_of_what_was_corrected_are_kept(settings: Settings) -> None:
    told(settings, *HONEST, *((exit_(price, revision=number), AT + LATE)
                              for price, number in (("140", 4), ("80", 2))))  # fmt: skip
    store = Store(settings)
    try:
        kept = store.fetch("SELECT revision, price FROM exit_revisions ORDER BY 1")
        assert kept == [(0, Decimal(60)), (2, Decimal(80)), (4, Decimal(140))]
        assert store.fetch("SELECT count(*) FROM signal_revisions") == [(0,)]
    finally:
        store.close()

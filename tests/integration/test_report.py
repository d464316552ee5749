"""Reading records back: as of an instant, per currency, with backdated signals counted apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction as F
from typing import Any

import pytest

from tests.integration.test_signal_tracker_store import run
from tests.support import histories, oracle
from trackrecord.events import SignalClosed, SignalEmitted
from trackrecord.performance.record import Sums
from trackrecord.performance.summary import record
from trackrecord.runtime.records import read_report
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

Events = Sequence[SignalEmitted | SignalClosed]
SAID = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def known_at(events: Events, instant: datetime) -> list[SignalEmitted | SignalClosed]:
    """What had happened by an instant, of what counts in the end: the highest revisions."""
    entries, exits, _ = oracle.winners(events)
    kept: list[SignalEmitted | SignalClosed] = [
        each for each in entries.values() if each.emitted_at <= instant
    ]
    return kept + [each for each in exits.values() if each.closed_at <= instant]


def expected(events: Events) -> dict[str, Any]:
    """The oracle's sums as the report words them."""
    by_owner: dict[str, dict[str, Sums]] = {}
    for (strategy, currency), sums in oracle.expect(events).strategies.items():
        values: dict[str, Any] = {
            name: _decimal(F(sums.get(name, 0))) for name in Sums.__annotations__
        }
        whole: dict[str, Any] = {
            name: int(value) if isinstance(getattr(Sums, name), int) else value
            for name, value in values.items()
        }
        by_owner.setdefault(strategy, {})[currency] = replace(Sums(**whole), backdated=0)
    return {owner: record(parts) for owner, parts in sorted(by_owner.items())}


def _decimal(value: F) -> Decimal:
    scaled = value * 10**60
    assert scaled.denominator == 1
    sign, digits = (1 if scaled < 0 else 0), tuple(map(int, str(abs(scaled.numerator))))
    return Decimal((sign, digits, -60))


def without_backdated(found: dict[str, Any]) -> dict[str, Any]:
    return {
        name: without_backdated(value) if isinstance(value, dict) else value
        for name, value in found.items()
        if name != "backdated"
    }


def test_the_report_is_what_the_oracle_says_now_and_as_of_any_instant(settings: Settings) -> None:
    events = histories.make("report", 300)
    run(settings, events, [len(events)])
    instants = [None, histories.START, *(
        histories.START + timedelta(days=day, hours=7, minutes=13) for day in (1, 3, 6, 9, 30)
    )]  # fmt: skip
    # Also just at an exit, and a moment before it.
    exact = next(each.closed_at for each in events if isinstance(each, SignalClosed))
    instants += [exact, exact - timedelta(microseconds=1)]
    for instant in instants:
        found = read_report(settings, as_of=instant)
        known = events if instant is None else known_at(events, instant)
        assert without_backdated(found.records) == without_backdated(expected(known)), instant
        assert found.as_of.tzinfo is not None
        assert instant is None or found.as_of == instant


def signal(number: int, **fields: Any) -> SignalEmitted:
    values = {"signal_id": f"s{number}", "strategy": "sma", "symbol": "AAPL", "side": "BUY",
              "price": "150.25", "emitted_at": SAID}  # fmt: skip
    return SignalEmitted(**(values | fields))


def closed(number: int, price: str, **fields: Any) -> SignalClosed:
    values = {"signal_id": f"s{number}", "exit_id": "x", "symbol": "AAPL", "price": price,
              "closed_at": SAID + timedelta(hours=2), "reason": "target"}  # fmt: skip
    return SignalClosed(**(values | fields))


def test_one_trade_is_one_win_of_1_55(settings: Settings) -> None:
    run(settings, [signal(1), closed(1, "151.80")], [2])
    found = read_report(settings).records["sma"]
    assert (found["total_pnl"], found["average_pnl"], found["realised_pnl"]) == ("1.55",) * 3
    assert (found["signals"], found["closed"], found["wins"], found["losses"]) == (1, 1, 1, 0)
    assert (found["win_rate"], found["currency"]) == (1.0, "USD")
    assert found["profit_factor"] is None
    assert found["reasons"]["profit_factor"] == "no_losses"


def test_currencies_stand_apart_and_counts_together(settings: Settings) -> None:
    events = [
        signal(1), closed(1, "151.80"),
        signal(2, currency="INR", price="1500", fee="2"), closed(2, "1490", fee="1"),
        signal(3, currency="INR", price="10"),
    ]  # fmt: skip
    run(settings, events, [len(events)])
    found = read_report(settings).records["sma"]
    assert (found["signals"], found["closed"], found["open"], found["win_rate"]) == (3, 2, 1, 0.5)
    assert found["currencies"]["USD"]["total_pnl"] == "1.55"
    assert found["currencies"]["INR"]["total_pnl"] == "-13"
    assert found["currencies"]["INR"]["fees"] == "3"
    assert "total_pnl" not in found


def test_days_and_symbols_have_records_too(settings: Settings) -> None:
    events = [
        signal(1), closed(1, "151.80"),
        signal(2, symbol="MSFT"),
        closed(2, "149", symbol="MSFT", closed_at=SAID + timedelta(days=1)),
    ]  # fmt: skip
    run(settings, events, [len(events)])
    symbols = read_report(settings, by="symbol").records
    assert {name: each["total_pnl"] for name, each in symbols.items()} == {
        "AAPL": "1.55", "MSFT": "-1.25",
    }  # fmt: skip
    days = read_report(settings, by="day").records["sma"]
    assert {day: (each["signals"], each["total_pnl"]) for day, each in days.items()} == {
        "2026-03-02": (2, "1.55"), "2026-03-03": (0, "-1.25"),
    }  # fmt: skip
    assert all(each["open"] >= 0 for each in symbols.values())


def test_a_strategy_can_be_asked_for_alone(settings: Settings) -> None:
    run(settings, [signal(1), signal(2, strategy="other")], [2])
    assert list(read_report(settings, strategy="sma").records) == ["sma"]
    assert read_report(settings, strategy="nobody").records == {}


def test_what_was_said_long_before_the_broker_had_it_is_counted_as_backdated(
    settings: Settings,
) -> None:
    appended = datetime.fromtimestamp(1_770_000_000, UTC)  # the broker's time in these tests
    events = [
        signal(1, emitted_at=appended - timedelta(minutes=5)),
        signal(2, emitted_at=appended - timedelta(minutes=5, microseconds=1)),
        signal(3, emitted_at=appended - timedelta(days=900)),
        signal(4, emitted_at=appended + timedelta(minutes=1)),
    ]
    run(settings, events, [len(events)])
    found = read_report(settings).records["sma"]
    assert (found["signals"], found["backdated"]) == (4, 2)
    early = read_report(settings, as_of=appended - timedelta(days=1)).records["sma"]
    assert (early["signals"], early["backdated"]) == (1, 1)


def test_a_day_ends_at_the_midnight_of_the_setting(settings: Settings) -> None:
    india = settings.model_copy(update={"day_timezone": "Asia/Kolkata"})
    late = datetime(2026, 3, 2, 18, 29, tzinfo=UTC)
    events = [
        signal(1, emitted_at=late), signal(2, emitted_at=late + timedelta(minutes=1)),
        closed(1, "151.80", closed_at=late + timedelta(seconds=30)),
    ]  # fmt: skip
    run(india, events, [len(events)])
    days = read_report(india, by="day").records["sma"]
    said = {day: each["signals"] for day, each in days.items()}
    assert said == {"2026-03-02": 1, "2026-03-03": 1}
    at = read_report(india, as_of=late + timedelta(seconds=30)).records["sma"]
    assert (at["signals"], at["closed"], at["total_pnl"]) == (1, 1, "1.55")
    before = read_report(india, as_of=late + timedelta(seconds=29)).records["sma"]
    assert (before["signals"], before["closed"]) == (1, 0)


def test_nothing_on_record_is_an_empty_report(settings: Settings) -> None:
    assert read_report(settings).records == {}
    assert read_report(settings, as_of=SAID, by="symbol").records == {}

"""Reading records back: as of an instant, per currency, with backdated signals counted apart."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction as F
from typing import Any

import numpy as np
import pytest

from tests.integration.test_signal_tracker_store import run
from tests.support import compare, histories, oracle
from trackrecord.events import SignalClosed, SignalEmitted
from trackrecord.performance.confidence.intervals import mean_of, sharpe_of, stationary_bootstrap
from trackrecord.performance.returns import drawdown, sharpe, statistics
from trackrecord.performance.sums.sums import Sums
from trackrecord.performance.sums.written import SERIES, record
from trackrecord.reports import irregularities
from trackrecord.reports.strategies import read_report
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

Events = Sequence[SignalEmitted | SignalClosed]
_EMPTIED = "TRUNCATE signals, exits, strategy_days, symbol_days, strategy_totals; SELECT 1"
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
        by_owner.setdefault(strategy, {})[currency] = Sums(**whole)
    return {owner: record(parts) for owner, parts in sorted(by_owner.items())}


def _decimal(value: F) -> Decimal:
    scaled = value * 10**60
    assert scaled.denominator == 1
    sign, digits = (1 if scaled < 0 else 0), tuple(map(int, str(abs(scaled.numerator))))
    return Decimal((sign, digits, -60))


def without_series(found: dict[str, Any]) -> dict[str, Any]:
    kept = {
        name: without_series(value) if isinstance(value, dict) else value
        for name, value in found.items()
        if name not in SERIES and name not in irregularities.COUNTS
    }
    if "reasons" in kept:
        kept["reasons"] = {n: why for n, why in kept["reasons"].items() if n not in SERIES}
    return kept


def check_series(
    found: dict[str, Any], by_day: dict[Any, Any], last: date, capital: int | None
) -> None:
    """Numbers of daily returns, worked out anew from the oracle's days, one series at a time."""
    expected_series = {
        key: daily_returns(
            {day: sums for (*owner, day), sums in by_day.items() if tuple(owner) == key},
            last,
            capital,
        )
        for key in {(strategy, currency) for strategy, currency, _ in by_day}
    }
    ratios = [
        sharpe.period_sharpe(each).value if capital or is_whole(by_day, key) else None
        for key, each in expected_series.items()
    ]
    few = {key: is_rare(by_day, key) for key in expected_series}
    known = [
        each
        for each, rare in zip(ratios, few.values(), strict=True)
        if each is not None and not rare
    ]
    for (strategy, currency), series in expected_series.items():
        record = found[strategy]
        record = record if "currency" in record else record["currencies"][currency]
        luck = (
            sharpe.expected_maximum_sharpe(len(ratios), float(np.std(known, ddof=1)))
            if (len(known) > 1)
            else sharpe.expected_maximum_sharpe(len(ratios), 1 / math.sqrt(max(len(series) - 1, 1)))
        )
        mean, ratio = (
            stationary_bootstrap(series, statistic) for statistic in (mean_of, sharpe_of(252))
        )
        wanted = {
            "sharpe": sharpe.sharpe(series).value,
            "sortino": sharpe.sortino(series).value,
            "probabilistic_sharpe_ratio": sharpe.probabilistic_sharpe_ratio(series).value,
            "deflated_sharpe_ratio": sharpe.probabilistic_sharpe_ratio(series, luck).value,
            "minimum_track_record_length": sharpe.minimum_track_record_length(series).value,
            "mean_return": statistics.mean_return(series).value,
        } | dict.fromkeys(("total_return", "cagr", "volatility", "max_drawdown_daily", "calmar"))
        if capital is not None:
            wanted |= {
                "total_return": statistics.total_return(series).value,
                "cagr": statistics.cagr(series).value,
                "volatility": statistics.volatility(series).value,
                "max_drawdown_daily": drawdown.max_drawdown(series).value,
                "calmar": drawdown.calmar(series).value,
            }
        if capital is None and not is_whole(by_day, (strategy, currency)):
            no_capital = ("total_return", "cagr", "volatility", "max_drawdown_daily", "calmar")
            assert {record["reasons"][name] for name in wanted if name not in no_capital} == {
                "entry_not_positive"
            }
            wanted = dict.fromkeys(wanted)
        elif few[strategy, currency]:
            assert record["too_few_to_tell"]
            wanted |= dict.fromkeys(OF_MANY_TRADES)
            if record["reasons"]["sharpe"] != "no_variance":
                assert {record["reasons"][name] for name in OF_MANY_TRADES} == {"too_few"}
        for name, value in wanted.items():
            close = value if value is None else pytest.approx(value, rel=1e-7, abs=1e-12)
            assert record[name] == close, (strategy, currency, name)
            assert (value is None) == (name in record["reasons"]), name
        for name, interval in (("mean_return_interval", mean), ("sharpe_interval", ratio)):
            if record["sharpe"] is not None:
                assert record[name] == pytest.approx(interval[:2], rel=1e-5, abs=1e-6), name
        assert record["sessions"] == len(series)
        assert record["trials"] == len(ratios)
        assert record["basis"] == ("capital" if capital else "mean_trade_return")


def is_whole(by_day: dict[Any, Any], key: tuple[str, str]) -> bool:
    """Whether all that a strategy has closed has a return."""
    return not any(
        sums.get("without_return") for (*owner, _), sums in by_day.items() if tuple(owner) == key
    )


OF_MANY_TRADES = (
    "sharpe", "probabilistic_sharpe_ratio", "deflated_sharpe_ratio", "minimum_track_record_length"
)  # fmt: skip


def is_rare(by_day: dict[Any, Any], key: tuple[str, str]) -> bool:
    """Whether so few trades closed, or on so few days, that nothing is told of luck."""
    closed: dict[date, F] = {}
    for (*owner, day), sums in by_day.items():
        if tuple(owner) == key:
            session = day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)
            closed[session] = closed.get(session, F(0)) + sums.get("closed", F(0))
    return sum(closed.values()) < 10 or sum(count > 0 for count in closed.values()) < 5


def daily_returns(days: dict[date, Any], last: date, capital: int | None) -> list[float]:
    """One return per weekday; what happens at a weekend counts on Monday."""
    by_session: dict[date, dict[str, F]] = {}
    for day, sums in days.items():
        session = day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)
        into = by_session.setdefault(session, {})
        for name in ("realised_pnl", "sum_return", "closed", "without_return"):
            into[name] = into.get(name, F(0)) + sums.get(name, 0)
    session, found, equity = min(by_session), [], F(capital or 0)
    while session <= max(last, *by_session):
        sums = by_session.get(session, {})
        if session.weekday() < 5:
            if capital is not None:
                found.append(float(sums.get("realised_pnl", F(0)) / equity))
                equity += sums.get("realised_pnl", F(0))
            else:
                closed = sums.get("closed", F(0)) - sums.get("without_return", F(0))
                found.append(float(sums["sum_return"] / closed) if closed else 0.0)
        session += timedelta(days=1)
    return found


def without_backdated(found: dict[str, Any]) -> dict[str, Any]:
    return {
        name: without_backdated(value) if isinstance(value, dict) else value
        for name, value in found.items()
        if name not in {"backdated", "exits_backdated"}
    }


def test_the_report_is_what_the_oracle_says_now_and_as_of_any_instant(settings: Settings) -> None:
    events = histories.make("reported", 300)
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
        whole, by_day = without_backdated(found.records), oracle.expect(known).strategy_days
        assert without_series(whole) == without_backdated(expected(known)), instant
        check_series(whole, by_day, found.as_of.date(), None)
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


def test_nothing_is_closed_before_it_was_emitted(settings: Settings) -> None:
    tolerated = timedelta(minutes=5)
    events = [
        signal(1), closed(1, "151.80", closed_at=SAID - timedelta(hours=1)),
        signal(2), closed(2, "151.80", closed_at=SAID - tolerated),
        signal(3), closed(3, "151.80", closed_at=SAID - tolerated - timedelta(microseconds=1)),
        closed(3, "150", exit_id="y"),
    ]  # fmt: skip
    run(settings, events, [len(events)])
    now = read_report(settings).records["sma"]
    assert (now["signals"], now["closed"], now["open"]) == (3, 2, 1)
    assert (now["wins"], now["losses"], now["exits"]) == (1, 1, 2)
    assert now["total_pnl"] == "1.3"
    for early in (tolerated, timedelta(minutes=30), timedelta(microseconds=1)):
        assert read_report(settings, as_of=SAID - early).records == {}
    at = read_report(settings, as_of=SAID).records["sma"]
    assert (at["signals"], at["closed"], at["open"], at["wins"]) == (3, 1, 2, 1)
    marks = "SELECT signal_id, exit_id, closed_quantity FROM exits WHERE before_entry ORDER BY 1"
    assert compare.fetch(settings, marks) == [("s1", "x", 0), ("s3", "x", 0)]


def test_an_exit_counts_on_the_day_of_its_entry_when_the_clocks_differ_over_midnight(
    settings: Settings,
) -> None:
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    events = [signal(1, emitted_at=midnight + timedelta(minutes=1)),
              closed(1, "151.80", closed_at=midnight - timedelta(minutes=1))]  # fmt: skip
    run(settings, events, [1, 1])
    days = read_report(settings, by="day").records["sma"]
    assert {day: (each["signals"], each["closed"]) for day, each in days.items()} == {
        "2026-03-03": (1, 1)
    }
    at = midnight + timedelta(minutes=1)
    assert read_report(settings, as_of=at).records["sma"]["total_pnl"] == "1.55"
    assert read_report(settings, as_of=at - timedelta(microseconds=1)).records == {}


def test_a_corrected_entry_lets_its_exits_count_and_takes_that_back(settings: Settings) -> None:
    late = {"emitted_at": SAID + timedelta(days=1)}
    run(settings, [signal(1), closed(1, "151.80"), signal(1, revision=1, **late)], [1, 1, 1])
    moved = read_report(settings).records["sma"]
    assert (moved["closed"], moved["open"], moved["total_pnl"]) == (0, 1, "0")
    run(settings, [signal(1, revision=2)], [1])
    back = read_report(settings).records["sma"]
    assert (back["closed"], back["open"], back["total_pnl"]) == (1, 0, "1.55")


def test_a_long_that_is_closed_below_zero_is_on_record(settings: Settings) -> None:
    run(settings, [signal(1, price="10.01"), closed(1, "-37.63")], [2])
    found = read_report(settings).records["sma"]
    assert (found["total_pnl"], found["losses"], found["without_return"]) == ("-47.64", 1, 0)
    assert found["average_return"] == pytest.approx(-4.759240759240759)


def test_an_entry_that_is_not_above_zero_has_pnl_and_no_return(settings: Settings) -> None:
    events = [
        signal(1, price="-37.63"), closed(1, "10.01"),
        signal(2, price="0"), closed(2, "-1", closed_at=SAID + timedelta(days=1)),
        signal(3, strategy="mixed", price="-1"), closed(3, "-2"),
        signal(4, strategy="mixed", price="100"), closed(4, "110"),
    ]  # fmt: skip
    run(settings, events, [len(events)])
    found = read_report(settings, as_of=SAID + timedelta(days=9)).records
    spread = found["sma"]
    assert (spread["total_pnl"], spread["wins"], spread["losses"]) == ("46.64", 1, 1)
    assert spread["profit_factor"] == pytest.approx(47.64)
    for name in ("average_return", "sharpe", "sharpe_interval", "probabilistic_sharpe_ratio"):
        assert (spread[name], spread["reasons"][name]) == (None, "entry_not_positive"), name
    assert spread["too_few_to_tell"]
    assert (found["mixed"]["average_return"], found["mixed"]["without_return"]) == (0.1, 1)
    assert found["mixed"]["reasons"]["sharpe"] == "entry_not_positive"
    rich = settings.model_copy(update={"capital": "sma=1000"})
    known = read_report(rich, as_of=SAID + timedelta(days=9)).records["sma"]
    assert known["total_return"] == pytest.approx(0.04664)
    assert known["reasons"]["sharpe"] == "too_few"


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


def test_capital_gives_growth_and_drawdown_of_it(settings: Settings) -> None:
    events = histories.make("capital", 120, replace(histories.Shape(), currencies=("USD",)))
    run(settings, events, [40] * (len(events) // 40 + 1))
    at = histories.START + timedelta(days=11, hours=3)
    rich = settings.model_copy(update={"capital": "*=100000000"})
    found = read_report(rich, as_of=at).records
    check_series(found, oracle.expect(known_at(events, at)).strategy_days, at.date(), 10**8)


def test_capital_and_sessions_are_those_of_the_strategy(settings: Settings) -> None:
    friday = datetime(2026, 3, 6, 10, tzinfo=UTC)
    events = [
        each
        for number, strategy in enumerate(("own", "other", "both", "both"))
        for each in (
            signal(number, strategy=strategy, price="100", emitted_at=friday,
                   currency="INR" if number == 3 else "USD"),
            closed(number, "110", closed_at=friday + timedelta(days=1)),
        )
    ]  # fmt: skip
    run(settings, events, [len(events)])
    known = settings.model_copy(update={"capital": "own=100,both=50", "sessions": "own=every_day"})
    found = read_report(known, as_of=friday + timedelta(days=3)).records
    assert (found["own"]["basis"], found["own"]["sessions"]) == ("capital", 4)
    assert found["own"]["total_return"] == pytest.approx(0.1)
    assert (found["other"]["basis"], found["other"]["sessions"]) == ("mean_trade_return", 2)
    assert found["other"]["total_return"] is None
    assert found["other"]["reasons"]["total_return"] == "no_capital"
    # One amount is not money in two currencies.
    assert {each["basis"] for each in found["both"]["currencies"].values()} == {"mean_trade_return"}


def test_luck_is_of_all_that_was_tried_whoever_is_asked_for(settings: Settings) -> None:
    events = histories.make("luck", 150, replace(histories.Shape(), currencies=("USD",)))
    run(settings, events, [len(events)])
    at = histories.START + timedelta(days=20)
    all_ = read_report(settings, as_of=at).records
    alone = read_report(settings, strategy="strategy-1", as_of=at).records
    assert alone == {"strategy-1": all_["strategy-1"]}
    assert alone["strategy-1"]["trials"] == 5
    more = read_report(settings, as_of=at, trials=500).records["strategy-1"]
    said = settings.model_copy(update={"trials": 500})
    assert read_report(said, as_of=at).records["strategy-1"] == more
    assert more["trials"] == 500
    assert more["deflated_sharpe_ratio"] < all_["strategy-1"]["deflated_sharpe_ratio"]
    assert read_report(said, as_of=at, trials=2).records["strategy-1"]["trials"] == 5


def test_any_order_and_any_split_over_partitions_give_the_same_report(settings: Settings) -> None:
    events = [each for each in histories.make("split", 80) if not each.revision]
    first_of_each = list({(each.event_type, each.signal_id, getattr(each, "exit_id", "")): each
                          for each in reversed(events)}.values())  # fmt: skip
    at = histories.START + timedelta(days=8, hours=1)
    found = []
    for seed in range(3):
        order = random.Random(seed).sample(first_of_each, len(first_of_each))
        run(settings, order, [7 * seed + 5] * len(order))
        found.append(read_report(settings, as_of=at).records)
        compare.fetch(settings, _EMPTIED)
    assert found[0] == found[1] == found[2]
    assert found[0]

"""What becomes of a strategy that runs: bars that come wrongly, failures, new versions, an end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.strategy_runner.service import STAGE
from tests.support import compare, runner
from tests.support.runner import add_strategy, change, counts, day_bar
from tests.support.servers import Services
from trackrecord.events import EVENTS, Event, MarketBar, SignalClosed, SignalEmitted
from trackrecord.events.codec import decode
from trackrecord.runtime.settings import Settings
from trackrecord.sandbox.isolation import SandboxError
from trackrecord.strategies.rules.canonical import finished
from trackrecord.strategies.rules.model import Always, Rule
from trackrecord.testing import Member, StageRun, as_message, scratch_database
from trackrecord.testing.messages import APPENDED_AT

pytestmark = pytest.mark.kafka

APPENDED = datetime.fromtimestamp(APPENDED_AT / 1000, UTC)

DOWN_UP = """LOOKBACK = 2

def execute_strategy(market_data, strategy_params):
    bars = market_data["bars"]
    if market_data["position"]["side"] is None:
        return {"action": "buy" if bars[-1]["close"] < bars[-2]["close"] else "hold"}
    return {"action": "sell" if bars[-1]["close"] > bars[-2]["close"] else "hold",
            "reason": "up\\nagain"}
"""
"""Buys what fell, sells what rose."""

ALWAYS_IN = """LOOKBACK = 1

def execute_strategy(market_data, strategy_params):
    return {"action": "buy", "confidence": 0.5, "metadata": {"stop_loss": 7.0, "note": [1, "a"]}}
"""

FAILS = """LOOKBACK = 1

def execute_strategy(market_data, strategy_params):
    return {"action": 1 / 0}
"""

SLOW_ON_ONE = """LOOKBACK = 1

def execute_strategy(market_data, strategy_params):
    while market_data["symbol"] == "SLOW":
        pass
    return {"action": "buy"}
"""


@pytest.fixture(scope="module")
def database(services: Services) -> Iterator[Settings]:
    with scratch_database(services.database_url) as settings:
        yield settings


@pytest.fixture
def settings(database: Settings) -> Settings:
    runner.forget_decisions(database)
    return database


class Feed:
    """Bars that come one batch after the other to one process of the stage."""

    def __init__(self, settings: Settings, **other: Any) -> None:
        self.settings = settings.model_copy(update=other)
        self._member = Member(STAGE, self.settings)
        self._offset = 0
        self._told = 0

    def brings(self, *bars: MarketBar, at: datetime | None = None) -> list[Event]:
        """One batch; what is published because of it."""
        messages = []
        for bar in bars:
            messages.append(as_message(bar, self._offset, appended_at=at))
            self._offset += 1
        assert self._member.apply(messages) == []
        new = self._member.outgoing[self._told :]
        self._told = len(self._member.outgoing)
        return [decode(EVENTS[each.event_type], each.value) for each in new]

    def prices(self, symbol: str, first: int, *closes: float) -> list[Event]:
        """Bars that open where the one before closed, each a batch of its own."""
        found = []
        for number, close in enumerate(closes):
            found += self.brings(flat(symbol, first + number, close))
        return found

    def close(self) -> None:
        self._member.close()


@pytest.fixture
def feed(settings: Settings) -> Iterator[Feed]:
    found = Feed(settings)
    yield found
    found.close()


def flat(symbol: str, day: int, price: float, **other: Any) -> MarketBar:
    return day_bar(symbol, day, [price] * 4, **other)


def emitted(events: list[Event]) -> list[SignalEmitted]:
    return [each for each in events if isinstance(each, SignalEmitted)]


def closed(events: list[Event]) -> list[SignalClosed]:
    return [each for each in events if isinstance(each, SignalClosed)]


def decisions(settings: Settings) -> list[tuple[Any, ...]]:
    return compare.fetch(
        settings,
        "SELECT symbol, (opened_at AT TIME ZONE 'UTC')::date - '2026-01-01'::date, action,"
        " fault_code, corrected FROM strategy_decisions ORDER BY decided_at, opened_at, symbol",
    )


def test_a_signal_says_whose_it_is_and_an_exit_tells_both_prices(feed: Feed) -> None:
    strategy = add_strategy(
        feed.settings, "mine", source_code=DOWN_UP, symbols=["AAA"], quantity=Decimal("2.5"),
        currency="EUR", version=3,
    )  # fmt: skip
    [signal] = emitted(feed.prices("AAA", 0, 10, 9))
    assert (signal.strategy, signal.side, signal.price) == ("mine", "BUY", Decimal(9))
    assert (signal.entry, signal.exits, signal.account) == ("next_open", "own", "paper")
    assert (signal.quantity, signal.currency) == (Decimal("2.5"), "EUR")
    assert signal.emitted_at == flat("AAA", 1, 1).closed_at
    assert signal.metadata == {"strategy_id": str(strategy), "version": 3}
    assert feed.brings(day_bar("AAA", 2, (8, 9, 7, 8))) == []
    assert feed.brings(day_bar("AAA", 3, (8, 9, 7, "8.5"))) == []
    [exit_] = feed.brings(day_bar("AAA", 4, ("8.75", 9, 8, 9)))
    assert isinstance(exit_, SignalClosed)
    assert (exit_.signal_id, exit_.strategy) == (signal.signal_id, "mine")
    assert (exit_.entry_price, exit_.price) == (Decimal(8), Decimal("8.75"))
    assert exit_.closed_at == flat("AAA", 4, 1).opened_at
    assert exit_.reason == "decision: up again"
    assert counts(feed.settings, strategy) == {
        "decisions": 4, "entries": 1, "exits": 1, "faults": 0, "missed": 0, "corrected": 0,
    }  # fmt: skip


def test_what_a_strategy_adds_goes_along(feed: Feed) -> None:
    add_strategy(feed.settings, "mine", source_code=ALWAYS_IN)
    [signal] = emitted(feed.prices("AAA", 0, 10))
    assert (signal.stop_loss, signal.confidence) == (Decimal(7), 0.5)
    assert signal.metadata is not None
    assert signal.metadata["note"] == [1, "a"]


def test_bars_before_the_activation_are_looked_back_on_and_not_decided_upon(feed: Feed) -> None:
    add_strategy(feed.settings, "mine", source_code=DOWN_UP, activated_at=APPENDED)
    assert feed.prices("AAA", 0, 10, 9, 8) == []
    later = APPENDED + timedelta(milliseconds=1)
    assert len(feed.brings(flat("AAA", 3, 7), at=later)) == 1
    assert [row[1] for row in decisions(feed.settings)] == [3]


def test_a_repeated_bar_a_corrected_one_and_a_late_one_are_not_decided_upon(feed: Feed) -> None:
    strategy = add_strategy(feed.settings, "mine", source_code=DOWN_UP)
    first = feed.prices("AAA", 0, 10, 9)
    assert len(emitted(first)) == 1
    assert feed.brings(flat("AAA", 1, 9)) == []
    assert feed.brings(flat("AAA", 1, 11, revision=1)) == []
    assert feed.brings(flat("AAA", 3, 8)) == []
    assert feed.brings(flat("AAA", 2, 7)) == []
    assert counts(feed.settings, strategy)["missed"] == 1
    assert counts(feed.settings, strategy)["corrected"] == 1
    assert decisions(feed.settings) == [("AAA", 1, "buy", None, True)]
    # The next decision looks back on the bars as they are now: 7 on day 2 was stored.
    feed.prices("AAA", 4, 8.5)
    kept = compare.fetch(
        feed.settings, "SELECT close FROM strategy_bars WHERE symbol = 'AAA' ORDER BY opened_at"
    )
    assert [float(row[0]) for row in kept] == [10, 11, 7, 8, 8.5]


def test_of_several_sources_the_first_by_name_counts_or_the_one_that_is_named(feed: Feed) -> None:
    add_strategy(feed.settings, "any", source_code=DOWN_UP)
    add_strategy(feed.settings, "own", source_code=DOWN_UP, source="b")

    def both(day: int, a: float, b: float) -> dict[str, Decimal]:
        events = feed.brings(flat("AAA", day, b, source="b"), flat("AAA", day, a, source="a"))
        return {each.strategy: each.price for each in emitted(events)}

    assert both(0, 10, 20) == {}
    assert both(1, 9, 19) == {"any": Decimal(9), "own": Decimal(19)}
    standings = "SELECT source FROM strategy_positions ORDER BY source"
    assert compare.fetch(feed.settings, standings) == [("b",), (None,)]


def test_a_strategy_that_fails_again_and_again_is_suspended_and_others_go_on(
    settings: Settings,
) -> None:
    feed = Feed(settings, strategy_failures=3)
    bad = add_strategy(settings, "bad", source_code=FAILS)
    good = add_strategy(settings, "good", source_code=DOWN_UP)
    feed.prices("AAA", 0, 10, 9)
    why = "SELECT suspended_why FROM strategies WHERE name = 'bad'"
    assert compare.fetch(settings, why) == [(None,)]
    feed.close()
    feed = Feed(settings, strategy_failures=3)  # another process goes on counting
    events = feed.prices("AAA", 2, 9, 10, 11, 10)
    [(reason,)] = compare.fetch(settings, why)
    assert "failed 3 times in a row, the last time on AAA's bar of 2026-01-03" in reason
    assert "division by zero" in reason
    assert counts(settings, bad)["faults"] == 3
    assert counts(settings, good)["exits"] == 1
    assert {each.strategy for each in emitted(events)} == {"good"}
    assert [row[3] for row in decisions(settings) if row[3]] == ["error"] * 3
    # Who resumes it has it asked again, from 0.
    change(settings, bad, suspended_at=None, suspended_why=None)
    feed.prices("AAA", 6, 10, 9)
    assert counts(settings, bad)["faults"] == 5
    assert compare.fetch(settings, why) == [(None,)]
    feed.close()


def test_a_suspended_strategy_keeps_its_stop(settings: Settings) -> None:
    feed = Feed(settings)
    strategy = add_strategy(settings, "mine", source_code=ALWAYS_IN)
    feed.prices("AAA", 0, 10, 10)
    change(settings, strategy, suspended_at=APPENDED, suspended_why="for a test")
    assert feed.prices("AAA", 2, 9) == []
    [exit_] = feed.prices("AAA", 3, 6.5)
    assert isinstance(exit_, SignalClosed)
    assert (exit_.reason, exit_.price) == ("stop", Decimal("6.5"))
    assert feed.prices("AAA", 4, 7, 8) == []
    feed.close()


def test_a_strategy_that_is_slow_on_one_symbol_is_suspended_and_others_do_not_wait(
    settings: Settings,
) -> None:
    feed = Feed(settings, strategy_failures=2, sandbox_seconds=0.1)
    add_strategy(settings, "slow", source_code=SLOW_ON_ONE)
    add_strategy(settings, "quick", source_code=ALWAYS_IN)
    for day in range(2):
        events = feed.brings(flat("SLOW", day, 10), flat("FAST", day, 10))
        if not day:
            assert {(each.strategy, each.symbol) for each in emitted(events)} == {
                ("slow", "FAST"), ("quick", "SLOW"), ("quick", "FAST"),
            }  # fmt: skip
    [(reason,)] = compare.fetch(
        settings, "SELECT suspended_why FROM strategies WHERE name = 'slow'"
    )
    assert "SLOW's bar" in reason
    faults = [row for row in decisions(settings) if row[3]]
    assert [row[0] for row in faults] == ["SLOW", "SLOW"]
    assert {row[3] for row in faults} == {"time"}
    feed.close()


def test_a_batch_that_would_take_too_long_is_cut_and_comes_to_the_same(settings: Settings) -> None:
    bars = [flat("AAA", day, 10 - day % 3) for day in range(40)]
    found = []
    for seconds in (5.0, 0.02):
        runner.forget_decisions(settings)
        add_strategy(settings, "mine", source_code=DOWN_UP)
        feed = Feed(settings, strategy_batch_seconds=seconds)
        found.append([each.to_json() for each in feed.brings(*bars)])
        feed.close()
    assert found[0] == found[1]
    assert len(found[0]) > 10


def test_of_one_bar_the_slowest_strategies_miss_their_decision(settings: Settings) -> None:
    feed = Feed(settings, strategy_batch_seconds=0.15, sandbox_seconds=0.2)
    slow = [add_strategy(settings, name, source_code=SLOW_ON_ONE) for name in ("slow 1", "slow 2")]
    quick = add_strategy(settings, "quick", source_code=DOWN_UP)
    for day in range(4):
        feed.brings(flat("SLOW", day, 10 + day))
    assert counts(settings, quick)["missed"] <= 1  # until it is known who is slow
    missed = [counts(settings, each)["missed"] for each in slow]
    assert sum(missed) >= 3
    feed.close()


def test_a_deleted_strategys_positions_run_to_their_end(feed: Feed) -> None:
    strategy = add_strategy(feed.settings, "mine", source_code=DOWN_UP)
    [signal] = emitted(feed.prices("AAA", 0, 10, 9, 9))
    [waiting] = emitted(feed.prices("BBB", 0, 10, 9))
    change(feed.settings, strategy, status="archived", deleted_at=APPENDED)
    # The one that waits is entered, as it was announced; then both are left when it says so.
    assert feed.prices("BBB", 2, 9, 8) == []
    events = feed.prices("AAA", 3, 10, 10) + feed.prices("BBB", 4, 9, 9)
    assert {each.signal_id for each in closed(events)} == {signal.signal_id, waiting.signal_id}
    assert feed.prices("AAA", 5, 9, 8) == feed.prices("CCC", 0, 9, 8) == []
    assert compare.fetch(feed.settings, "SELECT count(*) FROM strategy_positions") == [(0,)]


def test_a_symbol_that_is_no_longer_traded_is_left(feed: Feed) -> None:
    strategy = add_strategy(feed.settings, "mine", source_code=DOWN_UP, symbols=["AAA", "BBB"])
    feed.prices("AAA", 0, 10, 9, 9)
    change(feed.settings, strategy, symbols=["BBB"])
    assert len(closed(feed.prices("AAA", 3, 10, 10))) == 1
    assert feed.prices("AAA", 5, 9, 8) == []
    assert len(emitted(feed.prices("BBB", 0, 10, 9))) == 1


def test_a_new_version_lets_the_old_ones_positions_run_out(feed: Feed) -> None:
    strategy = add_strategy(feed.settings, "mine", source_code=DOWN_UP)
    [first] = emitted(feed.prices("AAA", 0, 10, 9, 9))
    runner.add_version(feed.settings, strategy, 2, ALWAYS_IN)
    [second] = feed.prices("AAA", 3, 9)
    assert isinstance(second, SignalEmitted)
    assert second.metadata is not None
    assert second.metadata["version"] == 2
    [exit_] = closed(feed.prices("AAA", 4, 10, 10))
    assert (exit_.signal_id, exit_.reason) == (first.signal_id, "decision: up again")
    held = compare.fetch(feed.settings, "SELECT version FROM strategy_positions")
    assert held == [(2,)]


def test_a_new_version_may_take_over(feed: Feed) -> None:
    strategy = add_strategy(feed.settings, "mine", source_code=ALWAYS_IN)
    [signal] = emitted(feed.prices("AAA", 0, 10, 10))
    runner.add_version(feed.settings, strategy, 2, DOWN_UP)
    change(feed.settings, strategy, takes_over=True)
    [exit_] = feed.prices("AAA", 2, 10, 11, 11)
    assert isinstance(exit_, SignalClosed)
    assert exit_.signal_id == signal.signal_id
    assert exit_.reason == "decision: up again"
    assert compare.fetch(feed.settings, "SELECT count(*) FROM strategy_positions") == [(0,)]


def test_two_owners_may_call_theirs_the_same(feed: Feed) -> None:
    add_strategy(feed.settings, "one", source_code=DOWN_UP, owner="ada")
    other = add_strategy(feed.settings, "two", source_code=DOWN_UP, owner="bob")
    change(feed.settings, other, name="one")
    found = emitted(feed.prices("AAA", 0, 10, 9))
    assert {each.strategy for each in found} == {"one", "two"}
    assert len({each.signal_id for each in found}) == 2


def test_what_cannot_be_asked_is_suspended_with_its_reason(settings: Settings) -> None:
    feed = Feed(settings, strategy_failures=1)
    add_strategy(
        settings, "no code", source_code="LOOKBACK = 'many'\n" + runner.HOLDS.partition("\n")[2]
    )
    strategy = add_strategy(settings, "no such", source_code=DOWN_UP, parameters='{"x": 1}')
    feed.prices("AAA", 0, 10)
    found = dict(compare.fetch(settings, "SELECT name, suspended_why FROM strategies"))
    assert "LOOKBACK is a whole number" in found["no code"]
    assert "there is no parameter 'x'" in found["no such"]
    assert counts(settings, strategy)["faults"] == 1
    feed.close()


def test_without_a_sandbox_rules_go_on_and_nobody_is_suspended(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise SandboxError("there is less isolation than was asked for")

    monkeypatch.setattr("trackrecord.sandbox.monty.require", refuse)
    feed = Feed(settings, strategy_failures=1)
    strategy = add_strategy(settings, "code", source_code=DOWN_UP)
    rule = finished(Rule(entry=Always(), horizon_bars=2))
    other = add_strategy(settings, "rule", rule=rule)
    feed.prices("AAA", 0, *(10 + day % 4 for day in range(22)))
    assert counts(settings, strategy)["missed"] == 21
    assert counts(settings, other)["decisions"] == 23 - rule.lookback
    assert compare.fetch(settings, "SELECT count(suspended_at) FROM strategies") == [(0,)]
    feed.close()


def test_a_strategy_of_another_timeframe_is_not_asked(feed: Feed) -> None:
    strategy = add_strategy(feed.settings, "mine", source_code=ALWAYS_IN, timeframe="1h")
    assert feed.prices("AAA", 0, 10, 9) == []
    assert counts(feed.settings, strategy)["decisions"] == 0


def test_only_the_last_thousand_bars_are_kept(settings: Settings) -> None:
    bars = [flat("AAA", day, 10) for day in range(1_150)]
    run = StageRun(STAGE, settings).of(bars, batches=[1_090] + [3] * 20)
    assert len(run.rows("strategy_bars")) == 1_000
    assert compare.fetch(settings, "SELECT count(*) FROM strategy_bars")[0][0] < 1_100

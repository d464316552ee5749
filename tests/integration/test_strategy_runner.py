"""The runner's trades are the backtest's, in whatever batches bars come."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from services.signal_tracker.service import STAGE as TRACKER
from services.strategy_runner.service import STAGE
from tests.support import compare, runner
from tests.support.runner import Row
from tests.support.servers import Services
from tests.unit.strategies.made_up import made_rule
from trackrecord.events import Event
from trackrecord.runtime.settings import Settings
from trackrecord.strategies.drive import Stretch
from trackrecord.strategies.history import History
from trackrecord.strategies.rule_answers import columnar
from trackrecord.strategies.rules.code import code
from trackrecord.strategies.rules.model import Rule
from trackrecord.testing import AppliedRun, StageRun, scratch_database

pytestmark = pytest.mark.kafka

HISTORY = runner.world(bars=420)
FIRST = int(HISTORY.sessions[0])
_OF_A_KIND = 2


@pytest.fixture(scope="module")
def database(services: Services) -> Iterator[Settings]:
    with scratch_database(services.database_url) as settings:
        yield settings


@pytest.fixture
def settings(database: Settings) -> Settings:
    runner.forget_decisions(database)
    return database


def by_backtest(rule: Rule, history: History = HISTORY, first: int = FIRST) -> list[Row]:
    """The trades of a backtest."""
    trades = columnar(lambda _: rule, {}).trades(history, [Stretch(first, {})])
    return runner.backtest_trades(history, trades)


@cache
def busy_rules() -> dict[str, Rule]:
    """Made-up rules that trade on these bars, of all sides, by name."""
    found: dict[str, Rule] = {}
    kinds: Counter[tuple[str, bool]] = Counter()
    for seed in range(500):
        rule = made_rule(seed)
        kind = rule.sides, rule.trail is not None
        if kinds[kind] < _OF_A_KIND and rule.lookback <= 260 and len(by_backtest(rule)) >= 8:
            found[f"made {seed}"] = rule
            kinds[kind] += 1
        if kinds.total() == 5 * _OF_A_KIND:  # who takes both sides has no trail
            break
    return found


def check(found: list[Event], rules: dict[str, Rule], history: History = HISTORY) -> None:
    """All trades are those of the backtests."""
    for name, rule in rules.items():
        live, expected = runner.live_trades(found, name), by_backtest(rule, history)
        waiting = runner.waiting(live, expected, history)
        assert [row for row in live if row not in waiting] == expected, name
        assert len(waiting) <= len(history.series)


def cuts(count: int, seed: int) -> list[int]:
    """Sizes of random batches."""
    rng = random.Random(seed)
    sizes: list[int] = []
    while sum(sizes) < count:
        sizes.append(min(rng.choice((1, 2, 7, 40, 300)), count - sum(sizes)))
    return sizes


def test_rules_make_the_backtests_trades_in_one_batch_and_in_many(settings: Settings) -> None:
    rules = busy_rules()
    assert len(rules) == 5 * _OF_A_KIND
    events = runner.events_of(HISTORY)
    first: AppliedRun | None = None
    for seed, consumers in ((0, 1), (1, 1), (2, 2)):
        runner.forget_decisions(settings)
        for name, rule in rules.items():
            runner.add_strategy(settings, name, rule=rule)
        sizes = None if seed == 0 else cuts(len(events), seed)
        run = StageRun(STAGE, settings).of(events, batches=sizes, consumers=consumers)
        check(run.outgoing, rules)
        if first is not None:
            same = sorted(each.to_json() for each in first.outgoing)
            assert sorted(each.to_json() for each in run.outgoing) == same
        first = run


def test_code_makes_the_same_trades_as_the_rule_it_was_made_of(settings: Settings) -> None:
    history = runner.world(bars=90, symbols=2, seed=5)
    rules: dict[str, Rule] = {}
    for seed in range(300):
        rule = made_rule(seed)
        if rule.lookback < 20 and len(by_backtest(rule, history)) >= 4:
            rules[f"code {seed}"] = rule
        if len(rules) == 3:
            break
    for name, rule in rules.items():
        runner.add_strategy(settings, name, source_code=code(rule))
    events = runner.events_of(history)
    run = StageRun(STAGE, settings).of(events, batches=cuts(len(events), 3))
    check(run.outgoing, rules, history)
    assert compare.fetch(
        settings, "SELECT count(*) FROM strategy_decisions WHERE fault IS NOT NULL"
    ) == [(0,)]


def test_its_record_is_what_the_backtest_has_earned(settings: Settings) -> None:
    rules = busy_rules()
    for name, rule in rules.items():
        runner.add_strategy(settings, name, rule=rule, quantity=3)
    said = StageRun(STAGE, settings).of(runner.events_of(HISTORY)).outgoing
    StageRun(TRACKER, settings).of(said)
    found = dict(
        compare.fetch(
            settings,
            "SELECT strategy, sum(realised_pnl) FROM exits JOIN signals USING (signal_id, strategy)"
            " GROUP BY strategy",
        )
    )
    for name, rule in rules.items():
        trades = columnar(lambda _, rule=rule: rule, {}).trades(HISTORY, [Stretch(FIRST, {})])
        earned = sum(
            (each.exit_price - each.entry_price) * each.direction * 3
            for each in trades
            if each.is_closed and each.exit_price is not None
        )
        assert found[name] == earned, name

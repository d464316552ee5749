"""Processes of the runner that are killed and frozen make the backtest's trades all the same."""

from __future__ import annotations

import time

import pytest

from tests.integration.test_strategy_runner import busy_rules, by_backtest, check
from tests.support import compare, runner, wire
from tests.support.pipeline import Pipeline, until
from trackrecord.events import EVENTS, Event
from trackrecord.events.base import EventType
from trackrecord.events.codec import decode
from trackrecord.strategies.rules.code import code

pytestmark = pytest.mark.kafka

# Nobody comes back after a while: whether the others had traded in between depends on which
# partition is read first.
HISTORY = runner.world(bars=420, away=False)

_TOPICS: tuple[EventType, ...] = ("signal_emitted", "signal_closed")


def published(pipeline: Pipeline) -> list[Event]:
    """What stands on the topics of signals."""
    return [
        decode(EVENTS[name], each.value)
        for name in _TOPICS
        for each in wire.read(pipeline.settings, pipeline.settings.topic(name))
    ]


def test_killed_frozen_and_joined_it_decides_each_bar_once(pipeline: Pipeline) -> None:
    rules = dict(list(busy_rules().items())[:7])
    for name, rule in list(rules.items())[:6]:
        runner.add_strategy(pipeline.settings, name, rule=rule)
    name, rule = list(rules.items())[6]
    runner.add_strategy(pipeline.settings, name, source_code=code(rule))
    small = {"TRACKRECORD_BATCH_SIZE": "25"}
    events = runner.events_of(HISTORY)
    parts = [
        events[at : at + len(events) // 4 + 1] for at in range(0, len(events), len(events) // 4 + 1)
    ]

    first = pipeline.start_ready("strategy_runner", **small)
    pipeline.publish(parts[0])
    until(lambda: pipeline.read_so_far("strategy_runner") > 50, "the first has begun")
    first.kill()
    second = pipeline.start_ready("strategy_runner", **small)
    third = pipeline.start_ready("strategy_runner", **small)
    pipeline.publish(parts[1])
    pipeline.until_more_is_read("strategy_runner", len(parts[0]))
    second.freeze()
    pipeline.publish(parts[2])
    time.sleep(4)  # longer than its session lasts
    second.thaw()
    pipeline.until_more_is_read("strategy_runner", len(parts[0]) + len(parts[1]))
    pipeline.start_ready("strategy_runner", **small)
    pipeline.publish(parts[3])
    third.kill()
    pipeline.done("strategy_runner", 120)

    check(published(pipeline), rules, HISTORY)
    faults = "SELECT count(*) FROM strategy_decisions WHERE fault IS NOT NULL"
    assert compare.fetch(pipeline.settings, faults) == [(0,)]
    for name, rule in rules.items():
        found = runner.counts(pipeline.settings, runner.strategy_id(name))
        asked = sum(max(0, len(each) - rule.lookback + 1) for each in HISTORY.series.values())
        assert found["decisions"] == asked
        assert found["missed"] == found["corrected"] == 0
        assert found["entries"] >= len(by_backtest(rule, HISTORY))
    before = compare.fetch(
        pipeline.settings, "SELECT * FROM strategy_decisions ORDER BY 1, 2, 3, 4, 5"
    )
    pipeline.check_replay()
    after = compare.fetch(
        pipeline.settings, "SELECT * FROM strategy_decisions ORDER BY 1, 2, 3, 4, 5"
    )
    assert after == before

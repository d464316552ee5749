"""Kept strategies judged on the bars of the database: by rule and by code, counted and kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.support.access import Access
from tests.support.strategies_kept import DIP, HALF, NOW, by_hand, by_rule, fill_bars
from trackrecord.access.store.audit import COMMAND_LINE
from trackrecord.catalogue.bars import read_history
from trackrecord.catalogue.judging import How, judge_kept
from trackrecord.catalogue.laboratory import Laboratory
from trackrecord.catalogue.life import StrategyRefusedError
from trackrecord.catalogue.store import strategies
from trackrecord.catalogue.store.rows import Made, Strategy
from trackrecord.catalogue.trial_bars import trial_bars
from trackrecord.strategies.backtest import Settings as HowJudged
from trackrecord.strategies.history import BadBarsError
from trackrecord.strategies.made_up_bars import made_up

pytestmark = pytest.mark.kafka

QUICK = How(settings=HowJudged(resamples=0))


@pytest.fixture
def laboratory(access: Access) -> Iterator[Laboratory]:
    with Laboratory(access.settings, made_up) as found:
        yield found


def kept(access: Access, made: Made, **more: object) -> Strategy:
    given = {"owner": "ada", "user_id": None, "now": NOW, "symbols": ["AAA", "BBB"], **more}
    with access.owner() as cursor:
        return strategies.add(cursor, COMMAND_LINE, made, **given)  # type: ignore[arg-type]


def test_bars_come_exactly_and_of_the_first_source_by_name(access: Access) -> None:
    with access.owner() as cursor:
        fill_bars(cursor, days=10)
        fill_bars(cursor, ("AAA",), days=12, source="a feed")
        history = read_history(cursor, ["AAA", "BBB", "CCC"], "1d")
        every = read_history(cursor, ["*"], "1d", latest=3)
        named = read_history(cursor, ["AAA"], "1d", source="feed")
        cursor.execute("SELECT open::text FROM bars WHERE symbol = 'BBB' ORDER BY opened_at")
        opens = [text for (text,) in cursor.fetchall()]
        with pytest.raises(BadBarsError, match=r"no bars of CCC \(1d\) have come so far"):
            read_history(cursor, ["CCC"], "1d")
        with pytest.raises(BadBarsError, match="no bars of AAA"):
            read_history(cursor, ["AAA"], "1h")
    assert {name: len(each) for name, each in history.series.items()} == {"AAA": 12, "BBB": 10}
    assert {name: len(each) for name, each in every.series.items()} == {"AAA": 3, "BBB": 3}
    assert len(named.series["AAA"]) == 10
    assert [str(history.series["BBB"].exact(row).open) for row in range(10)] == [
        each.rstrip("0").rstrip(".") for each in opens
    ]


def test_the_same_strategy_as_rule_and_as_code_comes_to_the_same(
    access: Access, laboratory: Laboratory
) -> None:
    with access.owner() as cursor:
        fill_bars(cursor)
    rule = by_rule(DIP, "rule")
    code = Made(kind="code", name="code", code=rule.code, is_valid=True, declared=rule.declared)
    reports = [
        judge_kept(
            access.owner, kept(access, made).strategy_id, lambda: laboratory.executor, NOW,
            how=QUICK,
        )
        for made in (rule, code)
    ]  # fmt: skip
    # Only code says why it does what it does.
    one, other = (
        [{name: value for name, value in each.items() if "reason" not in name} for each in trades]
        for trades in (reports[0]["trades"], reports[1]["trades"])
    )
    assert one == other
    assert len(one) > 10
    # The same code with the same parameters is one try, whoever made it.
    assert [each["tries"] for each in reports] == [1, 1]


def test_the_verdict_is_kept_with_its_version_and_what_it_was_run_with(
    access: Access, laboratory: Laboratory
) -> None:
    with access.owner() as cursor:
        fill_bars(cursor)
    found = kept(access, by_rule())
    with access.owner() as cursor:
        changes = strategies.Changes(parameters={"sma_fast": 5})
        strategies.change(cursor, COMMAND_LINE, found.strategy_id, changes, NOW)
    report = judge_kept(
        access.owner, found.strategy_id, lambda: laboratory.executor, NOW, how=QUICK
    )
    with access.owner() as cursor:
        stored = strategies.version(cursor, found.strategy_id).backtest
    assert stored is not None
    assert stored["verdict"] == report["verdict"]
    assert stored["at"] == "2026-11-29T09:00:00Z"
    assert stored["bars"]["symbols"] == ["AAA", "BBB"]
    assert stored["windows"][0]["parameters"]["sma_fast"] == 5
    assert "trades" not in stored
    assert "equity" not in stored


def test_a_models_strategy_may_remember_what_was_before_it_was_asked(
    access: Access, laboratory: Laboratory
) -> None:
    with access.owner() as cursor:
        fill_bars(cursor)
    made = by_rule(DIP, "model's")
    by_model = Made(
        kind="code", name="model's", code=made.code, is_valid=True, model="m-1",
        asked_at=NOW - timedelta(days=3),
    )  # fmt: skip
    report = judge_kept(
        access.owner, kept(access, by_model).strategy_id, lambda: laboratory.executor, NOW,
        how=QUICK,
    )  # fmt: skip
    assert report["written_by_model"]
    assert report["may_be_remembered"]["sessions"] == report["may_be_remembered"]["of"]


def test_what_cannot_be_judged_is_said(access: Access, laboratory: Laboratory) -> None:
    def judge(found: Strategy, how: How | None = None) -> None:
        judge_kept(access.owner, found.strategy_id, lambda: laboratory.executor, NOW, how=how)

    with pytest.raises(StrategyRefusedError, match="is not valid, so that its decisions"):
        judge(kept(access, by_hand(is_valid=False)))
    with pytest.raises(StrategyRefusedError, match="has no symbols: say on which"):
        judge(kept(access, by_rule(), symbols=[]))
    with pytest.raises(BadBarsError, match="no bars of AAA, BBB"):
        judge(kept(access, by_rule(DIP, "without bars")))
    with pytest.raises(BadBarsError, match=r"no bars of any symbol \(1d\)"):
        judge(kept(access, by_rule(DIP, "all")), How(symbols=["*"]))
    # What was understood of a sentence can be judged while the rest is open.
    with access.owner() as cursor:
        fill_bars(cursor, days=300)
    judge(kept(access, by_rule(HALF, "half")), QUICK)


def test_strategies_are_tried_on_real_bars_where_there_are_enough(access: Access) -> None:
    with access.owner() as cursor:
        assert trial_bars(cursor) == made_up()
        fill_bars(cursor, ("AAA",), days=200)
        assert trial_bars(cursor) == made_up()
        fill_bars(cursor, ("BBB",), days=1_350)
        found = trial_bars(cursor)
    assert {name: len(bars) for name, bars in found.items()} == {"BBB": 1_300}

"""Another policy for outcomes: history is judged anew by replay, side by side with the old."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest

from services.trainer.store import read_outcomes
from tests.integration.test_replay import changed, quiet
from tests.support import compare
from tests.support.pipeline import Pipeline, stage_named
from trackrecord.events import MarketBar, SignalEmitted
from trackrecord.runtime.replay.replay import Replay
from trackrecord.runtime.settings import Settings

pytestmark = pytest.mark.kafka

FIRST: Final = datetime(2026, 1, 5, tzinfo=UTC)
DAY: Final = timedelta(days=1)
OLD: Final = {"TRACKRECORD_OUTCOME_POLICY": "stop_first"}
NEW: Final = {"TRACKRECORD_OUTCOME_POLICY": "target_first"}
TYPES: Final = 3


def bar(symbol: str, day: int, high: int, low: int) -> MarketBar:
    prices = {"open": 100, "high": high, "low": low, "close": 100}
    return MarketBar(
        symbol=symbol, timeframe="1d", source="test", opened_at=FIRST + day * DAY,
        closed_at=FIRST + day * DAY + DAY / 3, volume=Decimal(1_000),
        **{name: Decimal(price) for name, price in prices.items()},
    )  # fmt: skip


def history(begin: int, end: int) -> list[MarketBar | SignalEmitted]:
    """One signal a day on each of three symbols, whose bars reach neither level, both, the stop."""
    reach = ((101, 99), (106, 94), (101, 94))
    found: list[MarketBar | SignalEmitted] = []
    for day in range(begin, end):
        for kind, (high, low) in enumerate(reach):
            symbol = f"S{kind}"
            found.append(bar(symbol, day, high, low))
            found.append(
                SignalEmitted(
                    signal_id=f"{symbol}-{day:02}", strategy=f"kind {kind}", symbol=symbol,
                    side="BUY", price=Decimal(100), emitted_at=FIRST + day * DAY + DAY / 2,
                    target_price=Decimal(105), stop_loss=Decimal(95), horizon_bars=3,
                )
            )  # fmt: skip
    return found


def replay(settings: Settings, policy: str) -> Replay:
    """Of the stage under a policy."""
    chosen = settings.model_copy(update={"outcome_policy": policy})
    return Replay(chosen, [stage_named("outcome_scorer")])


def outcomes(settings: Settings, policy: str) -> dict[str, str]:
    found = compare.fetch(
        settings, "SELECT signal_id, outcome FROM outcomes WHERE policy = %s", (policy,)
    )
    return dict(found)


def successes(settings: Settings, policy: str) -> tuple[int, int]:
    """What a training would learn from, and how many successes are in it."""
    chosen = settings.model_copy(update={"outcome_policy": policy})
    with compare.session(settings) as cursor:
        data = read_outcomes.training_rows(cursor, chosen, datetime.now(UTC))
    return len(data.success), int(data.success.sum())


def test_a_replay_under_another_policy_judges_all_of_history_beside_what_was_there(
    pipeline: Pipeline,
) -> None:
    settings = pipeline.settings
    scorer = pipeline.start_ready("outcome_scorer", **OLD)
    pipeline.publish(history(0, 20))
    pipeline.done("outcome_scorer")
    scorer.stop()
    old_rows = "SELECT * FROM outcomes WHERE policy = 'stop_first' ORDER BY signal_id"
    before = compare.fetch(settings, old_rows)
    judged = outcomes(settings, "stop_first")
    assert {judged[f"S{kind}-05"] for kind in range(TYPES)} == {"expired", "stop"}

    # Nothing else changes: bars and signals are what they were.
    other = {"outcomes": len(before), "outcome_totals": TYPES}
    assert changed(replay(settings, "target_first").verify(quiet)) == other
    assert outcomes(settings, "target_first") == {}
    assert changed(replay(settings, "target_first").rebuild(quiet)) == other
    assert compare.fetch(settings, old_rows) == before
    wanted = {
        signal: "target" if signal.startswith("S1") else outcome
        for signal, outcome in judged.items()
    }
    assert outcomes(settings, "target_first") == wanted
    for policy in ("stop_first", "target_first"):
        assert changed(replay(settings, policy).verify(quiet)) == {}

    # From here on the stage judges by the new one, what waits and what comes.
    pipeline.start_ready("outcome_scorer", **NEW)
    pipeline.publish(history(20, 30))
    pipeline.done("outcome_scorer")
    assert compare.fetch(settings, old_rows) == before
    later = outcomes(settings, "target_first")
    assert len(later) > len(wanted) + 3 * 8
    assert later.items() >= wanted.items()
    assert {outcome for signal, outcome in later.items() if signal.startswith("S1")} == {"target"}

    # Learnt is from the policy that is set, and from whole horizons of three bars.
    assert successes(settings, "stop_first") == (TYPES * 17, 0)
    assert successes(settings, "target_first") == (TYPES * 27, 27)


def test_the_report_shows_each_policy_and_one_alone(pipeline: Pipeline) -> None:
    pipeline.start_ready("outcome_scorer", **OLD)
    pipeline.publish(history(0, 12))
    pipeline.done("outcome_scorer")
    replay(pipeline.settings, "target_first").rebuild(quiet)

    def told(*arguments: str) -> dict[str, Any]:
        done = pipeline.command("report", "--outcomes", "--json", *arguments, **NEW)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    both = told()
    assert both["policy"] == "target_first"
    assert set(both["outcomes"]) == {"stop_first", "target_first"}
    was, is_ = (both["outcomes"][name]["kind 1"] for name in ("stop_first", "target_first"))
    assert was["stop"] == is_["target"] == was["ambiguous"] == is_["ambiguous"] > 5
    assert (was["average_return"], is_["average_return"]) == pytest.approx((-0.05, 0.05))
    same = ("kind 0", "kind 2")
    assert all(both["outcomes"]["stop_first"][name] == both["outcomes"]["target_first"][name]
               for name in same)  # fmt: skip
    one = told("--policy", "stop_first", "--strategy", "kind 1")
    assert one["outcomes"] == {"stop_first": {"kind 1": was}}
    shown = pipeline.command("report", "--outcomes", **NEW).stdout
    assert "target_first, which is set and learnt from" in shown

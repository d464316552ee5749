"""What is held between two bars: followed as a backtest does, and kept to the last digit."""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.support.strategy_worlds import bar, walk_bars
from trackrecord.strategies.contract import Decision, Sides
from trackrecord.strategies.live.standing import FLAT, Standing, conclude, end, follow
from trackrecord.strategies.simulate import NOTHING, Exited, Voided, advance, decide

decisions = st.builds(
    Decision,
    st.sampled_from(["buy", "sell", "hold"]),
    stop_loss=st.none() | st.floats(60, 140),
    target_price=st.none() | st.floats(60, 140),
    horizon_bars=st.none() | st.integers(1, 9),
    reason=st.sampled_from(["", "why not"]),
)


@given(
    st.integers(0, 10_000),
    st.lists(decisions, min_size=60, max_size=60),
    st.sampled_from(["long", "short", "both"]),
    st.integers(0, 59),
)
def test_it_is_the_backtests_fold_and_survives_as_text(
    seed: int, answers: list[Decision], sides: Sides, split_at: int
) -> None:
    bars = walk_bars(60, seed, volatility=0.05)
    bars[split_at] = bars[split_at]._replace(split_ratio=Decimal("1.37"))
    state, standing = NOTHING, FLAT
    exits, lefts, open_signals = [], [], set()
    for number, (each, answer) in enumerate(zip(bars, answers, strict=True)):
        state, events = advance(state, each, opened_at=f"t{number}")
        exits += [event for event in events if isinstance(event, Exited | Voided)]
        standing = Standing.from_text(standing.to_text())
        standing, left = follow(standing, each, f"t{number}")
        lefts += left
        open_signals -= {one.signal for one in left}
        state = decide(state, answer, sides)
        standing, said = conclude(standing, answer, sides, f"s{number}")
        if said is not None:
            open_signals.add(said.signal)
        assert standing.state == state
        assert Standing.from_text(standing.to_text()) == standing
        held = {each for each in (standing.signal, standing.coming) if each is not None}
        assert held == open_signals
        assert standing.is_flat == (not open_signals)
    assert len(lefts) == len(exits)
    for one, event in zip(lefts, exits, strict=True):
        if isinstance(event, Exited):
            assert (one.price, one.entry_price) == (event.price, event.held.entry_price)
        else:
            assert one.reason == f"void: {event.why}"
            assert one.price == one.entry_price


def test_every_digit_is_kept() -> None:
    standing, _ = conclude(
        FLAT, Decision("buy", stop_loss=0.1 + 0.2, horizon_bars=3), "long", "one"
    )
    standing, _ = follow(standing, bar("1.10", "1.20", "1.00", "1.15", "3"), "t")
    again = Standing.from_text(standing.to_text())
    assert again.state.held is not None
    assert str(again.state.held.entry_price) == "3.30"
    assert str(again.state.held.stop) == "0.30000000000000004"
    assert json.loads(standing.to_text())["held"]["scale"] == "3"


def test_who_may_not_enter_only_leaves() -> None:
    standing, said = conclude(FLAT, Decision("buy"), "both", "one", may_enter=False)
    assert (standing, said) == (FLAT, None)
    standing, said = conclude(FLAT, Decision("buy"), "both", "one")
    assert said is not None
    assert said.signal == "one"
    standing, _ = follow(standing, bar(10, 11, 9, 10), "t")
    standing, said = conclude(standing, Decision("sell"), "both", "two", may_enter=False)
    assert said is None
    standing, left = follow(standing, bar(12, 12, 12, 12), "t")
    assert [(each.signal, each.reason, each.price) for each in left] == [
        ("one", "decision", Decimal(12))
    ]
    assert standing.is_flat


def test_a_symbol_that_ceases_to_trade_ends_what_is_held_and_what_waits() -> None:
    standing, _ = conclude(FLAT, Decision("buy"), "both", "one")
    standing, _ = follow(standing, bar(10, 11, 9, 10), "t")
    standing, _ = conclude(standing, Decision("sell"), "both", "two")
    standing, left = end(standing)
    assert [(each.signal, each.reason, each.price) for each in left] == [
        ("one", "expired: delisted", Decimal(10)),
        ("two", "void: delisted", Decimal(10)),
    ]
    assert standing.is_flat

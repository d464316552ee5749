"""One bar after another: fills, levels, horizons, splits and jumps, as outcomes judge them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.strategy_worlds import bar, flat_bars
from trackrecord.outcomes import POLICIES, Bar, Policy, Signal, label
from trackrecord.performance.trades.one_trade import gross_pnl
from trackrecord.strategies.contract import Decision, Sides
from trackrecord.strategies.simulate import (
    NOTHING,
    Entered,
    Event,
    Exited,
    Held,
    Order,
    State,
    Voided,
    advance,
    cease,
    decide,
)


def run(
    bars: list[Bar], answers: dict[int, Decision], sides: Sides = "long"
) -> list[tuple[int, Event]]:
    """All that happens, and at which bar, where a strategy decides so at some closes."""
    state, found = NOTHING, []
    for place, each in enumerate(bars):
        state, events = advance(state, each)
        found += [(place, event) for event in events]
        state = decide(state, answers.get(place, Decision("hold")), sides)
    return found


def exit_of(bars: list[Bar], decision: Decision, sides: Sides = "long") -> tuple[int, Exited]:
    events = run(bars, {0: decision}, sides)
    place, event = events[-1]
    assert isinstance(event, Exited)
    return place, event


def test_what_is_decided_at_a_close_is_filled_at_the_next_open_alone() -> None:
    # The decision's own bar rises by a tenth; nothing of it is earned.
    bars = [bar(100, 111, 99, 110), bar(112, 113, 111, 111), bar(109, 110, 108, 110)]
    events = run(bars, {0: Decision("buy"), 1: Decision("sell")})
    assert [(place, type(event)) for place, event in events] == [(1, Entered), (2, Exited)]
    left = events[1][1]
    assert isinstance(left, Exited)
    assert (left.held.entry_price, left.price, left.left, left.how) == (
        112,
        109,
        "decision",
        "open",
    )


def test_nothing_is_filled_inside_the_decision_bar_whatever_its_range() -> None:
    bars = [bar(100, 500, 1, 100), *flat_bars(100, 100)]
    events = run(bars, {0: Decision("buy", stop_loss=90.0, target_price=110.0)})
    assert [type(event) for _, event in events] == [Entered]


def test_an_open_below_the_stop_leaves_at_that_open() -> None:
    place, left = exit_of(
        [*flat_bars(100, 100, 100), bar(65, 66, 60, 61)], Decision("buy", stop_loss=90.0)
    )
    assert (place, left.price, left.left, left.how) == (3, 65, "stop", "gap")


@pytest.mark.parametrize(("stop", "price"), [(75.0, 75), (60.0, 60)])
def test_two_stops_in_one_falling_bar_are_each_left_at_their_own_level(
    stop: float, price: int
) -> None:
    bars = [*flat_bars(100, 100), bar(95, 95, 58, 60)]
    assert exit_of(bars, Decision("buy", stop_loss=stop))[1].price == price


def test_the_entry_bar_counts() -> None:
    place, left = exit_of(
        [*flat_bars(100), bar(100, 101, 94, 100)], Decision("buy", stop_loss=95.0)
    )
    assert (place, left.price, left.how, left.bars) == (1, 95, "intrabar", 1)


def test_a_bar_that_reaches_both_levels_leaves_at_the_stop_and_is_ambiguous() -> None:
    bars = [*flat_bars(100, 100), bar(100, 111, 89, 100)]
    _, left = exit_of(bars, Decision("buy", stop_loss=90.0, target_price=110.0))
    assert (left.price, left.left, left.ambiguous) == (90, "stop", True)


@pytest.mark.parametrize(("opened", "price", "how"), [(105, 110, "intrabar"), (115, 115, "gap")])
def test_a_target_is_left_at_its_level_or_at_an_open_beyond_it(
    opened: int, price: int, how: str
) -> None:
    bars = [*flat_bars(100, 100), bar(opened, 130, 100, 120)]
    _, left = exit_of(bars, Decision("buy", target_price=110.0))
    assert (left.price, left.how) == (price, how)


def test_a_horizon_counts_the_entry_bar_and_leaves_at_the_close() -> None:
    bars = [*flat_bars(100, 100), bar(100, 104, 99, 103), *flat_bars(100)]
    place, left = exit_of(bars, Decision("buy", horizon_bars=2))
    assert (place, left.price, left.left, left.how, left.bars) == (2, 103, "expired", "expiry", 2)


def test_an_entry_that_opens_beyond_a_level_is_void() -> None:
    events = run(flat_bars(100, 89, 95), {0: Decision("buy", stop_loss=90.0)})
    assert [event for _, event in events] == [Voided(1, "beyond_level")]


def test_a_short_mirrors_a_long() -> None:
    bars = [*flat_bars(100), bar(100, 104, 99, 103), bar(106, 107, 101, 104)]
    place, left = exit_of(bars, Decision("sell", stop_loss=105.0), "short")
    assert (place, left.price, left.left, left.how) == (2, 106, "stop", "gap")
    assert left.returned == Decimal("-0.06")


def test_a_reversal_leaves_and_enters_at_one_open() -> None:
    bars = [*flat_bars(100, 101), bar(105, 106, 104, 105), *flat_bars(105)]
    events = run(bars, {0: Decision("buy"), 1: Decision("sell", stop_loss=110.0)}, "both")
    assert [place for place, _ in events] == [1, 2, 2]
    left, entered = events[1][1], events[2][1]
    assert isinstance(left, Exited)
    assert isinstance(entered, Entered)
    assert left.price == entered.held.entry_price == 105
    assert (entered.held.direction, entered.held.stop) == (-1, 110)


@pytest.mark.parametrize(
    ("sides", "action", "holds", "order"),
    [
        ("long", "buy", 0, (False, 1)),
        ("long", "sell", 0, None),
        ("long", "buy", 1, None),
        ("long", "sell", 1, (True, 0)),
        ("short", "sell", 0, (False, -1)),
        ("short", "buy", 0, None),
        ("short", "sell", -1, None),
        ("short", "buy", -1, (True, 0)),
        ("both", "buy", 0, (False, 1)),
        ("both", "sell", 0, (False, -1)),
        ("both", "sell", 1, (True, -1)),
        ("both", "buy", -1, (True, 1)),
        ("both", "buy", 1, None),
        ("both", "hold", 1, None),
    ],
)
def test_what_an_action_means_depends_on_what_is_held(
    sides: Any, action: Any, holds: int, order: tuple[bool, int] | None
) -> None:
    held = Held(holds, Decimal(1), None, None, None, 1, Decimal(1), Decimal(1), Decimal(1))
    state = decide(State(held if holds else None), Decision(action), sides)
    assert (None if state.order is None else (state.order.closes, state.order.opens)) == order


def test_the_same_side_again_moves_no_level() -> None:
    bars = [*flat_bars(100, 100), bar(100, 100, 91, 92), bar(92, 93, 89, 90)]
    events = run(bars, {0: Decision("buy", stop_loss=90.0), 1: Decision("buy", stop_loss=95.0)})
    left = events[-1][1]
    assert isinstance(left, Exited)
    assert left.price == 90


def test_a_split_that_is_told_moves_the_levels_and_earns_nothing() -> None:
    bars = [*flat_bars(100, 100), bar(50, 51, 49, 50, 2), bar(46, 47, 44, 45)]
    place, left = exit_of(bars, Decision("buy", stop_loss=90.0))
    assert (place, left.price, left.returned) == (3, 90, Decimal("-0.1"))


def test_a_split_that_is_not_told_is_a_jump_and_not_a_stop() -> None:
    events = run(flat_bars(100, 100, 50, 50), {0: Decision("buy", stop_loss=90.0)})
    assert isinstance(events[-1][1], Voided)
    assert events[-1][1].why == "jump"


def test_a_position_is_shown_with_the_price_of_a_share_of_now() -> None:
    state = decide(NOTHING, Decision("buy"), "long")
    for each in (bar(100, 101, 99, 100), bar(50, 51, 49, 50, 2)):
        state, _ = advance(state, each, opened_at="2020-01-01T00:00:00Z")
    assert state.position == ("LONG", 50.0, 1.0, "2020-01-01T00:00:00Z")


def test_a_symbol_that_ceases_expires_at_its_last_close() -> None:
    state = decide(NOTHING, Decision("buy"), "long")
    state, _ = advance(state, bar(100, 101, 99, 97))
    state, events = cease(state)
    (left,) = events
    assert isinstance(left, Exited)
    assert (left.price, left.left, left.delisted, left.returned) == (
        97,
        "expired",
        True,
        Decimal("-0.03"),
    )
    assert state.held is None


def test_an_order_for_a_symbol_that_has_ceased_is_dropped() -> None:
    state, events = cease(decide(State(close=Decimal(5)), Decision("buy"), "long"))
    assert (state.order, events) == (None, ())


# -- as outcomes judge the same bars -----------------------------------------------------------

cents = st.integers(8_800, 11_400).map(lambda value: Decimal(value) / 100)
ratios = st.sampled_from([*["1"] * 12, "2", "1.5", "0.1"]).map(Decimal)


@st.composite
def bars(draw: Any) -> Bar:
    low, first, second, high = sorted(draw(st.tuples(cents, cents, cents, cents)))
    one, other = (first, second) if draw(st.booleans()) else (second, first)
    ratio = draw(ratios)
    # What a split divides, seldom left undivided: then it is a jump.
    by = ratio if draw(st.integers(0, 5)) else Decimal(1)
    return Bar(*(price / by for price in (one, high, low, other)), ratio)


@given(
    st.lists(bars(), min_size=2, max_size=9),
    st.sampled_from((1, -1)),
    st.none() | st.integers(1, 900),
    st.none() | st.integers(1, 900),
    st.none() | st.integers(1, 8),
    st.sampled_from(POLICIES),
)
def test_a_trade_ends_where_its_outcome_says(
    some: list[Bar],
    direction: int,
    stop: int | None,
    target: int | None,
    horizon: int | None,
    policy: Policy,
) -> None:
    close = some[0].close
    state = State(
        order=Order(
            closes=False,
            opens=direction,
            stop=None if stop is None else close - direction * Decimal(stop) / 100,
            target=None if target is None else close + direction * Decimal(target) / 100,
            horizon=horizon,
        ),
        close=close,
    )
    order = state.order
    assert order is not None
    price = some[1].open * some[1].split_ratio
    judged = label(
        Signal(direction, price, order.target, order.stop, horizon or 99), some[1:], policy
    )
    ended: tuple[int, Event] | None = None
    for place, each in enumerate(some[1:]):
        state, events = advance(state, each, policy)
        ended = next(((place, event) for event in events if not isinstance(event, Entered)), ended)
    if judged.outcome == "pending":
        assert ended is None
        assert state.held is not None
        return
    assert ended is not None
    place, event = ended
    if judged.outcome == "void":
        assert isinstance(event, Voided)
        return
    assert isinstance(event, Exited)
    assert (place, event.price, event.left, event.how) == (
        judged.exit_index, judged.exit_price, judged.outcome, judged.how,
    )  # fmt: skip
    assert (event.returned, event.mae, event.mfe) == (judged.returned, judged.mae, judged.mfe)
    assert event.ambiguous == judged.ambiguous
    side = "BUY" if direction > 0 else "SELL"
    gained = gross_pnl(side, Decimal(1), price, event.price)
    assert abs(event.returned * price - gained) < Decimal("1e-12")

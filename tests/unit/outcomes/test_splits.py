"""A split that is told changes no outcome: levels and quantity follow it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.outcomes import POLICIES, Bar, Policy, Signal, label

LONG = Signal(1, Decimal(150), Decimal(165), Decimal(135), 5)
SHORT = Signal(-1, Decimal(150), Decimal(135), Decimal(165), 5)


def bar(*prices: str, split: str = "1") -> Bar:
    return Bar(*map(Decimal, prices), split_ratio=Decimal(split))


QUIET = bar("150", "153", "147", "150")
AFTER = bar("100", "102", "98", "100")


@pytest.mark.parametrize("signal", [LONG, SHORT])
def test_three_for_two_is_no_stop(signal: Signal) -> None:
    # Untold, 100 is within the limits of jumps: a stop of the long, a target of the short.
    untold = label(signal, [QUIET, AFTER])
    assert untold.how == "gap"
    assert untold.exit_price == 100
    split = AFTER._replace(split_ratio=Decimal("1.5"))
    assert label(signal, [QUIET, split]).outcome == "pending"
    expired = label(replace(signal, horizon=3), [QUIET, split, AFTER])
    assert (expired.outcome, expired.exit_price, expired.returned) == ("expired", 150, 0)
    assert (expired.mae, expired.mfe) == (Decimal("-0.02"), Decimal("0.02"))


def test_the_levels_follow() -> None:
    # 110 of a new share is the target, 165, of an old one; 109.99 is not.
    split = AFTER._replace(split_ratio=Decimal("1.5"))
    near = bar("100", "109.99", "98", "100")
    there = bar("100", "110", "98", "100")
    found = label(LONG, [QUIET, split, near, there])
    assert (found.outcome, found.exit_index, found.exit_price) == ("target", 3, 165)
    assert found.returned == Decimal("0.1")


def test_a_jump_is_judged_beyond_the_split() -> None:
    # Ten for one is no jump once it is told, and half the price is one where ten are told.
    tenth = bar("15", "15.3", "14.7", "15", split="10")
    assert label(LONG, [QUIET, tenth]).outcome == "pending"
    assert label(LONG, [QUIET, tenth._replace(split_ratio=Decimal(1))]).outcome == "void"
    assert label(LONG, [QUIET, QUIET._replace(split_ratio=Decimal(10))]).outcome == "void"


def test_a_reverse_split_and_two_splits_in_a_row() -> None:
    up = bar("1500", "1530", "1470", "1500", split="0.1")
    down = bar("750", "765", "735", "750", split="2")
    stop = bar("700", "710", "675", "690")
    found = label(LONG, [QUIET, up, down, stop])
    assert (found.outcome, found.how, found.exit_price) == ("stop", "intrabar", 135)


def test_ratios_that_lead_to_no_price_are_void() -> None:
    huge = QUIET._replace(split_ratio=Decimal(10) ** 19)
    assert label(LONG, [QUIET, huge], jump_limits=None).outcome == "void"


@st.composite
def worlds(draw: Any) -> tuple[list[Bar], list[Decimal]]:
    """Bars without splits, whose prices divide by all ratios, and the ratio at each bar."""
    found, ratios = [], []
    for _ in range(draw(st.integers(1, 8))):
        price = st.integers(2_900, 3_800).map(lambda cents: Decimal(3 * cents) / 100)
        low, first, second, high = sorted(draw(st.tuples(price, price, price, price)))
        found.append(Bar(first, high, low, second))
        ratios.append(Decimal(draw(st.sampled_from(["1", "1", "1", "2", "0.5", "1.25"]))))
    if draw(st.booleans()):
        ratios[draw(st.integers(0, len(ratios) - 1))] = Decimal("1.5")
    return found, ratios


@given(
    worlds(),
    st.sampled_from((1, -1)),
    st.integers(3_200, 3_500),
    st.none() | st.integers(1, 300),
    st.none() | st.integers(1, 300),
    st.integers(1, 8),
    st.sampled_from(POLICIES),
)
def test_a_told_split_changes_no_outcome(
    world: tuple[list[Bar], list[Decimal]],
    direction: int,
    price: int,
    target: int | None,
    stop: int | None,
    horizon: int,
    policy: Policy,
) -> None:
    bars, ratios = world
    level = lambda cents: Decimal(3 * cents) / 100  # noqa: E731
    signal = Signal(
        direction,
        level(price),
        None if target is None else level(price + direction * target),
        None if stop is None else level(price - direction * stop),
        horizon,
    )
    told, so_far = [], Decimal(1)
    for each, ratio in zip(bars, ratios, strict=True):
        so_far *= ratio
        told.append(Bar(*(price / so_far for price in each[:4]), split_ratio=ratio))
    assert label(signal, told, policy) == label(signal, bars, policy)

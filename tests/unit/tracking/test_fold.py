"""The fold: what a set of exits comes to, on any history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction as F
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support import oracle
from trackrecord.events import SignalClosed, SignalEmitted
from trackrecord.tracking import Entry, Exit, Position, fold

START = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
OUTCOMES = {"win": 1, "loss": -1, "breakeven": 0, None: None}


def decimals(least: str, most: str, places: int = 18) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(least), Decimal(most), places=places, allow_nan=False)


def fees() -> st.SearchStrategy[dict[str, Decimal]]:
    return st.one_of(
        st.just({}),
        decimals("-5", "5", 6).map(lambda fee: {"fee": fee}),
        decimals("-0.01", "0.01", 5).map(lambda rate: {"fee_rate": rate}),
    )


prices = st.one_of(
    decimals("0.01", "999", 2),
    decimals("0.000000000000000001", "99"),
    decimals("-999", "0", 2),
)
waits = st.one_of(
    st.integers(1, 3).map(lambda hours: timedelta(hours=hours)),
    st.sampled_from(
        [
            timedelta(0),
            -timedelta(seconds=30),
            -timedelta(seconds=300),
            -timedelta(seconds=300, microseconds=1),
            -timedelta(days=2),
        ]
    ),
)
quantities = st.one_of(st.integers(1, 50).map(Decimal), decimals("0.001", "40", 9))


@st.composite
def entries(draw: st.DrawFn) -> SignalEmitted:
    return SignalEmitted(
        signal_id="s",
        strategy="sma",
        symbol="AAPL",
        side=draw(st.sampled_from(["BUY", "SELL"])),
        price=draw(prices),
        quantity=draw(quantities),
        emitted_at=START,
        leverage=draw(st.sampled_from([None, Decimal(3), Decimal("0.5")])),
        entry=draw(st.sampled_from(["filled", "next_open"])),
        **draw(fees()),
    )


@st.composite
def exits(draw: st.DrawFn) -> list[SignalClosed]:
    return [
        SignalClosed(
            signal_id="s",
            exit_id=exit_id,
            symbol="AAPL",
            price=draw(prices),
            quantity=draw(st.one_of(st.none(), quantities)),
            closed_at=START + draw(waits),
            reason="manual",
            interest=draw(st.one_of(st.none(), decimals("-2", "2", 4))),
            funding=draw(st.one_of(st.none(), decimals("-2", "2", 4))),
            entry_price=draw(st.one_of(st.none(), prices)),
            **draw(fees()),
        )
        for exit_id in draw(st.lists(st.sampled_from("abcXYZé\U0001f4c8"), unique=True, max_size=5))
    ]


def folded(entry: SignalEmitted, closed: list[SignalClosed]) -> Position:
    return fold(Entry.of(entry), map(Exit.of, closed))


def simple(side: str, entry_price: str, *sold: tuple[str, str | None], **more: Any) -> Position:
    closed = [
        Exit(str(number), Decimal(price), START + timedelta(hours=number),
             None if quantity is None else Decimal(quantity))
        for number, (price, quantity) in enumerate(sold, 1)
    ]  # fmt: skip
    quantity = Decimal(more.pop("quantity", "1"))
    return fold(Entry(side, Decimal(entry_price), quantity, **more), closed)


def test_a_long_from_150_25_to_151_80_earns_1_55_and_wins() -> None:
    position = simple("BUY", "150.25", ("151.80", None))
    assert position.realised_pnl == Decimal("1.55")
    assert position.outcome == "win"
    assert position.open_quantity == 0


def test_the_same_way_as_a_short_loses_1_55() -> None:
    position = simple("SELL", "150.25", ("151.80", None))
    assert position.realised_pnl == Decimal("-1.55")
    assert position.outcome == "loss"


def test_a_position_without_exits_is_open_and_has_no_outcome() -> None:
    position = simple("BUY", "10")
    assert position.open_quantity == 1
    assert position.realised_pnl == 0
    assert [position.closed_at, position.return_, position.outcome] == [None, None, None]


def test_a_partial_exit_leaves_the_rest_open_and_no_outcome_yet() -> None:
    position = simple("BUY", "10", ("12", "4"), quantity="10")
    assert position.open_quantity == 6
    assert position.realised_pnl == 8
    assert position.outcome is None
    assert position.closed_at is None


def test_what_is_closed_beyond_the_quantity_is_excess_and_earns_nothing() -> None:
    sold = (("12", "8"), ("13", "5"), ("14", "1"), ("15", None))
    position = simple("BUY", "10", *sold, quantity="10")
    assert [each.quantity for each in position.exits] == [8, 2, 0, 0]
    assert [each.excess for each in position.exits] == [0, 3, 1, 0]
    assert position.excess_quantity == 4
    assert position.realised_pnl == 8 * 2 + 2 * 3
    assert position.closed_at == START + timedelta(hours=2)


def test_the_last_exit_takes_what_rounding_left_of_the_entry_fee() -> None:
    position = simple("BUY", "10", *[("10", "1")] * 3, quantity="3", fee=Decimal(1))
    third = Decimal("0.333333333333")
    assert [each.fees for each in position.exits] == [third, third, Decimal("0.333333333334")]
    assert position.fees == 1


def test_exits_of_one_instant_count_in_the_order_of_their_ids() -> None:
    late, early = Exit("b", Decimal(30), START, Decimal(1)), Exit("a", Decimal(20), START)
    position = fold(Entry("BUY", Decimal(10), Decimal(1)), [late, early])
    assert [each.exit_id for each in position.exits] == ["a", "b"]
    assert [each.quantity for each in position.exits] == [1, 0]
    assert position.realised_pnl == 10


def test_leverage_multiplies_the_return_and_not_the_money() -> None:
    plain = simple("BUY", "100", ("110", None))
    geared = simple("BUY", "100", ("110", None), leverage=Decimal(3))
    assert geared.realised_pnl == plain.realised_pnl == 10
    assert (plain.return_, geared.return_) == (Decimal("0.1"), Decimal("0.3"))


@given(entries(), exits(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    entry: SignalEmitted, closed: list[SignalClosed], rng: Any
) -> None:
    shuffled = list(closed)
    rng.shuffle(shuffled)
    assert folded(entry, shuffled) == folded(entry, closed)


@given(entries(), exits())
def test_the_parts_sum_to_the_whole_exactly(
    entry: SignalEmitted, closed: list[SignalClosed]
) -> None:
    position = folded(entry, closed)
    for whole, parts in (
        (position.realised_pnl, [each.pnl for each in position.exits]),
        (position.fees, [each.fees for each in position.exits]),
        (position.carry, [each.carry for each in position.exits]),
        (position.closed_quantity, [each.quantity for each in position.exits]),
        (position.excess_quantity, [each.excess for each in position.exits]),
    ):
        assert F(whole) == sum(map(F, parts))
    assert F(position.closed_quantity) + F(position.open_quantity) == F(entry.quantity)
    assert (position.outcome is None) == (position.open_quantity > 0)


@given(entries(), exits())
def test_a_position_closed_in_full_has_paid_the_whole_entry_fee(
    entry: SignalEmitted, closed: list[SignalClosed]
) -> None:
    free = {"fee": None, "fee_rate": None}
    at_its_price = entry.model_copy(update={"entry": "filled"})
    position = folded(at_its_price, [each.model_copy(update=free) for each in closed])
    notional = F(entry.price) * F(entry.quantity)
    whole = F(entry.fee or 0) + F(entry.fee_rate or 0) * notional
    if position.open_quantity == 0:
        assert F(position.fees) == whole


@given(entries(), exits())
def test_gross_pnl_of_a_short_is_that_of_the_long_with_the_other_sign(
    entry: SignalEmitted, closed: list[SignalClosed]
) -> None:
    other = entry.model_copy(update={"side": "SELL" if entry.side == "BUY" else "BUY"})
    one, two = folded(entry, closed), folded(other, closed)
    gross = [F(each.realised_pnl) + F(each.fees) + F(each.carry) for each in (one, two)]
    assert gross[0] == -gross[1]
    assert (one.fees, one.carry) == (two.fees, two.carry)


@given(entries(), exits())
def test_it_equals_an_independent_recomputation_with_fractions(
    entry: SignalEmitted, closed: list[SignalClosed]
) -> None:
    position = folded(entry, closed)
    expected = oracle.expect([entry, *closed])
    state = expected.signals["s"]
    assert {
        "open": F(position.open_quantity),
        "realised_pnl": F(position.realised_pnl),
        "closed_at": position.closed_at,
        "outcome": OUTCOMES[position.outcome],
        "return": None if position.return_ is None else F(position.return_),
    } == state
    assert {
        ("s", each.exit_id): {
            "closed": F(each.quantity),
            "pnl": F(each.pnl),
            "fees": F(each.fees),
            "carry": F(each.carry),
            "before_entry": each.before_entry,
        }
        for each in position.exits
    } == expected.exits


def test_an_exit_tells_at_what_a_signal_of_the_next_open_was_entered() -> None:
    entry = Entry("BUY", Decimal(100), Decimal(2), fee_rate=Decimal("0.01"), next_open=True)
    first = Exit("a", Decimal(110), START, Decimal(1), entry_price=Decimal(102))
    rest = Exit("b", Decimal(111), START + timedelta(hours=1), entry_price=Decimal(999))
    position = fold(entry, [rest, first])
    assert position.realised_pnl == 8 + 9 - Decimal("2.04")  # the first to be closed tells it
    assert position.return_ == fold(replace(entry, price=Decimal(102)), [first, rest]).return_
    untold = [replace(each, entry_price=None) for each in (first, rest)]
    assert fold(entry, untold).realised_pnl == 10 + 11 - 2
    assert fold(replace(entry, next_open=False), [first, rest]) == fold(entry, untold)
    assert fold(entry, [untold[0], rest]) == fold(entry, untold)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def of_ten(**more: Any) -> Entry:
    return Entry("BUY", Decimal(10), Decimal(1), emitted_at=START, **more)


@given(entries(), exits())
def test_nothing_is_closed_that_was_not_emitted(
    entry: SignalEmitted, closed: list[SignalClosed]
) -> None:
    position = folded(entry, closed)
    when = {each.exit_id: each.closed_at for each in closed}
    for each in position.exits:
        assert each.closed_at >= entry.emitted_at
        assert each.before_entry == (when[each.exit_id] < at(-300))
        if each.before_entry:
            assert (each.quantity, each.pnl, each.fees, each.carry) == (0, 0, 0, 0)
    assert position.closed_at is None or position.closed_at >= entry.emitted_at
    kept = [each for each in closed if each.closed_at >= at(-300)]
    without = folded(entry, kept)
    assert (position.realised_pnl, position.closed_at) == (without.realised_pnl, without.closed_at)
    assert (position.return_, position.outcome) == (without.return_, without.outcome)


def test_an_exit_from_before_the_entry_closes_nothing_and_costs_nothing() -> None:
    early = Exit("x", Decimal(99), at(-301), Decimal(3), fee=Decimal(1), interest=Decimal(1))
    position = fold(of_ten(), [early])
    assert position.open_quantity == 1
    assert (position.outcome, position.realised_pnl, position.fees, position.carry) == (
        None, 0, 0, 0,
    )  # fmt: skip
    assert position.excess_quantity == 3
    assert position.exits[0].before_entry


def test_an_exit_that_is_a_little_older_counts_at_the_moment_of_the_entry() -> None:
    position = fold(of_ten(), [Exit("x", Decimal(12), at(-300))])
    assert (position.realised_pnl, position.closed_at) == (2, START)
    assert not position.exits[0].before_entry
    strict = fold(of_ten(), [Exit("x", Decimal(12), at(-1))], timedelta(0))
    assert strict.open_quantity == 1


def test_an_exit_from_before_the_entry_does_not_tell_at_which_open_it_was_entered() -> None:
    early = Exit("a", Decimal(1), at(-3600), entry_price=Decimal(5))
    late = Exit("b", Decimal(12), at(3600), entry_price=Decimal(11))
    assert fold(of_ten(next_open=True), [late, early]).realised_pnl == 1


def test_a_price_below_zero_gives_an_exact_pnl() -> None:
    position = simple("BUY", "10.01", ("-37.63", None))
    assert position.realised_pnl == Decimal("-47.64")
    assert (position.outcome, position.no_return) == ("loss", None)
    assert position.return_ == Decimal("-4.759240759240759241")


def test_an_entry_that_is_not_above_zero_has_an_outcome_and_no_return() -> None:
    for entry, exit_, pnl, outcome in (
        ("-37.63", "10.01", "47.64", "win"),
        ("-1", "-1.5", "-0.5", "loss"),
        ("0", "-0.000000000000000001", "-0.000000000000000001", "loss"),
        ("0", "0", "0", "breakeven"),
    ):
        position = simple("BUY", entry, (exit_, None))
        assert (position.realised_pnl, position.outcome) == (Decimal(pnl), outcome)
        assert (position.return_, position.no_return) == (None, "entry_not_positive")
    # A fee alone is no price at which anything was bought.
    free = simple("BUY", "0", ("5", None), fee=Decimal(1))
    assert (free.return_, free.no_return, free.outcome) == (None, "entry_not_positive", "win")
    eaten = simple("SELL", "1", ("0.5", None), fee=Decimal(1))
    assert (eaten.return_, eaten.no_return, eaten.outcome) == (None, "no_cost_basis", "loss")

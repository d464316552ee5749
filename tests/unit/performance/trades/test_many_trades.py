"""Many trades at once earn what each earns alone, exactly."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.performance.exact import exact
from trackrecord.performance.exact_columns import Column
from trackrecord.performance.trades import one_trade as one
from trackrecord.performance.trades.many_trades import Trade, Trades, close

above = st.decimals(D("0.00000001"), D(10**6), places=8, allow_nan=False)
fees = st.one_of(st.none(), st.decimals(D(0), D(50), places=6, allow_nan=False))
shares = st.one_of(st.none(), st.decimals(D(0), D("0.01"), places=5, allow_nan=False))
signed = st.decimals(D(-10), D(10), places=6, allow_nan=False)
trades = st.builds(
    Trade,
    side=st.sampled_from(["LONG", "SHORT", "BUY", "SELL"]),
    quantity=above,
    entry_price=above,
    exit_price=above,
    entry_fee=fees,
    exit_fee=fees,
    entry_fee_rate=shares,
    exit_fee_rate=shares,
    interest=signed,
    funding=signed,
    leverage=st.sampled_from([D(1), D(3), D("0.5")]),
)
lists = st.lists(trades, min_size=1, max_size=8)


def alone(trade: Trade) -> tuple[D, D | None, str]:
    side = "BUY" if trade.side in {"LONG", "BUY"} else "SELL"
    entry_fee = one.fee_money(
        trade.entry_fee, trade.entry_fee_rate, trade.entry_price, trade.quantity
    )
    exit_fee = one.fee_money(trade.exit_fee, trade.exit_fee_rate, trade.exit_price, trade.quantity)
    gross = one.gross_pnl(side, trade.quantity, trade.entry_price, trade.exit_price)
    with exact():
        net = gross - entry_fee - exit_fee - trade.interest - trade.funding
    basis = one.cost_basis(side, trade.quantity, trade.entry_price, entry_fee)
    share = one.trade_return(net, basis, trade.leverage)
    return net, share, one.outcome(net, basis, trade.leverage)


@settings(deadline=None)
@given(lists)
def test_a_list_is_its_trades_one_by_one(listed: list[Trade]) -> None:
    closed = close(Trades.of(listed))
    words = {1: "win", -1: "loss", 0: "breakeven"}
    outcomes = [words[value] for value in closed.outcome.tolist()]
    found = list(zip(closed.net.decimals(), closed.exact_returns, outcomes, strict=True))
    assert found == [alone(trade) for trade in listed]


@settings(deadline=None)
@given(lists)
def test_parts_add_up_to_the_whole(listed: list[Trade]) -> None:
    closed = close(Trades.of(listed))
    with exact():
        parts = closed.gross.total() - closed.fees.total() - closed.carry.total()
    assert closed.net.total() == parts


@settings(deadline=None)
@given(lists)
def test_without_costs_a_short_is_the_mirror_of_a_long(listed: list[Trade]) -> None:
    free = [Trade("LONG", t.quantity, t.entry_price, t.exit_price) for t in listed]
    long = close(Trades.of(free))
    short = close(Trades.of([replace(trade, side="SHORT") for trade in free]))
    assert [-F(value) for value in short.net.decimals()] == [
        F(value) for value in long.net.decimals()
    ]
    assert (short.outcome == -long.outcome).all()
    assert short.returns.tolist() == (-long.returns).tolist()


@settings(deadline=None)
@given(trades, st.integers(2, 5))
def test_closing_in_parts_earns_what_closing_at_once_does(trade: Trade, parts: int) -> None:
    whole = replace(
        trade, quantity=trade.quantity * parts, entry_fee=None, exit_fee=None,
        interest=D(0), funding=D(0),
    )  # fmt: skip
    share = replace(whole, quantity=trade.quantity)
    assert close(Trades.of([share] * parts)).net.total() == close(Trades.of([whole])).net.total()


def test_leverage_multiplies_the_return_and_not_the_pnl() -> None:
    plain = Trade("LONG", D(30), D(2), D("2.2"))
    lifted = close(Trades.of([plain, replace(plain, leverage=D(3))]))
    assert lifted.net.decimals() == [D(6), D(6)]
    assert lifted.exact_returns == [D("0.1"), D("0.3")]


@pytest.mark.parametrize(
    ("net", "expected"),
    [("0.0000005", 0), ("-0.0000005", 0), ("0.000000500001", 1), ("-0.000000500001", -1)],
)
def test_half_of_the_eighth_decimal_is_decided_exactly(net: str, expected: int) -> None:
    trade = Trade("LONG", D(1), D(100), D(100) + D(net))
    assert close(Trades.of([trade])).outcome.tolist() == [expected]


def test_sums_beyond_64_bits_stay_exact() -> None:
    size = 4
    big = Column(np.full(size, 9 * 10**17), 0)
    many = Trades(
        direction=np.ones(size, dtype=np.int64),
        quantity=Column(np.full(size, 10**6), 0),
        entry_price=Column(np.full(size, 1), 0),
        exit_price=big,
    )
    assert close(many).net.total() == size * (9 * 10**17 - 1) * 10**6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quantity": D(0)}, "trade 1: quantity is above 0"),
        ({"entry_price": D("NaN")}, "trade 1: entry_price is a finite amount"),
        ({"exit_price": D("-Infinity")}, "trade 1: exit_price is a finite amount"),
        ({"side": "UP"}, "trade 1: side is LONG"),
        ({"leverage": D(0)}, "trade 1: leverage is above 0"),
        ({"interest": D("Infinity")}, "trade 1: interest is a finite amount"),
        ({"entry_time": 5, "exit_time": 4}, "trade 1: exit_time is before entry_time"),
    ],
)
def test_a_trade_that_breaks_a_rule_is_named(change: dict[str, object], message: str) -> None:
    good = Trade("LONG", D(1), D(1), D(1))
    with pytest.raises(ValueError, match=message):
        Trades.of([replace(good, **change)])  # type: ignore[arg-type]


def test_times_are_for_all_trades_or_for_none() -> None:
    good = Trade("LONG", D(1), D(1), D(1))
    with pytest.raises(ValueError, match="trade 2: has no exit_time"):
        Trades.of([replace(good, exit_time=1), good])

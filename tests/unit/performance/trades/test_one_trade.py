"""One trade: its PnL, its cost basis, its return, and when it is a win."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.performance.trades.one_trade import (
    cost_basis,
    fee_money,
    gross_pnl,
    outcome,
    trade_return,
)

money = st.decimals(D(-10000), D(10000), places=12, allow_nan=False)
above_zero = st.decimals(D("0.000001"), D(10000), places=12, allow_nan=False)


@pytest.mark.parametrize(("side", "pnl"), [("BUY", "1.55"), ("SELL", "-1.55")])
def test_gross_pnl_has_the_sign_of_the_direction(side: str, pnl: str) -> None:
    assert gross_pnl(side, D(1), D("150.25"), D("151.80")) == D(pnl)


def test_a_fee_is_money_or_a_rate_of_the_notional_or_nothing() -> None:
    assert fee_money(D("2.5"), None, D(100), D(3)) == D("2.5")
    assert fee_money(D(0), None, D(100), D(3)) == 0
    assert fee_money(None, D("0.001"), D(100), D(3)) == D("0.3")
    assert fee_money(None, None, D(100), D(3)) == 0


def test_a_long_costs_its_fee_on_top_and_a_short_brings_its_fee_less() -> None:
    assert cost_basis("BUY", D(2), D(100), D(1)) == 201
    assert cost_basis("SELL", D(2), D(100), D(1)) == 199


def test_a_return_with_rates_is_that_of_the_closed_formula() -> None:
    opened, closed, fee_open, fee_close = F(100), F(110), F(1, 400), F(3, 1000)
    net = closed * (1 - fee_close) - opened * (1 + fee_open)
    expected = closed * (1 - fee_close) / (opened * (1 + fee_open)) - 1
    found = trade_return(D(net.numerator) / D(net.denominator), D("100.25"), None)
    assert found is not None
    assert abs(F(found) - expected) <= F(1, 2 * 10**18)


def test_a_short_whose_fee_eats_its_notional_has_no_return_and_its_pnl_decides() -> None:
    basis = cost_basis("SELL", D(1), D(10), D(10))
    assert trade_return(D(-3), basis, None) is None
    assert outcome(D(-3), basis, None) == "loss"
    assert outcome(D(3), basis, None) == "win"
    assert outcome(D(0), basis, None) == "breakeven"


@pytest.mark.parametrize(
    ("net", "expected"),
    [
        ("0.0000005", "breakeven"),  # 0.5e-8 of 100: a tie, and 0 is even
        ("-0.0000005", "breakeven"),
        ("0.000000500000000001", "win"),
        ("-0.000000500000000001", "loss"),
        ("0.0000004999", "breakeven"),
        ("0", "breakeven"),
    ],
)
def test_half_of_the_eighth_decimal_of_the_return_is_still_breakeven(
    net: str, expected: str
) -> None:
    assert outcome(D(net), D(100), None) == expected


def test_leverage_lifts_a_return_over_the_threshold() -> None:
    assert outcome(D("0.0000004"), D(100), None) == "breakeven"
    assert outcome(D("0.0000004"), D(100), D(2)) == "win"


@given(money, above_zero, st.one_of(st.none(), above_zero))
def test_the_outcome_is_the_sign_of_the_return_rounded_to_8_decimals(
    net: D, basis: D, leverage: D | None
) -> None:
    rounded = round(F(net) * F(leverage or 1) / F(basis) * 10**8)
    sign = {1: "win", 0: "breakeven", -1: "loss"}[(rounded > 0) - (rounded < 0)]
    assert outcome(net, basis, leverage) == sign


@given(money, above_zero, st.one_of(st.none(), above_zero))
def test_a_return_is_rounded_once_to_18_decimals(net: D, basis: D, leverage: D | None) -> None:
    exact_ = F(net) * F(leverage or 1) / F(basis)
    found = trade_return(net, basis, leverage)
    assert found is not None
    assert F(found) == F(round(exact_ * 10**18), 10**18)

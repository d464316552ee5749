"""Exact arithmetic against fractions."""

from __future__ import annotations

from decimal import Decimal, Inexact
from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.performance.exact import exact, half_even, round_ratio

wide = st.decimals(
    Decimal(-(10**38)), Decimal(10**38), places=18, allow_nan=False, allow_infinity=False
)
small = st.integers(-200, 200).map(lambda n: Decimal(n) / 4)
numbers = st.one_of(wide, small)
places = st.integers(0, 18)


@given(numbers, numbers.filter(bool), places)
def test_a_ratio_is_the_true_quotient_rounded_once_half_to_even(
    above: Decimal, below: Decimal, digits: int
) -> None:
    expected = F(round(F(above) / F(below) * 10**digits), 10**digits)
    assert F(round_ratio(above, below, digits)) == expected


@pytest.mark.parametrize(
    ("above", "below", "digits", "rounded"),
    [
        ("1", "8", 2, "0.12"),
        ("3", "8", 2, "0.38"),
        ("-1", "8", 2, "-0.12"),
        ("1", "-8", 2, "-0.12"),
        ("5", "2", 0, "2"),
        ("7", "2", 0, "4"),
        ("1", "3", 18, "0.333333333333333333"),
        ("0", "7", 3, "0"),
    ],
)
def test_ties_go_to_the_even_neighbour(above: str, below: str, digits: int, rounded: str) -> None:
    assert round_ratio(Decimal(above), Decimal(below), digits) == Decimal(rounded)


def test_a_ratio_to_nothing_is_an_error_and_no_number() -> None:
    with pytest.raises(ZeroDivisionError):
        round_ratio(Decimal(1), Decimal(0), 2)


@given(wide, places)
def test_rounding_is_half_even(value: Decimal, digits: int) -> None:
    assert F(half_even(value, digits)) == F(round(F(value) * 10**digits), 10**digits)


@given(st.lists(wide, max_size=20), wide, wide)
def test_no_sum_and_no_product_loses_a_digit(values: list[Decimal], a: Decimal, b: Decimal) -> None:
    with exact():
        assert F(sum(values, Decimal(0))) == sum(map(F, values))
        assert F(a * b * a) == F(a) * F(b) * F(a)


def test_what_would_have_to_be_rounded_is_refused() -> None:
    with exact(), pytest.raises(Inexact):
        _ = Decimal(1) / Decimal(3)

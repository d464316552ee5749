"""Columns of exact decimals lose no digit, machine integers or not."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.performance.exact_columns import Column, group_sums, plus, product, total

wire = st.decimals(D(-(10**20)), D(10**20), places=18, allow_nan=False)
modest = st.decimals(D(-1000), D(1000), places=4, allow_nan=False)
amounts = st.lists(st.one_of(wire, modest), min_size=1, max_size=20)


@settings(deadline=None)
@given(amounts)
def test_decimals_go_in_and_come_out(values: list[D]) -> None:
    column = Column.of(values)
    assert column.decimals() == values
    assert F(column.total()) == sum(F(value) for value in values)


@settings(deadline=None)
@given(st.lists(st.tuples(wire, wire), min_size=1, max_size=20))
def test_products_and_sums_are_exact(pairs: list[tuple[D, D]]) -> None:
    left = Column.of(a for a, _ in pairs)
    right = Column.of(b for _, b in pairs)
    times = Column(product(left.units, right.units), left.places + right.places)
    assert [F(value) for value in times.decimals()] == [F(a) * F(b) for a, b in pairs]
    places = max(left.places, right.places)
    added = Column(plus(left.to(places), right.to(places)), places)
    assert [F(value) for value in added.decimals()] == [F(a) + F(b) for a, b in pairs]


@settings(deadline=None)
@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=50))
def test_a_sum_that_leaves_64_bits_is_still_exact(units: list[int]) -> None:
    array = np.array(units, dtype=np.int64)
    assert total(array) == sum(units)
    assert group_sums(array, np.array([0])).tolist() == [sum(units)]


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=20), st.integers(0, 40))
def test_a_double_does_not_depend_on_the_others_of_its_column(
    units: list[int], places: int
) -> None:
    alone = Column.whole(units, places)
    beside = Column.whole([*units, 10**30], places)
    assert (alone.units.dtype, beside.units.dtype) == (np.int64, object)
    assert beside.floats()[:-1].tolist() == alone.floats().tolist()


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 5)), min_size=1, max_size=20))
def test_a_double_is_read_as_the_decimal_it_prints_as(values: list[float]) -> None:
    assert Column.from_floats(np.array(values)).decimals() == [D(repr(x)) for x in values]


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e30, max_value=1e30)))
def test_any_double_is_read_so(values: list[float]) -> None:
    found = Column.from_floats(np.array(values))
    assert found.decimals() == [D(repr(x)) for x in values]
    assert found.floats().tolist() == pytest.approx(values, rel=1e-15, abs=0)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="value 1 is nan"):
        Column.from_floats(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="NaN"):
        Column.of([D("NaN")])

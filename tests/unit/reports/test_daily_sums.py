"""Decimals as the database writes them, read as columns without losing a digit."""

from __future__ import annotations

from decimal import Decimal as D

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.performance.exact_columns import Column
from trackrecord.reports.daily_sums import exact_column

decimals = st.decimals(D("-1e30"), D("1e30"), places=18, allow_nan=False) | st.decimals(
    D(-1000), D(1000), places=2, allow_nan=False
)


def of(*texts: str) -> Column:
    return exact_column(pl.Series(texts, dtype=pl.String))


@given(st.lists(decimals, max_size=8))
def test_every_digit_is_kept(values: list[D]) -> None:
    found = of(*(format(value, "f") for value in values))
    assert found.decimals() == values


def test_signs_and_missing_points_are_read() -> None:
    found = of("-0.05", "7", "-3", "0", "1.500")
    assert found.decimals() == [D("-0.05"), D(7), D(-3), D(0), D("1.5")]
    assert found.units.dtype == np.int64


def test_what_a_machine_integer_cannot_hold_is_a_whole_number_of_any_size() -> None:
    large = "9" * 40 + "." + "9" * 18
    assert of(large, "-0.1").decimals() == [D(large), D("-0.1")]
    assert of("9.223372036854775807").units.dtype == np.int64


def test_no_rows_are_an_empty_column() -> None:
    assert len(of()) == 0

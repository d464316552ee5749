"""Numbers as scripts print them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.extraction.numbers import parse


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("1,23,456.50", "123456.50"),
        ("₹-240.0", "-240.0"),
        ("-₹250", "-250"),
        ("$-9.35", "-9.35"),
        ("Rs. 1,850", "1850"),
        ("%68", "68"),
        ("+2.75 %", "2.75"),
        ("1e2%", "100"),
        ("12,4", "12.4"),
        ("1.234,56", "1234.56"),
        ("1,234", "1234"),
        ("0,123", "0.123"),
        ("3.5k", "3500"),
        ("0.00005751", "0.00005751"),
        ("1'234.50", "1234.50"),
        ("12'345'678,90", "12345678.90"),
        ("1,30,000", "130000"),
    ],
)
def test_reads(printed: str, value: str) -> None:
    assert parse(printed) == Decimal(value)


@pytest.mark.parametrize(
    "printed", ["", "%", "9" * 60, "1e999", "-", "24500,24600,24400", "24500,24600.5"]
)
def test_refuses(printed: str) -> None:
    assert parse(printed) is None


def test_a_point_parts_thousands_where_the_text_writes_decimal_commas() -> None:
    assert parse("67.000", decimal_comma=True) == 67000
    assert parse("67.000") == 67


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=8))
def test_reads_back_what_python_prints_with_thousands_separators(value: Decimal) -> None:
    assert parse(f"{value:,.8f}") == value


@given(st.text(max_size=60))
def test_never_raises(text: str) -> None:
    parse(text)

"""Are decimals exact on the wire and in memory, and is everything else refused?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.events import SignalClosed, SignalEmitted
from trackrecord.events.codec import InvalidEventError, decode, encode, validate
from trackrecord.events.types import plain_decimal

from .builders import exit_, signal

digits = st.text("0123456789", min_size=1, max_size=20)
fractions = st.text("0123456789", min_size=1, max_size=18)
wire_decimals = st.builds(
    lambda sign, whole, fraction: f"{sign}{whole}" + (f".{fraction}" if fraction else ""),
    st.sampled_from(["", "-"]),
    digits,
    st.none() | fractions,
)


@given(wire_decimals)
def test_a_decimal_comes_back_exactly(text: str) -> None:
    event = validate(SignalClosed, exit_(fee=text))
    assert event.fee == Decimal(text)
    assert decode(SignalClosed, encode(event)) == event


@given(whole=digits, fraction=fractions, zeros=st.integers(0, 18))
def test_equal_decimals_have_equal_texts(whole: str, fraction: str, zeros: int) -> None:
    padded = f"{whole}.{fraction}" + "0" * min(zeros, 18 - len(fraction))
    one = validate(SignalClosed, exit_(fee=f"{whole}.{fraction}"))
    other = validate(SignalClosed, exit_(fee=padded))
    assert encode(one) == encode(other)


@given(wire_decimals)
def test_the_text_has_no_exponent_and_no_needless_zero(text: str) -> None:
    plain = plain_decimal(Decimal(text))
    assert Decimal(plain) == Decimal(text)
    assert set(plain) <= set("-.0123456789")
    assert not ("." in plain and plain.endswith(("0", ".")))


def test_all_38_digits_survive() -> None:
    text = "99999999999999999999.999999999999999999"
    event = decode(SignalEmitted, encode(validate(SignalEmitted, signal(quantity=text))))
    assert str(event.quantity) == text


@pytest.mark.parametrize("zero", ["0", "-0", "0.000", "-0.0"])
def test_zero_is_written_one_way(zero: str) -> None:
    assert b'"fee":"0"' in encode(validate(SignalClosed, exit_(fee=zero)))


def test_an_integer_number_is_exact_and_accepted() -> None:
    assert validate(SignalEmitted, signal(price=150)).price == Decimal(150)


def test_a_decimal_in_memory_is_accepted_whatever_its_exponent() -> None:
    assert validate(SignalEmitted, signal(price=Decimal("1.5E+3"))).price == 1500


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (150.25, 'write it as a decimal string such as "150.25"'),
        (True, "write it as a decimal string"),
        ("1e3", "not a plain decimal"),
        ("NaN", "not a plain decimal"),
        ("Infinity", "not a plain decimal"),
        ("", "not a plain decimal"),
        (" 1", "not a plain decimal"),
        ("1\n", "not a plain decimal"),
        ("+1", "not a plain decimal"),
        ("1,000", "not a plain decimal"),
        (".5", "not a plain decimal"),
        ("1_000", "not a plain decimal"),
        ("\N{ARABIC-INDIC DIGIT ONE}", "not a plain decimal"),
        ("1" * 21, "at most 20 digits before the point"),
        ("0." + "1" * 19, "18 after it"),
        (10**20, "more than 20 digits"),
        (Decimal("NaN"), "not a finite number"),
        (Decimal("-Infinity"), "not a finite number"),
        (Decimal("1E-19"), "more than 20 digits before the point or 18 after it"),
        ([], "not a decimal string"),
        (None, "not a decimal string"),
    ],
)
def test_what_is_no_exact_decimal_is_refused_in_helpful_words(value: Any, words: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        validate(SignalEmitted, signal(price=value))
    assert str(caught.value).startswith("price: ")
    assert words in str(caught.value)


@pytest.mark.parametrize("field", ["quantity", "leverage"])
@pytest.mark.parametrize("value", ["0", "-0", "-1", "0.0"])
def test_quantities_are_above_zero(field: str, value: str) -> None:
    with pytest.raises(InvalidEventError, match=f"{field}: must be above 0"):
        validate(SignalEmitted, signal(**{field: value}))


@pytest.mark.parametrize("value", ["0", "-0", "-37.63", "0.0"])
def test_prices_are_of_any_sign_as_those_of_futures_and_spreads_are(value: str) -> None:
    for field in ("price", "target_price", "stop_loss"):
        found = validate(SignalEmitted, signal(**{field: value}))
        assert getattr(found, field) == Decimal(value)
    for field in ("price", "entry_price"):
        assert getattr(validate(SignalClosed, exit_(**{field: value})), field) == Decimal(value)


@pytest.mark.parametrize("rate", ["1", "-1", "12"])
def test_a_fee_rate_is_a_fraction(rate: str) -> None:
    with pytest.raises(InvalidEventError, match="a tenth of a percent"):
        validate(SignalEmitted, signal(fee_rate=rate))
    assert validate(SignalEmitted, signal(fee_rate="-0.00025")).fee_rate == Decimal("-0.00025")

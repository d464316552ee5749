"""What a value of an event must fulfil beyond its type, asked of whole columns.

Each rule has two forms. The condition judges every value. The look judges all of them at
once, as one text, for a few microseconds: most columns of most batches are ordinary
throughout, and of a small batch the conditions cost more than everything else on its way.
Where a look is not satisfied the conditions are asked; it is satisfied only by what they
would accept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import polars as pl

from trackrecord.events import types as t

_CONTROL = r"[\x00-\x1f\x7f]"
_DECIMAL = rf"^{t.DECIMAL_TEXT}$"
_POSITIVE_TEXT = rf"(?=[0-9.]*[1-9]){t.DECIMAL_TEXT}"
_NOT_NEGATIVE_TEXT = rf"(?!-){t.DECIMAL_TEXT}"
_RATE_TEXT = rf"-?0{{1,{t.INTEGER_DIGITS}}}(\.[0-9]{{1,{t.FRACTION_DIGITS}}})?"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?Z"
_TIME = rf"^[0-9]{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T{_CLOCK}$"
# The 29th of February is no ordinary day: whether there is one depends on the year.
_ORDINARY_DAY = (
    r"((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    r"|02-(0[1-9]|1[0-9]|2[0-8]))"
)
_ORDINARY_TIME = rf"(?!0000)[0-9]{{4}}-{_ORDINARY_DAY}T{_CLOCK}"
# A flat object of plain texts, short numbers, booleans and nulls.
_FLAT_VALUE = r'("[^"\\\x00-\x1f]*"|-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,12})?|true|false|null)'
_FLAT_PAIR = rf'"[^"\\\x00-\x1f]*": ?{_FLAT_VALUE}'
_FLAT_JSON = rf"^(null|\{{({_FLAT_PAIR}(, ?{_FLAT_PAIR})*)?\}})$"

# Nobody asks what a group held; to note it costs time.
_GROUP = re.compile(r"\((?!\?)")

Condition = Callable[[pl.Expr], pl.Expr]
Look = Callable[[Sequence[str]], bool]


class Rule(NamedTuple):
    """A rule for the values of one field; nulls always keep it."""

    condition: Condition
    """True for each value that keeps it."""
    look: Look
    """True only if all values keep it; they hold no null, and there is one at least."""


class AcrossRule(NamedTuple):
    """A rule across fields of an event."""

    condition: Callable[[], pl.Expr]
    """True, or null, for each event that keeps it."""
    look: Callable[[AbstractSet[str]], bool]
    """True only if all events keep it, judged by the names of the fields that any of them has."""


def _has_no_control(value: pl.Expr) -> pl.Expr:
    return ~value.str.contains(_CONTROL)


def _are_printable(values: Sequence[str]) -> bool:
    text = "".join(values)
    return text.isascii() and text.isprintable()


def _has_no_nul(value: pl.Expr) -> pl.Expr:
    return ~value.str.contains("\x00", literal=True)


def _are_without_nul(values: Sequence[str]) -> bool:
    return "\x00" not in "".join(values)


def _is_decimal(value: pl.Expr) -> pl.Expr:
    return value.str.contains(_DECIMAL)


def _is_not_negative(value: pl.Expr) -> pl.Expr:
    return _is_decimal(value) & ~value.str.starts_with("-")


def _is_positive(value: pl.Expr) -> pl.Expr:
    return _is_not_negative(value) & value.str.contains("[1-9]")


def _is_rate(value: pl.Expr) -> pl.Expr:
    return _is_decimal(value) & value.str.contains(r"^-?0+(\.[0-9]+)?$")


def _is_utc_time(value: pl.Expr) -> pl.Expr:
    day = value.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return value.str.contains(_TIME) & day.is_not_null() & ~value.str.starts_with("0000")


def _all_match(text: str) -> Look:
    """Whether every value is of a form.

    Args:
        text: The form, as an expression that no space matches: then, with one space behind
            each, the values can be read in one go.
    """
    # Greedy, not possessive: with capturing groups inside, Python 3.11 may raise SystemError.
    matches = re.compile(rf"(?:{_GROUP.sub('(?:', text)} )*").fullmatch

    def look(values: Sequence[str]) -> bool:
        joined = " ".join(values) + " "
        return joined.count(" ") == len(values) and matches(joined) is not None

    return look


def pattern(text: str) -> Rule:
    """A rule for values of which a batch has few different ones."""
    matches = re.compile(text).fullmatch
    return Rule(
        lambda value: value.str.contains(f"^{text}$"),
        lambda values: all(map(matches, set(values))),
    )


def _flat_json(value: pl.Expr) -> pl.Expr:
    return value.str.contains(_FLAT_JSON)


def _flat_object(value: pl.Expr) -> pl.Expr:
    return _flat_json(value) & value.str.starts_with("{")


def _never(_: object) -> bool:
    return False


NO_CONTROL = Rule(_has_no_control, _are_printable)
NO_NUL = Rule(_has_no_nul, _are_without_nul)
POSITIVE = Rule(_is_positive, _all_match(_POSITIVE_TEXT))
NOT_NEGATIVE = Rule(_is_not_negative, _all_match(_NOT_NEGATIVE_TEXT))
DECIMAL = Rule(_is_decimal, _all_match(t.DECIMAL_TEXT))
RATE = Rule(_is_rate, _all_match(_RATE_TEXT))
UTC_TIME = Rule(_is_utc_time, _all_match(_ORDINARY_TIME))
FLAT_JSON = Rule(_flat_json, _never)
FLAT_OBJECT = Rule(_flat_object, _never)


def _not_both_fees() -> pl.Expr:
    return pl.col("fee").is_null() | pl.col("fee_rate").is_null()


def _bar_geometry() -> pl.Expr:
    open_, high, low, close = (
        pl.col(name).cast(pl.Decimal(38, t.FRACTION_DIGITS), strict=False)
        for name in ("open", "high", "low", "close")
    )
    fits = (high >= open_) & (high >= close) & (low <= open_) & (low <= close)
    # Both are UTC texts of one form only where they are equally long.
    opened, closed = pl.col("opened_at"), pl.col("closed_at")
    ordered = (opened.str.len_bytes() == closed.str.len_bytes()) & (opened < closed)
    return fits.fill_null(value=False) & ordered


_FEES = AcrossRule(_not_both_fees, lambda there: not {"fee", "fee_rate"} <= there)

ACROSS: dict[str, AcrossRule] = {
    "signal_emitted": _FEES,
    "signal_closed": _FEES,
    "market_bar": AcrossRule(_bar_geometry, _never),
}
"""The rules that models check across fields, by event type."""

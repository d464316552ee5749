"""From the value type of an event's field to a fast decoder and a column rule.

The models of :mod:`trackrecord.events` are the contract. This module derives
from a model's annotations what the fast path may accept without asking the
model: a strict decoder type for each field, and conditions on whole columns.
It accepts only what the model accepts, and gives the same value; whatever it
does not accept is shown to the model, which decides.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import asdict, dataclass, is_dataclass
from typing import Annotated, Any, Literal, Union

import msgspec
import polars as pl
from pydantic.fields import FieldInfo

from trackrecord.events import Event
from trackrecord.events import types as t

_CONTROL = r"[\x00-\x1f\x7f]"
_DECIMAL = rf"^{t.DECIMAL_TEXT}$"
_TIME = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T"
    r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?Z$"
)
# A flat object of plain texts, short numbers, booleans and nulls.
_FLAT_VALUE = r'("[^"\\\x00-\x1f]*"|-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,12})?|true|false|null)'
_FLAT_PAIR = rf'"[^"\\\x00-\x1f]*": ?{_FLAT_VALUE}'
_FLAT_JSON = rf"^(null|\{{({_FLAT_PAIR}(, ?{_FLAT_PAIR})*)?\}})$"

Rule = Callable[[pl.Expr], pl.Expr]


@dataclass(frozen=True)
class Column:
    """How one field is read on the fast path.

    Attributes:
        name: The field, and the column.
        wire: Its name in the JSON object.
        decoder: The strict type that the decoder reads.
        default: What a message without the field means; ``msgspec.NODEFAULT`` if it must be there.
        dtype: The column's type. Decimals and times stay texts, as Postgres reads them.
        rule: What a value must fulfil beyond its type; nulls always pass.
        canonical: Turns accepted values into the one form that the model would give.
    """

    name: str
    wire: str
    decoder: Any
    default: Any
    dtype: Any
    rule: Rule | None = None
    canonical: Rule | None = None


def _has_no_control(value: pl.Expr) -> pl.Expr:
    return ~value.str.contains(_CONTROL)


def _has_no_nul(value: pl.Expr) -> pl.Expr:
    return ~value.str.contains("\x00", literal=True)


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


def _matches(pattern: str) -> Rule:
    return lambda value: value.str.contains(pattern)


def _side(value: pl.Expr) -> pl.Expr:
    return value.replace({"LONG": "BUY", "SHORT": "SELL"})


def _flat_json(value: pl.Expr) -> pl.Expr:
    return value.str.contains(_FLAT_JSON)


def _flat_object(value: pl.Expr) -> pl.Expr:
    return _flat_json(value) & value.str.starts_with("{")


def _json_null(value: pl.Expr) -> pl.Expr:
    return pl.when(value == "null").then(None).otherwise(value)


def _str(least: int, most: int) -> Any:
    return Annotated[str, msgspec.Meta(min_length=least, max_length=most)]


def _int(least: int) -> Any:
    return Annotated[int, msgspec.Meta(ge=least, le=2**31 - 1)]


_NOTHING: Any = Annotated[int, msgspec.Meta(ge=1, le=0)]
"""A decoder type that no value fits."""

_TEXT = pl.String
_BASES: dict[Any, Any] = {bool: pl.Boolean, int: pl.Int64, float: pl.Float64}
_KINDS: list[tuple[Any, Any, Any, Rule | None, Rule | None]] = [
    (t.Identifier, _str(1, 128), _TEXT, _has_no_control, None),
    (t.Symbol, _str(1, 64), _TEXT, _has_no_control, None),
    (t.Reason, _str(0, 200), _TEXT, _has_no_control, None),
    (t.Text, str, _TEXT, _has_no_nul, None),  # or shorter, see _kind
    (t.Currency, str, _TEXT, _matches("^[A-Z0-9]{2,12}$"), None),
    (t.Timeframe, str, _TEXT, _matches("^[1-9][0-9]{0,3}(s|m|h|d|w|M)$"), None),
    (t.Side, Literal["BUY", "SELL", "LONG", "SHORT"], _TEXT, None, _side),
    (t.PositiveDecimal, str, _TEXT, _is_positive, None),
    (t.NonNegativeDecimal, str, _TEXT, _is_not_negative, None),
    (t.ExactDecimal, str, _TEXT, _is_decimal, None),
    (t.Rate, str, _TEXT, _is_rate, None),
    (t.UtcTime, str, _TEXT, _is_utc_time, None),
    (t.Revision, _int(0), pl.Int64, None, None),
    (t.PositiveCount, _int(1), pl.Int64, None, None),
    (t.Fraction, Annotated[float, msgspec.Meta(ge=0, le=1)], pl.Float64, None, None),
    (t.FreeJson, msgspec.Raw, _TEXT, _flat_json, _json_null),
]


def columns_of(model: type[Event]) -> list[Column]:
    """The columns of an event type, in the order of its fields.

    A field whose type has no fast rule gets a decoder that accepts nothing,
    and may be absent only where that means null: the model reads the rest.
    """
    hints = typing.get_type_hints(model, include_extras=True)
    return [_column(model, name, hints[name]) for name in model.model_fields]


def _column(model: type[Event], name: str, hint: Any) -> Column:
    field = model.model_fields[name]
    wire = field.alias or name
    optional = False
    if typing.get_origin(hint) in {Union, types.UnionType}:
        arms = [arm for arm in typing.get_args(hint) if arm is not type(None)]
        optional = True
        hint = arms[0] if len(arms) == 1 else None
    decoder, dtype, rule, canonical = _kind(hint, field)
    default: Any = msgspec.NODEFAULT
    if decoder is msgspec.Raw:
        default = msgspec.Raw(b"null") if optional else msgspec.NODEFAULT
        rule = rule if optional else _flat_object
    elif optional:
        decoder, default = (decoder if decoder is _NOTHING else decoder | None), None
    elif not field.is_required() and decoder is not _NOTHING:
        value = field.get_default(call_default_factory=True)
        default = str(value) if dtype == pl.String else value
    return Column(name, wire, decoder, default, dtype, rule, canonical)


def _kind(hint: Any, field: FieldInfo) -> tuple[Any, Any, Rule | None, Rule | None]:
    for alias, decoder, dtype, rule, canonical in _KINDS:
        if hint == alias:
            return decoder, dtype, rule, canonical
    if typing.get_origin(hint) is Literal:
        return hint, pl.String, None, None
    if hint is int:
        return _bounded_int(field), pl.Int64, None, None
    longest = _longest_text(hint)
    if longest is not None:
        return _str(0, longest), _TEXT, _has_no_nul, None
    base = typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint
    return _NOTHING, _BASES.get(base, pl.String), None, None


def _bounded_int(field: FieldInfo) -> Any:
    """A strict whole number with two limits, as its field has them; nothing where it has others."""
    limits = _limits(field)
    if limits.keys() != {"strict", "ge", "le"} or not limits["strict"]:
        return _NOTHING
    return Annotated[int, msgspec.Meta(ge=limits["ge"], le=limits["le"])]


def _longest_text(hint: Any) -> int | None:
    """The length to which ``Annotated[Text, Field(max_length=n)]`` limits a text, if it is that."""
    if typing.get_origin(hint) is not Annotated:
        return None
    *inner, last = hint.__metadata__
    if tuple(inner) != typing.get_args(t.Text)[1:] or not isinstance(last, FieldInfo):
        return None
    limits = _limits(last)
    return limits["max_length"] if limits.keys() == {"max_length"} else None


def _limits(field: FieldInfo) -> dict[str, Any]:
    """The limits of a field by name; something unknown among them has its own text as name."""
    limits: dict[str, Any] = {}
    for rule in field.metadata:
        known = is_dataclass(rule) and not isinstance(rule, type)
        limits |= asdict(rule) if known else {repr(rule): rule}
    return limits


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


MODEL_RULES: dict[str, Callable[[], pl.Expr]] = {
    "signal_emitted": _not_both_fees,
    "signal_closed": _not_both_fees,
    "market_bar": _bar_geometry,
}
"""The rules that models check across fields, as conditions on columns."""

"""From the value type of an event's field to a fast decoder and a column rule.

The models of :mod:`trackrecord.events` are the contract. This module derives
from a model's annotations what the fast path may accept without asking the
model: a strict decoder type for each field, and a rule for whole columns.
It accepts only what the model accepts, and gives the same value; whatever it
does not accept is shown to the model, which decides.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Annotated, Any, Literal, Union

import msgspec
import polars as pl
from pydantic.fields import FieldInfo

from trackrecord.events import Event
from trackrecord.events import types as t
from trackrecord.runtime.decoding import field_rules
from trackrecord.runtime.decoding.field_rules import Rule

Canonical = Callable[[Sequence[Any]], Sequence[Any]]

_WRITTEN_SIDES = tuple(
    spelling for name in t.SIDES for spelling in (name, name.lower(), name.capitalize())
)
_SIDES = {written: t.side_of(written) for written in _WRITTEN_SIDES}
_FORMS = frozenset(t.SIDES.values())


@dataclass(frozen=True)
class Column:
    """How one field is read on the fast path.

    Attributes:
        name: The field, and the column.
        wire: Its name in the JSON object.
        decoder: The strict type that the decoder reads.
        default: What a message without the field means; ``msgspec.NODEFAULT`` if it must be there.
        dtype: The column's type. Decimals and times stay texts, as Postgres reads them.
        rule: What a value must fulfil beyond its type.
        canonical: Turns the values of a column into the one form that the model would give.
    """

    name: str
    wire: str
    decoder: Any
    default: Any
    dtype: Any
    rule: Rule | None = None
    canonical: Canonical | None = None


def _side(values: Sequence[Any]) -> Sequence[Any]:
    if _FORMS.issuperset(values):
        return values
    return [_SIDES.get(value) for value in values]


def _json_null(values: Sequence[Any]) -> Sequence[Any]:
    return [None if value == "null" else value for value in values]


def _str(least: int, most: int) -> Any:
    return Annotated[str, msgspec.Meta(min_length=least, max_length=most)]


def _int(least: int) -> Any:
    return Annotated[int, msgspec.Meta(ge=least, le=2**31 - 1)]


_NOTHING: Any = Annotated[int, msgspec.Meta(ge=1, le=0)]
"""A decoder type that no value fits."""

_TEXT = pl.String
_BASES: dict[Any, Any] = {bool: pl.Boolean, int: pl.Int64, float: pl.Float64}
_KINDS: list[tuple[Any, Any, Any, Rule | None, Canonical | None]] = [
    (t.Identifier, _str(1, 128), _TEXT, field_rules.NO_CONTROL, None),
    (t.Symbol, _str(1, 64), _TEXT, field_rules.NO_CONTROL, None),
    (t.Reason, _str(0, 200), _TEXT, field_rules.NO_CONTROL, None),
    (t.Text, str, _TEXT, field_rules.NO_NUL, None),  # or shorter, see _kind
    (t.Currency, str, _TEXT, field_rules.pattern("[A-Z0-9]{2,12}"), None),
    (t.Timeframe, str, _TEXT, field_rules.pattern("[1-9][0-9]{0,3}(s|m|h|d|w|M)"), None),
    (t.Side, Literal[_WRITTEN_SIDES], _TEXT, None, _side),
    (t.PositiveDecimal, str, _TEXT, field_rules.POSITIVE, None),
    (t.NonNegativeDecimal, str, _TEXT, field_rules.NOT_NEGATIVE, None),
    (t.ExactDecimal, str, _TEXT, field_rules.DECIMAL, None),
    (t.Rate, str, _TEXT, field_rules.RATE, None),
    (t.UtcTime, str, _TEXT, field_rules.UTC_TIME, None),
    (t.Revision, _int(0), pl.Int64, None, None),
    (t.PositiveCount, _int(1), pl.Int64, None, None),
    (t.Fraction, Annotated[float, msgspec.Meta(ge=0, le=1)], pl.Float64, None, None),
    (t.FreeJson, msgspec.Raw, _TEXT, field_rules.FLAT_JSON, _json_null),
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
        if not optional:
            rule, canonical = field_rules.FLAT_OBJECT, None
    elif optional:
        decoder, default = (decoder if decoder is _NOTHING else decoder | None), None
    elif not field.is_required() and decoder is not _NOTHING:
        value = field.get_default(call_default_factory=True)
        default = str(value) if dtype == pl.String else value
    return Column(name, wire, decoder, default, dtype, rule, canonical)


def _kind(hint: Any, field: FieldInfo) -> tuple[Any, Any, Rule | None, Canonical | None]:
    for alias, decoder, dtype, rule, canonical in _KINDS:
        if hint == alias:
            return decoder, dtype, rule, canonical
    if typing.get_origin(hint) is Literal:
        return hint, pl.String, None, None
    if hint is int:
        return _bounded_int(field), pl.Int64, None, None
    longest = _longest_text(hint)
    if longest is not None:
        return _str(0, longest), _TEXT, field_rules.NO_NUL, None
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

"""From what people write to what a model reads: JSON with numbers, and tables of texts."""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any, Final, Literal

from trackrecord.events.base import Event

Kind = Literal["decimal", "int", "float", "bool", "json", "text"]

_KINDS: Final[dict[Any, Kind]] = {
    Decimal: "decimal", int: "int", float: "float", bool: "bool", dict: "json", list: "json",
}  # fmt: skip

_EXPONENT: Final = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]{1,3}")


def plain_number(text: str) -> str:
    """A number as plain digits where it has an exponent (``8.12e-06``), else the text itself."""
    text = text.strip()
    if _EXPONENT.fullmatch(text) is None:
        return text
    return format(Decimal(text), "f")


@cache
def kinds_of(model: type[Event]) -> dict[str, Kind]:
    """What the fields of an event hold, by their names on the wire."""
    return {
        field.alias or name: _kind(field.annotation) for name, field in model.model_fields.items()
    }


def _kind(annotation: Any) -> Kind:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _KINDS or origin in _KINDS:
        return _KINDS[annotation if annotation in _KINDS else origin]
    if origin is Literal:
        return "text"
    found = [_kind(each) for each in arguments if isinstance(each, type) or typing.get_args(each)]
    return next((kind for kind in found if kind != "text"), "text")


def from_json(model: type[Event], data: dict[str, Any]) -> dict[str, Any]:
    """Data of JSON whose numbers were read as ``Decimal``: money stays exact, the rest is doubles.

    Args:
        model: The event.
        data: As ``json.loads(text, parse_float=Decimal)`` gives it.
    """
    kinds = kinds_of(model)
    return {
        name: value if type(value) is str or kinds.get(name) == "decimal" else _doubles(value)
        for name, value in data.items()
    }


def from_texts(model: type[Event], row: dict[str, Any]) -> dict[str, Any]:
    """A row of a table, whose cells are texts, as the model reads it.

    A cell that its field's kind does not fit stays the text that it is, for the model to refuse;
    an empty one (None) counts as left out.
    """
    kinds = kinds_of(model)
    return {
        name: _of_text(kinds.get(name, "text"), value)
        for name, value in row.items()
        if value is not None
    }


def _of_text(kind: Kind, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return _READ[kind](value)
    except (ValueError, ArithmeticError):
        return value


def _whole(text: str) -> int | float:
    number = Decimal(text)
    # What has been a double in a table is written 5.0.
    return int(number) if number == number.to_integral_value() else float(number)


_READ: Final[dict[Kind, Callable[[str], Any]]] = {
    "decimal": plain_number,
    "int": _whole,
    "float": float,
    "bool": lambda text: {"true": True, "false": False}.get(text.lower(), text),
    "json": json.loads,
    "text": str,
}


def _doubles(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: _doubles(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_doubles(item) for item in value]
    return value

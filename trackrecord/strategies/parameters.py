"""What can be set of a strategy from outside: declarations, and values that keep to them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from trackrecord.strategies.decisions import shown

Kind = Literal["int", "float", "bool", "str"]
Value = int | float | bool | str

MOST_PARAMETERS: Final = 100
LONGEST_TEXT: Final = 1_000
_KINDS: Final[dict[str, type]] = {"int": int, "float": float, "bool": bool, "str": str}
_NUMBERS: Final = ("int", "float")
_FIELDS: Final = ("type", "default", "min", "max", "description", "choices")
_LARGEST: Final = 1e15


@dataclass(frozen=True)
class Parameter:
    """A number, word or switch of a strategy that can be set from outside.

    Attributes:
        least: The smallest value allowed, or None where there is no such.
        most: The largest value allowed, or None.
        choices: For words, those that there are; empty allows any.
    """

    kind: Kind
    default: Value
    least: int | float | None = None
    most: int | float | None = None
    description: str = ""
    choices: tuple[str, ...] = ()


class _WrongError(Exception):
    """Carries the words to the functions that collect them."""


def read_declarations(
    told: Mapping[Any, Any],
) -> tuple[dict[str, Parameter], list[tuple[Any, str]]]:
    """Read ``PARAMETERS``.

    Returns:
        The parameters by name, and what is wrong with others, by name.
    """
    if len(told) > MOST_PARAMETERS:
        return {}, [(None, f"{len(told)} parameters: {MOST_PARAMETERS} at most")]
    found: dict[str, Parameter] = {}
    wrong: list[tuple[Any, str]] = []
    for name, declared in told.items():
        try:
            found[name] = _parameter(name, declared)
        except _WrongError as error:
            wrong.append((name, str(error)))
    return found, wrong


def values_of(
    parameters: Mapping[str, Parameter], given: Mapping[str, Any]
) -> tuple[dict[str, Value], list[str]]:
    """The values of all parameters, defaults where nothing was given, and what is wrong."""
    known = ", ".join(parameters) or "none"
    wrong = [
        f"there is no parameter {shown(name)}; there are: {known}"
        for name in given
        if name not in parameters
    ]
    values: dict[str, Value] = {}
    for name, parameter in parameters.items():
        try:
            values[name] = _checked(name, given.get(name, parameter.default), parameter)
        except _WrongError as error:
            wrong.append(str(error))
    return values, wrong


def _parameter(name: object, told: object) -> Parameter:
    if not (isinstance(name, str) and name.isidentifier()):
        raise _WrongError(f"a parameter's name is a word such as fast, not {shown(name)}")
    if not isinstance(told, dict):
        raise _WrongError(f'{name} is declared as {{"type": ..., "default": ...}}')
    unknown = [shown(key) for key in told if key not in _FIELDS]
    if unknown:
        raise _WrongError(f"{name} has {', '.join(unknown)}: there are {', '.join(_FIELDS)}")
    kind = told.get("type")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise _WrongError(f'{name}\'s "type" is one of {", ".join(_KINDS)}, not {shown(kind)}')
    if "default" not in told:
        raise _WrongError(f'{name} has no "default"')
    description = told.get("description", "")
    if not isinstance(description, str):
        raise _WrongError(f'{name}\'s "description" is a text')
    least, most = (_bound(name, kind, word, told.get(word)) for word in ("min", "max"))
    if least is not None and most is not None and least > most:
        raise _WrongError(f'{name}\'s "min" {least} is above its "max" {most}')
    parameter = Parameter(
        kind=kind,  # type: ignore[arg-type] # one of _KINDS, as was looked at
        default=told["default"],
        least=least,
        most=most,
        description=description,
        choices=_choices(name, kind, told.get("choices", ())),
    )
    try:
        _checked(name, told["default"], parameter)
    except _WrongError as error:
        raise _WrongError(f"the default of {error}") from None
    return parameter


def _choices(name: str, kind: str, told: object) -> tuple[str, ...]:
    if told and kind != "str":
        raise _WrongError(f'{name} is no word, so it has no "choices"')
    if not isinstance(told, list | tuple) or not all(isinstance(each, str) for each in told):
        raise _WrongError(f'{name}\'s "choices" are a list of words')
    return tuple(told)


def _bound(name: str, kind: str, word: str, told: Any) -> int | float | None:
    if told is None:
        return None
    if kind not in _NUMBERS:
        raise _WrongError(f'{name} is no number, so it has no "{word}"')
    return _number(f'{name}\'s "{word}"', told, whole=kind == "int")


def _number(name: str, value: Any, *, whole: bool) -> int | float:
    if type(value) not in ({int} if whole else {int, float}):
        raise _WrongError(f"{name} is a {'whole ' if whole else ''}number, not {shown(value)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise _WrongError(f"{name} is a finite number, not {value}")
    if abs(value) > _LARGEST:
        raise _WrongError(f"{name} is too large")
    number: int | float = value
    return number


def _checked(name: str, value: Any, parameter: Parameter) -> Value:
    """A value as the strategy is handed it.

    Raises:
        _WrongError: It is of another type, or outside of what was declared.
    """
    if parameter.kind in _NUMBERS:
        number = _number(name, value, whole=parameter.kind == "int")
        if parameter.least is not None and number < parameter.least:
            raise _WrongError(f"{name} is {parameter.least} at least, not {number}")
        if parameter.most is not None and number > parameter.most:
            raise _WrongError(f"{name} is {parameter.most} at most, not {number}")
        return float(number) if parameter.kind == "float" else number
    wanted = _KINDS[parameter.kind]
    if type(value) is not wanted:
        kind = "True or False" if parameter.kind == "bool" else "a text"
        raise _WrongError(f"{name} is {kind}, not {shown(value)}")
    if parameter.kind == "bool":
        return bool(value)
    text = str(value)
    if len(text) > LONGEST_TEXT or "\0" in text:
        raise _WrongError(f"{name} is too long a text, or none")
    if parameter.choices and text not in parameter.choices:
        raise _WrongError(f"{name} is one of {', '.join(parameter.choices)}, not {shown(text)}")
    return text

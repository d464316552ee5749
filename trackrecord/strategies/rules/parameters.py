"""The numbers of a rule that may be set: their names, ranges and meanings.

A number that stands in a rule twice in the same part is one parameter: the 20 of "crosses above
the 20 day average" and of "crosses back below it".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Self, TypeVar

from trackrecord.strategies.rules.catalogue import CATALOGUE
from trackrecord.strategies.rules.model import (
    Ago,
    Always,
    And,
    Apart,
    Away,
    Compare,
    Condition,
    Cross,
    Field,
    InARow,
    Indicator,
    Level,
    Multiple,
    Not,
    Number,
    Operand,
    Or,
    Percent,
    Ranges,
    Risk,
    Rule,
    Within,
)

LONGEST_PERIOD: Final = 1_000
"""Bars that a parameter may count at most."""


@dataclass(frozen=True)
class Role:
    """What a number does in a rule.

    Attributes:
        name: Of the parameter, unless another number has the same role.
        least: The least value it may be set to.
        most: The greatest; None: from its own value.
        whole: Whether it counts something.
        about: What it is, in words.
    """

    name: str
    about: str
    least: float
    most: float | None
    whole: bool


@dataclass(frozen=True)
class Parameter:
    """A number that may be set, as ``PARAMETERS`` of a strategy declares it."""

    name: str
    type: str
    default: float
    min: float
    max: float
    description: str

    def declared(self) -> dict[str, object]:
        """Without its name."""
        return {
            "type": self.type, "default": self.default, "min": self.min, "max": self.max,
            "description": self.description,
        }  # fmt: skip


Change = Callable[[Role, float], float]


def most(role: Role, value: float) -> float:
    """The greatest value that a number may be set to."""
    if role.most is not None:
        return max(role.most, value)
    if role.whole:
        return int(min(LONGEST_PERIOD, max(value, min(2 * value, value + 50))))
    return max(10.0, value * 3) if value > 0 else max(100.0, -value * 3)


def mapped(rule: Rule, change: Change) -> Rule:
    """The rule with ``change`` made to each of its numbers, in a fixed order."""

    def of(condition: Condition | None) -> Condition | None:
        return None if condition is None else _condition(condition, change)

    entry, left = of(rule.entry), of(rule.exit)
    short_entry, short_left = of(rule.short_entry), of(rule.short_exit)
    filters = tuple(_condition(condition, change) for condition in rule.filters)
    stop = None if rule.stop is None else _distance(rule.stop, "stop", change)
    target = None if rule.target is None else _distance(rule.target, "target", change)
    trail = None if rule.trail is None else _distance(rule.trail, "trail", change)
    horizon = rule.horizon_bars
    if horizon is not None:
        about = "bars after which the position ends, the entry bar included"
        horizon = _whole(change, Role("hold_bars", about, 1, None, whole=True), horizon)
    return replace(
        rule, entry=entry, exit=left, short_entry=short_entry, short_exit=short_left,
        filters=filters, stop=stop, target=target, trail=trail, horizon_bars=horizon,
    )  # fmt: skip


def _whole(change: Change, role: Role, value: int) -> int:
    """A count; one with a name keeps it, though it is a float by its type."""
    new = change(role, value)
    return new if isinstance(new, Named) else int(new)  # type: ignore[return-value]


def _condition(condition: Condition, change: Change) -> Condition:
    if isinstance(condition, Compare):
        left = _operand(condition.left, change)
        direction = "above" if condition.op in {">", ">="} else "below"
        return Compare(
            left, condition.op, _right(condition.left, condition.right, direction, change)
        )
    if isinstance(condition, Cross):
        left = _operand(condition.left, change)
        return Cross(
            left, condition.direction,
            _right(condition.left, condition.right, condition.direction, change),
        )  # fmt: skip
    if isinstance(condition, Always):
        return condition
    if isinstance(condition, Not):
        return Not(_condition(condition.item, change))
    if isinstance(condition, And | Or):
        return type(condition)(tuple(_condition(item, change) for item in condition.items))
    inner = _condition(condition.condition, change)
    if isinstance(condition, Within):
        role = Role("within_bars", "bars within which it must have been", 1, None, whole=True)
        return Within(_whole(change, role, condition.bars), inner)
    role = Role("bars_in_a_row", "bars in a row on which it must be", 1, None, whole=True)
    return InARow(_whole(change, role, condition.bars), inner)


def _right(left: Operand, right: Operand, direction: str, change: Change) -> Operand:
    """The right side of a comparison; a number is named after what it is compared with."""
    if not isinstance(right, Number):
        return _operand(right, change)
    subject = _subject(left)
    low, high = (None, None)
    if isinstance(left, Indicator):
        low, high = CATALOGUE[left.name].bounds
    size = max(abs(right.value), 1.0)
    least = low if low is not None else min(right.value, -3.0 * size)
    greatest = high if high is not None else max(right.value, 3.0 * size)
    about = f"what {_title(left)} is compared with"
    role = Role(f"{subject}_{direction}", about, least, greatest, whole=False)
    return Number(change(role, right.value))


def _operand(operand: Operand, change: Change) -> Operand:
    if isinstance(operand, Number):
        role = Role("number", "a number that is compared", -1e9, 1e9, whole=False)
        return Number(change(role, operand.value))
    if isinstance(operand, Field):
        return operand
    if isinstance(operand, Indicator):
        entry = CATALOGUE[operand.name]
        source = None if operand.source is None else _operand(operand.source, change)
        settings = []
        prefix = _subject(operand)
        for setting, value in zip(entry.settings, operand.settings, strict=True):
            about = f"{setting.name.replace('_', ' ')} of {_title(operand)}"
            if setting.name == "days":
                about = f"bars of {_title(operand)}"
            role = Role(
                f"{prefix}_{setting.name}", about, setting.least,
                None if setting.whole else max(10.0, value), whole=setting.whole,
            )  # fmt: skip
            settings.append(
                _whole(change, role, int(value)) if setting.whole else change(role, value)
            )
        return Indicator(operand.name, tuple(settings), source)
    if isinstance(operand, Ago):
        role = Role("bars_before", "how many bars before", 1, None, whole=True)
        inner = _operand(operand.operand, change)
        # Which bar is meant by "yesterday", or that today is left out, is no setting.
        if operand.bars == 1:
            return Ago(inner, 1)
        return Ago(inner, _whole(change, role, operand.bars))
    if isinstance(operand, Multiple):
        role = Role(f"times_{_subject(operand.operand)}", f"times {_title(operand.operand)}",
                    0.01, None, whole=False)  # fmt: skip
        return Multiple(change(role, operand.factor), _operand(operand.operand, change))
    if isinstance(operand, Away):
        role = Role(
            f"percent_from_{_subject(operand.operand)}",
            f"percent that is added to {_title(operand.operand)}", -99.0, 500.0, whole=False,
        )  # fmt: skip
        return Away(_operand(operand.operand, change), change(role, operand.percent))
    base = _operand(operand.operand, change)
    role = Role(f"times_{_subject(operand.width)}", f"times {_title(operand.width)}",
                -100.0, 100.0, whole=False)  # fmt: skip
    return Apart(base, change(role, operand.factor), _operand(operand.width, change))


_Distance = TypeVar("_Distance", bound=Percent | Ranges | Risk | Level)


def _distance(distance: _Distance, part: str, change: Change) -> _Distance:
    """A stop, target or trail."""
    return _changed(distance, part, change)  # type: ignore[return-value]


def _changed(
    distance: Percent | Ranges | Risk | Level, part: str, change: Change
) -> Percent | Ranges | Risk | Level:
    if isinstance(distance, Percent):
        greatest = 99.0 if part != "target" else 500.0
        about = f"percent of the decision bar's close to the {part}"
        if part == "trail":
            about = "percent from the best close since the entry"
        role = Role(f"{part}_percent", about, 0.1, greatest, whole=False)
        return Percent(change(role, distance.size))
    if isinstance(distance, Ranges):
        about = f"average true ranges to the {part}"
        multiple = change(Role(f"{part}_ranges", about, 0.1, 50.0, whole=False), distance.multiple)
        ranges = _operand(Indicator("atr", (distance.days,)), change)
        assert isinstance(ranges, Indicator)  # noqa: S101 - it stays what it is
        return Ranges(multiple, ranges.settings[0])  # type: ignore[arg-type]
    if isinstance(distance, Risk):
        about = "stop distances to the target"
        return Risk(change(Role("target_risks", about, 0.1, 50.0, whole=False), distance.multiple))
    return Level(_operand(distance.operand, change))


def _subject(operand: Operand) -> str:
    """A word for an operand, to name parameters after."""
    if isinstance(operand, Field):
        return operand.name
    if isinstance(operand, Indicator):
        source = operand.source
        if source is None or source == Field("close"):
            return operand.name
        return f"{_subject(source)}_{operand.name}"
    if isinstance(operand, Number):
        return "number"
    return _subject(operand.operand)


def _title(operand: Operand) -> str:
    if isinstance(operand, Indicator):
        title = f"the {CATALOGUE[operand.name].title}"
        if operand.source is not None and operand.source != Field("close"):
            title += f" of {_title(operand.source)}"
        return title
    if isinstance(operand, Field):
        return f"the {operand.name}"
    if isinstance(operand, Number):
        return "a number"
    return _title(operand.operand)


class Named(float):
    """A number of a rule with the name of its parameter, for making code."""

    name: str

    def __new__(cls, value: float, name: str) -> Self:
        """The same number, with a name."""
        made = super().__new__(cls, value)
        made.name = name
        return made


def _names(rule: Rule) -> dict[tuple[Role, float], str]:
    """A name for each number of a rule, the same for the same number in the same role."""
    found: dict[str, list[tuple[Role, float]]] = {}

    def note(role: Role, value: float) -> float:
        same = found.setdefault(role.name, [])
        if (role, value) not in same:
            same.append((role, value))
        return value

    mapped(rule, note)
    names: dict[tuple[Role, float], str] = {}
    for base, numbers in found.items():
        pair = len(numbers) == 2 and numbers[0][1] != numbers[1][1]  # noqa: PLR2004
        if pair and re.fullmatch(r"(volume_)?(sma|ema|wma)_days", base):
            short, long = sorted(numbers, key=lambda number: number[1])
            stem = base.removesuffix("_days")
            names[short], names[long] = f"{stem}_fast", f"{stem}_slow"
            continue
        for place, number in enumerate(numbers, 1):
            names[number] = base if place == 1 else f"{base}_{place}"
    return names


def named(rule: Rule) -> Rule:
    """The rule with the name of its parameter at every number."""
    names = _names(rule)
    return mapped(rule, lambda role, value: Named(value, names[role, value]))


def parameters(rule: Rule) -> tuple[Parameter, ...]:
    """The numbers of a rule that may be set, in the order in which they stand in it."""
    found: dict[str, Parameter] = {}
    for (role, value), name in _names(rule).items():
        kind = "int" if role.whole else "float"
        number = int if role.whole else float
        least, greatest = min(role.least, value), most(role, value)
        found[name] = Parameter(name, kind, number(value), number(least), number(greatest),
                                role.about)  # fmt: skip
    return tuple(found.values())


def with_parameters(rule: Rule, values: Mapping[str, float]) -> Rule:
    """The rule with some of its numbers set; its window stays as it is.

    Raises:
        ValueError: A name is unknown, or a value is outside the parameter's range.
    """
    names = _names(rule)
    declared = {parameter.name: parameter for parameter in parameters(rule)}
    for name, value in values.items():
        if name not in declared:
            raise ValueError(f"there is no parameter {name!r}; there are {', '.join(declared)}")
        parameter = declared[name]
        if parameter.type == "int" and value != int(value):
            raise ValueError(f"{name} is a whole number, not {value}")
        if not parameter.min <= value <= parameter.max:
            raise ValueError(f"{name} is {parameter.min} to {parameter.max}, not {value}")

    def change(role: Role, value: float) -> float:
        new = values.get(names[role, value], value)
        return int(new) if role.whole else float(new)

    return mapped(rule, change)

"""Operands of which it was not said whether they include this bar, or what they are of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from trackrecord.strategies.rules.canonical import opposite
from trackrecord.strategies.rules.kinds import kind
from trackrecord.strategies.rules.model import (
    Ago,
    And,
    Apart,
    Away,
    Compare,
    Comparison,
    Condition,
    Cross,
    Field,
    FieldName,
    InARow,
    Indicator,
    Multiple,
    Not,
    Number,
    Operand,
    Or,
    Within,
)

CLOSE: Final = Field("close")

VOLUME: Final = Field("volume")


_FIELDS: Final[dict[str, FieldName]] = {
    "open": "open", "high": "high", "low": "low", "close": "close", "volume": "volume",
}  # fmt: skip


def field_named(word: str) -> Field:
    """The field of a name, said in one or several."""
    return Field(_FIELDS[word.removesuffix("s")])


@dataclass(frozen=True)
class Loose(Indicator):
    """An indicator of which it was not said whether it includes this bar.

    Attributes:
        unsourced: Nor what it is an average of.
    """

    unsourced: bool = False


@dataclass(frozen=True)
class SoftCross(Cross):
    """A cross said by a verb that may also say that it is beyond: "rises above 70".

    Attributes:
        reached: Whether the number itself was said to be enough: "drops to 50".
    """

    reached: bool = False


def settled(condition: Condition, *, leaving: bool) -> Condition:
    """What soft crosses are: of a number in an exit, being beyond it; else crosses."""
    if isinstance(condition, SoftCross):
        if leaving and isinstance(condition.right, Number):
            op: Comparison = ">" if condition.direction == "above" else "<"
            if condition.reached:
                op = ">=" if op == ">" else "<="
            return Compare(condition.left, op, condition.right)
        return Cross(condition.left, condition.direction, condition.right)
    if isinstance(condition, And | Or):
        return type(condition)(tuple(settled(item, leaving=leaving) for item in condition.items))
    if isinstance(condition, Not):
        return opposite(settled(condition.item, leaving=leaving))
    if isinstance(condition, Within | InARow):
        inner = settled(condition.condition, leaving=leaving)
        return type(condition)(condition.bars, inner)
    return condition


def reaches(condition: Condition) -> bool:
    """Whether it says of something that it comes to a number."""
    if isinstance(condition, And | Or):
        return any(reaches(item) for item in condition.items)
    if isinstance(condition, Not):
        return reaches(condition.item)
    if isinstance(condition, Within | InARow):
        return reaches(condition.condition)
    return isinstance(condition, SoftCross) and condition.reached


def earlier_by(bars: int, condition: Condition) -> Condition:
    """The same condition, of the bar so many bars before."""
    if isinstance(condition, And | Or):
        return type(condition)(tuple(earlier_by(bars, item) for item in condition.items))
    if isinstance(condition, Not):
        return Not(earlier_by(bars, condition.item))
    if isinstance(condition, Compare | Cross):
        left, right = (_earlier(bars, side) for side in (condition.left, condition.right))
        return replace(condition, left=left, right=right)
    if isinstance(condition, Within | InARow):
        return replace(condition, condition=earlier_by(bars, condition.condition))
    return condition


def _earlier(bars: int, operand: Operand) -> Operand:
    if isinstance(operand, Number):
        return operand
    if isinstance(operand, Ago):
        return Ago(operand.operand, operand.bars + bars)
    if isinstance(operand, Multiple | Away):
        return replace(operand, operand=_earlier(bars, operand.operand))
    if isinstance(operand, Apart):
        return Apart(_earlier(bars, operand.operand), operand.factor, _earlier(bars, operand.width))
    return Ago(strict(operand), bars)


def strict(operand: Operand) -> Operand:
    """Without looseness: this bar included."""
    if isinstance(operand, Loose):
        return Indicator(operand.name, operand.settings, operand.source)
    if isinstance(operand, Ago):
        return Ago(strict(operand.operand), operand.bars)
    if isinstance(operand, Multiple):
        return Multiple(operand.factor, strict(operand.operand))
    if isinstance(operand, Away):
        return Away(strict(operand.operand), operand.percent)
    if isinstance(operand, Apart):
        return Apart(strict(operand.operand), operand.factor, strict(operand.width))
    return operand


def sourced(operand: Operand, other: Operand) -> Operand:
    """An average of nothing said is of what it is compared with."""
    if isinstance(operand, Multiple):
        return Multiple(operand.factor, sourced(operand.operand, other))
    if isinstance(operand, Away):
        return Away(sourced(operand.operand, other), operand.percent)
    if isinstance(operand, Loose) and operand.unsourced:
        plain = strict(other)
        while isinstance(plain, Ago | Multiple | Away):
            plain = plain.operand
        if kind(plain) in {"price", "number"}:
            return replace(operand, unsourced=False)
        if operand.name == "sma" and isinstance(plain, Field | Indicator):
            return Loose("sma", operand.settings, plain)
    return operand


def _through(operand: Operand, change: Callable[[Operand], Operand]) -> Operand:
    if isinstance(operand, Multiple):
        return Multiple(operand.factor, _through(operand.operand, change))
    if isinstance(operand, Away):
        return Away(_through(operand.operand, change), operand.percent)
    if isinstance(operand, Apart):
        return Apart(_through(operand.operand, change), operand.factor, strict(operand.width))
    return change(operand)


def moved_back(operand: Operand) -> Operand:
    """Of the bars before this one, where that was left open."""
    return _through(
        operand, lambda inner: Ago(strict(inner), 1) if isinstance(inner, Loose) else strict(inner)
    )


def innermost(operand: Operand) -> Operand:
    """What factors and percentages are of."""
    while isinstance(operand, Multiple | Away | Apart):
        operand = operand.operand
    return operand


def inner_strict(operand: Operand) -> Operand:
    """A distance from a high includes this bar's."""
    inner = innermost(operand)
    if isinstance(inner, Loose) and inner.name in {"highest", "lowest"}:
        return strict(operand)
    return operand


def is_loose_average(operand: Operand) -> bool:
    """Whether it is an average of which it was not said whether this bar counts."""
    inner = innermost(operand)
    return isinstance(inner, Loose) and inner.name == "sma"


def loose_extreme(operand: Operand) -> str | None:
    """``highest`` or ``lowest`` where it was not said whether this bar counts."""
    inner = innermost(operand)
    if isinstance(inner, Loose) and inner.name in {"highest", "lowest"}:
        return inner.name
    return None

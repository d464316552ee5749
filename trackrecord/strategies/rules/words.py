"""A rule in words, which the reader of sentences reads as the same rule again."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from trackrecord.strategies.rules.catalogue import CATALOGUE
from trackrecord.strategies.rules.model import (
    FLIPPED,
    Ago,
    Always,
    And,
    Away,
    Compare,
    Comparison,
    Condition,
    Cross,
    Field,
    Indicator,
    Multiple,
    Not,
    Number,
    Operand,
    Or,
    Percent,
    Ranges,
    Risk,
    Rule,
    Stop,
    Target,
    Within,
)

WEEKDAYS: Final = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_COMPARED: Final[dict[Comparison, str]] = {
    ">": "is above", ">=": "is at least", "<": "is below", "<=": "is at most",
}  # fmt: skip
_BY_DAYS: Final = frozenset({"sma", "ema", "wma", "change", "volatility", "stdev", "zscore"})
"""Indicators whose period stands before their name."""


def number(value: float) -> str:
    """A number without an exponent, as it is read again."""
    text = format(Decimal(repr(float(value))), "f")
    return text.removesuffix(".0")


def operand_words(operand: Operand) -> str:
    """An operand in words."""
    if isinstance(operand, Number):
        return number(operand.value)
    if isinstance(operand, Field):
        return f"the {operand.name}"
    if isinstance(operand, Indicator):
        return _indicator(operand)
    if isinstance(operand, Ago):
        inner = operand.operand
        if (
            isinstance(inner, Indicator)
            and inner.name in {"highest", "lowest"}
            and (operand.bars == 1)
        ):
            return _extreme(inner, f"the {number(inner.settings[0])} bars before this one")
        words = (
            _indicator(inner, ago=True) if isinstance(inner, Indicator) else operand_words(inner)
        )
        return f"{words} {operand.bars} {_bars(operand.bars)} before"
    if isinstance(operand, Multiple):
        return f"{number(operand.factor)} times {operand_words(operand.operand)}"
    if isinstance(operand, Away):
        side = "below" if operand.percent < 0 else "above"
        return f"{number(abs(operand.percent))}% {side} {operand_words(operand.operand)}"
    sign = "minus" if operand.factor < 0 else "plus"
    times = number(abs(operand.factor))
    return f"{operand_words(operand.operand)} {sign} {times} times {operand_words(operand.width)}"


def _bars(count: int) -> str:
    return "bar" if count == 1 else "bars"


def _indicator(indicator: Indicator, *, ago: bool = False) -> str:
    if indicator.name in {"highest", "lowest"}:
        return _extreme(
            indicator, f"the last {number(indicator.settings[0])} bars including this one"
        )
    title = CATALOGUE[indicator.name].title
    values = indicator.settings
    if indicator.name == "stochastic_k":
        # Two numbers behind %K are those of %K and %D; three tell its smoothing.
        values = (*values, 3)
    settings = ", ".join(number(value) for value in values)
    words = f"the {settings} day {title}" if indicator.name in _BY_DAYS else (
        f"{title}({settings})" if settings else f"the {title}"
    )  # fmt: skip
    if indicator.source is not None and indicator.source != Field("close"):
        words += f" of {operand_words(indicator.source)}"
        if not ago and indicator.name == "sma" and indicator.source == Field("volume"):
            words += " including this bar"
    return words


def _extreme(indicator: Indicator, bars: str) -> str:
    assert indicator.source is not None  # noqa: S101 - the catalogue says so
    return f"the {indicator.name} {operand_words(indicator.source).removeprefix('the ')} of {bars}"


def condition_words(condition: Condition) -> str:
    """A condition in words; groups within groups stand in brackets."""
    if isinstance(condition, Compare):
        if isinstance(condition.right, Away):
            return _away_words(condition, condition.right)
        right = operand_words(condition.right)
        percent = isinstance(condition.right, Number) and _is_percent(condition.left)
        right += "%" if percent else ""
        return f"{operand_words(condition.left)} {_COMPARED[condition.op]} {right}"
    if isinstance(condition, Cross):
        left, right = operand_words(condition.left), operand_words(condition.right)
        return f"{left} crosses {condition.direction} {right}"
    if isinstance(condition, Always):
        return "on every bar"
    if isinstance(condition, Not):
        return f"not ({condition_words(condition.item)})"
    if isinstance(condition, And):
        return " and ".join(_grouped(item) for item in condition.items)
    if isinstance(condition, Or):
        return " or ".join(_grouped(item) for item in condition.items)
    inner = _grouped(condition.condition)
    if isinstance(condition, Within):
        return f"within the last {condition.bars} bars {inner}"
    return f"on each of the last {condition.bars} bars {inner}"


def _away_words(condition: Compare, right: Away) -> str:
    """For "is more than 5 % below the high": how far, and to which side."""
    below = right.percent < 0
    op = FLIPPED[condition.op] if below else condition.op
    far = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most"}[op]
    return f"{operand_words(condition.left)} is {far} {operand_words(right)}"


def _is_percent(operand: Operand) -> bool:
    return isinstance(operand, Indicator) and operand.name in {"change", "gap"}


def _grouped(condition: Condition) -> str:
    words = condition_words(condition)
    plain = isinstance(condition, Compare | Cross | Not)
    return words if plain else f"({words})"


def distance_words(distance: Stop | Target) -> str:
    """How far a stop, target or trail is away, in words."""
    if isinstance(distance, Percent):
        return f"{number(distance.size)}%"
    if isinstance(distance, Ranges):
        return f"{number(distance.multiple)} times ATR({number(distance.days)})"
    if isinstance(distance, Risk):
        return f"{number(distance.multiple)} times the risk"
    return f"at {operand_words(distance.operand)}"


def rule_words(rule: Rule) -> str:
    """A rule in sentences."""
    said = []
    for verb, condition in (
        ("Buy", rule.entry), ("Sell", rule.exit), ("Sell short", rule.short_entry),
        ("Cover", rule.short_exit),
    ):  # fmt: skip
        if condition is not None:
            said.append(f"{verb} {_when(condition)}.")
    said += [f"Enter only if {condition_words(condition)}." for condition in rule.filters]
    schedule = rule.schedule
    if schedule.weekdays:
        said.append(f"Enter only on {_listed([WEEKDAYS[day] for day in schedule.weekdays])}.")
    if schedule.months:
        said.append(f"Enter only in {_listed([MONTHS[month - 1] for month in schedule.months])}.")
    if schedule.first_of is not None:
        said.append(f"Enter only on the first bar of the {schedule.first_of}.")
    if rule.stop is not None:
        said.append(f"Stop loss {distance_words(rule.stop)}.")
    if rule.target is not None:
        said.append(f"Target {distance_words(rule.target)}.")
    if rule.trail is not None:
        said.append(f"Trailing stop {distance_words(rule.trail)}.")
    if rule.horizon_bars is not None:
        said.append(f"Hold for {rule.horizon_bars} {_bars(rule.horizon_bars)}.")
    return " ".join(said)


def _when(condition: Condition) -> str:
    words = condition_words(condition)
    return words if isinstance(condition, Always) else f"when {words}"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"

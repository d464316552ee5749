"""One form for each rule, so that two ways of saying it give equal values.

``close < SMA`` and ``SMA > close`` become the same comparison, conditions that are joined stand in
one order and once, and the window is as long as the rule needs it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from trackrecord.strategies.contract import DEFAULT_LOOKBACK, MOST_LOOKBACK
from trackrecord.strategies.rules.catalogue import CATALOGUE
from trackrecord.strategies.rules.kinds import kind
from trackrecord.strategies.rules.model import (
    FLIPPED,
    OPPOSITE,
    Ago,
    Always,
    And,
    Apart,
    Away,
    Compare,
    Condition,
    Cross,
    Direction,
    Field,
    InARow,
    Indicator,
    Level,
    Multiple,
    Not,
    Number,
    Operand,
    Or,
    Ranges,
    Rule,
    Within,
)
from trackrecord.strategies.rules.parameters import mapped, most
from trackrecord.strategies.rules.series import average_range, reach

_ENOUGH: Final = 800
"""Bars beyond which no more are asked for just to let an average forget its seed."""
_MOST_SPANS: Final = 4
"""Spans of bars within one another; a fifth has never been needed."""
_PLACES: Final = {name: place for place, name in enumerate(CATALOGUE)}
_FIELDS: Final = ("close", "open", "high", "low", "volume")
_OTHER_WAY: Final[dict[Direction, Direction]] = {"above": "below", "below": "above"}


def _rank(operand: Operand) -> tuple[object, ...]:
    """Which of two operands stands on the left: fields before indicators before numbers."""
    if isinstance(operand, Field):
        return (0, _FIELDS.index(operand.name))
    if isinstance(operand, Indicator):
        inner = () if operand.source is None else _rank(operand.source)
        return (1, _PLACES[operand.name], operand.settings, inner)
    if isinstance(operand, Ago):
        return (*_rank(operand.operand)[:1], 1, str(operand.operand), operand.bars)
    if isinstance(operand, Number):
        return (9, operand.value)
    return (5, str(operand))


def _wrapped(operand: Operand) -> bool:
    """Whether it is something done to another operand, which stands on the right."""
    if isinstance(operand, Indicator):
        return isinstance(operand.source, Indicator)
    return isinstance(operand, Multiple | Away | Apart | Number)


def _exchanged(left: Operand, right: Operand) -> bool:
    if _wrapped(left) != _wrapped(right):
        return _wrapped(left)
    first, second = _rank(left), _rank(right)
    try:
        return second < first
    except TypeError:
        return str(second) < str(first)


def _plainest(operand: Operand) -> Operand:
    """0.95 times a price is 5 % below it."""
    if isinstance(operand, Multiple) and kind(operand.operand) == "price":
        percent = round((operand.factor - 1) * 100, 9)
        if -100 < percent < 100 and percent != 0:  # noqa: PLR2004
            return Away(operand.operand, percent)
    return operand


def _is_gap(condition: Compare) -> bool:
    """Whether the open is compared with the close before."""
    right = condition.right
    before = isinstance(right, Away) and right.operand == Ago(Field("close"), 1)
    return before and condition.left == Field("open")


def opposite(condition: Condition) -> Condition:
    """What holds where a condition does not, with the negation as far inside as it goes."""
    if isinstance(condition, Compare):
        return Compare(condition.left, OPPOSITE[condition.op], condition.right)
    if isinstance(condition, Not):
        return condition.item
    if isinstance(condition, And):
        return Or(tuple(opposite(item) for item in condition.items))
    if isinstance(condition, Or):
        return And(tuple(opposite(item) for item in condition.items))
    if isinstance(condition, Within):
        return InARow(condition.bars, opposite(condition.condition))
    if isinstance(condition, InARow):
        return Within(condition.bars, opposite(condition.condition))
    return Not(condition)


def canonical(condition: Condition) -> Condition:
    """The one form of a condition."""
    if isinstance(condition, Compare | Cross):
        condition = replace(
            condition, left=_plainest(condition.left), right=_plainest(condition.right)
        )
    if isinstance(condition, Compare):
        if _is_gap(condition):
            assert isinstance(condition.right, Away)  # noqa: S101 - that is what a gap is
            return Compare(Indicator("gap"), condition.op, Number(condition.right.percent))
        if _exchanged(condition.left, condition.right):
            return Compare(condition.right, FLIPPED[condition.op], condition.left)
        return condition
    if isinstance(condition, Cross):
        if _exchanged(condition.left, condition.right):
            return Cross(condition.right, _OTHER_WAY[condition.direction], condition.left)
        return condition
    if isinstance(condition, Not):
        inner = canonical(condition.item)
        return Not(inner) if isinstance(inner, Cross) else canonical(opposite(inner))
    if isinstance(condition, Always):
        return condition
    if isinstance(condition, Within | InARow):
        inner = canonical(condition.condition)
        return inner if condition.bars == 1 else type(condition)(condition.bars, inner)
    kind = type(condition)
    items: list[Condition] = []
    for item in condition.items:
        inner = canonical(item)
        items += inner.items if isinstance(inner, kind) else [inner]
    different = sorted(set(items), key=_order)
    return different[0] if len(different) == 1 else kind(tuple(different))


def _order(condition: Condition) -> tuple[int, str]:
    """Events first, then states, then groups; each kind in the order of its words."""
    ranks = {Cross: 0, Compare: 1, Within: 2, InARow: 3, Not: 4, And: 5, Or: 6, Always: 7}
    return ranks[type(condition)], repr(condition)


def finished(rule: Rule) -> Rule:
    """A rule in its one form, with the window that it needs.

    Filters of a rule of one side are conditions of its entry. The window is long enough for the
    greatest value that each parameter may be given.

    Raises:
        ValueError: It needs more than the closed bars that a strategy may ask for.
    """
    entry, short_entry, filters = rule.entry, rule.short_entry, rule.filters
    if rule.sides != "both" and filters:
        entry = None if entry is None else And((entry, *filters))
        short_entry = None if short_entry is None else And((short_entry, *filters))
        filters = ()
    rule = replace(
        rule,
        entry=None if entry is None else canonical(entry),
        exit=None if rule.exit is None else canonical(rule.exit),
        short_entry=None if short_entry is None else canonical(short_entry),
        short_exit=None if rule.short_exit is None else canonical(rule.short_exit),
        filters=tuple(canonical(condition) for condition in filters),
    )
    for condition in (rule.entry, rule.exit, rule.short_entry, rule.short_exit, *rule.filters):
        if condition is not None and _spans_within(condition) > _MOST_SPANS:
            raise ValueError(
                f"its spans of bars lie within one another more than {_MOST_SPANS} deep"
            )
    greatest = mapped(rule, most)
    needed = max(bars_needed(rule, least=True), bars_needed(greatest, least=True))
    if needed > MOST_LOOKBACK:
        needed = bars_needed(rule, least=True)
    if needed > MOST_LOOKBACK:
        raise ValueError(
            f"it looks back over {needed:,} bars, and a strategy is handed at most "
            f"{MOST_LOOKBACK:,}"
        )
    return replace(rule, lookback=max(needed, min(_ENOUGH, bars_needed(rule))))


def _spans_within(condition: Condition) -> int:
    """How deep "within n bars" and "n bars in a row" lie within one another."""
    if isinstance(condition, Within | InARow):
        return 1 + _spans_within(condition.condition)
    if isinstance(condition, And | Or):
        return max(_spans_within(item) for item in condition.items)
    return _spans_within(condition.item) if isinstance(condition, Not) else 0


def bars_needed(rule: Rule, *, least: bool = False) -> int:
    """Closed bars that a decision of a rule is worked out of."""
    needed = 2 if rule.schedule.first_of is not None else 1
    if rule.trail is not None and not least:
        # The best close since an entry of up to a year before.
        needed = DEFAULT_LOOKBACK
    conditions = (rule.entry, rule.exit, rule.short_entry, rule.short_exit, *rule.filters)
    for condition in conditions:
        if condition is not None:
            needed = max(needed, _span(condition, least=least))
    for distance in (rule.stop, rule.target, rule.trail):
        if isinstance(distance, Ranges):
            needed = max(needed, reach(average_range(distance.days), least=least))
        if isinstance(distance, Level):
            needed = max(needed, reach(distance.operand, least=least))
    return needed


def _span(condition: Condition, *, least: bool) -> int:
    if isinstance(condition, Compare | Cross):
        before = 1 if isinstance(condition, Cross) else 0
        sides = (condition.left, condition.right)
        return before + max(reach(side, least=least) for side in sides)
    if isinstance(condition, Not):
        return _span(condition.item, least=least)
    if isinstance(condition, Always):
        return 1
    if isinstance(condition, And | Or):
        return max(_span(item, least=least) for item in condition.items)
    return condition.bars - 1 + _span(condition.condition, least=least)

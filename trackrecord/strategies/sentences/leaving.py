"""Exits at a place that moves: "at the 20 day average", "when RSI reaches 50"."""

from __future__ import annotations

from typing import Literal

from trackrecord.strategies.rules.canonical import canonical
from trackrecord.strategies.rules.kinds import kind
from trackrecord.strategies.rules.model import (
    Ago,
    And,
    Apart,
    Away,
    Compare,
    Condition,
    Cross,
    Field,
    Indicator,
    Number,
    Operand,
    Or,
)
from trackrecord.strategies.sentences.cursor import SIGNED
from trackrecord.strategies.sentences.holding import Holding
from trackrecord.strategies.sentences.loose import CLOSE, strict
from trackrecord.strategies.sentences.reaching import DOWN_TO_VERB, UP_TO_VERB
from trackrecord.strategies.sentences.said import Role


class Leaving(Holding):
    """Reads exits at levels."""

    def _exit_at(self, name: Role) -> bool:
        """For "cover at the 20 day average", "take profit at the middle band"."""
        if name not in {"exit", "cover"}:
            return False
        if self._number_reached(name):
            return True
        verb = self.eat(
            rf"at|on touch of|when touching|when it (?:reaches|touches|hits)|when price (?:reaches|touches|hits)|on reaching|(?:when|once|if) (?:it|price|close) (?:(?:gets|comes|goes|returns|reverts)|({UP_TO_VERB})|({DOWN_TO_VERB})) (?:back )?to|upon touching"
        )
        if verb is None:
            return False
        level = self._the_average() or self.operand()
        if level is None or isinstance(level, Number) or kind(level) != "price":
            return False
        if strict(level) in {CLOSE, Field("open")}:
            return False
        side = self._profit_side(name, strict(level))
        if verb[1] or verb[2]:
            # The verb itself says from which side; but not against the entry.
            told: Literal[">=", "<="] = ">=" if verb[1] else "<="
            side = told if side in {None, told} else None
        if side is None:
            return False
        self.note(
            "an exit at a level that moves is decided at the close, once the close has reached it"
        )
        self._add(name, Compare(CLOSE, side, strict(level)))
        return True

    def _the_average(self) -> Operand | None:
        """For "the average": the only one that was spoken of."""
        if not self.eat(
            r"(?:its |own )?(?:moving average|average|mean|ma|sma|ema)(?=$| [,;.)]| and| or| with| stop)"
        ):
            return None
        found: set[Operand] = set()
        for _, condition in self.said_all.conditions:
            found |= _averages(condition)
        return found.pop() if len(found) == 1 else None

    def _number_reached(self, name: Role) -> bool:
        """For "when RSI reaches 50": from the side on which it was entered."""
        mark = self.mark()
        self.eat("when|if|once")
        left = self.subject if self.eat("it") else self.operand()
        match = self.eat(
            rf"(?:reaches|hits|touches|gets to|returns to|comes to|reverts to|is at|goes to) {SIGNED}(?=$| [,;.)]| or| with| stop)"
        )
        role = "short" if name == "cover" else "long"
        if left is not None and match is not None and self._plain(left):
            number = float(match[1])
            sides = {
                _begun(condition, strict(left), number)
                for said, condition in self.said_all.conditions
                if said == role
            } - {None}
            if len(sides) == 1:
                side: Literal[">=", "<="] = ">=" if sides == {"below"} else "<="
                found = self.compared(left, side, Number(number))
                if found is not None:
                    self._add(name, found)
                    return True
        self.back(mark)
        return False

    def _profit_side(self, name: Role, level: Operand) -> Literal[">=", "<="] | None:
        """On which side of a level an exit lies: beyond it, seen from the entry."""
        role = "short" if name == "cover" else "long"
        for said, condition in self.said_all.conditions:
            if said == role and (beyond := _entered(condition, level)) is not None:
                if role == "long" and beyond == "below":
                    return ">="
                if role == "short" and beyond == "above":
                    return "<="
        return None


def _averages(condition: Condition) -> set[Operand]:
    """The averages of prices that a condition speaks of."""
    if isinstance(condition, And | Or):
        return set().union(*(_averages(item) for item in condition.items))
    found: set[Operand] = set()
    if isinstance(condition, Compare | Cross):
        for side in (condition.left, condition.right):
            inner = strict(side)
            while isinstance(inner, Ago | Away | Apart):
                inner = inner.operand
            if not isinstance(inner, Indicator) or kind(inner) != "price":
                continue
            if inner.name in {"sma", "ema", "wma"}:
                found.add(inner)
            if inner.name in {"bollinger_upper", "bollinger_lower"}:
                found.add(Indicator("sma", inner.settings[:1], inner.source))
    return found


def _begun(condition: Condition, subject: Operand, number: float) -> str | None:
    """On which side of a number a subject is when it is entered."""
    if isinstance(condition, And):
        sides = {_begun(item, subject, number) for item in condition.items} - {None}
        return sides.pop() if len(sides) == 1 else None
    if not isinstance(condition, Compare | Cross) or condition.left != subject:
        return None
    if not isinstance(condition.right, Number):
        return None
    if isinstance(condition, Compare):
        below = condition.op in {"<", "<="}
    elif (condition.direction == "above") == (condition.right.value < number):
        # It has just crossed, and the number lies beyond.
        return "below" if condition.direction == "above" else "above"
    else:
        below = condition.direction == "below"
    if below and condition.right.value <= number:
        return "below"
    return "above" if not below and condition.right.value >= number else None


def _entered(condition: Condition, level: Operand) -> str | None:
    """On which side of a level prices are when a condition holds: "below", "above" or unclear."""
    if isinstance(condition, And | Or):
        sides = {_entered(item, level) for item in condition.items} - {None}
        return sides.pop() if len(sides) == 1 else None
    if isinstance(condition, Compare):
        found = canonical(condition)
        assert isinstance(found, Compare)  # noqa: S101 - a comparison stays one
        if (
            kind(found.left) == "price"
            and kind(found.right) == "price"
            and isinstance(found.right, Indicator)
            and found.right.name.startswith(("bollinger", "keltner"))
        ):
            return "above" if found.op in {">", ">="} else "below"
        if found.left == CLOSE and (side := _apart(found, level)) is not None:
            return side
        if isinstance(found.left, Indicator) and found.left.name in {
            "rsi",
            "zscore",
            "change",
            "stochastic_k",
            "williams",
        }:
            return "above" if found.op in {">", ">="} else "below"
    if (
        isinstance(condition, Cross)
        and isinstance(condition.right, Number)
        and isinstance(condition.left, Indicator)
        and condition.left.name in {"rsi", "zscore", "stochastic_k", "williams"}
    ):
        return condition.direction
    return None


def _apart(found: Compare, level: Operand) -> str | None:
    """For a close that is beyond the level itself, or far from it."""
    right, up = found.right, found.op in {">", ">="}
    if right == level:
        return "above" if up else "below"
    if isinstance(right, Away | Apart) and right.operand == level:
        far = right.percent if isinstance(right, Away) else right.factor
        if (far > 0) == up:
            return "above" if up else "below"
    return None

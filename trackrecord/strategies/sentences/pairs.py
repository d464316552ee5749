"""Two operands made ready to be compared: of one kind, and of the right bars."""

from __future__ import annotations

from typing import Final

from trackrecord.strategies.rules.catalogue import CATALOGUE
from trackrecord.strategies.rules.kinds import kind
from trackrecord.strategies.rules.model import (
    Ago,
    And,
    Compare,
    Comparison,
    Condition,
    Cross,
    Direction,
    Field,
    InARow,
    Indicator,
    Number,
    Operand,
    Within,
)
from trackrecord.strategies.sentences.averages import AVERAGE
from trackrecord.strategies.sentences.cursor import DAY, SIGNED, SPAN, N
from trackrecord.strategies.sentences.loose import (
    CLOSE,
    VOLUME,
    Loose,
    SoftCross,
    is_loose_average,
    loose_extreme,
    moved_back,
    sourced,
    strict,
)
from trackrecord.strategies.sentences.operands import Operands
from trackrecord.strategies.sentences.wording import BANDS

_USUAL_DAYS: Final = frozenset({
    3, 5, 7, 8, 9, 10, 12, 13, 14, 15, 18, 20, 21, 25, 26, 30, 34, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80,
    89, 90, 100, 110, 120, 125, 126, 130, 144, 150, 180, 200, 220, 233, 240, 250, 252, 300, 350, 400,
})  # fmt: skip
"""Bars that averages are usually of."""


class Pairs(Operands):
    """Puts both sides of a comparison together."""

    def _about(self, left: Operand | None, right: Operand | None) -> Operand | None:
        """The subject: what was said, or what "it" can mean beside ``right``."""
        if left is not None:
            return left
        subject = self.subject
        if right is None or isinstance(right, Number):
            return subject
        if isinstance(right, Loose) and right.unsourced:
            if subject is not None and kind(subject) in {"price", "volume"}:
                return subject
            return CLOSE
        if subject is not None and kind(subject) == kind(right):
            return subject
        return CLOSE if kind(right) == "price" else None

    def _right(self, subject: Operand | None) -> Operand | None:
        """The right side of a comparison; a bare "%" behind its number belongs to it."""
        mark = self.mark()
        if match := self.eat(
            rf"{SIGNED}(?: %(?! (?:of|above|over|below|under|beneath|higher|lower)))?(?! (?:{SPAN}|%|times|x |\*|atr|standard|sigmas?))(?! \( )"
        ):
            if not self.peek(rf"(?:{AVERAGE}|ema|sma)"):
                return Number(float(match[1]))
            self.back(mark)
        if self.eat(r"zero(?: line)?|0 line|centerline|centre line|center line"):
            return Number(0.0)
        self.back(mark)
        found = self._same_average(subject) or self.operand()
        if found is None and self.eat(r"it(?= was)"):
            found = CLOSE
        if found is None and self.beside is not None and self.eat(r"it(?=$| [,;.)]| and| or)"):
            found = self.beside
        self.eat("line(?! \\()")
        return found

    def _same_average(self, subject: Operand | None) -> Operand | None:
        """For "the 50 day average is above the 200 day": days alone are of the same average."""
        plain = None if subject is None else strict(subject)
        if not isinstance(plain, Indicator) or plain.name not in {"sma", "ema", "wma"}:
            return None
        match = self.eat(
            rf"{N} {DAY}(?: 1)?(?=$| [,;.)]| and| or| with| from| buy| sell| go| exit| enter| stop| then)"
        )
        if match is None:
            return None
        days = int(float(match[1]))
        self._check_days(days, f"a {days} day average")
        return Indicator(plain.name, (days,), plain.source)

    def crossed(
        self, left: Operand, direction: Direction, right: Operand, *, soft: bool = False
    ) -> Condition | None:
        """A cross; ``soft`` where a verb was used that may also say that it is beyond."""
        pair = self._pair(left, right, ">" if direction == "above" else "<")
        if pair is None:
            return None
        left, right = pair
        extreme = strict(right)
        inner = extreme.operand if isinstance(extreme, Ago) else extreme
        if soft and isinstance(inner, Indicator) and inner.name in BANDS and kind(left) == "price":
            self.subject = left
            return Compare(left, ">" if direction == "above" else "<", right)
        if soft:
            self.note(
                "'rises above' and 'falls below' are the bar on which it crosses; in an exit, of a "
                "number, being beyond it"
            )
        self.cross = (left, right)
        self.subject = left
        self.beside = None if isinstance(right, Number) else right
        found = (SoftCross if soft else Cross)(left, direction, right)
        self.eat(f"from {'below' if direction == 'above' else 'above'}")
        # "%K crosses above %D below 20": where the cross is.
        mark = self.mark()
        if match := self.eat(
            rf"(?:while )?(?:both )?(below|above|under|over) {SIGNED}(?! {DAY}| %)"
        ):
            op: Comparison = "<" if match[1] in {"below", "under"} else ">"
            if (
                not isinstance(right, Number)
                and kind(left) != "price"
                and self._bounded(left, op, float(match[2]))
            ):
                return And((found, Compare(left, op, Number(float(match[2])))))
            self.back(mark)
        return found

    def _pair(
        self, left: Operand, right: Operand, op: Comparison
    ) -> tuple[Operand, Operand] | None:
        """Both sides, once each knows what it is of; None where they are of different kinds."""
        left, right = sourced(left, right), sourced(right, left)
        if (
            isinstance(left, Indicator)
            and left.name == "macd"
            and isinstance(right, Indicator)
            and right.name == "macd_signal"
        ) and left.settings != right.settings[:2]:
            left = Indicator("macd", right.settings[:2], left.source)
            self.notes = [note for note in self.notes if not note.startswith("MACD with its usual")]
        one, other = kind(left), kind(right)
        if isinstance(left, Number) and isinstance(right, Number):
            return None
        if isinstance(left, Number) or isinstance(right, Number):
            self._not_a_period(left, right)
        if isinstance(left, Number):
            if not self._bounded(right, ">" if op in {"<", "<="} else "<", left.value):
                return None
        elif isinstance(right, Number):
            if not self._bounded(left, op, right.value):
                return None
        elif one != other:
            return None
        if strict(left) == strict(right):
            self.problem("never", "something is compared with itself")
        if one == "volume" and other == "volume" and not isinstance(right, Number):
            return strict(self._shifted(left, right)), self._shifted(right, left)
        return self._before(left, right, op)

    def _not_a_period(self, left: Operand, right: Operand) -> None:
        """Ask what "SMA 50 is above 200" means: the price, or the average of as many bars?"""
        number, other = (left, right) if isinstance(left, Number) else (right, left)
        assert isinstance(number, Number)  # noqa: S101 - one of them is
        averaged = isinstance(other, Indicator) and other.name in {"sma", "ema", "wma"}
        if averaged and kind(other) == "price" and number.value in _USUAL_DAYS:
            self.problem(
                "ambiguous",
                f"is {number.value:g} a price, or the average of {number.value:g} bars?",
            )

    def _shifted(self, side: Operand, other: Operand) -> Operand:
        """Volume's own average leaves this bar out."""
        if is_loose_average(side) and strict(other) == VOLUME:
            self._today_left_out()
            return moved_back(side)
        return strict(side)

    def _before(self, left: Operand, right: Operand, op: Comparison) -> tuple[Operand, Operand]:
        """A high that is exceeded, or a low that is undercut, is of the bars before."""
        up = op in {">", ">="}
        if isinstance(left, Field) and loose_extreme(right) == ("highest" if up else "lowest"):
            self.note("a high or low that is exceeded is of the bars before this one")
            return strict(left), moved_back(right)
        if isinstance(right, Field) and loose_extreme(left) == ("lowest" if up else "highest"):
            self.note("a high or low that is exceeded is of the bars before this one")
            return moved_back(left), strict(right)
        return strict(left), strict(right)

    def _bounded(self, operand: Operand, op: Comparison, value: float) -> bool:
        """Whether a number makes sense beside an operand; says what cannot be."""
        plain = strict(operand)
        while isinstance(plain, Ago):
            plain = plain.operand
        if (
            isinstance(plain, Indicator)
            and plain.name in {"sma", "ema", "highest", "lowest"}
            and isinstance(plain.source, Indicator)
        ):
            plain = plain.source
        if isinstance(plain, Indicator):
            entry = CATALOGUE[plain.name]
            low, high = entry.bounds
            beyond = (low is not None and value < low) or (high is not None and value > high)
            edge = (low is not None and value == low and op == "<") or (
                high is not None and value == high and op == ">"
            )
            if beyond or edge:
                limits = f"{low:g} to {high:g}" if low is not None and high is not None else (
                    f"at least {low:g}" if low is not None else f"at most {high:g}"
                )  # fmt: skip
                words = {">": "above", ">=": "at least", "<": "below", "<=": "at most"}[op]
                self.problem(
                    "range", f"{entry.title} is {limits}: {words} {value:g} is no condition"
                )
        return True

    def compared(self, left: Operand, op: Comparison, right: Operand) -> Condition | None:
        """A comparison, if both sides are of one kind."""
        pair = self._pair(left, right, op)
        if pair is None:
            return None
        self.subject = pair[0] if not isinstance(pair[0], Number) else pair[1]
        self.beside = None if isinstance(pair[1], Number) else pair[1]
        return Compare(pair[0], op, pair[1])

    def _within(self, bars: str, inner: Condition) -> Condition:
        count = int(float(bars))
        if count < 1:
            self.problem("range", "within 0 days is never")
        return Within(max(1, count), inner)

    def _in_a_row(self, bars: str, inner: Condition) -> Condition:
        count = int(float(bars))
        if count < 1:
            self.problem("range", "0 days in a row are always")
        return InARow(max(1, count), inner)

    def _today_left_out(self) -> None:
        self.note("an average that volume is compared with leaves this bar out")

    def _plain_subject(self) -> Operand | None:
        """What an elided subject means beside a plain number: the one that was said so."""
        if self.subject is not None and self._plain(self.subject):
            return self.subject
        return None

    @staticmethod
    def _plain(operand: Operand) -> bool:
        """Whether it is usually compared with plain numbers."""
        return kind(strict(operand)) not in {"price", "volume", "width"}

"""What conditions are about: prices, indicators, and multiples of them."""

from __future__ import annotations

from typing import Final

from trackrecord.strategies.rules.model import (
    Ago,
    Apart,
    Away,
    Field,
    FieldName,
    Indicator,
    Multiple,
    Number,
    Operand,
)
from trackrecord.strategies.sentences.cursor import DAY, SIGNED, SPAN, N
from trackrecord.strategies.sentences.indicators import Indicators
from trackrecord.strategies.sentences.loose import CLOSE, strict

_PRICE: Final = (
    r"(?:closing |last |current |stock |share )?prices?|close|closing|stock price|stocks?|shares?"
    r"|last close|candle close"
)
_THE_DAY: Final = r"today|current (?:day|bar|candle)|same day|signal (?:day|bar)|day|current|bar"
_BEFORE: Final = (
    r"yesterday|(?:previous|prior|last|preceding) (?:day|bar|candle|session|trading day)|day before|"
    r"previous|prior"
)


class Operands(Indicators):
    """Reads operands."""

    def operand(self) -> Operand | None:
        """An operand with what is done to it, or None, nothing read."""
        mark = self.mark()
        if self.eat("stock|share|market") and (of_it := self._indicator()) is not None:
            return of_it
        self.back(mark)
        found = self._scaled() or self._base()
        if found is None:
            self.back(mark)
            return None
        return self._after(found)

    def _after(self, found: Operand) -> Operand:
        """What follows an operand and changes it."""
        if isinstance(found, Number):
            return found
        while True:
            mark = self.mark()
            if match := self.eat(rf"(?:of )?{N} {SPAN} (?:ago|before|earlier)(?! 1)"):
                unit = match.group().removeprefix("of ").split()[1]
                found = Ago(strict(found), self.span(match[1], unit))
                continue
            if self.eat(r"yesterday|(?:on )?(?:previous|prior) (?:day|bar)|day before"):
                found = Ago(strict(found), 1)
                continue
            if isinstance(found, Field) and self.eat(rf"of (?:{_BEFORE})"):
                found = Ago(found, 1)
                continue
            if isinstance(found, Field) and self.eat(
                r"of (?:day|today|bar|signal bar|signal day|this bar|candle)"
            ):
                continue
            if isinstance(found, Field | Indicator) and (match := self.eat(r"\[ (\d+) \]")):
                found = Ago(strict(found), int(match[1])) if int(match[1]) else strict(found)
                continue
            if match := self.eat(rf"(?:\*|times) {N}(?! (?:atr|average true))"):
                found = Multiple(float(match[1]), found)
                continue
            if match := self.eat(rf"(minus|plus|\+|-) (?:{N} (?:times |x |\* )?)?(?=\w)"):
                width = self._base()
                if width is not None and not isinstance(width, Number):
                    sign = 1.0 if match[1] in {"plus", "+"} else -1.0
                    found = Apart(found, sign * float(match[2] or 1), strict(width))
                    continue
            self.back(mark)
            return found

    def _scaled(self) -> Operand | None:
        """A multiple, or a percentage, of an operand."""
        mark = self.mark()
        if match := self.eat(
            rf"{N} % (above|over|below|under|beneath|higher than|lower than|greater than|less than)"
        ):
            inner = self.operand()
            if inner is not None and not isinstance(inner, Number):
                up = match[2] in {"above", "over", "higher than", "greater than"}
                return Away(inner, float(match[1]) if up else -float(match[1]))
        self.back(mark)
        if match := self.eat(
            rf"{N} % of|{N} (?:times|x|\*)(?: as (?:high|large|big|much) as)?|(half)(?: of)?"
        ):
            inner = self.operand()
            if inner is not None and not isinstance(inner, Number):
                if match[3]:
                    return Multiple(0.5, inner)
                return Multiple(float(match[2]) if match[2] else float(match[1]) / 100, inner)
        self.back(mark)
        widths = r"(?:standard deviations?|std devs?|sds?|sigmas?|stdevs?)"
        if spread := self.eat(rf"{N} {widths} (above|over|below|under|from)(?: its)?"):
            middle = self._base()
            if isinstance(middle, Indicator) and middle.name == "sma" and spread[2] != "from":
                band = "upper" if spread[2] in {"above", "over"} else "lower"
                settings = (middle.settings[0], float(spread[1]))
                return Indicator(f"bollinger_{band}", settings, middle.source)
        self.back(mark)
        if match := self.eat(rf"{N} (?:times |x |\* )?(?=atr|average true range|\d+ {DAY} atr)"):
            width = self._base()
            if width is not None and (side := self.eat(r"(above|over|below|under)(?: its)?")):
                base = self.operand()
                if base is not None and not isinstance(base, Number):
                    sign = 1.0 if side[1] in {"above", "over"} else -1.0
                    return Apart(base, sign * float(match[1]), width)
        self.back(mark)
        return None

    def _base(self) -> Operand | None:
        for read in (
            self._extreme, self._average, self._indicator, self._field, self._bracketed,
            self._constant,
        ):  # fmt: skip
            mark = self.mark()
            found = read()
            if found is not None:
                return found
            self.back(mark)
        return None

    def _bracketed(self) -> Operand | None:
        if self.eat(r"\("):
            inner = self.operand()
            if inner is not None and self.eat(r"\)"):
                return inner
        return None

    def _constant(self) -> Operand | None:
        if self.peek(rf"{N} (?:{SPAN}|atr|times|x|\*|standard|sigmas?)"):
            return None
        if match := self.eat(SIGNED):
            self.eat("%")
            return Number(float(match[1]))
        return None

    def _field(self) -> Operand | None:
        ago = 0
        mark = self.mark()
        self.eat("its|their")
        if self.eat(_BEFORE):
            ago = 1
        elif match := self.eat(rf"close {N} {SPAN} ago"):
            return Ago(CLOSE, self.span(match[1], match.group().split()[2]))
        else:
            self.eat(_THE_DAY)
        name: FieldName | None = None
        if self.eat(r"opening price|open price|open(?! (?:long|short|position))"):
            name = "open"
        elif self.eat(r"high price|daily high|high(?:s)?"):
            name = "high"
        elif self.eat(r"low price|daily low|lows?"):
            name = "low"
        elif self.eat(r"(?:trading |daily )?volume"):
            name = "volume"
        elif self.eat(_PRICE):
            name = "close"
            if not ago and self.eat(rf"of (?:{_BEFORE})"):
                ago = 1
        if name is None:
            self.back(mark)
            if isinstance(self.subject, Field) and (match := self.eat(rf"{N} ({SPAN}) ago")):
                return Ago(self.subject, self.span(match[1], match[2]))
            if isinstance(self.subject, Field) and self.eat(
                r"yesterday|previous day|day before|prior day"
            ):
                return Ago(self.subject, 1)
            return None
        return Ago(Field(name), ago) if ago else Field(name)

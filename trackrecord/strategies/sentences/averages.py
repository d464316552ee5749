"""Averages, and highs and lows over some bars."""

from __future__ import annotations

import re
from typing import Final

from trackrecord.strategies.rules.kinds import kind
from trackrecord.strategies.rules.model import Ago, Field, Indicator, Operand
from trackrecord.strategies.sentences.cursor import DAY, SPAN, Cursor, N
from trackrecord.strategies.sentences.loose import CLOSE, VOLUME, Loose, field_named, strict

_AVERAGES: Final[tuple[tuple[str, str], ...]] = (
    (r"exponential moving averages?|exponential averages?|exponential ma|emas?", "ema"),
    (r"linearly weighted moving averages?|weighted moving averages?|weighted averages?|wmas?", "wma"),
    (r"simple moving averages?|simple averages?|simple ma|moving averages?|smas?|dmas?|mas?|mavg|averages?|avg|means?", "sma"),
)  # fmt: skip
AVERAGE: Final = "|".join(pattern for pattern, _ in _AVERAGES)
MOVING: Final = rf"(?:{AVERAGE})"


_compiled_average: Final = re.compile(rf"(?<![a-z])(?:{AVERAGE})(?![a-z])")
_NEAR: Final = 60
"""Characters within which the other side of a comparison names the kind of average."""


class Averages(Cursor):
    """Reads averages and extremes."""

    def _indicator(self) -> Operand | None:
        """An indicator by its name; read by what builds on this."""
        raise NotImplementedError

    def _field(self) -> Operand | None:
        """A field of the bar; read by what builds on this."""
        raise NotImplementedError

    def _average(self) -> Operand | None:
        its = bool(self.eat("its|own|their"))
        mark = self.mark()
        if match := self.eat(rf"{N} {DAY}(?= (?:crosses|cross|crossing|moves|rises|falls|is) )"):
            # "the 50 day crosses above the 200 day average": of the same kind.
            later = _compiled_average.search(self.text, self.at)
            if later is not None and later.start() - self.at < _NEAR:
                kind = next(n for p, n in _AVERAGES if re.fullmatch(p, later.group()))
                return self._averaged(kind, int(float(match[1])), its=its, said=None)
        self.back(mark)
        if (ranged := self._average_range()) is not None:
            return ranged
        # As in "20 day average", "20 day exponential moving average of volume", "50 sma", "200 dma"
        if match := self.eat(rf"{N}(?: ({SPAN}))?(?: (volume))?(?=(?: {MOVING}))"):
            if (name := self._average_name()) is not None:
                days = self._days(match[1], match[2])
                said = match[3]
                if self.eat(r"volume|of volume"):
                    said = "volume"
                return self._averaged(name, days, its=its, said=said)
        self.back(mark)
        # "average volume of the last 20 days", "average volume"
        if self.eat(r"(?:average|avg|mean|normal) (?:trading |daily )?volume"):
            mark = self.mark()
            if match := self.eat(
                rf"(?:of|over|in|for|during) (?:its )?(?:last |past |previous |prior |preceding )?{N} ({SPAN})"
            ):
                return self._averaged(
                    "sma", self.span(match[1], match[2]), its=False, said="volume"
                )
            if match := self.eat(rf"\( {N}(?: {DAY})? \)|{N}(?: {DAY})?(?=$| [,;.)]| and| or)"):
                return self._averaged(
                    "sma", int(float(match[1] or match[2])), its=False, said="volume"
                )
            self.back(mark)
            self.note("the average volume is of 20 bars, as no number was said")
            return self._averaged("sma", 20, its=False, said="volume")
        # As in "sma(20)", "ema 9", "sma(close, 20)", "moving average of 20 days", "sma20"
        if (name := self._average_name()) is not None:
            source = None
            if self.eat("of (?=volume|close|closes|price|last|past)"):
                if self.eat("volume"):
                    source = "volume"
                elif self.eat(r"closes?|closing prices?|prices?"):
                    source = "close"
                if match := self.eat(
                    rf"(?:of |over )?(?:last |past |previous )?{N} ({SPAN})(?: closes| closing prices)?"
                ):
                    return self._averaged(name, self.span(match[1], match[2]), its=its, said=source)
                if match := self.eat(rf"\( {N}(?: {DAY})? \)"):
                    return self._averaged(name, int(float(match[1])), its=its, said=source)
                if match := self.eat(rf"(?:last |past )?{N} (?:closes|closing prices)"):
                    return self._averaged(name, int(float(match[1])), its=its, said="close")
                return None
            if match := self.eat(
                rf"\( (?:(close|closes|closing price|price|volume) , )?{N}(?: {SPAN})? \)"
            ):
                said = match[1]
                if said and said != "volume":
                    said = "close"
                return self._averaged(name, int(float(match[2])), its=its, said=said)
            if match := self.eat(rf"\( {N}(?: {SPAN})? , (close|volume) \)"):
                return self._averaged(name, int(float(match[1])), its=its, said=match[2])
            if match := self.eat(
                rf"(?:of |over |with (?:period )?)?(?:last )?{N}(?: ({DAY}))?(?! %)"
            ):
                return self._averaged(name, int(float(match[1])), its=its, said=None)
        return None

    def _average_range(self) -> Operand | None:
        """For "the average range of the last 10 days", "10 day average range"."""
        mark = self.mark()
        word = r"(?:average|avg|mean) (?:daily |trading |high low )?range"
        match = self.eat(
            rf"{word} (?:of|over|in|for|during) (?:its )?(?:(?:last|past)|(previous|prior|preceding))? ?{N} ({SPAN})"
        )
        if match is not None:
            days, before = self.span(match[2], match[3]), match[1] is not None
        else:
            match = self.eat(rf"{N}(?: ({SPAN}))? {word}")
            if match is None:
                self.back(mark)
                return None
            days, before = self._days(match[1], match[2]), False
        self._check_days(days, f"an average range of {days} days")
        found = Indicator("sma", (days,), Indicator("range"))
        return Ago(found, 1) if before else found

    def _average_name(self) -> str | None:
        for pattern, name in _AVERAGES:
            if self.eat(pattern):
                return name
        return None

    def _averaged(self, name: str, days: int, *, its: bool, said: str | None) -> Operand | None:
        self._check_days(days, f"a {days} day average")
        if said is None and (
            match := self.eat(
                r"of (?:its |day |daily )?(?:trading )?(volume|close|closes|closing prices?|highs?|lows?|opens?|prices?)"
            )
        ):
            said = match[1]
        source: Operand = CLOSE
        loose = said is None
        if said is not None:
            word = {"closing price": "close", "closing prices": "close", "price": "close",
                    "prices": "close"}.get(said, said.removesuffix("s"))  # fmt: skip
            source = field_named(word)
        elif self.eat(
            r"of (?=rsi|atr|\d+ day vol|vol|bollinger|bandwidth|range|macd|average true|obv|adx|mfi|cci|daily range|today range|stochastic)"
        ):
            inner = self._indicator() or self._extreme()
            if inner is None:
                return None
            source, loose = inner, False
        elif its and self.subject is not None:
            plain = strict(self.subject)
            source = plain if not _is_price(plain) else CLOSE
            loose = False
        if name != "sma" and not isinstance(source, Field):
            return None
        if isinstance(source, Field) and source == VOLUME and name == "sma":
            if self.eat(r"including (?:today|bar|day|current bar)"):
                return Indicator(name, (days,), source)
            if self.eat(r"excluding (?:today|bar|day|current bar)"):
                return Ago(Indicator(name, (days,), source), 1)
            return Loose(name, (days,), source)
        return (
            Loose(name, (days,), source, unsourced=True)
            if loose
            else Indicator(name, (days,), source)
        )

    def _days(self, number: str, unit: str | None) -> int:
        return self.span(number, unit) if unit else int(float(number))

    def _check_days(self, days: int, what: str) -> None:
        if days < 1:
            self.problem("range", f"{what} cannot be: at least 1 day")

    def _extreme(self) -> Operand | None:
        last = r"(?:of|in|over|for|from|during|across|within)?(?: its)?(?: ?(last|past|previous|prior|preceding|trailing))?"
        if self.eat("its|their") and self.subject is not None and not _is_price(self.subject):
            # The high of what else was spoken of, such as RSI, is not the price's.
            return None
        mark = self.mark()
        if match := self.eat(
            r"(previous|prior|preceding|last|new)? ?(highest|lowest|largest|smallest|maximum|minimum|max|min)"
        ):
            name = "highest" if match[2] in {"highest", "largest", "maximum", "max"} else "lowest"
            source = self._extreme_source(name)
            if source is not None:
                if match := self.eat(rf"\( (?:(high|low|close|open|volume) , )?{N} \)"):
                    if match[1]:
                        source = field_named(match[1])
                    return self._extremed(name, source, int(float(match[2])), None)
                if match := self.eat(rf"{last} ?{N} ({SPAN})"):
                    days = self.span(match[2], match[3])
                    return self._extremed(name, source, days, match[1])
        self.back(mark)
        if match := self.eat(r"(highest|lowest|highs?|lows?|hh|ll)(?= \()"):
            name = "highest" if match[1][0] == "h" else "lowest"
            if inner := self.eat(
                rf"\( (?:(high|highs|low|lows|close|closes) , )?{N}(?: {DAY})? \)"
            ):
                word = (inner[1] or ("high" if name == "highest" else "low")).removesuffix("s")
                return self._extremed(name, field_named(word), int(float(inner[2])), None)
        self.back(mark)
        # "20 day high", "52 week closing low", "prior 20 day high"
        if match := self.eat(
            rf"(?:new )?(previous|prior|preceding|last)? ?{N} ({SPAN})(?: donchian| channel| donchian channel)? (closing |intraday |close )?(highs?|lows?|highest|lowest|maximum|minimum|max|min)(?: (high|low|close|closing price|price))?"
        ):
            name = "highest" if match[5][0] == "h" or match[5].startswith("max") else "lowest"
            word = "high" if name == "highest" else "low"
            if (match[4] and match[4] != "intraday ") or (
                match[6] and match[6] not in {"high", "low"}
            ):
                word = "close"
            elif match[6]:
                word = match[6]
            if self.eat(r"of (?:closing prices?|closes|close)"):
                word = "close"
            return self._extremed(name, field_named(word), self.span(match[2], match[3]), match[1])
        # As in "high of the last 20 days"
        if match := self.eat(
            rf"(closing )?(highs?|lows?|range high|range low) (?:of|over|from|in|for) (?:its )?(last|past|previous|prior|preceding)? ?{N} ({SPAN})"
        ):
            name = "highest" if "high" in match[2] else "lowest"
            word = "close" if match[1] else ("high" if name == "highest" else "low")
            return self._extremed(name, field_named(word), self.span(match[4], match[5]), match[3])
        # As in "upper Donchian channel (20)", "Donchian high 20"
        if match := self.eat(
            rf"(?:(upper|lower|top|bottom) )?donchian(?: channel| band)?(?: (upper|lower|high|low|top|bottom))?(?: band| channel| line)?(?: ?\( ?{N} ?\)| {N}(?: {DAY})?)"
        ):
            side = match[1] or match[2]
            if side is not None:
                name = "highest" if side in {"upper", "top", "high"} else "lowest"
                word = "high" if name == "highest" else "low"
                return self._extremed(
                    name, field_named(word), int(float(match[3] or match[4])), None
                )
        if match := self.eat(
            rf"{N} (?:{DAY} )?(?:(upper|lower) donchian(?: channel| band)?|donchian(?: channel)? (high|low|upper|lower)(?: band)?)"
        ):
            side = match[2] or match[3]
            name = "highest" if side in {"upper", "high"} else "lowest"
            word = "high" if name == "highest" else "low"
            return self._extremed(name, field_named(word), int(float(match[1])), None)
        return None

    def _extreme_source(self, name: str) -> Operand | None:
        if self.eat(r"highs?(?: price)?"):
            return Field("high")
        if self.eat(r"lows?(?: price)?"):
            return Field("low")
        if self.eat(r"closes?|closing prices?|close price|price|daily close|closing"):
            return CLOSE
        mark = self.mark()
        if (found := self._indicator() or self._field()) is not None:
            return found
        self.back(mark)
        if self.peek(rf"in|of|over|for|\(|during|(?:last |past )?\d+ {SPAN}"):
            return Field("high" if name == "highest" else "low")
        return None

    def _extremed(self, name: str, source: Operand, days: int, said: str | None) -> Operand:
        self._check_days(days, f"a {days} day {'high' if name == 'highest' else 'low'}")
        settings = (days,)
        if self.eat(
            r"including (?:1(?! day)|bar|today|current bar|day|current day)|(?:with )?today included"
        ):
            return Indicator(name, settings, source)
        if self.eat(
            r"before (?:1(?! day)|bar|today|it|current bar|current day)|excluding (?:today|bar|current bar|current day|1)|not (?:including|counting) (?:today|bar)|up to yesterday|ending yesterday"
        ):
            return Ago(Indicator(name, settings, source), 1)
        if said in {"previous", "prior", "preceding"}:
            return Ago(Indicator(name, settings, source), 1)
        return Loose(name, settings, source)


def _is_price(operand: Operand) -> bool:
    return kind(operand) == "price"

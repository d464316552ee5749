"""What conditions are about: prices, averages, indicators, highs and lows, multiples of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trackrecord.strategies.rules.catalogue import CATALOGUE
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
from trackrecord.strategies.rules.kinds import kind
from trackrecord.strategies.sentences.cursor import DAY, SIGNED, SPAN, Cursor, N

CLOSE: Final = Field("close")
VOLUME: Final = Field("volume")


@dataclass(frozen=True)
class Loose(Indicator):
    """An indicator of which it was not said whether it includes this bar.

    Attributes:
        unsourced: Nor what it is an average of.
    """

    unsourced: bool = False


_NAMED: Final[tuple[tuple[str, str], ...]] = (
    (r"relative strength index|rsi", "rsi"),
    (r"macd histogram|macd hist|histogram of macd", "macd_histogram"),
    (r"macd signal line|macd signal|signal line of macd", "macd_signal"),
    (r"macd line|macd", "macd"),
    (r"average true range|atr", "atr"),
    (r"adx|average directional index", "adx"),
    (r"plusdi|plus di|di plus|di \+", "plus_di"),
    (r"minusdi|minus di|di minus|di -", "minus_di"),
    (r"williams %? ?r|williams r|%r", "williams"),
    (r"commodity channel index|cci", "cci"),
    (r"money flow index|mfi", "mfi"),
    (r"on balance volume|obv", "obv"),
    (r"rate of change|roc|(?:price |percentage |% )?(?:change|returns?)", "change"),
    (r"z score|zscore", "zscore"),
    (r"historical volatility|realized volatility|realised volatility|volatility", "volatility"),
    (r"standard deviation|stdev|stddev", "stdev"),
    (r"bollinger band ?width|bollinger bandwidth|bandwidth|band width|bb width|bbw", "bollinger_bandwidth"),
    (r"bollinger %b|%b|percent b", "bollinger_percent"),
    (r"(?:upper|top) (?:bollinger|bb)(?: bands?)?|(?:bollinger|bb)(?: bands?)? (?:upper|top)(?: band)?", "bollinger_upper"),
    (r"(?:lower|bottom) (?:bollinger|bb)(?: bands?)?|(?:bollinger|bb)(?: bands?)? (?:lower|bottom)(?: band)?", "bollinger_lower"),
    (r"(?:middle|mid) (?:bollinger|bb)(?: bands?)?|(?:bollinger|bb)(?: bands?)? (?:middle|mid)(?: band)?", "middle"),
    (r"upper keltner(?: channel| band)?|keltner(?: channel)? upper(?: band)?", "keltner_upper"),
    (r"lower keltner(?: channel| band)?|keltner(?: channel)? lower(?: band)?", "keltner_lower"),
    (r"upper band|top band", "upper"),
    (r"lower band|bottom band", "lower"),
    (r"middle band|mid band", "middle"),
    (r"(?:stochastic|stochastics|stoch)(?: oscillator)? %d|stoch d|%d(?: line)?", "stochastic_d"),
    (r"(?:stochastic|stochastics|stoch)(?: oscillator)? %k|stoch k|%k(?: line)?", "stochastic_k"),
    (r"stochastics? oscillator|stochastics?|stoch", "stochastic_k"),
    (r"supertrend direction|super trend direction", "supertrend_direction"),
    (r"supertrend line|super trend line|supertrend|super trend", "supertrend"),
    (r"position in range", "range_position"),
    (r"(?:today |daily |day |bar |high low |trading )?range|difference between high and low", "range"),
    (r"gap", "gap"),
)  # fmt: skip
_AVERAGES: Final[tuple[tuple[str, str], ...]] = (
    (r"exponential moving averages?|exponential averages?|exponential ma|emas?", "ema"),
    (r"linearly weighted moving averages?|weighted moving averages?|weighted averages?|wmas?", "wma"),
    (r"simple moving averages?|simple averages?|simple ma|moving averages?|smas?|dmas?|mas?|mavg|averages?|avg|means?", "sma"),
)  # fmt: skip
AVERAGE: Final = "|".join(pattern for pattern, _ in _AVERAGES)
_PRICE: Final = (
    r"(?:closing |last |current |stock |share )?prices?|close|closing|stock price|stocks?|shares?"
    r"|last close|candle close"
)
_THE_DAY: Final = r"today|current (?:day|bar|candle)|same day|signal (?:day|bar)|day|current|bar"
_BEFORE: Final = (
    r"yesterday|(?:previous|prior|last|preceding) (?:day|bar|candle|session|trading day)|day before|"
    r"previous|prior"
)
MOVING: Final = rf"(?:{AVERAGE})"


class Operands(Cursor):
    """Reads operands."""

    def operand(self) -> Operand | None:
        """An operand with what is done to it, or None, nothing read."""
        mark = self.mark()
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
            if match := self.eat(rf"{N} {SPAN} (?:ago|before|earlier)(?! 1)"):
                unit = match.group().split()[1]
                found = Ago(_strict(found), self.span(match[1], unit))
                continue
            if self.eat(r"yesterday|(?:on )?(?:previous|prior) (?:day|bar)|day before"):
                found = Ago(_strict(found), 1)
                continue
            if isinstance(found, Field) and self.eat(
                r"of (?:day|today|bar|signal bar|signal day|this bar|candle)"
            ):
                continue
            if isinstance(found, Field) and (match := self.eat(r"\[ (\d+) \]")):
                found = Ago(found, int(match[1])) if int(match[1]) else found
                continue
            if match := self.eat(rf"(?:\*|times) {N}(?! (?:atr|average true))"):
                found = Multiple(float(match[1]), found)
                continue
            if isinstance(found, Field) and self.eat(rf"of (?:{_BEFORE})"):
                found = Ago(found, 1)
                continue
            if match := self.eat(rf"(minus|plus|\+|-) (?:{N} (?:times |x |\* )?)?(?=\w)"):
                width = self._base()
                if width is not None and not isinstance(width, Number):
                    sign = 1.0 if match[1] in {"plus", "+"} else -1.0
                    found = Apart(found, sign * float(match[2] or 1), _strict(width))
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
        if match := self.eat(rf"{N} {widths} (above|over|below|under|from)(?: its)?"):
            middle = self._base()
            if isinstance(middle, Indicator) and middle.name == "sma" and match[2] != "from":
                side = "upper" if match[2] in {"above", "over"} else "lower"
                settings = (middle.settings[0], float(match[1]))
                return Indicator(f"bollinger_{side}", settings, middle.source)
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
            if isinstance(self.subject, Field) and self.eat(r"yesterday|previous day|day before|prior day"):
                return Ago(self.subject, 1)
            return None
        return Ago(Field(name), ago) if ago else Field(name)

    # Averages

    def _average(self) -> Operand | None:
        its = bool(self.eat("its|own|their"))
        mark = self.mark()
        # "20 day average", "20 day exponential moving average of volume", "50 sma", "200 dma"
        if match := self.eat(rf"{N}(?: ({SPAN}))?(?: (volume))?(?=(?: {MOVING}))"):
            if (name := self._average_name()) is not None:
                days = self._days(match[1], match[2])
                said = match[3]
                if self.eat(r"volume|of volume"):
                    said = "volume"
                return self._averaged(name, days, its=its, said=said)
        self.back(mark)
        # "average volume of the last 20 days", "average volume"
        if self.eat(rf"(?:average|avg|mean|normal) (?:trading |daily )?volume"):
            mark = self.mark()
            if match := self.eat(
                rf"(?:of|over|in|for|during) (?:its )?(?:last |past |previous |prior |preceding )?{N} ({SPAN})"
            ):
                return self._averaged(
                    "sma", self.span(match[1], match[2]), its=False, said="volume"
                )
            if match := self.eat(rf"\( {N}(?: {DAY})? \)"):
                return self._averaged("sma", int(float(match[1])), its=False, said="volume")
            self.back(mark)
            self.note("the average volume is of 20 bars, as no number was said")
            return self._averaged("sma", 20, its=False, said="volume")
        # "sma(20)", "ema 9", "sma(close, 20)", "moving average of 20 days", "sma20"
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
            source = Field(word)  # type: ignore[arg-type]
        elif self.eat(
            r"of (?=rsi|atr|\d+ day vol|vol|bollinger|bandwidth|range|macd|average true|obv|adx|mfi|cci|daily range|today range|stochastic)"
        ):
            inner = self._indicator() or self._extreme()
            if inner is None:
                return None
            source, loose = inner, False
        elif its and self.subject is not None:
            plain = _strict(self.subject)
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

    # Highs and lows over some bars

    def _extreme(self) -> Operand | None:
        last = r"(?:of|in|over|for|from|during|across|within)?(?: its)?(?: ?(last|past|previous|prior|preceding|trailing))?"
        mark = self.mark()
        if match := self.eat(
            r"(previous|prior|preceding|last|new)? ?(highest|lowest|largest|smallest|maximum|minimum|max|min)"
        ):
            name = "highest" if match[2] in {"highest", "largest", "maximum", "max"} else "lowest"
            source = self._extreme_source(name)
            if source is not None:
                if match := self.eat(rf"\( (?:(high|low|close) , )?{N} \)"):
                    if match[1]:
                        source = Field(match[1])  # type: ignore[arg-type]
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
                return self._extremed(name, Field(word), int(float(inner[2])), None)  # type: ignore[arg-type]
        self.back(mark)
        # "20 day high", "52 week closing low", "prior 20 day high"
        if match := self.eat(
            rf"(?:new )?(previous|prior|preceding|last)? ?{N} ({SPAN})(?: donchian| channel| donchian channel)? (closing |intraday |close )?(highs?|lows?|highest|lowest|maximum|minimum|max|min)(?: (high|low|close|closing price|price))?"
        ):
            name = "highest" if match[5][0] == "h" or match[5].startswith("max") else "lowest"
            word: FieldName = "high" if name == "highest" else "low"
            if (match[4] and match[4] != "intraday ") or (
                match[6] and match[6] not in {"high", "low"}
            ):
                word = "close"
            elif match[6]:
                word = match[6]  # type: ignore[assignment]
            if self.eat(r"of (?:closing prices?|closes|close)"):
                word = "close"
            return self._extremed(name, Field(word), self.span(match[2], match[3]), match[1])
        # "high of the last 20 days"
        if match := self.eat(
            rf"(closing )?(highs?|lows?|range high|range low) (?:of|over|from|in|for) (?:its )?(last|past|previous|prior|preceding)? ?{N} ({SPAN})"
        ):
            name = "highest" if "high" in match[2] else "lowest"
            word = "close" if match[1] else ("high" if name == "highest" else "low")
            return self._extremed(name, Field(word), self.span(match[4], match[5]), match[3])
        # "upper Donchian channel (20)", "Donchian high 20"
        if match := self.eat(
            rf"(?:(upper|lower|top|bottom) )?donchian(?: channel| band)?(?: (upper|lower|high|low|top|bottom))?(?: band| channel| line)?(?: ?\( ?{N} ?\)| {N}(?: {DAY})?)"
        ):
            side = match[1] or match[2]
            if side is not None:
                name = "highest" if side in {"upper", "top", "high"} else "lowest"
                word = "high" if name == "highest" else "low"
                return self._extremed(name, Field(word), int(float(match[3] or match[4])), None)
        if match := self.eat(
            rf"{N} (?:{DAY} )?(?:(upper|lower) donchian(?: channel| band)?|donchian(?: channel)? (high|low|upper|lower)(?: band)?)"
        ):
            side = match[2] or match[3]
            name = "highest" if side in {"upper", "high"} else "lowest"
            word = "high" if name == "highest" else "low"
            return self._extremed(name, Field(word), int(float(match[1])), None)
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

    # Indicators by name

    def _indicator(self) -> Operand | None:
        self.eat("its")
        mark = self.mark()
        days: int | None = None
        if match := self.eat(rf"{N}(?: ({SPAN}))?(?= (?:[a-z%]))"):
            days = self._days(match[1], match[2])
        for pattern, name in _NAMED:
            if self.eat(pattern):
                self.eat("indicator|oscillator")
                found = self._settled(name, days)
                if found is not None:
                    return found
                self.back(mark)
                return None
        self.back(mark)
        # "its signal line", "the signal"
        if isinstance(self.subject, Indicator) and self.subject.name == "macd":
            if self.eat(r"(?:its )?signal(?: line)?"):
                fast, slow = self.subject.settings
                settings = self._brackets(3)
                if settings is not None:
                    return Indicator("macd_signal", (*map(int, settings),), CLOSE)
                return Indicator("macd_signal", (fast, slow, 9), CLOSE)
        if isinstance(self.subject, Indicator) and self.subject.name == "adx":
            return None
        return None

    def _brackets(self, most: int) -> list[float] | None:
        """Settings in brackets: ``( 12 , 26 , 9 )``; None where there are none that fit."""
        mark = self.mark()
        if match := self.eat(
            rf"\( (?:(?:periods?|length|window) ?=? ?)?({SIGNED}(?: (?:{DAY}|% ))?(?: (?:,|/|-) {SIGNED})*) \)"
        ):
            numbers = [float(part) for part in match[1].replace(",", " ").replace("/", " ").split()
                       if part.lstrip("-").replace(".", "").isdigit()]  # fmt: skip
            if len(numbers) <= most:
                return numbers
        self.back(mark)
        return None

    def _settled(self, name: str, days: int | None) -> Operand | None:
        """An indicator with its settings, as far as they are said."""
        if name in {"upper", "lower", "middle"}:
            return self._band(name, days)
        entry = CATALOGUE[name]
        if name == "supertrend" and self.eat("direction"):
            return self._settled("supertrend_direction", days)
        if name == "stochastic_k" and (match := self.eat(r"(?=\( [\d., /]+ \) (%[kd]))")):
            numbers = self._brackets(3)
            self.eat("%[kd](?: line)?")
            return self._made("stochastic_d" if match[1] == "%d" else name, numbers)
        wanted = len(entry.settings)
        numbers = self._brackets(max(wanted, 3)) if wanted else None
        if numbers is None and wanted and days is None:
            # "RSI 14 below 30": a number right behind the name is its period.
            if name not in {"gap", "change"} and (
                match := self.eat(
                    rf"(?:of |with (?:period )?(?:of )?)?{N}(?: {DAY})?(?! %| times| x| atr)(?= |$)"
                )
            ):
                numbers = [float(match[1])]
                more = self.eat(rf"(?:, |/ |- )?{N} (?:, |/ |- )?{N}") if wanted > 2 else None  # noqa: PLR2004
                if more:
                    numbers += [float(more[1]), float(more[2])]
            elif name == "change" and (match := self.eat(rf"{N}")):
                numbers = [float(match[1])]
        if numbers is None and days is not None:
            if name in {"gap", "range"}:
                return None
            numbers = [float(days)]
        if self.eat(rf"over (?:last |past )?(?={N} {SPAN})") and (
            match := self.eat(rf"{N} ({SPAN})")
        ):
            numbers = [float(self.span(match[1], match[2]))]
        elif name in {"zscore", "stdev"} and (
            match := self.eat(
                rf"of (?:close|price|closing price)(?: (?:over|of|in|for) (?:last |past )?{N} ({SPAN}))?"
            )
        ):
            if match[1]:
                numbers = [float(self.span(match[1], match[2]))]
        return self._made(name, numbers)

    def _made(self, name: str, numbers: list[float] | None) -> Operand | None:
        entry = CATALOGUE[name]
        family = _FAMILIES.get(name, name)
        if numbers:
            self.said.append((family, tuple(numbers)))
        else:
            numbers = self._said_before(family)
        given = _fitted(name, list(numbers or []))
        defaults = [setting.default for setting in entry.settings]
        if given is None or len(given) > len(defaults):
            return None
        if not given and defaults:
            shown = ", ".join(f"{value:g}" for value in defaults)
            self.note(f"{entry.title} with its usual settings ({shown}), as none were said")
        settings: list[float] = []
        for setting, value in zip(
            entry.settings, given + defaults[len(given) :], strict=True
        ):  # fmt: skip
            if value < setting.least or (setting.whole and value != int(value)):
                what = "" if setting.name == "days" else f" {setting.name.replace('_', ' ')}"
                self.problem("range", f"{entry.title} of{what} {value:g} cannot be")
            settings.append(max(1, int(value)) if setting.whole else float(value))
        source: Operand | None = CLOSE if "source" in entry.inputs else None
        if source is not None:
            if self.eat("of volume"):
                source = VOLUME
            else:
                self.eat("of (?:close|closes|closing prices?|price)")
        return Indicator(name, tuple(settings), source)

    def _said_before(self, family: str) -> list[float] | None:
        """The settings with which an indicator was named before."""
        before = {numbers for name, numbers in self.said if name == family}
        if len(before) > 1:
            self.problem("ambiguous", f"which of the settings of {family.upper()} is meant?")
        return list(max(before)) if before else None

    def _band(self, name: str, days: int | None) -> Operand | None:
        """A band; one that is not said to be another's is Bollinger's."""
        if any(family == "keltner" for family, _ in self.said) and name != "middle":
            return self._made(f"keltner_{name}", None)
        numbers = self._brackets(2)
        if numbers is None and days is None and (match := self.eat(rf"{N} , {N}|{N} {N}")):
            numbers = [float(part) for part in match.groups() if part is not None]
        if numbers is None and days is not None:
            numbers = [float(days)]
        made = self._made(f"bollinger_{'upper' if name == 'middle' else name}", numbers)
        if name == "middle" and isinstance(made, Indicator):
            return Indicator("sma", made.settings[:1], made.source)
        return made


_FAMILIES: Final = {
    "macd_signal": "macd", "macd_histogram": "macd", "bollinger_upper": "bollinger",
    "bollinger_lower": "bollinger", "bollinger_bandwidth": "bollinger",
    "bollinger_percent": "bollinger", "stochastic_k": "stochastic", "stochastic_d": "stochastic",
    "supertrend_direction": "supertrend", "keltner_upper": "keltner", "keltner_lower": "keltner",
    "plus_di": "adx", "minus_di": "adx",
}  # fmt: skip
"""Indicators that share their settings."""


def _fitted(name: str, given: list[float]) -> list[float] | None:
    """The settings of an indicator out of those that its family was given."""
    count = len(given)
    if name in {"macd", "macd_signal", "macd_histogram"}:
        if count == 1:
            return None
        return given[:2] if name == "macd" else given
    if name == "stochastic_k":
        return {2: [*given[:1], 1.0], 3: given[:2]}.get(count, given)
    if name == "stochastic_d" and count == 2:  # noqa: PLR2004 - (14, 3): 3 is the signal's
        return [given[0], 1.0, given[1]]
    return given


def _strict(operand: Operand) -> Operand:
    """Without looseness: this bar included."""
    if isinstance(operand, Loose):
        return Indicator(operand.name, operand.settings, operand.source)
    if isinstance(operand, Ago):
        return Ago(_strict(operand.operand), operand.bars)
    if isinstance(operand, Multiple):
        return Multiple(operand.factor, _strict(operand.operand))
    if isinstance(operand, Away):
        return Away(_strict(operand.operand), operand.percent)
    if isinstance(operand, Apart):
        return Apart(_strict(operand.operand), operand.factor, _strict(operand.width))
    return operand


strict = _strict


def _is_price(operand: Operand) -> bool:
    return kind(operand) == "price"

"""Indicators by name, and their settings as far as they are said."""

from __future__ import annotations

from typing import Final

from trackrecord.strategies.rules.catalogue import CATALOGUE
from trackrecord.strategies.rules.model import Indicator, Operand
from trackrecord.strategies.sentences.averages import Averages
from trackrecord.strategies.sentences.cursor import DAY, SIGNED, SPAN, N
from trackrecord.strategies.sentences.loose import CLOSE, VOLUME

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
    (r"aroon up|aroon - up|aroonup", "aroon_up"),
    (r"aroon down|aroon - down|aroondown", "aroon_down"),
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


class Indicators(Averages):
    """Reads indicators."""

    def _indicator(self) -> Operand | None:
        self.eat("its")
        mark = self.mark()
        days: int | None = None
        if match := self.eat(rf"{N} (?:/|,|-) {N} (?:/|,|-) {N} (?=macd)"):
            numbers = [float(part) for part in match.groups()]
            for pattern, name in _NAMED:
                if name.startswith("macd") and self.eat(pattern):
                    return self._made(name, numbers)
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
            rf"\( (?:(?:close|closing price|price|high , low , close(?: , volume)?) , )?(?:(?:periods?|length|window) ?=? ?)?({SIGNED}(?: (?:{DAY}|% ))?(?: (?:,|/|-) {SIGNED})*) \)"
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
        elif name == "stdev" and self.eat(
            rf"of (?:its |daily |1 day |day |% )?(?:returns|changes|price changes|daily returns)(?: (?:over|of|in|for) (?:last |past )?(?={N} {SPAN}))?"
        ):
            if match := self.eat(rf"{N} ({SPAN})(?! (?:ago|in row|before))"):
                numbers = [float(self.span(match[1], match[2]))]
            name = "volatility"
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
    "aroon_up": "aroon", "aroon_down": "aroon",
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

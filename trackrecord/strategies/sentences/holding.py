"""How long a position is held, and on which days it may be entered."""

from __future__ import annotations

from typing import Final

from trackrecord.strategies.sentences.cursor import SPAN, N
from trackrecord.strategies.sentences.levels import Levels
from trackrecord.strategies.sentences.said import Role

_DAYNAMES: Final = {
    "monday": 0, "tuesday": 1, "wednesday": 2, "thursday": 3, "friday": 4, "saturday": 5,
    "sunday": 6, "mon": 0, "tue": 1, "tues": 1, "wed": 2, "thu": 3, "thurs": 3, "fri": 4,
}  # fmt: skip
_MONTHNAMES: Final = {
    "january": 1, "february": 2, "march": 3, "april": 4, "may": 5, "june": 6, "july": 7,
    "august": 8, "september": 9, "october": 10, "november": 11, "december": 12, "jan": 1,
    "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "oct": 10,
    "nov": 11, "dec": 12,
}  # fmt: skip
_DAYNAME: Final = "(?:" + "|".join(f"{name}s?" for name in _DAYNAMES) + ")"
_MONTHNAME: Final = "(?:" + "|".join(_MONTHNAMES) + ")"


class Holding(Levels):
    """Reads times."""

    def _hold(self) -> bool:
        most = r"(?:at most |up to |no more than |no longer than |maximum of |max(?:imum)? |exactly |about_ |not more than |only )?"
        if match := self.eat(
            rf"(?:and )?(?:hold|holding|holds|held|keep|stay in|stay long|holding period|hold period|holding time)(?: (?:it|position|positions|trade|stock|them|long|for it|period|time|short))?(?: (?:of|is|=|:))? ?(?:for )?{most}{N} ({SPAN})(?: (?:at most|max|maximum|only|and exit|then (?:sell|exit)|and sell|later))?"
        ):
            return self._set_horizon(self.span(match[1], match[2]))
        if match := self.eat(
            rf"(?:max(?:imum)? )?(?:holding (?:period|time)|hold(?:ing)?|time (?:stop|exit|limit)|time based (?:stop|exit)|time stop|timed exit)(?: (?:of|is|at|after|=|:))* {most}{N} ({SPAN})"
        ):
            return self._set_horizon(self.span(match[1], match[2]))
        if match := self.eat(
            rf"{N} ({SPAN}) (?:time stop|hold(?:ing)?(?: period)?|holding period|max(?:imum)? hold(?:ing period)?|time exit|time limit|exit|later (?:sell|exit))"
        ):
            return self._set_horizon(self.span(match[1], match[2]))
        if match := self.eat(rf"for {N} ({SPAN})(?=$| [,;.]| and| with| or| stop)"):
            return bool(self.said_all.conditions) and self._set_horizon(
                self.span(match[1], match[2])
            )
        return False

    def horizon_here(self, name: Role) -> bool:
        """Behind an exit: "after 10 days", "5 days later", "at the close", "the next day"."""
        mark = self.mark()
        if match := self.eat(
            rf"(?:no later than |latest |at latest )?(?:after|in|within|on)(?: (?:at most|holding for|holding|max|maximum of|maximum))? {N} ({SPAN})(?: later| in trade| in position| of holding| have passed| pass| passed| if not (?:stopped|sold)| regardless| anyway| at latest| hold| holding)?(?! (?:of|in row|high|low|moving|average|ema|sma))"
        ):
            return self._set_horizon(self.span(match[1], match[2]))
        if match := self.eat(rf"{N} ({SPAN}) (?:later|after entry|after buying|after)"):
            return self._set_horizon(self.span(match[1], match[2]))
        if match := self.eat(r"after (day|week|month)"):
            return self._set_horizon(self.span("1", match[1]))
        if self.eat(
            r"(?:at|on) (?:close|end of day|day end|same day close|close of day|day close|next close)(?: of (?:day|same day|next day|entry day))?|same day|before close"
        ):
            self.note(
                "nothing can be done at a close that is past: it is closed at the close of the bar that it is entered on"
            )
            return self._set_horizon(1)
        if self.eat(
            r"(?:(?:on )?next (?:trading )?day|tomorrow|next bar|overnight)(?: close| at close)?"
        ):
            self.note(
                "the next day is the bar that it is entered on: it is closed at that bar's close"
            )
            return self._set_horizon(1)
        # The verb has eaten it: "sell at the close", "sell tomorrow".
        before = self.text[: self.at].rstrip().rsplit(" ", 4)
        tail = " ".join(before[-4:])
        if name in {"exit", "cover"} and tail.endswith(
            (
                "at close",
                "on close",
                "close of day",
                "close of same day",
                "close of that day",
                "end of day",
                "market close",
            )
        ):
            self.note(
                "nothing can be done at a close that is past: it is closed at the close of the bar that it is entered on"
            )
            return self._set_horizon(1)
        if name in {"exit", "cover"} and tail.endswith(("next day", "tomorrow", "next bar")):
            self.note(
                "the next day is the bar that it is entered on: it is closed at that bar's close"
            )
            return self._set_horizon(1)
        self.back(mark)
        return False

    def _set_horizon(self, bars: int) -> bool:
        if not 1 <= bars <= 1_000:  # noqa: PLR2004 - as long as a strategy may look back
            self.problem("range", f"holding for {bars} bars cannot be: 1 to 1,000")
            bars = 1
        if self.said_all.horizon is not None and self.said_all.horizon != bars:
            return False
        self.note("holding counts the entry bar: n bars end at the close of the n-th")
        self.said_all.horizon = bars
        return True

    def _schedule(self) -> bool:
        before = self.text[: self.at].rstrip()
        if self._leaving_here() and not before.endswith((",", ";", ".", ":", ")", "only")):
            # "sell when RSI > 70 on Fridays": the schedule is that of entries alone.
            return False
        if self.eat(
            r"not(?: (?:on|in|during))?|except(?: (?:on|in|during))?|never on|excluding|exclude|avoid"
        ):
            return self._days_said(negative=True)
        if match := self.eat(
            r"(?:(?:if|when|where) )?(?:(?:it|today)(?: is)?|day is) (not )?(?:on )?"
        ):
            if self._leaving_here():
                return False
            return self._days_said(negative=bool(match[1])) or (not match[1] and self._first_said())
        self.eat(r"(?:only )?(?:on|in|during|every|each|from|at)(?: (?:each|every|any))?|only")
        return self._first_said() or self._days_said(negative=False)

    def _leaving_here(self) -> bool:
        """Whether what is being said belongs to an exit."""
        last = self.said_all.conditions[-1:]
        return bool(last) and last[0][0] in {"exit", "cover"}

    def _days_said(self, *, negative: bool) -> bool:
        self.eat(r"on|in|during|every|from")
        said = self.said_all
        if match := self.eat(
            rf"{_DAYNAME}(?: ?(?:,|and|or|, and|through|to|-|/) {_DAYNAME})*(?: only)?"
        ):
            if said.weekdays:
                return False
            days = _named(match.group(), _DAYNAMES, 7, 0)
            if negative:
                days = tuple(day for day in range(5) if day not in days)
            self.note("a weekday is that of the decision bar, UTC; the entry is at the next open")
            said.weekdays = days
            return bool(days)
        if match := self.eat(
            rf"{_MONTHNAME}(?: ?(?:,|and|or|, and|through|to|until|till|-|/) {_MONTHNAME})*(?: only)?"
        ):
            if said.months:
                return False
            months = _named(match.group(), _MONTHNAMES, 12, 1)
            if negative:
                months = tuple(month for month in range(1, 13) if month not in months)
            self.note("a month is that of the decision bar, UTC")
            said.months = months
            return bool(months)
        return False

    def _first_said(self) -> bool:
        if match := self.eat(
            r"(?:on )?(?:first|start of|beginning of) (?:(?:trading |market )?(?:day|bar|session) )?(?:of )?(?:each |every |any |new )?(month|week)"
        ):
            if self.said_all.first_of is not None:
                return False
            self.said_all.first_of = "month" if match[1] == "month" else "week"
            self.note(
                f"the first bar of a {match[1]} is known at its close: the entry is at the open of the second"
            )
            return True
        return False


def _named(text: str, names: dict[str, int], size: int, first: int) -> tuple[int, ...]:
    """Days or months of a list with spans: "november through april"."""
    words = [word for word in text.replace(",", " , ").split() if word != "only"]
    found: list[int] = []
    span = False
    for word in words:
        value = names.get(word, names.get(word.removesuffix("s")))
        if value is None:
            span = word in {"through", "to", "-", "until", "till"}
            continue
        if span and found:
            last = found[-1]
            while last != value:
                last = (last - first + 1) % size + first
                found.append(last)
        else:
            found.append(value)
        span = False
    return tuple(sorted(set(found)))

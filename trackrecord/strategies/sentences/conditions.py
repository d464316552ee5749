"""Conditions of a sentence: what is compared, crossed, joined and negated."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from trackrecord.strategies.rules.canonical import opposite
from trackrecord.strategies.rules.catalogue import CATALOGUE
from trackrecord.strategies.rules.model import (
    FLIPPED,
    OPPOSITE,
    Ago,
    Always,
    And,
    Apart,
    Away,
    Compare,
    Comparison,
    Condition,
    Cross,
    Direction,
    Field,
    InARow,
    Indicator,
    Multiple,
    Not,
    Number,
    Operand,
    Or,
    Within,
)
from trackrecord.strategies.rules.kinds import kind
from trackrecord.strategies.sentences.cursor import DAY, SIGNED, SPAN, N
from trackrecord.strategies.sentences.operands import (
    AVERAGE,
    CLOSE,
    VOLUME,
    Loose,
    Operands,
    strict,
)

_UP: Final = r"above|over|higher than|greater than|more than|bigger than|larger than|exceeds|exceeding|exceed|>|in excess of|north of|beyond"
_DOWN: Final = r"below|under|beneath|underneath|lower than|less than|smaller than|fewer than|<|south of|beneath of"
_UP_TO: Final = r"at least|no less than|not less than|not below|not under|not lower than|no lower than|at or above|equal to or above|above or equal to|greater than or equal to|more than or equal to|>=|=>|min(?:imum)? of|equal or above"
_DOWN_TO: Final = r"at most|no more than|not more than|not above|not over|not higher than|no higher than|no greater than|not greater than|at or below|equal to or below|below or equal to|less than or equal to|lower than or equal to|<=|max(?:imum)? of"
_IS: Final = r"(?:(?:it |which |that )?(?:is|are|was|were)(?: (?:trading|still|being|sitting|staying|holding))?|be|being|has been|have been|stays?|remains?|trades?|trading|sits?|gets?|stands?|reads?|staying|holding|holds|has|still)"
_CLOSES: Final = r"(?:closes|closed|closing|close|finishes|ends|ends day|settles)"
_CROSSES: Final = (
    r"(?:crosses|cross|crossed|crossing|x|crossover|cuts|cut|has crossed|just crossed)"
)
_RISES: Final = r"(?:rises|rise|rising|climbs|moves up|moves|goes up|goes|breaks out|breaks|break|breaking|broke|jumps|pushes|pops|comes|turns|gets|moves back|ticks|runs|travels|closes up|advances|surges|reclaims|recovers|pulls)"
_FALLS: Final = r"(?:falls|fall|falling|fell|drops|drop|dropping|dropped|dips|dip|slips|sinks|moves down|moves|goes down|goes|breaks down|breaks|break|breaking|broke|comes|turns|gets|slides|declines|tumbles|plunges|pulls|crashes)"
_AND: Final = r"and|while|with|but|plus|as long as|provided that|provided|given that|whilst|so long as|and when|and if|where|together with|along with|and while|and with"
_OR: Final = r"or|or if|or when"
_ROW: Final = rf"(?:for |on )?{N} (?:{DAY} in row|consecutive {DAY}|straight {DAY}|{DAY} running|{DAY} straight|{DAY} consecutively|times in row|in row|successive {DAY}|closes in row|consecutive closes)"
_LAST: Final = rf"(?:at (?:some|any) point |at least once |any time |sometime )?(?:within|in|during|over) (?:last|past|previous|prior|preceding) {N} ({SPAN})"
_RED: Final = r"(?:red|bearish|negative)"
_GREEN: Final = r"(?:green|bullish|positive)"
_MORE: Final = r"(?:by )?(?:(more than|over|greater than|at least|no less than|>=|>|less than|under|at most|minimum of)? ?)"
_BANDS: Final = frozenset({
    "bollinger_upper", "bollinger_lower", "keltner_upper", "keltner_lower", "highest", "lowest",
})  # fmt: skip


class Conditions(Operands):
    """Reads conditions."""

    verb_ahead: str = r"buy|sell|short|exit|cover|close (?:position|trade|out|it|long|short)|go long|go short|enter|stop|stoploss|sl|tp|target|take profit|trailing|trail|hold|long only|only"

    named_cross: bool = False
    """Whether the last condition was a golden or death cross."""

    # Joined

    def condition(self) -> Condition | None:
        """Conditions joined by commas and words; ", and" binds all that stands before it."""
        first = self._either()
        if first is None:
            return None
        items, joints = [first], []
        while True:
            mark = self.mark()
            joint = self.eat(
                rf"(?:,|;)(?: ({_AND}|{_OR}))?(?: (?:also|only if|only when|if|when))?"
            )
            if joint is None:
                break
            if joint.group().endswith(("only if", "only when")) and not joint[1]:
                self.back(mark)
                break
            word = joint[1] or ","
            negated = bool(self.eat(r"not (?:if|when|while)|unless|except (?:if|when)"))
            item = self._either()
            if item is None or self._acts_next():
                self.back(mark)
                break
            items.append(opposite(item) if negated else item)
            joints.append("or" if word.startswith("or") else "and" if word != "," else ",")
        return self._listed(items, joints)

    def _acts_next(self) -> bool:
        """Whether what was read belongs to the action that follows: "..., RSI > 70 => exit"."""
        return bool(self.peek(r"(?:=>|→|then|: (?:exit|sell|cover))"))

    def _listed(self, items: list[Condition], joints: list[str]) -> Condition:
        if len(items) == 1:
            return items[0]
        said = {joint for joint in joints if joint != ","}
        last = items[-1]
        if said == {"or"} and "," in joints:
            return Or(tuple(items))
        if said <= {"and"}:
            if isinstance(last, Or) and joints[-1] == ",":
                self.problem("ambiguous", "a list that ends with 'or': say 'either ... or ...'")
            return And(tuple(items))
        found = items[0]
        for item, joint in zip(items[1:], joints, strict=True):
            found = Or((found, item)) if joint == "or" else And((found, item))
        return found

    def _either(self) -> Condition | None:
        first = self._all()
        if first is None:
            return None
        items = [first]
        while True:
            mark = self.mark()
            if not self.eat(_OR):
                break
            item = self._all()
            if item is None or self._acts_next():
                self.back(mark)
                break
            items.append(item)
        if len(items) > 1 and any(isinstance(item, And) for item in items):
            self.note("'and' binds tighter than 'or'")
        return items[0] if len(items) == 1 else Or(tuple(items))

    def _all(self) -> Condition | None:
        first = self._one()
        if first is None:
            return None
        items = [first]
        while True:
            mark = self.mark()
            if self.eat(
                rf"(?:(?:{_AND}) )?(?:but )?(?:not (?:if|when|while)|unless|except when|except if|without)"
            ):
                item = self._one()
                if item is None:
                    self.back(mark)
                    break
                items.append(opposite(item))
                continue
            place = self.mark()
            if self.eat("when|whenever|if"):
                item = self._one()
                if item is not None and not self._acts_next() and not self.peek(self.verb_ahead):
                    items.append(item)
                    continue
                self.back(place)
            busy = self.peek(
                r"(?:on|with|at) (?:above|below|higher than|lower than|over|more than|greater than) (?:average|normal|usual)"
            )
            if not busy and not self.eat(rf"(?:{_AND})(?: (?:also|if|when|only if|only when))?"):
                break
            if self.peek(r"only|not if"):
                self.back(mark)
                break
            item = self._one()
            if item is None or self._acts_next():
                self.back(mark)
                break
            items.append(item)
        return items[0] if len(items) == 1 else And(tuple(items))

    def _one(self) -> Condition | None:
        mark = self.mark()
        found = self._prefixed() or self._special() or self._simple()
        if found is None:
            self.back(mark)
            return None
        return self._followed(found)

    def _prefixed(self) -> Condition | None:
        mark = self.mark()
        if self.eat("either"):
            items = []
            while (item := self._all()) is not None:
                items.append(item)
                if not self.eat(rf", (?:or )?|{_OR}"):
                    break
            if len(items) > 1:
                return Or(tuple(items))
        self.back(mark)
        if self.eat("neither"):
            first = self._one()
            if first is not None and self.eat("nor(?: if| when)?"):
                second = self._one()
                if second is not None:
                    return And((opposite(first), opposite(second)))
        self.back(mark)
        if self.eat("both"):
            first = self._one()
            if first is not None and self.eat("and"):
                second = self._one()
                if second is not None:
                    return And((first, second))
        self.back(mark)
        if self.eat(r"not(?: (?:when|if))?") or self.eat("it is not case that"):
            inner = self._one()
            if inner is not None:
                return opposite(inner)
        self.back(mark)
        if match := self.eat(rf"within (?:last|past) {N} {DAY}"):
            inner = self._one()
            if inner is not None:
                return self._within(match[1], inner)
        self.back(mark)
        if match := self.eat(rf"on (?:each|every|all) of last {N} {DAY}"):
            inner = self._one()
            if inner is not None:
                return self._in_a_row(match[1], inner)
        self.back(mark)
        if self.eat(r"\("):
            inner = self.condition()
            if inner is not None and self.eat(r"\)"):
                return inner
        self.back(mark)
        return None

    def _followed(self, found: Condition) -> Condition:
        """What stands behind a condition and changes it: "two days in a row"."""
        while True:
            if match := self.eat(_ROW):
                found = self._in_a_row(match[1], found)
            elif match := self.eat(rf"for (?:at least )?{N} {DAY}|on each of last {N} {DAY}"):
                if self.verb_ahead_is_hold(match):
                    return found
                found = self._in_a_row(match[1] or match[2], found)
            elif match := self.eat(_LAST):
                found = self._within(str(self.span(match[1], match[2])), found)
            elif match := self.eat(rf"within {N} ({SPAN})|at least once in {N} ({SPAN})"):
                days = self.span(match[1] or match[3], match[2] or match[4])
                found = self._within(str(days), found)
            elif self.eat(
                r"today|at close|on close|at end of day|on closing basis|on daily close|at day close|on that day|that day|on same day|same day|on day|on this bar|for first time|on daily chart|on daily bars|on daily timeframe"
            ):
                continue
            else:
                return found

    def verb_ahead_is_hold(self, match: re.Match[str]) -> bool:
        """Whether "for 5 days" is how long it is held; never behind a condition."""
        del match
        return False

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

    # Without a subject of their own

    def _special(self) -> Condition | None:
        for read in (
            self._named_cross, self._crossover, self._candles, self._new_extreme, self._gap, self._narrow,
            self._busy, self._breakout, self._closes_in_a_row, self._every_bar,
        ):  # fmt: skip
            mark = self.mark()
            found = read()
            if found is not None:
                return found
            self.back(mark)
        return None

    def _closes_in_a_row(self) -> Condition | None:
        """ "two consecutive closes below the 50 day average"."""
        match = self.eat(
            rf"{N} (?:consecutive |straight |successive )?(?:daily )?closes(?: in row)?|{N} (?:consecutive|straight|successive) (?:{DAY})(?: of)?(?: (?:closing|closes))?"
        )
        if match is None or not self.peek(rf"{_UP}|{_DOWN}|{_UP_TO}|{_DOWN_TO}"):
            return None
        inner = self._compared(CLOSE)
        return None if inner is None else self._in_a_row(match[1] or match[2], inner)

    def _every_bar(self) -> Condition | None:
        return Always() if self.eat(r"on every bar|every day|each day") else None

    def _named_cross(self) -> Condition | None:
        match = self.eat(
            r"(?:there is |we get )?(golden|death) cross(?:es)?(?: happens| occurs| appears| forms)?"
        )
        if match is None:
            return None
        fast, slow, name = 50, 200, "sma"
        if numbers := self.eat(
            rf"(?:, |: |of |\( |with |between )*{N}(?: {DAY})? ?(?:/|and|,|-|over|x|with)? ?{N}(?: {DAY})?(?: ({AVERAGE}))?(?: \))?"
        ):
            fast, slow = sorted((int(float(numbers[1])), int(float(numbers[2]))))
            word = numbers[3] or ""
            name = "ema" if word.startswith(("exp", "ema")) else "sma"
        else:
            self.note("a golden or death cross is of the 50 and the 200 day averages")
        self.eat("happens|occurs|appears|forms|takes place")
        self.named_cross = True
        left, right = Indicator(name, (fast,), CLOSE), Indicator(name, (slow,), CLOSE)
        return self.crossed(left, "above" if match[1] == "golden" else "below", right)

    def _crossover(self) -> Condition | None:
        """"20/50 SMA crossover", "MACD bullish crossover", "EMA cross fast 9 slow 21"."""
        turn = r"(bullish |bearish |upward |downward )?"
        end = r"(?:crossovers?|cross(?! (?:above|below|over|under))|crosses(?! (?:above|below|over|under))|crossing up|crossing)(?: (up|down)(?:wards)?)?"
        if match := self.eat(rf"(bullish|bearish) macd {end}|macd (bullish|bearish) (?:signal )?{end}"):
            up = (match[1] or match[3]) == "bullish"
            signal = self._made("macd_signal", self._brackets(3))
            line = self._made("macd", None)
            if signal is None or line is None:
                return None
            return self.crossed(line, "above" if up else "below", signal)
        name: str | None = None
        numbers: tuple[str, str] | None = None
        down = False
        if match := self.eat(rf"{N}(?: {DAY})? ?(?:/|,|and|x|over|-) ?{N}(?: {DAY})? (?={AVERAGE})"):
            numbers, name = (match[1], match[2]), self._average_name()
            ended = self.eat(rf"{turn}{end}")
            if ended is None:
                return None
            down = (ended[1] or "").startswith(("bear", "down")) or ended[2] == "down"
        elif (name := self._average_name()) is not None and (ended := self.eat(rf"{turn}{end}")):
            down = (ended[1] or "").startswith(("bear", "down")) or ended[2] == "down"
            if match := self.eat(
                rf"(?:of |with |: |using |between )*\(? ?(?:fast(?: period)? ?=? ?)?{N}(?: {DAY})? ?(?:/|,|and|x|over|-| )* ?(?:slow(?: period)? ?=? ?)?{N}(?: {DAY})?(?: \))?"
            ):
                numbers = (match[1], match[2])
        if numbers is None or name is None:
            return None
        fast, slow = int(float(numbers[0])), int(float(numbers[1]))
        if fast > slow:
            self.note(f"the shorter average is taken as the fast one: {slow} and {fast} days")
            fast, slow = slow, fast
        left, right = Indicator(name, (fast,), CLOSE), Indicator(name, (slow,), CLOSE)
        self.named_cross = True
        return self.crossed(left, "below" if down else "above", right)

    def _candles(self) -> Condition | None:
        """Red and green days, up and down days."""
        day = r"(?:days?|candles?|candlesticks?|bars?|closes?|sessions?)"
        kinds = (
            (rf"{_RED} {day}", Compare(CLOSE, "<", Field("open")), "red: closed below its open"),
            (rf"{_GREEN} {day}", Compare(CLOSE, ">", Field("open")), "green: closed above its open"),
            (rf"(?:down|losing|lower) {day}|lower closing prices?", Compare(CLOSE, "<", Ago(CLOSE, 1)),
             "down: closed below the close before"),
            (rf"(?:up|winning|higher|gaining) {day}|higher closing prices?", Compare(CLOSE, ">", Ago(CLOSE, 1)),
             "up: closed above the close before"),
        )  # fmt: skip
        before = rf"(?:there are |there is |are |is |we have |we get |it has |has |had |at least |price has |stock has |market has )?"
        for pattern, one, note in kinds:
            mark = self.mark()
            if match := self.eat(
                rf"{before}{N} (?:consecutive |straight |successive )?(?:{pattern})(?: in row| running| straight| consecutively)?"
            ):
                self.note(note)
                return self._in_a_row(match[1], one)
            self.back(mark)
            if self.eat(rf"{before}(?:first )?(?:{pattern})"):
                self.note(note)
                found: Condition = one
                if match := self.eat(rf"{N} (?:times |{DAY} )?(?:in row|running)"):
                    found = self._in_a_row(match[1], one)
                return found
            self.back(mark)
        mark = self.mark()
        if match := self.eat(
            rf"(?:price |stock |it |market |close )?(?:has |have )?(closes|closed|closing|close|fallen|falls|fell|dropped|drops|declined|risen|rises|rose|gained|gains|been up|been down|is up|is down|is red|is green|down|up) ?(red|green|down|up|lower|higher)? ?(?=(?:for |on )?\d+)"
        ):
            if row := self.eat(rf"{_ROW}"):
                words = f"{match[1]} {match[2] or ''}"
                down = re.search(r"fall|fell|drop|declin|down|lower", words)
                up = re.search(r"rise|rose|gain|up|higher", words)
                if "red" in words or "green" in words:
                    one = Compare(CLOSE, "<" if "red" in words else ">", Field("open"))
                    self.note("red and green: closed below or above the open")
                    return self._in_a_row(row[1], one)
                if down or up:
                    one = Compare(CLOSE, "<" if down else ">", Ago(CLOSE, 1))
                    self.note("down and up: closed below or above the close before")
                    return self._in_a_row(row[1], one)
        self.back(mark)
        return None

    def _new_extreme(self) -> Condition | None:
        """A new high or low of so many bars."""
        verb = r"(?:price |close |stock |it |market |there is )?(?:makes|make|made|has made|hits|hit|reaches|sets|prints|at|posts|is at|closes at|breaks out to|breaks to|rises to|climbs to|falls to|drops to|is|marks|tags|touches)?"
        match = self.eat(
            rf"{verb} ?(?:new )?{N} ({SPAN}) (closing )?(highs?|lows?|high close|low close|breakouts?|breakdowns?)(?! \d)(?! (?:of|including|before|excluding|close|is|-|by))"
        )
        if match is None:
            match = self.eat(
                rf"{verb} ?new (highs?|lows?) (?:of|for|over|in) (?:last |past )?{N} ({SPAN})"
            )
            if match is None:
                return None
            high, days, closing = match[1][0] == "h", self.span(match[2], match[3]), False
        else:
            if (
                re.match(
                    r"(?:price |close |stock |it |market )?(?:is|closes at)? ?\d", match.group()
                )
                and not (
                    "new" in match.group()
                    or match[4].startswith("break")
                    or match.group().startswith(
                        ("at", "hit", "mak", "reach", "set", "is at", "closes at")
                    )
                )
                and not self.at_subjectless()
            ):
                return None
            high = match[4][0] == "h" or match[4] == "breakout" or match[4] == "breakouts"
            days = self.span(match[1], match[2])
            closing = bool(match[3]) or "close" in match[4]
        return self._beyond(days, high=high, closing=closing)

    def at_subjectless(self) -> bool:
        """Whether the end of a condition stands here."""
        return self.done() or bool(self.peek(rf"[,;.)]|{_AND}|{_OR}|exit|sell|=>|→"))

    def _beyond(self, days: int, *, high: bool, closing: bool) -> Condition:
        name = "highest" if high else "lowest"
        source = CLOSE if closing else Field("high" if high else "low")
        extreme = Ago(Indicator(name, (days,), source), 1)
        if days < 1:
            self.problem("range", f"a {days} day {'high' if high else 'low'} cannot be")
        self.note("a new high or low is a close beyond those of the bars before this one")
        self.subject = CLOSE
        return Compare(CLOSE, ">" if high else "<", extreme)

    def _breakout(self) -> Condition | None:
        """A channel's break."""
        both = rf"(?:donchian(?: channel)? ?(?:\( ?)?{N}(?: {DAY})?(?: \))?|{N}(?: {DAY})? donchian(?: channel)?|{N} {DAY} channel|{N} {DAY})"
        if match := self.eat(
            rf"(?:price |there is |on )?{both}(?: channel)? (upside |upward |downside |downward )?(breakouts?|breakdowns?|breaks?)(?: above| to upside)?(?=$| [,;.)]| and| with| in both| both| long| exit| sell| stop| only)"
        ):
            days = next(int(float(match[i])) for i in (1, 2, 3, 4) if match[i])
            down = (match[5] or "").startswith("down") or match[6].startswith("breakd")
            return self._beyond(days, high=not down, closing=False)
        if match := self.eat(
            rf"(?:previous |prior |last )?{N} ({SPAN}) (closing )?(high|low) (?:is |gets |has been |was )?(?:broken|taken out|exceeded|breached)"
        ):
            return self._beyond(
                self.span(match[1], match[2]), high=match[4] == "high", closing=bool(match[3])
            )
        return None

    def _gap(self) -> Condition | None:
        match = self.eat(
            rf"(?:price |stock |it |market |there is |opens with |open |opens )?(?:gaps?|gapped|gapping) (up|down|higher|lower)(?: at open)?(?: (?:of |by )?{_MORE}{N} %)?(?: or more)?(?: at open| on open| overnight| today)?"
        )
        if match is None:
            match = self.eat(
                rf"(?:price |stock |it )?opens (up|down|higher|lower) {_MORE}{N} %(?: or more)?(?: at open)?"
            )
        if match is None:
            return None
        up = match[1] in {"up", "higher"}
        self.note(
            "a gap is the open against the close before, and is decided upon at the bar's close: the entry is at the next open, another trade than one at that open"
        )
        size = float(match[3]) if match[3] else 0.0
        op = self._more(match[2], exact=match[3] is not None)
        if op in {"<", "<="}:
            return None
        self.subject = CLOSE
        if "or more" in match.group():
            op = ">="
        if up:
            return Compare(Indicator("gap"), op, Number(size))
        return Compare(Indicator("gap"), "<" if op == ">" else "<=", Number(-size))

    @staticmethod
    def _more(word: str | None, *, exact: bool) -> Comparison:
        """The comparison of "more than", "at least", or of no word: at least a said size."""
        if not word:
            return ">=" if exact else ">"
        word = word.strip()
        if word in {"at least", "no less than", ">=", "minimum of"}:
            return ">="
        if word in {"less than", "under"}:
            return "<"
        return "<=" if word == "at most" else ">"

    def _narrow(self) -> Condition | None:
        wide = Indicator("range")
        if match := self.eat(
            rf"(?:it is |is |today is |day is |there is )?(?:nr ?{N}|narrow(?:est)? range (?:day )?(?:of |in |for |over )?(?:last |past )?{N}(?: {DAY})?)(?: day| bar| candle)?"
        ):
            days = int(float(match[1] or match[2]))
            self.note("a tie with an earlier bar counts as the narrowest too")
            self.subject = wide
            return Compare(wide, "<=", Indicator("lowest", (days,), wide))
        if match := self.eat(
            rf"(?:today|day|it|this bar|bar) is (narrowest|widest|smallest|largest) (?:range )?(?:day |bar )?(?:of|in|over) (?:last |past )?{N} {DAY}"
        ):
            small = match[1] in {"narrowest", "smallest"}
            self.note("a tie with an earlier bar counts as the narrowest too")
            name = "lowest" if small else "highest"
            return Compare(
                wide, "<=" if small else ">=", Indicator(name, (int(float(match[2])),), wide)
            )
        return None

    def _busy(self) -> Condition | None:
        """Above average volume."""
        if match := self.eat(
            rf"(?:on |with |there is |at )?(above|below|higher than|lower than|over|under|more than|less than|greater than) (?:average|normal|usual)(?: (?:daily|trading))? volume(?: (?:of|over) (?:last |past )?{N} ({SPAN})| \( {N}(?: {DAY})? \))?"
        ):
            days = 20
            if match[2]:
                days = self.span(match[2], match[3])
            elif match[4]:
                days = int(float(match[4]))
            else:
                self.note("the average volume is of 20 bars, as no number was said")
            more = match[1] in {"above", "higher than", "over", "more than", "greater than"}
            self._today_left_out()
            return Compare(VOLUME, ">" if more else "<", Ago(Indicator("sma", (days,), VOLUME), 1))
        return None

    def _today_left_out(self) -> None:
        self.note("an average that volume is compared with leaves this bar out")

    # Subject and what is said of it

    def _simple(self) -> Condition | None:
        mark = self.mark()
        if self.eat(r"it|they|this|its|which|that(?! day)|lines?") and (found := self._said(None)):
            return found
        self.back(mark)
        if self.eat(r"(?:we are|we|i am) (?=above|below|over|under)") and (
            found := self._said(CLOSE)
        ):
            return found
        self.back(mark)
        if (found := self._several()) is not None:
            return found
        self.back(mark)
        left = self.operand()
        if left is not None and not (isinstance(left, Number) and self.peek("%")):
            self.eat(r"(?:value|reading|line|level|indicator|values)")
            found = self._said(left)
            if found is not None:
                return found
        self.back(mark)
        found = self._said(None)
        if found is None:
            self.back(mark)
        return found

    def _several(self) -> Condition | None:
        """ "The 5 and 10 day averages are above ..." is not read; "all of" neither."""
        return None

    def _said(self, left: Operand | None) -> Condition | None:
        """What is said of a subject; None for "it" or nothing."""
        for read in (
            self._crossing, self._placed, self._moved, self._turned, self._ranged, self._compared,
        ):  # fmt: skip
            mark = self.mark()
            found = read(left)
            if found is not None:
                return found
            self.back(mark)
        return None

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

    def _crossing(self, left: Operand | None) -> Condition | None:
        """ "crosses above the 50", "crosses back below", "moves from below to above"."""
        soft = False
        direction: Direction
        moved = self.eat(
            rf"(?:is |are |has |have )?{_CROSSES}(?: (?:back|over to))?(?: up| down)?(?: (?:from (?:below|above|under|over)))? ?(above|over|below|under|beneath|through|upwards|downwards|up through|down through|up|down|upward|downward|higher|lower|to upside|to downside|up over|down under)?"
        )
        if moved is not None:
            word = moved[1] or ""
            text = moved.group()
            if word in {"through", "", "over"} and "from below" in text:
                direction = "above"
            elif word in {"through", ""} and "from above" in text:
                direction = "below"
            elif word == "through":
                if " up" in text:
                    direction = "above"
                elif " down" in text:
                    direction = "below"
                else:
                    return None
            elif word:
                direction = (
                    "below" if re.match("below|under|beneath|down|lower|to down", word) else "above"
                )
            elif " up" in text or " down" in text:
                direction = "above" if " up" in text else "below"
            else:
                # "crosses the 50 day average from below"
                return self._crossing_from(left)
        else:
            rising = self.eat(
                rf"(?:is |has |have )?{_RISES} ?(?:back )?(above|over|higher than|through|up through|past|out above)"
            )
            falling = (
                None
                if rising
                else self.eat(
                    rf"(?:is |has |have )?{_FALLS} ?(?:back )?(below|under|beneath|through|down through|lower than)"
                )
            )
            if rising is None and falling is None:
                return None
            if (rising or falling)[1] == "through" and re.match(
                r"(?:is |has )?(?:breaks?|moves|goes|comes|turns|gets)", (rising or falling).group()
            ):  # type: ignore[index, union-attr]
                return None
            direction, soft = ("above", True) if rising else ("below", True)
        mark = self.mark()
        if self.cross is not None and not soft and self.eat("it(?! is)"):
            return self.crossed(self.cross[0], direction, self.cross[1])
        subject = self._about(left, None)
        before, self.subject = self.subject, left if left is not None else self.subject
        right = self._right(subject)
        self.subject = before
        if right is None:
            self.back(mark)
            if left is None and self.cross is not None and not soft:
                return self.crossed(self.cross[0], direction, self.cross[1])
            if (
                left is not None
                and self.cross is not None
                and not soft
                and strict(left) == self.cross[0]
            ):
                return self.crossed(self.cross[0], direction, self.cross[1])
            return None
        about = self._about(left, right)
        if about is None:
            return None
        if left is None and isinstance(right, Number) and not self._plain(about):
            return None
        return self.crossed(about, direction, right, soft=soft)

    def _crossing_from(self, left: Operand | None) -> Condition | None:
        before, self.subject = self.subject, left if left is not None else self.subject
        mark = self.mark()
        right = self.operand()
        self.subject = before
        if right is None:
            self.back(mark)
            if left is not None or self.cross is None:
                return None
        if right is not None and self.subject is None and left is None:
            left = CLOSE
        if self.eat("it") and right is None and self.cross is not None:
            pass
        match = self.eat(
            r"from (below|above|under|over|underneath)|to (upside|downside)|upwards?|downwards?"
        )
        if match is None:
            return None
        up = (
            match[1] in {"below", "under", "underneath"}
            or match[2] == "upside"
            or match.group().startswith("up")
        )
        if right is None or right in {CLOSE}:
            if self.cross is None:
                return None
            return self.crossed(self.cross[0], "above" if up else "below", self.cross[1])
        about = self._about(left, right)
        return None if about is None else self.crossed(about, "above" if up else "below", right)

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
        del subject
        found = self.operand()
        if found is None and self.eat(r"it(?= was)"):
            found = CLOSE
        self.eat("line(?! \\()")
        return found

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
        if soft and isinstance(inner, Indicator) and inner.name in _BANDS and kind(left) == "price":
            self.subject = left
            return Compare(left, ">" if direction == "above" else "<", right)
        if soft:
            self.note("'rises above' and 'falls below' are read as the bar on which it crosses")
        self.cross = (left, right)
        self.subject = left
        found = Cross(left, direction, right)
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
        left, right = _sourced(left, right), _sourced(right, left)
        if (
            isinstance(left, Indicator)
            and left.name == "macd"
            and isinstance(right, Indicator)
            and right.name == "macd_signal"
        ):
            if left.settings != right.settings[:2]:
                left = Indicator("macd", right.settings[:2], left.source)
                self.notes = [
                    note for note in self.notes if not note.startswith("MACD with its usual")
                ]
        one, other = kind(left), kind(right)
        if isinstance(left, Number) and isinstance(right, Number):
            return None
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

    def _shifted(self, side: Operand, other: Operand) -> Operand:
        """Volume's own average leaves this bar out."""
        if _is_loose_average(side) and strict(other) == VOLUME:
            self._today_left_out()
            return _moved_back(side)
        return strict(side)

    def _before(self, left: Operand, right: Operand, op: Comparison) -> tuple[Operand, Operand]:
        """A high that is exceeded, or a low that is undercut, is of the bars before."""
        up = op in {">", ">="}
        if isinstance(left, Field) and _loose_extreme(right) == ("highest" if up else "lowest"):
            self.note("a high or low that is exceeded is of the bars before this one")
            return strict(left), _moved_back(right)
        if isinstance(right, Field) and _loose_extreme(left) == ("lowest" if up else "highest"):
            self.note("a high or low that is exceeded is of the bars before this one")
            return _moved_back(left), strict(right)
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
            edge = (low is not None and value == low and op in {"<"}) or (
                high is not None and value == high and op in {">"}
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

    def _placed(self, left: Operand | None) -> Condition | None:
        """Where the subject is within something: "in the top 10 % of the day's range"."""
        self.eat(rf"{_IS}|{_CLOSES}")
        self.eat(r"(?:with)?in|at|near(?! \d)")
        match = self.eat(
            r"(top|upper|highest|bottom|lower|lowest) (?:(\d+(?:\.\d+)?) %|(quarter|third|half|decile)|1 (quarter|third))(?: of)?"
        )
        if match is None:
            return None
        share = (
            float(match[2])
            if match[2]
            else {"quarter": 25.0, "half": 50.0, "decile": 10.0}.get(match[3] or match[4], None)
        )
        if share is None or not 0 < share < 100:  # noqa: PLR2004
            return None
        if left is not None and strict(left) != CLOSE:
            return None
        place: Indicator | None = None
        if span := self.eat(
            rf"(?:its )?(?:(?:last |past )?{N} ({SPAN})(?: high low)? range|range of (?:last |past )?{N} ({SPAN}))"
        ):
            days = self.span(span[1] or span[3], span[2] or span[4])
            place = Indicator("stochastic_k", (days, 1))
        elif self.eat(
            r"(?:its |their )?(?:day|daily|today|bar|candle|session|intraday)? ?(?:high low )?(?:trading )?range(?: of (?:day|bar))?|(?:day|bar|today)"
        ):
            place = Indicator("range_position")
        if place is None:
            return None
        self.subject = CLOSE
        if match[1] in {"top", "upper", "highest"}:
            return Compare(place, ">=", Number(100 - share))
        return Compare(place, "<=", Number(share))

    def _moved(self, left: Operand | None) -> Condition | None:
        """By how many percent the subject changed: "is up more than 10% over the last 90 days"."""
        match = self.eat(
            rf"(?:{_IS} ?|{_CLOSES} ?|have |had )?(up|down|higher|lower|rises|rose|risen|gains|gained|gain|rallies|rallied|jumps|jumped|climbs|climbed|increases|increased|advances|advanced|surges|falls|fell|fallen|drops|drop|dropped|loses|lost|declines|declined|declines|decreases|decreased|slides|sinks|dips|plunges|tumbles|crashes|returns|returned) (?:by )?{_MORE}{N} %(?: or more| or greater)?"
        )
        if match is None:
            return None
        word = match[1]
        down = bool(
            re.match(
                r"down|lower|fall|fell|drop|los|declin|decreas|slid|sink|dip|plung|tumbl|crash",
                word,
            )
        )
        op = self._more(match[2], exact=True)
        if "or more" in match.group() or "or greater" in match.group():
            op = ">="
        subject = (
            left
            if left is not None
            else (
                self.subject
                if self.subject is not None and kind(self.subject) in {"price", "volume"}
                else CLOSE
            )
        )
        subject = strict(subject)
        if not isinstance(subject, Field) or subject.name not in {"close", "volume"}:
            return None
        days = 1
        if self.peek(
            rf"(?:(?:below|above|under|from|off|since|against|relative|than) |over (?!last|past|previous|prior|its last|\d+ {SPAN}))"
        ) and not self.peek("from (?:previous close|yesterday)"):
            return None
        if span := self.eat(
            rf"(?:over|in|within|during|for|across) (?:space of |course of |any )?(?:its )?(?:last |past |previous |prior |preceding )?{N} ({SPAN})|(?:over|in|during) (?:last|past) (day|week|month|year|quarter)|{N} ({SPAN})(?! (?:ago|in row|average|high|low|moving))"
        ):
            if span[3]:
                days = self.span("1", span[3]) if span[3] != "quarter" else 63
            else:
                days = self.span(span[1] or span[4], span[2] or span[5])
        elif self.eat(
            r"today|on day|in 1 day|that day|from previous close|from yesterday(?: close)?|versus previous close|on same day|for day|compared to yesterday|day(?=$| [,;.])"
        ):
            days = 1
        else:
            self.note("a change without a span is that from the close before")
        if days < 1:
            self.problem("range", "a change over 0 days is none")
        size = float(match[3])
        if down and size >= 100 and subject == CLOSE:  # noqa: PLR2004
            self.problem("range", f"a price does not fall by {size:g} %")
        self.subject = subject
        change = Indicator("change", (max(1, days),), subject)
        if op in {"<", "<="}:
            return None
        if down:
            return Compare(change, "<" if op == ">" else "<=", Number(-size))
        return Compare(change, op, Number(size))

    def _turned(self, left: Operand | None) -> Condition | None:
        """ "turns bullish", "is positive", "is rising"."""
        subject = left if left is not None else self.subject
        if subject is None:
            return None
        plain = strict(subject)
        if match := self.eat(
            rf"(turns|turning|flips|flipping|changes|goes|switches|becomes|turned|{_IS})(?: to| from \w+ to)? ?(bullish|bearish|green|red|positive|negative|up|down|long|buy|sell|uptrend|downtrend|above 0|below 0)(?! (?:\d|%))"
        ):
            up = match[2] in {
                "bullish",
                "green",
                "positive",
                "up",
                "long",
                "buy",
                "uptrend",
                "above 0",
            }
            event = match[1] in {
                "turns",
                "turning",
                "flipping",
                "flips",
                "changes",
                "goes",
                "switches",
                "becomes",
                "turned",
            }
            if isinstance(plain, Indicator) and plain.name in {
                "supertrend",
                "supertrend_direction",
            }:
                flag = Indicator("supertrend_direction", plain.settings)
                self.subject = plain
                if event:
                    return Cross(flag, "above" if up else "below", Number(0.0))
                return Compare(flag, ">" if up else "<", Number(0.0))
            signed = {"macd", "macd_histogram", "change", "zscore", "cci", "obv", "macd_signal"}
            if (
                match[2] in {"positive", "negative", "above 0", "below 0"}
                and isinstance(plain, Indicator)
                and plain.name in signed
            ):
                self.subject = plain
                if event:
                    self.cross = (plain, Number(0.0))
                    return Cross(plain, "above" if up else "below", Number(0.0))
                return Compare(plain, ">" if up else "<", Number(0.0))
            if (
                match[2] in {"bullish", "bearish"}
                and isinstance(plain, Indicator)
                and plain.name == "macd"
            ):
                return None
            return None
        if match := self.eat(
            rf"(?:{_IS} )?(rising|increasing|sloping up|sloping upward|sloping upwards|trending up|pointing up|going up|upward sloping|falling|decreasing|sloping down|sloping downward|sloping downwards|trending down|declining|going down|downward sloping)(?! \d)"
        ):
            if isinstance(plain, Number | Ago) or self.peek(
                r"(?:above|below|under|over|by|through)"
            ):
                return None
            up = bool(
                re.match("ris|incr|sloping up|trending up|pointing up|going up|upward", match[1])
            )
            self.note("rising or falling is against one bar before")
            self.subject = plain
            return Compare(plain, ">" if up else "<", Ago(plain, 1))
        if (
            isinstance(plain, Indicator)
            and plain.name in _EXTREMES_OF
            and (match := self.eat(rf"(?:{_IS} |becomes |gets )?(oversold|overbought)"))
        ):
            low, high = _EXTREMES_OF[plain.name]
            self.note(
                f"{CATALOGUE[plain.name].title} is oversold below {low} and overbought above {high}"
            )
            self.subject = plain
            if match[1] == "oversold":
                return Compare(plain, "<", Number(float(low)))
            return Compare(plain, ">", Number(float(high)))
        return None

    def _ranged(self, left: Operand | None) -> Condition | None:
        """ "between 30 and 40", "is the lowest in 120 days", "within 3 % of its high"."""
        self.eat(rf"{_IS}|{_CLOSES}")
        mark = self.mark()
        if self.eat(r"(?:in )?between|in range of|from"):
            low = self._right(left)
            if low is not None and self.eat("and|to|-"):
                high = self._right(left)
                about = self._about(left, high)
                if isinstance(low, Number) == isinstance(high, Number) and (
                    high is not None
                    and about is not None
                    and (left is not None or not isinstance(high, Number) or self._plain(about))
                ):
                    if (
                        isinstance(low, Number)
                        and isinstance(high, Number)
                        and low.value > high.value
                    ):
                        self.problem(
                            "never", f"nothing is between {low.value:g} and {high.value:g}"
                        )
                    first = self.compared(about, ">=", low)
                    second = self.compared(about, "<=", high)
                    if first is not None and second is not None:
                        return And((first, second))
        self.back(mark)
        if match := self.eat(
            rf"(?:at )?(?:its )?(highest|lowest|narrowest|widest|smallest|largest|tightest|maximum|minimum)(?: (?:value|level|reading|point|close|closing price))?(?: (?:it has been|seen|recorded))?(?: (?:of|in|over|for|within|since|during))?(?: (?:last|past|previous|its))? ?{N} ({SPAN})(?: low| high)?"
        ):
            about = self._about(left, None)
            if about is not None:
                days = self.span(match[2], match[3])
                low = match[1] in {"lowest", "narrowest", "smallest", "tightest", "minimum"}
                plain = strict(about)
                if isinstance(plain, Indicator | Field):
                    self.note("a tie with an earlier bar counts as the lowest or highest too")
                    name = "lowest" if low else "highest"
                    self._check_days(days, f"the {name} of {days} days")
                    self.subject = plain
                    return Compare(plain, "<=" if low else ">=", Indicator(name, (days,), plain))
        self.back(mark)
        if match := self.eat(rf"at (?:its )?(?:a )?{N} ({SPAN}) (low|high)"):
            about = self._about(left, None)
            if about is not None and kind(about) != "price":
                plain = strict(about)
                days = self.span(match[1], match[2])
                name = "lowest" if match[3] == "low" else "highest"
                self.note("a tie with an earlier bar counts as the lowest or highest too")
                if isinstance(plain, Indicator | Field):
                    return Compare(
                        plain, "<=" if name == "lowest" else ">=", Indicator(name, (days,), plain)
                    )
        self.back(mark)
        if match := self.eat(rf"within {N} % of(?: its)?"):
            right = self.operand()
            about = self._about(left, right)
            if (
                right is not None
                and about is not None
                and kind(right) == "price"
                and kind(about) == "price"
            ):
                share = float(match[1])
                name = _loose_extreme(right) or (right.name if isinstance(right, Indicator) else "")
                if name == "highest":
                    return self.compared(about, ">=", Away(strict(right), -share))
                if name == "lowest":
                    return self.compared(about, "<=", Away(strict(right), share))
                first = self.compared(about, ">=", Away(strict(right), -share))
                second = self.compared(about, "<=", Away(strict(right), share))
                if first is not None and second is not None:
                    return And((first, second))
        self.back(mark)
        return None

    def _compared(self, left: Operand | None) -> Condition | None:
        """A plain comparison."""
        verb = self.eat(
            rf"{_IS}|{_CLOSES}|(?:{_RISES}|{_FALLS})(?= (?:by )?(?:more than |at least |over )?{N} (?:%|atr|standard|std))"
        )
        if verb is not None and re.match("(?:close[sd]?|closing|finishes|ends|ends day|settles)$", verb.group()) and left is None:
            left = CLOSE
        mark = self.mark()
        previous = self.subject
        self.subject = previous if left is None else strict(left)
        found = self._away(left)
        self.subject = previous if found is None else self.subject
        if found is not None:
            return found
        self.back(mark)
        op = self._op()
        if op is None:
            return None
        mark = self.mark()
        previous = self.subject
        if left is not None:
            self.subject = strict(left)
        several = self._averages_listed(left)
        right = several[0] if several else self._usual_volume(left) or self._right(left)
        self.subject = previous
        if right is None:
            self.back(mark)
            return None
        if several:
            about = self._about(left, right)
            items = [] if about is None else [self.compared(about, op, each) for each in several]
            return And(tuple(items)) if items and None not in items else None  # type: ignore[arg-type]
        if right == CLOSE and (match := self.eat(rf"was {N} ({SPAN}) (?:ago|before|earlier)")):
            right = Ago(CLOSE, self.span(match[1], match[2]))
        if left is None and isinstance(right, Number):
            about = self._plain_subject()
        else:
            about = self._about(left, right)
        if about is None:
            return None
        found = self.compared(about, op, right)
        if found is None:
            return None
        # "EMA 8 > EMA 21 > EMA 55"
        if match := self.eat(r"(>=|<=|>|<)"):
            further = self._right(right)
            chained = None if further is None else self.compared(right, match[1], further)  # type: ignore[arg-type]
            return None if chained is None else And((found, chained))
        return self._more_rights(strict(about), op, right, found)

    def _usual_volume(self, left: Operand | None) -> Operand | None:
        """ "volume is above average"."""
        about = left if left is not None else self.subject
        if about is None or kind(about) != "volume":
            return None
        if not self.eat(
            rf"(?:its |their )?(?:average|avg|normal|usual|mean)(?: level)?(?=$| [,;.)]|{' | '.join(['', *_AND.split('|')])} | or )"
        ):
            return None
        self.note("the average volume is of 20 bars, as no number was said")
        return Loose("sma", (20,), VOLUME)

    def _averages_listed(self, left: Operand | None) -> list[Operand]:
        """ "its 50 day, 100 day and 200 day moving averages"."""
        mark = self.mark()
        about = left if left is not None else self.subject
        if about is not None and kind(about) != "price":
            return []
        match = self.eat(
            rf"(?:all )?(?:of )?(?:its )?(?:both )?({N}(?: {DAY})?(?:(?: , and| ,| and| /) {N}(?: {DAY})?)+) (?={AVERAGE})"
        )
        if match is not None and (name := self._average_name()) is not None:
            days = [int(float(word)) for word in match[1].split() if word[0].isdigit()]
            if self._verb_next():
                self.back(mark)
                return []
            for one in days:
                self._check_days(one, f"a {one} day average")
            return [Indicator(name, (one,), CLOSE) for one in days]
        self.back(mark)
        return []

    def _op(self) -> Comparison | None:
        negated = bool(
            self.eat(
                "not(?= (?:above|over|higher|greater|more|below|under|lower|less|at least|at most))"
            )
        )
        for pattern, op in ((_UP_TO, ">="), (_DOWN_TO, "<="), (_UP, ">"), (_DOWN, "<")):
            if match := self.eat(pattern):
                found: Comparison = op  # type: ignore[assignment]
                if match.group() == "=>" and not self.peek(r"-?\d|\("):
                    return None
                if self.eat("or equal to|or equal|or equals"):
                    found = ">=" if found == ">" else "<=" if found == "<" else found
                return OPPOSITE[found] if negated else found
        return None

    def _away(self, left: Operand | None) -> Condition | None:
        """ "is 5 % below the 10 day high", "is more than 2 ATR above the average"."""
        more = self.eat(
            r"(more than|at least|over|no less than|greater than|>=|>|less than|under|at most|no more than|<)?"
        )
        word = more[1] if more and more[1] else None
        width = self.peek(
            rf"{N} (?:%|standard|std|sds?|sigmas?|stdevs?|atr|times|x|\*|average true)"
        )
        if width is None:
            return None
        mark = self.mark()
        match = self.eat(
            rf"{N} % (?:or more )?(above|over|below|under|beneath|higher than|lower than|off|greater than|less than)(?: from)?(?: its)?"
        )
        right: Operand | None = None
        if match is not None:
            inner = self.operand()
            if inner is not None and not isinstance(inner, Number):
                down = match[2] in {"below", "under", "beneath", "lower than", "off", "less than"}
                if down and float(match[1]) >= 100:  # noqa: PLR2004
                    self.problem("range", f"nothing is {match[1]} % below a price")
                right = Away(inner, -float(match[1]) if down else float(match[1]))
        else:
            self.back(mark)
            scaled = self._scaled()
            if isinstance(scaled, Apart):
                right, down = scaled, scaled.factor < 0
            elif isinstance(scaled, Multiple) and word is None:
                about = self._about(left, scaled)
                self.note("'is n times' is read as at least n times")
                return None if about is None else self.compared(about, ">=", scaled)
            elif isinstance(scaled, Indicator) and scaled.name in {
                "bollinger_upper",
                "bollinger_lower",
            }:
                right, down = scaled, scaled.name == "bollinger_lower"
            else:
                return None
        if right is None:
            return None
        about = self._about(left, right)
        if about is None or kind(about) != kind(right):
            return None
        far: Comparison = {
            None: ">=", "at least": ">=", "no less than": ">=", ">=": ">=", "at most": "<=",
            "no more than": "<=", "less than": "<", "under": "<", "<": "<",
        }.get(word, ">")  # fmt: skip
        op = FLIPPED[far] if down else far
        right = _inner_strict(right)
        return self.compared(about, op, right)

    def _plain_subject(self) -> Operand | None:
        """What an elided subject means beside a plain number: the one that was said so."""
        if self.subject is not None and self._plain(self.subject):
            return self.subject
        return None

    @staticmethod
    def _plain(operand: Operand) -> bool:
        """Whether it is usually compared with plain numbers."""
        return kind(strict(operand)) not in {"price", "volume", "width"}

    def _more_rights(
        self, about: Operand, op: Comparison, right: Operand, found: Condition
    ) -> Condition:
        """ "above its 50 day, 100 day and 200 day averages", "above 30 and below 70"."""
        items = [found]
        while True:
            mark = self.mark()
            if isinstance(right, Number):
                # Another bound for the same subject.
                if self.eat("and|but|,") and (more := self._op()) is not None:
                    bound = self._right(about)
                    if isinstance(bound, Number) and not self._acts_next():
                        second = self.compared(about, more, bound)
                        if second is not None:
                            items.append(second)
                            continue
                self.back(mark)
                break
            joint = self.eat(
                rf"(?:, and|,|and|and also)(?: its)?(?: (?:{_UP}|{_DOWN}))?(?= (?:its )?\d)|(?:, and|,|and)(?= (?:its )?(?:\d|ema|sma))"
            )
            if (
                joint is None
                or not isinstance(right, Indicator)
                or right.name not in {"sma", "ema", "wma"}
            ):
                self.back(mark)
                break
            again = re.search(rf"(?:{_UP}|{_DOWN})$", joint.group())
            if again and (again.group() in _UP.split("|")) != (op in {">", ">="}):
                self.back(mark)
                break
            another = self.operand()
            if (
                not isinstance(another, Indicator)
                or another.name not in {"sma", "ema", "wma"}
                or self._verb_next()
            ):
                self.back(mark)
                break
            second = self.compared(about, op, another)
            if second is None:
                self.back(mark)
                break
            items.append(second)
        return items[0] if len(items) == 1 else And(tuple(items))

    def _verb_next(self) -> bool:
        return bool(
            self.peek(rf"{_IS}|{_CROSSES}|{_UP}|{_DOWN}|{_UP_TO}|{_DOWN_TO}|rising|falling")
        )

    def compared(self, left: Operand, op: Comparison, right: Operand) -> Condition | None:
        """A comparison, if both sides are of one kind."""
        pair = self._pair(left, right, op)
        if pair is None:
            return None
        self.subject = pair[0] if not isinstance(pair[0], Number) else pair[1]
        return Compare(pair[0], op, pair[1])


_EXTREMES_OF: Final = {
    "rsi": (30, 70), "stochastic_k": (20, 80), "williams": (-80, -20), "mfi": (20, 80),
    "cci": (-100, 100),
}  # fmt: skip


def _sourced(operand: Operand, other: Operand) -> Operand:
    """An average of nothing said is of what it is compared with."""
    if isinstance(operand, Multiple):
        return Multiple(operand.factor, _sourced(operand.operand, other))
    if isinstance(operand, Away):
        return Away(_sourced(operand.operand, other), operand.percent)
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


def _moved_back(operand: Operand) -> Operand:
    """Of the bars before this one, where that was left open."""
    return _through(
        operand, lambda inner: Ago(strict(inner), 1) if isinstance(inner, Loose) else strict(inner)
    )


def _innermost(operand: Operand) -> Operand:
    while isinstance(operand, Multiple | Away | Apart):
        operand = operand.operand
    return operand


def _inner_strict(operand: Operand) -> Operand:
    """A distance from a high includes this bar's."""
    inner = _innermost(operand)
    if isinstance(inner, Loose) and inner.name in {"highest", "lowest"}:
        return strict(operand)
    return operand


def _is_loose_average(operand: Operand) -> bool:
    inner = _innermost(operand)
    return isinstance(inner, Loose) and inner.name == "sma"


def _loose_extreme(operand: Operand) -> str | None:
    inner = _innermost(operand)
    if isinstance(inner, Loose) and inner.name in {"highest", "lowest"}:
        return inner.name
    return None


__all__ = ["Conditions", "Not"]

"""Conditions that are said without a subject: "golden cross", "three red days"."""

from __future__ import annotations

import re

from trackrecord.strategies.rules.model import (
    Ago,
    Always,
    Compare,
    Comparison,
    Condition,
    Field,
    Indicator,
    Number,
)
from trackrecord.strategies.sentences.averages import AVERAGE
from trackrecord.strategies.sentences.cursor import DAY, SPAN, N
from trackrecord.strategies.sentences.loose import CLOSE, VOLUME
from trackrecord.strategies.sentences.pairs import Pairs
from trackrecord.strategies.sentences.wording import (
    AND_WORDS,
    GREEN,
    LAST,
    MORE_THAN,
    OR_WORDS,
    RED,
    ROW,
)


class Special(Pairs):
    """Reads conditions that name themselves."""

    named_cross: bool = False
    """Whether the last condition was a golden or death cross."""

    def _special(self) -> Condition | None:
        for read in (
            self._named_cross, self._crossover, self._candles, self._new_extreme, self._gap, self._narrow,
            self._busy, self._breakout, self._every_bar,
        ):  # fmt: skip
            mark = self.mark()
            found = read()
            if found is not None:
                return found
            self.back(mark)
        return None

    def _every_bar(self) -> Condition | None:
        return Always() if self.eat(r"on every bar|every day|each day") else None

    def _named_cross(self) -> Condition | None:
        match = self.eat(
            r"(?:there is |there was |there has been |we get |we had )?(golden|death) cross(?:es)?(?: happens| occurs| appears| forms)?"
        )
        if match is None:
            return None
        fast, slow, name = 50, 200, "sma"
        if numbers := self.eat(
            rf"(?:, |: |of |\( |with |between )*{N}(?: {DAY})?(?: (?:{AVERAGE}))? (?:(?:/|and|,|-|over|x|with|crosses above|above) )?{N}(?: {DAY})?(?: ({AVERAGE}))?(?: \))?"
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
        """For "20/50 SMA crossover", "MACD bullish crossover", "EMA cross fast 9 slow 21"."""
        turn = r"(bullish |bearish |upward |downward )?"
        end = r"(?:crossovers?|cross(?! (?:above|below|over|under))|crosses(?! (?:above|below|over|under))|crossing up|crossing)(?: (up|down)(?:wards)?)?"
        if match := self.eat(
            rf"(bullish|bearish) macd {end}|macd (bullish|bearish) (?:signal )?{end}"
        ):
            up = (match[1] or match[3]) == "bullish"
            signal = self._made("macd_signal", self._brackets(3))
            line = self._made("macd", None)
            if signal is None or line is None:
                return None
            return self.crossed(line, "above" if up else "below", signal)
        name: str | None = None
        numbers: tuple[str, str] | None = None
        down = False
        if match := self.eat(
            rf"{N}(?: {DAY})? ?(?:/|,|and|x|over|-) ?{N}(?: {DAY})? (?={AVERAGE})"
        ):
            numbers, name = (match[1], match[2]), self._average_name()
            ended = self.eat(rf"{turn}{end}")
            if ended is None:
                return None
            down = (ended[1] or "").startswith(("bear", "down")) or ended[2] == "down"
        elif (name := self._average_name()) is not None and (ended := self.eat(rf"{turn}{end}")):
            down = (ended[1] or "").startswith(("bear", "down")) or ended[2] == "down"
            if match := self.eat(
                rf"(?:of |with |: |using |between )*\(? ?(?:fast(?: period)? ?=? ?)?{N}(?: {DAY})? (?:(?:/|,|and|x|over|-) )*(?:slow(?: period)? (?:= )?)?{N}(?: {DAY})?(?: \))?"
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
            (rf"{RED} {day}", Compare(CLOSE, "<", Field("open")), "red: closed below its open"),
            (rf"{GREEN} {day}", Compare(CLOSE, ">", Field("open")), "green: closed above its open"),
            (rf"(?:down|losing|lower) {day}|lower closing prices?", Compare(CLOSE, "<", Ago(CLOSE, 1)),
             "down: closed below the close before"),
            (rf"(?:up|winning|higher|gaining) {day}|higher closing prices?", Compare(CLOSE, ">", Ago(CLOSE, 1)),
             "up: closed above the close before"),
        )  # fmt: skip
        if match := self.eat(
            rf"{N} % (up|down|green|red) day|{N} % (gain|rise|rally|jump|increase|drop|decline|fall|decrease)(?: (?:in|over) (?:last |past )?{N} ({SPAN})| in 1 day| today| on day)"
        ):
            size = float(match[1] or match[3])
            days = self.span(match[5], match[6]) if match[5] else 1
            down = (match[2] or match[4]) in {"down", "red", "drop", "decline", "fall", "decrease"}
            moved = Indicator("change", (max(1, days),), CLOSE)
            return Compare(moved, "<=" if down else ">=", Number(-size if down else size))
        if match := self.eat(r"(?:close|day|candle|bar|today) (?:is|was|closes) (green|red)"):
            self.note("red and green: closed below or above the open")
            return Compare(CLOSE, ">" if match[1] == "green" else "<", Field("open"))
        before = r"(?:there are |there is |are |is |we have |we get |it has |has |had |at least |price has |stock has |market has )?"
        for pattern, one, note in kinds:
            mark = self.mark()
            if match := self.eat(
                rf"{before}{N} (?:consecutive |straight |successive )?(?:{pattern})(?: in row| running| straight| consecutively)?"
            ):
                in_a_row = re.search("consecutive|straight|successive|row|running", match.group())
                if not in_a_row and self.peek(rf"(?:out )?of (?:last|past|previous) |{LAST}"):
                    # So many days of a few more: a rule does not count.
                    return None
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
            r"(?:prices? |stocks? |shares? |it |they |market |close )?(?:has |have |had )?(gone(?= (?:up|down))|go(?= (?:up|down))|goes(?= (?:up|down))|went(?= (?:up|down))|closes|closed|closing|close|fallen|falls|fell|dropped|drops|declined|risen|rises|rose|gained|gains|been up|been down|is up|is down|is red|is green|down|up) ?(red|green|down|up|lower|higher)? ?(?=(?:for |on )?\d+)"
        ):
            row = self.eat(rf"{ROW}")
            if row is not None:
                words = f"{match[1]} {match[2] or ''}"
                fell = re.search(r"fall|fell|drop|declin|down|lower", words)
                rose = re.search(r"rise|rose|gain|up|higher", words)
                if "red" in words or "green" in words:
                    one = Compare(CLOSE, "<" if "red" in words else ">", Field("open"))
                    self.note("red and green: closed below or above the open")
                    return self._in_a_row(row[1], one)
                if fell or rose:
                    one = Compare(CLOSE, "<" if fell else ">", Ago(CLOSE, 1))
                    self.note("down and up: closed below or above the close before")
                    return self._in_a_row(row[1], one)
        self.back(mark)
        return None

    def _new_extreme(self) -> Condition | None:
        """A new high or low of so many bars."""
        verb = r"(?:price |close |stock |it |market |there is )?(?:makes|make|making|made|has made|hitting|hits|hit|reaches|sets|prints|at|posts|is at|closes at|breaks out to|breaks to|rises to|climbs to|falls to|drops to|is|marks|tags|touches)?"
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
        return self.done() or bool(self.peek(rf"[,;.)]|{AND_WORDS}|{OR_WORDS}|exit|sell|=>|→"))

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
            rf"(?:price |stock |it |close )?(?:breaks?|broke|breaking) out of (?:its )?{N} ({SPAN}) (?:trading |price |high low )?(?:range|channel) (?:to (upside|downside)|(upwards?)|(downwards?))"
        ):
            up = match[3] == "upside" or bool(match[4])
            return self._beyond(self.span(match[1], match[2]), high=up, closing=False)
        if match := self.eat(rf"donchian(?: channel)? breakouts? \( {N}(?: {DAY})? \)"):
            return self._beyond(int(float(match[1])), high=True, closing=False)
        if match := self.eat(
            rf"(?:previous |prior |last )?{N} ({SPAN}) (closing )?(high|low) (?:is |gets |has been |was )?(?:broken|taken out|exceeded|breached)"
        ):
            return self._beyond(
                self.span(match[1], match[2]), high=match[4] == "high", closing=bool(match[3])
            )
        return None

    def _gap(self) -> Condition | None:
        match = self.eat(
            rf"(?:price |stock |it |market |there is |opens with |open |opens )?(?:gaps?|gapped|gapping) (up|down|higher|lower)(?: at open)?(?: (?:of |by )?{MORE_THAN}{N} %)?(?: or more)?(?: at open| on open| overnight| today)?"
        )
        if match is None:
            match = self.eat(
                rf"(?:price |stock |it )?opens (up|down|higher|lower) {MORE_THAN}{N} %(?: or more)?(?: at open)?"
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
        return Compare(Indicator("gap"), "<" if op == ">" else "<=", Number(-size if size else 0.0))

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
            rf"(?:it is |is |today is |day is |there is )?(?:nr {N}|narrow(?:est)? range (?:day )?(?:of |in |for |over )?(?:last |past )?{N}(?: {DAY})?)(?: days?| bars?| candles?)?"
        ):
            days = int(float(match[1] or match[2]))
            self.note("a tie with an earlier bar counts as the narrowest too")
            self.subject = wide
            return Compare(wide, "<=", Indicator("lowest", (days,), wide))
        if match := self.eat(
            rf"(?:today|day|it|this bar|bar) (?:is|has) (narrowest|widest|smallest|largest) (?:range )?(?:day |bar )?(?:of|in|over) (?:last |past )?{N} {DAY}"
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

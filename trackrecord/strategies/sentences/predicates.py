"""What is said of a subject: that it crosses, rose, turned, or is beyond something."""

from __future__ import annotations

import re
from typing import Final

from trackrecord.strategies.rules.catalogue import CATALOGUE
from trackrecord.strategies.rules.kinds import kind
from trackrecord.strategies.rules.model import (
    Ago,
    Compare,
    Condition,
    Cross,
    Direction,
    Field,
    Indicator,
    Number,
    Operand,
)
from trackrecord.strategies.sentences.cursor import DAY, SPAN, N
from trackrecord.strategies.sentences.loose import CLOSE, loose_extreme, strict
from trackrecord.strategies.sentences.reaching import Reaching
from trackrecord.strategies.sentences.wording import (
    CLOSES,
    CROSSES,
    FALLS,
    MORE_THAN,
    RISES,
    STATES,
)

UNSPANNED: Final = "a change without a span is that from the close before"


class Predicates(Reaching):
    """Reads a subject and what is said of it."""

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
        if self.eat(
            rf"(?:stock |price |it )?opens?(?= (?:more|less|at least|above|below|over|under|{N} %))"
        ):
            found = self._said(Field("open"))
            if found is not None:
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

    def _said(self, left: Operand | None) -> Condition | None:
        """What is said of a subject; None for "it" or nothing."""
        for read in (
            self._reached, self._crossing, self._breaking, self._placed, self._fallen, self._moved, self._turned,
            self._extreme_made, self._broken, self._ranged, self._compared,
        ):  # fmt: skip
            mark = self.mark()
            found = read(left)
            if found is not None:
                return found
            self.back(mark)
        return None

    def _breaking(self, left: Operand | None) -> Condition | None:
        """For "breaks the 20 day high"."""
        if not self.eat(r"(?:has )?(?:breaks?|broke|broken|clears|takes out|surpasses|breaches)"):
            return None
        before, self.subject = self.subject, left if left is not None else self.subject
        right = self.operand()
        self.subject = before
        side = None if right is None else loose_extreme(right)
        if side is None and right in {Ago(Field("high"), 1), Ago(Field("low"), 1)}:
            side = "highest" if right == Ago(Field("high"), 1) else "lowest"
        about = self._about(left, right)
        if right is None or side is None or about is None or kind(about) != "price":
            return None
        return self.compared(about, ">" if side == "highest" else "<", right)

    def _crossing(self, left: Operand | None) -> Condition | None:
        """For "crosses above the 50", "crosses back below", "moves from below to above"."""
        soft = False
        direction: Direction
        moved = self.eat(
            rf"(?:is |are |has |have )?{CROSSES}(?: (?:back|over to))?(?: up| down)?(?: (?:from (?:below|above|under|over)))? ?(above|over|below|under|beneath|through|upwards|downwards|up through|down through|up|down|upward|downward|higher|lower|to upside|to downside|up over|down under)?"
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
                rf"(?:is |has |have )?{RISES} ?(?:back )?(?:(?:to )?(above|over|higher than)|(through|up through|past|out above)|to (more than|greater than))"
            )
            falling = (
                None
                if rising
                else self.eat(
                    rf"(?:is |has |have )?{FALLS} ?(?:back )?(?:(?:to )?(below|under|beneath|lower than)|(through|down through)|to (less than))"
                )
            )
            if rising is None and falling is None:
                return None
            found = rising or falling
            assert found is not None  # noqa: S101 - one of them was
            if found[2] == "through" and re.match(
                r"(?:is |has )?(?:breaks?|moves|goes|comes|turns|gets)", found.group()
            ):
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
            if (
                left is None
                and self.cross is not None
                and (not soft or self.done() or self.peek(r"[,;.)]|and|with"))
            ):
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
        right = self._same_average(left) or self.operand()
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
        if right is None or right == CLOSE:
            if self.cross is None:
                return None
            return self.crossed(self.cross[0], "above" if up else "below", self.cross[1])
        about = self._about(left, right)
        return None if about is None else self.crossed(about, "above" if up else "below", right)

    def _placed(self, left: Operand | None) -> Condition | None:
        """Where the subject is within something: "in the top 10 % of the day's range"."""
        verb = self.eat(rf"{STATES}|{CLOSES}")
        self.eat(r"(?:with)?in|at|near(?! \d)")
        match = self.eat(
            r"(top|upper|highest|bottom|lower|lowest) (?:(\d+(?:\.\d+)?) %|(quarter|third|half|decile)|1 (quarter|third))(?: of)?"
        )
        if match is None:
            return None
        share = (
            float(match[2])
            if match[2]
            else {"quarter": 25.0, "half": 50.0, "decile": 10.0}.get(match[3] or match[4])
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
        elif verb and not match.group().endswith(" of") and self.at_subjectless():
            self.note("a part of the range that is not said to be another's is of the bar's own")
            place = Indicator("range_position")
        if place is None:
            return None
        self.subject = CLOSE
        if match[1] in {"top", "upper", "highest"}:
            return Compare(place, ">=", Number(100 - share))
        return Compare(place, "<=", Number(share))

    def _moved(self, left: Operand | None) -> Condition | None:
        """By how many percent the subject changed: "is up more than 10% over the last 90 days"."""
        if (left is None or strict(left) == CLOSE) and (
            match := self.eat(
                rf"(?:{STATES} |{CLOSES} )?(up|down|higher|lower) (?:on day|today)(?=$| [,;.)]| and| or| with)"
            )
        ):
            self.subject = CLOSE
            return Compare(CLOSE, ">" if match[1] in {"up", "higher"} else "<", Ago(CLOSE, 1))
        match = self.eat(
            rf"(?:{STATES} ?|{CLOSES} ?|(?:has |have |had )?(?:gone|goes|go|went|moves|moved) (?=up|down|higher|lower)|have |had )?(up|down|higher|lower|rises|rose|risen|gains|gained|gain|rallies|rallied|jumps|jumped|climbs|climbed|increases|increased|advances|advanced|surges|falls|fell|fallen|drops|drop|dropped|loses|lost|declines|declined|declines|decreases|decreased|slides|sinks|dips|plunges|tumbles|crashes|returns|returned) (?:by )?{MORE_THAN}{N} %(?: or more| or greater)?"
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
            r"today|on day|in (?:1|single) (?:trading )?(?:day|session)|that day|from previous close|from yesterday(?: close)?|versus previous close|on same day|for day|compared to yesterday|day(?=$| [,;.])"
        ):
            days = 1
        else:
            self.note(UNSPANNED)
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
        """For "turns bullish", "is positive", "is rising"."""
        subject = left if left is not None else self.subject
        if subject is None:
            return None
        plain = strict(subject)
        if match := self.eat(
            rf"(turns|turning|flips|flipping|changes|goes|switches|becomes|turned|{STATES})(?: to| from \w+ to)? ?(bullish|bearish|green|red|positive|negative|up|down|long|buy|sell|uptrend|downtrend|above 0|below 0)(?! (?:\d|%))"
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
        if (
            isinstance(plain, Indicator | Field)
            and not isinstance(plain, Number)
            and (
                steady := self.eat(
                    rf"(?:has |have )?(?:been )?(rises|rising|risen|increases|increased|falls|falling|fallen|decreases|decreased|declines)(?= (?:for )?(?:at least )?\d+ (?:consecutive|straight|{DAY}))"
                )
            )
        ):
            up = steady[1][:2] in {"ri", "in"}
            self.subject = plain
            return Compare(plain, ">" if up else "<", Ago(plain, 1))
        if match := self.eat(
            rf"(?:{STATES} )?(rising|increasing|sloping up|sloping upward|sloping upwards|trending up|pointing up|going up|upward sloping|falling|decreasing|sloping down|sloping downward|sloping downwards|trending down|declining|going down|downward sloping)(?! \d)"
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
            and (match := self.eat(rf"(?:{STATES} |becomes |gets )?(oversold|overbought)"))
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


_EXTREMES_OF: Final = {
    "rsi": (30, 70), "stochastic_k": (20, 80), "williams": (-80, -20), "mfi": (20, 80),
    "cci": (-100, 100),
}  # fmt: skip

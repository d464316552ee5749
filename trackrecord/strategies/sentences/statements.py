"""What a sentence says is to be done: entries, exits, stops, targets, holding times, filters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from trackrecord.strategies.rules.canonical import canonical, opposite
from trackrecord.strategies.rules.model import (
    Ago,
    Always,
    And,
    Compare,
    Condition,
    Cross,
    Field,
    Indicator,
    Level,
    Number,
    Operand,
    Or,
    Percent,
    Ranges,
    Risk,
    Stop,
    Target,
    Trail,
)
from trackrecord.strategies.sentences.conditions import Conditions
from trackrecord.strategies.sentences.cursor import DAY, SPAN, N
from trackrecord.strategies.rules.kinds import kind
from trackrecord.strategies.sentences.operands import CLOSE, strict

Role = Literal["long", "exit", "short", "cover", "filter", "either"]

_THING: Final = (
    r"(?: (?:stock|stocks|share|shares|it|position|positions|trade|trades|position in stock|signal|entry|all))?"
    r"(?: (?:at|on) (?:open of next day|next open|next day open|next days? open|open next day|tomorrow open|next bar open|open tomorrow|close|market close|end of day|market))?"
    r"(?: (?:next day|tomorrow|next bar))?"
)
_WHEN: Final = (
    r"whenever|when|if|once|on|after|as soon as|as|where|upon|signal|condition|conditions|:|at time|following|until|only when|only if|"
    r"provided|each time|every time|any time|time|on day|on days when|in case|when signal|first time|at moment|moment|=|while|with|at"
)
_LONG: Final = (
    r"buy to open|buy|buys|buying|purchase|purchases|go long|goes long|going long|enter long position|enter long trade|enter long|enters long|open long position|open long|"
    r"take long position|take long|initiate long|long entry|long position|long|enter position|enter trade|enter|entry rule|entry signal|entry|get in|get long|open position|open trade|initiate position"
)
_EXIT: Final = (
    r"sell to close|sell out|sell|sells|selling|exit rule|exit signal|exit long position|exit long|exit position|exit trade|exit|exits|exiting|close long position|"
    r"close long|close position|close trade|close out position|close out|close it|close them|get out|liquidate|flatten|long exit|leave|out|close(?= (?:when|if|once|position|trade|long))|unload"
)
_SHORT: Final = r"sell short|short sell|short|go short|goes short|going short|enter short position|enter short|open short position|open short|take short position|short entry|shorts"
_COVER: Final = r"buy to cover|cover short|cover|buy back|exit short position|exit short|close short position|close short|short exit|buy it back|covers"
_STOP: Final = r"(?:(?:with|use|using|set|put|place|add|and|have) )*(?:hard |initial |fixed |protective |catastrophic )?(?:stop ?loss(?: order)?|stoploss|stop out|stops?|sl)"
_TARGET: Final = r"(?:(?:with|use|using|set|take|and|have) )*(?:take profits?|profit target|price target|target profit|profit taking|target price|target|tp|profits?)"
_TRAIL: Final = r"(?:(?:with|use|using|set|and|have|exit (?:with|on|by)) )*(?:trailing stop ?loss|trailing stoploss|trailing stop|trailing sl|trail (?:position|trade|stop loss|stop|it)(?: by)?|trail(?:ing)?(?: by)?|tsl|chandelier exit|chandelier stop)"
_IS: Final = r"(?:(?:of|at|is|=|:|to|by|set at|set to|is set at|placed at|is placed|set|placed|is at|for|about_|distance|order at|order) ?)*"
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
_LABEL: Final = (
    r"(?:momentum|mean reversion|trend following|trend|breakout|swing|buy dip|dip buying|pullback|reversal|turtle|setup|rules?|system|simple|"
    r"crossover|nr7|bollinger|volatility squeeze|squeeze|idea|inside day|rsi)(?: (?:strategy|trading|system|rules?|trade|setup|reversion))? :"
)


@dataclass
class Said:
    """What has been understood of a sentence.

    Attributes:
        conditions: Each with what it is for.
        sides: ``long`` or ``short`` only, or ``both``; None where it was not said.
        reverse: Whether the exit is the entry's cross the other way round.
        unread: Spans of the text that nothing claimed.
    """

    conditions: list[tuple[Role, Condition]] = field(default_factory=list)
    sides: Literal["long", "short", "both"] | None = None
    stop: Stop | None = None
    target: Target | None = None
    trail: Trail | None = None
    horizon: int | None = None
    weekdays: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    first_of: Literal["week", "month"] | None = None
    reverse: bool = False
    named_cross: bool = False
    unread: list[tuple[int, int]] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    operands: int = 0
    bare: list[tuple[str, int, int]] = field(default_factory=list)


class Statements(Conditions):
    """Reads a whole sentence."""

    def sentence(self) -> Said:
        """Everything there is, statement by statement; what fits none is left unread."""
        self.said_all = Said()
        role: Role | None = None
        while not self.done():
            start = self.at
            if self._separator() or self._modifier():
                continue
            found = self._label() or self._action(role) or self._condition_first()
            if found is not None:
                role = found
                continue
            self.at = start
            self._skip()
        for name, begin, end in self.said_all.bare:
            if not self._served(name):
                self.said_all.unread.append((begin, end))
        return self.said_all

    def _served(self, name: str) -> bool:
        """Whether an action without a condition of its own is otherwise completed."""
        said = self.said_all
        roles = {role for role, _ in said.conditions}
        if name in {"long", "short"}:
            scheduled = said.weekdays or said.months or said.first_of
            both = said.sides == "both" and bool(roles & {"long", "short"})
            return name in roles or "either" in roles or bool(scheduled) or both
        return False

    def _separator(self) -> bool:
        return (
            self.eat(
                r"[,;.:]|and|that|trade(?= \d| donchian| breakout| golden| long)|then|also|so|but|or(?= (?:exit|sell|after|stop))|when(?= (?:exit|sell|buy))|with(?= (?:stop|\d))"
            )
            is not None
        )

    def _skip(self) -> None:
        """Leave a word unread."""
        start = self.at
        before = len(self.text)
        if self.operand_here():
            self.said_all.operands += 1
        self.at = start
        end = self.text.find(" ", self.at)
        end = before if end < 0 else end
        self.said_all.unread.append((self.at, end))
        self.at = min(before, end + 1)

    def operand_here(self) -> bool:
        """Whether an indicator stands here; says of a sentence that it is about trading."""
        mark = self.mark()
        found = self.operand()
        self.back(mark)
        return isinstance(found, Indicator | Ago) and not isinstance(found, Number)

    def _label(self) -> Role | None:
        """A heading: "Momentum:", or "Supertrend (10, 3):", which later words refer to."""
        mark = self.mark()
        if self.eat(_LABEL):
            return "either"
        found = self.operand()
        if isinstance(found, Indicator) and self.eat(":"):
            self.subject = strict(found)
            self.said_all.operands += 1
            return "either"
        self.back(mark)
        return None

    # Actions

    def _action(self, role: Role | None) -> Role | None:
        mark = self.mark()
        start = self.at
        found = self._verb()
        if found is None:
            return None
        name = found
        if name == "exit" and self._shorts():
            name = "cover"
        if name == "long" and self.eat(r"and hold(?! for| \d| until)"):
            pass
        if self._after_verb(name):
            return name
        place = self.mark()
        condition = self._introduced()
        if condition is not None:
            self._add(name, condition)
            self._or_after(name)
            return name
        self.back(place)
        if self._exit_at(name):
            return name
        self.back(place)
        if self.horizon_here(name):
            return name
        self.back(place)
        # An action alone: the condition stood before it, or comes in a sentence of its own.
        if name in {"long", "short"} and not self.peek(r"(?:low|high|\d)"):
            self.said_all.bare.append((name, start, self._end(start)))
            self.said_all.actions.append(name)
            return name
        self.back(mark)
        return None

    def _introduced(self) -> Condition | None:
        """A condition behind no, one or two words such as "when" and "on"."""
        mark = self.mark()
        for words in range(3):
            if all(self.eat(_WHEN) for _ in range(words)):
                found = self.condition()
                if found is not None:
                    return found
            self.back(mark)
        return None

    def _end(self, start: int) -> int:
        return max(start + 1, self.at - 1 if self.at < len(self.text) else len(self.text))

    def _verb(self) -> Role | None:
        """Which action begins here."""
        verbs: tuple[tuple[str, Role], ...] = (
            (_COVER, "cover"), (_SHORT, "short"), (_LONG, "long"), (_EXIT, "exit"),
        )  # fmt: skip
        if self.peek(r"(?:long|short)s? only|long and short|long or short|long /"):
            return None
        for pattern, role in verbs:
            if self.eat(rf"(?:to )?(?:{pattern}){_THING}(?: :)?"):
                return role
        return None

    def _shorts(self) -> bool:
        """Whether only shorts have been entered so far."""
        roles = {role for role, _ in self.said_all.conditions} | set(self.said_all.actions)
        return "short" in roles and "long" not in roles

    def _after_verb(self, name: Role) -> bool:
        """What stands behind a verb instead of a condition."""
        if name in {"exit", "cover"}:
            if self.eat(
                r"(?:when|on|if|at)? ?(?:opposite|reverse)(?: (?:happens|signal|cross|crossover|occurs|is true|condition))*|(?:vice versa)|when reverse happens|on opposite"
            ):
                self.said_all.reverse = True
                return True
            mark = self.mark()
            ends = r"(?=$| [,;.]| with| stop| and)"
            if self.cross is not None and self.eat(
                rf"(?:when|if|once|on) (?:it|they|that|this)? ?(?:crosses|cross|crossing|reverses|is reversed){ends}"
            ):
                self.said_all.reverse = True
                return True
            self.back(mark)
            self.eat("on|with|by|via|using|at|through")
            if self._trail() or self._stop() or self._target():
                return True
            self.back(mark)
        return False

    def _or_after(self, name: Role) -> None:
        """ "... or after 8 days"."""
        if name not in {"exit", "cover"}:
            return
        while True:
            mark = self.mark()
            if not self.eat(r"(?:,|or|, or)(?: (?:else|otherwise))?"):
                return
            if self.horizon_here(name):
                continue
            self.eat("with|by|at|on|when|if")
            if not (self._trail() or self._stop() or self._target()):
                self.back(mark)
                return

    def _add(self, role: Role, condition: Condition) -> None:
        self.said_all.conditions.append((role, condition))

    def _exit_at(self, name: Role) -> bool:
        """ "cover at the 20 day average", "take profit at the middle band"."""
        if name not in {"exit", "cover"} or not self.eat(
            r"at|on touch of|when touching|when it (?:reaches|touches|hits)|when price (?:reaches|touches|hits)|on reaching|(?:when|once|if) (?:it|price|close) (?:gets|comes|goes|returns|reverts|rises|falls) (?:back )?to|upon touching"
        ):
            return False
        level = self.operand()
        if level is None or isinstance(level, Number) or kind(level) != "price":
            return False
        if strict(level) in {CLOSE, Field("open")}:
            return False
        side = self._profit_side(name)
        if side is None:
            return False
        self.note(
            "an exit at a level that moves is decided at the close, once the close has reached it"
        )
        self._add(name, Compare(CLOSE, side, strict(level)))
        return True

    def _profit_side(self, name: Role) -> Literal[">=", "<="] | None:
        """On which side of a level an exit lies: beyond it, seen from the entry."""
        role = "short" if name == "cover" else "long"
        for said, condition in self.said_all.conditions:
            if said == role and (beyond := _entered(condition)) is not None:
                if role == "long" and beyond == "below":
                    return ">="
                if role == "short" and beyond == "above":
                    return "<="
        return None

    def _condition_first(self) -> Role | None:
        """A condition, and behind it what is done: "when RSI < 30, buy"; or nothing: an entry."""
        mark = self.mark()
        started = self.peek(_WHEN)
        condition = self._introduced()
        if condition is None:
            self.back(mark)
            return None
        place = self.mark()
        arrow = self.eat(r"(?:,|;|:)? ?(?:=>|→|then|: )?(?: ?then)?(?: ?(?:i|we))?")
        name = self._verb()
        if name is not None and not self._own_condition(name):
            if name == "exit" and self._shorts():
                name = "cover"
            self._add(name, condition)
            return name
        self.back(place)
        del arrow
        if started is None and self.said_all.bare and not self.said_all.conditions:
            name = "short" if self.said_all.bare[-1][0] == "short" else "long"
            self._add(name, condition)
            return name
        self.said_all.named_cross = self.named_cross
        roles = {role for role, _ in self.said_all.conditions}
        if not roles & {"long", "short", "either"}:
            self._add("either", condition)
            return "either"
        self.back(mark)
        return None

    def _own_condition(self, name: Role) -> bool:
        """Whether the verb that follows a condition has one of its own."""
        mark = self.mark()
        found = bool(self.eat(rf"(?:{_WHEN})")) and self.condition() is not None
        if not found:
            self.back(mark)
            found = name in {"exit", "cover"} and self.condition() is not None
        self.back(mark)
        return found

    # What is not an action

    def _modifier(self) -> bool:
        for read in (
            self._sides, self._next_day, self._profit_or_loss, self._trail, self._stop, self._target,
            self._take_profit_at, self._filter, self._hold, self._schedule, self._known,
        ):  # fmt: skip
            mark = self.mark()
            if read():
                return True
            self.back(mark)
        return False

    def _known(self) -> bool:
        """What says how it works anyway."""
        return (
            self.eat(
                r"(?:daily|on daily)(?: (?:bars|chart|charts|timeframe|data|candles))?|"
                r"(?:1|single) position(?: at time)?|no pyramiding|at next (?:day )?open|on next open|at open of next (?:day|bar)|"
                r"(?:enter|buy|fill|filled|execute) (?:at|on) next (?:day )?open|end of day|strategy|strategies|(?:no|without(?: any)?) (?:stop loss|stops?|target|take profit|trailing stop)"
            )
            is not None
        )

    def _sides(self) -> bool:
        said = self.said_all
        if self.eat(
            r"long only|only long|longs only|long side only|only longs|only long positions|only on long side|long positions only|no shorts|no shorting|no short selling|never short|only take longs|only go long(?! (?:when|if|in|on))|do not short"
        ):
            said.sides = "long"
            return True
        if self.eat(
            r"short only|only short|shorts only|only shorts|short side only|no longs|only go short"
        ):
            said.sides = "short"
            return True
        if self.eat(
            r"(?:in |on |trade |for |go )?both directions|both sides|both ways|long and short|in either direction|either direction|long or short|both long and short|long/short|long / short"
        ):
            said.sides = "both"
            return True
        return False

    def _next_day(self) -> bool:
        """Bought today and sold tomorrow."""
        if self.eat(
            r"(?:btst|buy today(?: ,| and)? sell tomorrow|buy today and sell next day)(?: :)?"
        ):
            role = "long"
        elif self.eat(
            r"(?:stbt|sell today(?: ,| and)? buy (?:back )?tomorrow|short today(?: ,| and)? cover tomorrow)(?: :)?"
        ):
            role = "short"
        else:
            return False
        said = self.said_all
        said.horizon = 1
        self.note(
            "bought today and sold tomorrow: entered at the next open, closed at that bar's close"
        )
        mark = self.mark()
        verb = self._verb() if role == "long" else None
        if verb not in {"long", "short"}:
            self.back(mark)
        self.eat(r":|,")
        self.eat(rf"(?:{_WHEN})")
        condition = self.condition()
        if condition is not None:
            self._add(role, condition)  # type: ignore[arg-type]
        else:
            said.bare.append((role, mark.place, self._end(mark.place)))
            said.actions.append(role)
        return True

    def _distance(self) -> Percent | Ranges | None:
        mark = self.mark()
        if match := self.eat(rf"(?:{N} %)"):
            return Percent(float(match[1]))
        if match := self.eat(
            rf"{N} ?(?:times|x|\*)? ?(?:{N} (?:{DAY}) )?(?:atrs?|average true ranges?)(?: of)?(?: ?\( ?{N}(?: {DAY})? ?\)| {N}(?: {DAY})?(?! %)| of {N} {DAY})?"
        ):
            days = match[2] or match[3] or match[4] or match[5]
            return self._ranges(match[1], days)
        if match := self.eat(
            rf"(?:atr|average true range)(?: ?\( {N}(?: {DAY})? \)| {N})? (?:x|times|\*) {N}"
        ):
            return self._ranges(match[3], match[1] or match[2])
        if match := self.eat(
            rf"(?:1 )?(?:{N} {DAY} )?(?:atr|average true range)(?: ?\( {N}(?: {DAY})? \))?"
        ):
            return self._ranges("1", match[1] or match[2])
        self.back(mark)
        return None

    def _ranges(self, multiple: str, days: str | None) -> Ranges:
        if days is None:
            before = self._said_before("atr")
            if before is None:
                self.note("the average true range is of 14 bars, as no number was said")
            days = f"{before[0]}" if before else "14"
        else:
            self.said.append(("atr", (float(days),)))
        if float(days) < 1:
            self.problem("range", "an average true range of 0 days cannot be")
        return Ranges(float(multiple), max(1, int(float(days))))

    _FROM: Final = (
        r"(?:(?:below|above|under|over|from|away from|off|of|on|beneath)(?: my| its)? (?:entry price|entry|close|purchase price|buy price|closing price|price|cost|fill|entry level|signal close|decision close)|"
        r"(?:below|above|away|loss|down|up|profit|gain|from there|per trade))"
    )

    def _stop(self) -> bool:
        mark = self.mark()
        if self.eat(rf"{_STOP}(?! (?:trading|buying))"):
            self.eat(_IS)
            if self.eat(r"1 r(?! )"):
                return False
            found: Stop | None = self._distance()
            if found is None:
                level = self._stop_level()
                if level is None:
                    return False
                found = level
            self.eat(self._FROM)
            return self._set_stop(found)
        self.back(mark)
        if (
            found := self._distance_first(
                r"(?:hard |initial |fixed |protective |maximum |max )?(?:stop ?loss|stoploss|stops?|sl|loss limit)(?! out)"
            )
        ) is not None:
            self.eat(self._FROM)
            return self._set_stop(found)
        self.back(mark)
        match = self.eat(
            rf"(?:sell|exit|get out|close|cut losses|cut loss|cut|bail|bail out|cover|stop out)(?: (?:it|position|loss|losses))?(?: (?:if|when|at|on|with|once))?(?: (?:loss|losses) (?:of|reaches|exceeds|is|hits|at))? ?{N} % (?:loss|losses|drawdown|below entry(?: price)?|under entry(?: price)?|below purchase price)|(?:if|when) (?:down|loss is|losing) {N} %(?: from entry| or more)?|(?:sell|exit)(?: if| when)? (?:it |price )?(?:falls|drops|is down) {N} % (?:below|from|under) (?:my |its )?(?:entry|purchase|buy)(?: price)?"
        )
        if match is not None:
            return self._set_stop(Percent(float(match[1] or match[2] or match[3])))
        if match := self.eat(rf"(?:cut losses|cut loss|cut it)(?: at| of)? {N} %"):
            return self._set_stop(Percent(float(match[1])))
        return False

    def _stop_level(self) -> Level | None:
        """ "stop at the low of the day", "stop below the 10 day low"."""
        self.eat("below|under|just below|at|above|just above|over")
        level = self.operand()
        if level is None:
            return None
        plain = strict(level)
        inner = plain.operand if isinstance(plain, Ago) else plain
        extreme = isinstance(inner, Indicator) and inner.name in {"highest", "lowest"}
        if (isinstance(inner, Field) and inner.name in {"high", "low"}) or extreme:
            self.note("the stop stands where that price is at the decision, and stays there")
            return Level(plain)
        return None

    def _distance_first(self, words: str) -> Percent | Ranges | None:
        mark = self.mark()
        self.eat("(?:(?:with|use|using|set|put|place|and|have|on) )*")
        found = self._distance()
        if found is not None and self.eat(words):
            return found
        self.back(mark)
        return None

    def _set_stop(self, stop: Stop) -> bool:
        if isinstance(stop, Percent) and not 0 < stop.size < 100:  # noqa: PLR2004
            self.problem(
                "range", f"a stop of {stop.size:g} % cannot be: it lies between 0 and 100 %"
            )
        if isinstance(stop, Ranges) and stop.multiple <= 0:
            self.problem("range", "a stop of 0 ranges cannot be")
        if self.said_all.stop is not None and self.said_all.stop != stop:
            return False
        self.said_all.stop = stop
        return True

    def _set_target(self, target: Target) -> bool:
        if isinstance(target, Percent) and not 0 < target.size <= 500:  # noqa: PLR2004
            self.problem(
                "range", f"a target of {target.size:g} % cannot be: it lies between 0 and 500 %"
            )
        if self.said_all.target is not None and self.said_all.target != target:
            return False
        self.said_all.target = target
        return True

    def _target(self) -> bool:
        mark = self.mark()
        if self.eat(_TARGET):
            self.eat(_IS)
            if (risk := self._risk()) is not None:
                return self._set_target(risk)
            found = self._distance()
            if found is not None:
                self.eat(self._FROM)
                return self._set_target(found)
        self.back(mark)
        if (
            found := self._distance_first(
                r"(?:take profits?|profit target|profit taking|target profit|profit|targets?|tp|gain target)"
            )
        ) is not None:
            self.eat(self._FROM)
            return self._set_target(found)
        self.back(mark)
        self.eat(r"(?:(?:with|use|using|and|at) )*")
        if self.eat(
            r"(?:risk (?:to )?reward|reward (?:to )?risk|risk / reward|reward / risk|rr|rrr)(?: ratio)?"
        ):
            self.eat(_IS)
            if (risk := self._risk(bare=True)) is not None:
                return self._set_target(risk)
        self.back(mark)
        self.eat(r"(?:(?:with|use|using|and|at) )*")
        if match := self.eat(
            rf"{N} (?::|to) {N} (?:risk (?:to )?reward|reward (?:to )?risk|risk / reward|reward / risk|rr)(?: ratio)?"
        ):
            high, low = float(match[1]), float(match[2])
            if high > 0 and low > 0:
                return self._set_target(Risk(max(high, low) / min(high, low)))
        self.back(mark)
        match = self.eat(
            rf"(?:sell|exit|get out|close|cover|take gains|lock in gains|book profits?)(?: (?:it|position))?(?: (?:if|when|at|on|with|once|for))?(?: (?:profit|gain|gains) (?:of|reaches|is|hits|at))? ?{N} % (?:profit|profits|gain|gains|in profit|above entry(?: price)?|over entry(?: price)?|up)|(?:sell|exit)(?: if| when| once)? (?:it |price |position )?(?:rises|gains|is up|goes up) {N} % (?:above|from|over|since) (?:my |its )?(?:entry|purchase|buy)(?: price)?"
        )
        if match is not None:
            return self._set_target(Percent(float(match[1] or match[2])))
        return False

    def _risk(self, *, bare: bool = False) -> Risk | None:
        if match := self.eat(rf"{N} (?:: {N}|to {N})"):
            one, other = float(match[1]), float(match[2] or match[3])
            if min(one, other) > 0:
                self.eat(
                    r"(?:risk (?:to |/ )?reward|reward (?:to |/ )?risk|rr)(?: ratio)?|of risk|risk"
                )
                return Risk(max(one, other) / min(one, other))
            return None
        if match := self.eat(
            rf"{N} ?(?:r|times (?:my )?risk|x risk|times stop(?: distance| loss)?|times initial risk|x stop(?: distance)?)"
        ):
            return Risk(float(match[1]))
        if bare and (match := self.eat(N)):
            return Risk(float(match[1]))
        return None

    def _profit_or_loss(self) -> bool:
        """ "exit with 5 % profit or 5 % loss", "at +8 % or -4 %"."""
        match = self.eat(
            rf"(?:exit|sell|close|get out|out)(?: (?:position|trade|it))?(?: (?:with|at|on|for|when|after))? {N} % (profit|gain|loss) (?:or|and) {N} % (profit|gain|loss)"
        )
        if match is None or (match[2] == "loss") == (match[4] == "loss"):
            return False
        gain, loss = (match[3], match[1]) if match[2] == "loss" else (match[1], match[3])
        return self._set_target(Percent(float(gain))) and self._set_stop(Percent(float(loss)))

    def _take_profit_at(self) -> bool:
        """ "take profit at the middle band": an exit that is decided."""
        if not self.eat(
            r"(?:and )?(?:take profits?|target(?: is)?|profit target(?: is)?|tp)(?: (?:at|on|when|if|once|=|:|when price (?:reaches|touches|hits)|when it (?:reaches|touches|hits)))"
        ):
            return False
        name: Role = "cover" if self._shorts() else "exit"
        mark = self.mark()
        condition = self.condition()
        if condition is not None:
            self._add(name, condition)
            return True
        self.back(mark)
        level = self.operand()
        if (
            level is None
            or isinstance(level, Number)
            or kind(level) != "price"
            or strict(level) == CLOSE
        ):
            return False
        self.note(
            "an exit at a level that moves is decided at the close, once the close has reached it"
        )
        self._add(name, Compare(CLOSE, "<=" if name == "cover" else ">=", strict(level)))
        return True

    def _trail(self) -> bool:
        mark = self.mark()
        if self.eat(_TRAIL):
            self.eat(_IS)
            found = self._distance()
            if found is not None:
                self.eat(
                    r"(?:below|from|under|off) (?:its )?(?:highest close|highest high|peak|high|top|best close)(?: since entry)?"
                )
                return self._set_trail(found)
        self.back(mark)
        if (
            found := self._distance_first(
                r"(?:trailing stop ?loss|trailing stoploss|trailing stop|trailing|trail|chandelier exit|chandelier stop)"
            )
        ) is not None:
            self.eat(r"(?:below|from|under|off) (?:its )?(?:highest close|peak)(?: since entry)?")
            return self._set_trail(found)
        self.back(mark)
        verb = r"(?:exit|sell|get out|close|cover|leave)(?: (?:it|position))? (?:if|when|once)"
        falls = r"(?:price |it |close |stock )?(?:is |has )?(?:falls|fallen|drops|dropped|declines|declined|retraces|pulls back|slips|down|loses|gives back|closes)(?: by)?(?: more than| at least)?"
        peak = r"(?:from|below|off|under) (?:its |their )?(?:highest close|highest closing price|highest price|peak|highest point|high|top|highest level|best close|maximum close|highest value|closing high)(?: (?:since|after|during) (?:entry|buying|entering|trade|we bought|bought|purchase|position was opened|opening))?(?: price)?"
        if self.eat(verb) and self.eat(falls):
            found = self._distance()
            if found is not None and (said := self.eat(peak)):
                if "since" not in said.group() and "peak" not in said.group():
                    return False
                return self._set_trail(found)
        return False

    def _set_trail(self, trail: Trail) -> bool:
        if isinstance(trail, Percent) and not 0 < trail.size < 100:  # noqa: PLR2004
            self.problem("range", f"a trailing stop of {trail.size:g} % cannot be")
        if self.said_all.trail is not None and self.said_all.trail != trail:
            return False
        self.note(
            "the trailing stop is worked out at each close, from the best close since the entry, and acts at the next open"
        )
        self.said_all.trail = trail
        return True

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
            ("at close", "on close", "end of day", "market close")
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

    def _filter(self) -> bool:
        trade = r"(?:trade|enter|buy|go long|go short|take trades|take trade|take longs|take long|take entries|take signals|take signal|take long trades|trades|entries|long|longs|take positions|act|take position|short|do so|do this|take it|in|allow entries|allowed|if|when)"
        start = self.mark()
        negative = False
        if self.eat(
            rf"(?:do not|never|no|avoid|not|skip|skip trade|skip trades|no new|stay out|stay flat)(?: {trade}| trading| buying| trades| entering| entries| it| signals)* (?:when|if|while|unless|on|in|during)"
        ):
            unless = self.text[start.place : self.at].rstrip().endswith("unless")
            negative = not unless
        elif self.eat(r"unless"):
            negative = True
        elif self.eat(
            rf"(?:but |and )?only(?: {trade})*(?: only)? (?:when|if|while|as long as|on condition|provided|where|in case|with|after|on|in)|(?:{trade} )+only (?:when|if|while|with|as long as|on|in)|(?:filters?|regime filter|trend filter|condition)(?: :|: | is| =)?(?: that)?|only(?= )|(?:but|and) only|provided(?: that)?|as long as|while"
        ):
            pass
        else:
            return False
        if self.eat("not(?= )"):
            negative = not negative
        if self._days_said(negative=negative) or self._first_said():
            return not negative or bool(self.said_all.weekdays or self.said_all.months)
        mark = self.mark()
        condition = self.condition()
        if condition is None:
            self.back(mark)
            return False
        self._add("filter", opposite(condition) if negative else condition)
        return True

    def _schedule(self) -> bool:
        if self.eat(
            r"not(?: (?:on|in|during))?|except(?: (?:on|in|during))?|never on|excluding|exclude|avoid"
        ):
            return self._days_said(negative=True)
        self.eat(r"(?:only )?(?:on|in|during|every|each|from|at)(?: (?:each|every|any))?|only")
        return self._first_said() or self._days_said(negative=False)

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


def _entered(condition: Condition) -> str | None:
    """On which side of things prices are when a condition holds: "below", "above" or unclear."""
    if isinstance(condition, And | Or):
        sides = {_entered(item) for item in condition.items} - {None}
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


__all__ = ["Always", "Operand", "Said", "Statements"]

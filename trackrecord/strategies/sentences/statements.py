"""What a sentence says is to be done: entries, exits, filters, sides."""

from __future__ import annotations

from typing import Final

from trackrecord.strategies.rules.canonical import opposite
from trackrecord.strategies.rules.model import (
    Ago,
    Condition,
    Field,
    Indicator,
)
from trackrecord.strategies.sentences.cursor import Mark
from trackrecord.strategies.sentences.leaving import Leaving
from trackrecord.strategies.sentences.loose import CLOSE, strict
from trackrecord.strategies.sentences.predicates import UNSPANNED
from trackrecord.strategies.sentences.said import Role, Said

_THING: Final = (
    r"(?: (?:stock|stocks|share|shares|it|position|positions|trade|trades|position in stock|signal|entry|all))?"
    r"(?: (?:at|on) (?:open of next day|next open|next day open|next days? open|open next day|tomorrow open|next bar open|open tomorrow|close of (?:day|same day|that day)|close|market close|end of day|market))?"
    r"(?: (?:next day|tomorrow|next bar))?"
)
_WHEN: Final = (
    r"whenever|when|if|once|on|after|as soon as|as|where|upon|signal|condition|conditions|:|at time|following|until|only when|only if|"
    r"provided|each time|every time|any time|time|on day|on days when|in case|when signal|first time|at moment|moment|=|while|with|at"
)
_LONG: Final = (
    r"buy to open|be long|stay long|buy|buys|buying|purchase|purchases|go long|goes long|going long|enter long position|enter long trade|enter long|enters long|open long position|open long|"
    r"take long position|take long|initiate long|long entry|long position|long|enter position|enter trade|enter|entry rule|entry signal|entry|get in|get long|open position|open trade|open(?= (?:when|if|once))|initiate position"
)
_EXIT: Final = (
    r"sell to close|(?:and )?(?:hold|keep|stay in|stay long)(?: (?:it|position|stock|on))? until|sell out|sell|sells|selling|exit rule|exit signal|exit long position|exit long|exit position|exit trade|exit|exits|exiting|close long position|"
    r"close long|close position|close trade|close out position|close out|close it|close them|get out|liquidate|flatten|long exit|leave|out|close(?= (?:when|if|once|position|trade|long|after \d|\d+ (?:trading )?(?:days?|bars?|sessions?|weeks?) later))|unload"
)
_SHORT: Final = r"sell short|short sell|short|go short|goes short|going short|enter short position|enter short|open short position|open short|take short position|short entry|shorts"
_COVER: Final = r"buy to cover|cover short|cover|buy back|exit short position|exit short|close short position|close short|short exit|buy it back|covers"
_LABEL: Final = (
    r"(?:momentum|mean reversion|trend following|trend|breakout|swing|buy dip|dip buying|pullback|reversal|turtle|setup|rules?|system|simple|"
    r"crossover|nr7|bollinger|volatility squeeze|squeeze|idea|inside day|rsi)(?: (?:strategy|trading|system|rules?|trade|setup|reversion))? :"
)


class Statements(Leaving):
    """Reads a whole sentence."""

    def sentence(self) -> Said:
        """Everything there is, statement by statement; what fits none is left unread."""
        self.said_all = Said()
        while not self.done():
            start = self.at
            if self._separator() or self._modifier():
                continue
            found = self._label() or self._action() or self._condition_first()
            if found is not None:
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
                r"[,;.:()]|and|that|trade(?= \d| donchian| breakout| golden| long)|then|also|so|but|or(?= (?:exit|sell|after|stop))|when(?= (?:exit|sell|buy))|with(?= (?:stop|\d))"
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
        return isinstance(found, Indicator | Ago) or found in {CLOSE, Field("volume")}

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

    def _action(self) -> Role | None:
        mark = self.mark()
        start = self.at
        found = self._verb()
        if found is None:
            return None
        name = found
        sells = self._sells
        # Not "buy back", which may be a long that is entered again.
        covers = name == "cover" and "cover" in self.text[start : self.at]
        if name == "exit" and self._shorts():
            name = "cover"
        if name == "long" and self.eat(r"and hold(?! for| \d| until)"):
            pass
        self.said_all.covered |= covers
        if self._after_verb(name):
            return name
        place = self.mark()
        condition = self._introduced()
        if condition is not None and not self._since_entry(name, place):
            self._add(name, condition)
            self.said_all.sold += sells and name == "exit"
            self._or_after(name)
            return name
        self.back(place)
        if self._exit_at(name):
            self._or_after(name)
            return name
        self.back(place)
        if name in {"exit", "cover"} and self.horizon_here(name):
            self.said_all.covered |= name == "cover"
            self._or_after(name)
            return name
        self.back(place)
        # An action alone: the condition stood before it, or comes in a sentence of its own.
        if name in {"long", "short"} and not self.peek(r"(?:low|high|\d)"):
            self.said_all.bare.append((name, start, self._end(start)))
            self.said_all.actions.append(name)
            return name
        self.back(mark)
        return None

    def _since_entry(self, name: Role, begun: Mark) -> bool:
        """Whether an exit speaks of a change without a span: of the day, or since the entry?"""
        return name in {"exit", "cover"} and UNSPANNED in self.notes[begun.notes :]

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

    _sells: bool = False
    """Whether the last verb was to sell."""

    def _verb(self) -> Role | None:
        """Which action begins here."""
        verbs: tuple[tuple[str, Role], ...] = (
            (_COVER, "cover"), (_SHORT, "short"), (_LONG, "long"), (_EXIT, "exit"),
        )  # fmt: skip
        if self.peek(r"(?:long|short)s? only|long and short|long or short|long /"):
            return None
        for pattern, role in verbs:
            if match := self.eat(rf"(?:to )?(?:{pattern}){_THING}(?: :)?"):
                self._sells = role == "exit" and "sell" in match.group()
                return role
        return None

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

    def _otherwise(self) -> bool:
        """For "... else sell", "otherwise be flat": the exit is the opposite of the entry."""
        if not self.eat(
            r"(?:or |and )?(?:otherwise|else)(?: then)?(?: (?:be|stay|go|remain|hold|i am))?(?: (?:in|to))? (?:flat|out(?: of market)?|cash|sell|exit|close(?: it| position)?|sell it)(?=$| [,;.])"
        ):
            return False
        entries = [item for name, item in self.said_all.conditions if name in {"long", "short"}]
        # What only gates the entry is not in its opposite.
        if len(entries) != 1 or len(self.said_all.conditions) != 1:
            return False
        short = self.said_all.conditions[-1][0] == "short"
        self._add("cover" if short else "exit", opposite(entries[0]))
        return True

    def _or_after(self, name: Role) -> None:
        """For "... or after 8 days"."""
        if name not in {"exit", "cover"}:
            return
        while True:
            mark = self.mark()
            joint = self.eat(r"(?:, or|or|,)(?: (?:else|otherwise))?")
            if joint is None:
                return
            if self.horizon_here(name):
                continue
            place = self.mark()
            if joint.group().startswith(("or", ", or")) and self.eat("when|if|once"):
                condition = self.condition()
                if condition is not None and not self._since_entry(name, place):
                    self._add(name, condition)
                    continue
                self.back(place)
            self.eat("with|by|at|on|when|if")
            if not (self._trail() or self._stop() or self._target()):
                self.back(mark)
                return

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
            if self._since_entry(name, mark):
                self.back(mark)
                return None
            self._add(name, condition)
            self.said_all.sold += self._sells and name == "exit"
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

    def _modifier(self) -> bool:
        for read in (
            self._sides, self._next_day, self._profit_or_loss, self._trail, self._stop, self._target,
            self._take_profit_at, self._otherwise, self._filter, self._hold, self._schedule, self._known,
        ):  # fmt: skip
            mark = self.mark()
            if read():
                return True
            self.back(mark)
        return False

    def _known(self) -> bool:
        """What says how it works anyway."""
        if self.at == 0 and self.eat("like(?: to)?"):
            return True
        return (
            self.eat(
                r"(?:daily|on daily)(?: (?:bars|chart|charts|timeframe|data|candles))?|"
                r"(?:1|single) position(?: at time)?|no pyramiding|at next (?:day )?open|on next open|at open of next (?:day|bar)|"
                r"(?:enter|buy|fill|filled|execute) (?:at|on) next (?:day )?open|end of day|strategy|strategies|(?:no|without(?: any)?|(?:do )?not (?:use|set|place|have)(?: any)?|do not|use no|never use(?: any)?) (?:stop ?loss(?:es)?|stops?|targets?|take profits?|profit target|trailing stops?)|"
                r"whichever (?:comes|happens|occurs|is|is hit|is reached) (?:first|sooner|earlier)"
            )
            is not None
        )

    def _sides(self) -> bool:
        said = self.said_all
        if self.eat(
            r"long only|only long(?! (?:when|if|in|on))|longs only|long side only|only longs|only long positions|only on long side|long positions only|no shorts|no shorting|no short selling|never short|only take longs|only go long(?! (?:when|if|in|on))|do not short"
        ):
            said.sides = "long"
            return True
        if self.eat(
            r"short only|only short(?! (?:when|if|in|on))|shorts only|only shorts|short side only|no longs|only go short"
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
        said = self.text[start.place : mark.place].split()
        if not negative and "buy" in said:
            self.said_all.actions.append("long")
        if not negative and "short" in said:
            self.said_all.actions.append("short")
        self._add("filter", opposite(condition) if negative else condition)
        return True

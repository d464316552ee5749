"""Stops, targets and trails."""

from __future__ import annotations

from typing import Final

from trackrecord.strategies.rules.kinds import kind
from trackrecord.strategies.rules.model import (
    Ago,
    Compare,
    Condition,
    Field,
    Indicator,
    Level,
    Number,
    Percent,
    Ranges,
    Risk,
    Stop,
    Target,
    Trail,
)
from trackrecord.strategies.sentences.conditions import Conditions
from trackrecord.strategies.sentences.cursor import DAY, N
from trackrecord.strategies.sentences.loose import CLOSE, reaches, settled, strict
from trackrecord.strategies.sentences.said import Role, Said

_STOP: Final = r"(?:(?:with|use|using|set|put|place|add|and|have) )*(?:hard |initial |fixed |protective |catastrophic )?(?:stop ?loss(?: order)?|stoploss|stop out|stops?|sl)"
_TARGET: Final = r"(?:(?:with|use|using|set|take|and|have) )*(?:take profits?|profit target|price target|target profit|profit taking|target price|target|tp|profits?)"
_TRAIL: Final = r"(?:(?:with|use|using|set|and|have|exit (?:with|on|by)) )*(?:trailing stop ?loss|trailing stoploss|trailing stop|trailing sl|trail (?:position|trade|stop loss|stop|it)(?: by)?|trail(?:ing)?(?: by)?|tsl|chandelier exit|chandelier stop)"
_IS: Final = r"(?:(?:of|at|is|=|:|to|by|set at|set to|is set at|placed at|is placed|set|placed|is at|for|about_|distance|order at|order) ?)*"


class Levels(Conditions):
    """Reads what ends a position at a price."""

    said_all: Said

    def _shorts(self) -> bool:
        """Whether only shorts have been entered so far."""
        roles = {role for role, _ in self.said_all.conditions} | set(self.said_all.actions)
        return "short" in roles and "long" not in roles

    def _add(self, role: Role, condition: Condition) -> None:
        leaving = role in {"exit", "cover"}
        self.said_all.conditions.append((role, settled(condition, leaving=leaving)))

        if not leaving and reaches(condition):
            self.problem(
                "ambiguous",
                "for an entry, 'to' a number is unclear: say 'falls below' or 'is below' it",
            )

    def _distance(self) -> Percent | Ranges | None:
        mark = self.mark()
        if match := self.eat(rf"(?:{N} %)"):
            return Percent(float(match[1]))
        if match := self.eat(
            rf"{N} (?:(?:times|x|\*) )?(?:{N} {DAY} )?(?:atrs?|average true ranges?)(?: of)?(?: ?\( ?{N}(?: {DAY})? ?\)| {N}(?: {DAY})?(?! %)| of {N} {DAY})?"
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
        """For "stop at the low of the day", "stop below the 10 day low"."""
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
        """For "exit with 5 % profit or 5 % loss", "at +8 % or -4 %"."""
        match = self.eat(
            rf"(?:exit|sell|close|get out|out|cover)(?: (?:position|trade|it))?(?: (?:with|at|on|for|when|after))? {N} % (profit|gain|loss) (?:or|and) {N} % (profit|gain|loss)"
        )
        if match is None:
            return self._profit_reached()
        if (match[2] == "loss") == (match[4] == "loss"):
            return False
        gain, loss = (match[3], match[1]) if match[2] == "loss" else (match[1], match[3])
        return self._set_target(Percent(float(gain))) and self._set_stop(Percent(float(loss)))

    def _profit_reached(self) -> bool:
        """For "exit when profit reaches 8 % or loss reaches 4 %"."""
        gain, loss = "(?:profits?|gains?)", "(?:loss|losses)"
        comes = r"(?:reaches|reach|hits|hit|is|are|exceeds|exceed|of|gets to|at)"
        match = self.eat(
            rf"(?:exit|sell|close|get out|out|cover)(?: (?:position|trade|it))?(?: (?:with|at|on|when|if|once))? (?:{gain} {comes} {N} %,? or (?:when |if |once )?{loss} {comes} {N} %|{loss} {comes} {N} %,? or (?:when |if |once )?{gain} {comes} {N} %)"
        )
        if match is None:
            return False
        up, down = match[1] or match[4], match[2] or match[3]
        return self._set_target(Percent(float(up))) and self._set_stop(Percent(float(down)))

    def _take_profit_at(self) -> bool:
        """For "take profit at the middle band": an exit that is decided."""
        if not self.eat(
            r"(?:and )?(?:(?:profit |price )?targets? (?:is|=|:)|(?:take profits?|target|profit target|tp)(?: (?:at|on|when|if|once|=|:|when price (?:reaches|touches|hits)|when it (?:reaches|touches|hits))))"
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

"""What is said of how far something has come: off a high, to a number, to a new extreme."""

from __future__ import annotations

import re
from typing import Final

from trackrecord.strategies.rules.kinds import kind
from trackrecord.strategies.rules.model import (
    Ago,
    Away,
    Compare,
    Comparison,
    Condition,
    Direction,
    Field,
    Indicator,
    Number,
    Operand,
)
from trackrecord.strategies.sentences.averages import AVERAGE
from trackrecord.strategies.sentences.comparing import Comparing
from trackrecord.strategies.sentences.cursor import DAY, SIGNED, SPAN, N
from trackrecord.strategies.sentences.loose import (
    CLOSE,
    SoftCross,
    inner_strict,
    loose_extreme,
    strict,
)
from trackrecord.strategies.sentences.wording import CROSSES, MORE_THAN, STATES

_FELL: Final = r"falls|fallen|fell|fall|drops|dropped|drop|declines|declined|slides|slid|dips|pulls|pulled|retraces|retraced|loses|lost|sells off|sold off|corrects|corrected|down|off|lower"
_ROSE: Final = r"rises|risen|rose|rise|gains|gained|rallies|rallied|climbs|climbed|bounces|bounced|rebounds|rebounded|recovers|recovered|up|higher"
DOWN_TO_VERB: Final = r"(?:drops|drop|dropped|falls|fall|fell|dips|slips|sinks|declines|cools off|cools|eases|retreats|comes down|goes down|moves down|pulls)"
UP_TO_VERB: Final = r"(?:rises|rise|rose|climbs|recovers|recover|rallies|rebounds|goes up|moves up|comes up|bounces|jumps)"


class Reaching(Comparing):
    """Reads distances that are covered, and places that are reached."""

    def _named_way(self) -> Condition | None:
        """What names itself and needs no subject."""
        for read in (self._called, self._drawn_down, self._days_crossed):
            mark = self.mark()
            found = read()
            if found is not None:
                return found
            self.back(mark)
        return None

    def _fallen(self, left: Operand | None) -> Condition | None:
        """For "drops 10 % from its 50 day high"; the high or low includes this bar's."""
        match = self.eat(
            rf"(?:{STATES} |has |have |had )?(?:({_FELL})|({_ROSE})) (?:by )?{MORE_THAN}{N} %(?: or more)? (?:from|off|(below|under)|(above|over))(?: its)?"
        )
        if match is None or match[6 if match[1] else 5]:
            return None
        if left is not None and kind(left) != "price":
            return None
        right = self.operand()
        down = match[1] is not None
        if right is None or loose_extreme(right) != ("highest" if down else "lowest"):
            return None
        op = self._more(match[3], exact=True)
        if "or more" in match.group():
            op = ">="
        about = self._about(left, right)
        if about is None or kind(about) != "price":
            return None
        return self._off(about, right, op, float(match[4]), down=down)

    def _off(
        self, about: Operand, extreme: Operand, op: Comparison, size: float, *, down: bool
    ) -> Condition | None:
        if down and size >= 100:  # noqa: PLR2004
            self.problem("range", f"nothing is {size:g} % below a price")
        flipped: dict[Comparison, Comparison] = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
        far = Away(inner_strict(extreme), -size if down else size)
        return self.compared(about, flipped[op] if down else op, far)

    def _drawn_down(self) -> Condition | None:
        """For "the drawdown from the 1 year high exceeds 20 %"."""
        if match := self.eat(
            rf"{MORE_THAN}{N} % (?:drawdown|pullback|decline|drop|correction) (?:from|off|below)(?: its)?"
        ):
            right = self.operand()
            if right is None or loose_extreme(right) != "highest":
                return None
            return self._off(
                CLOSE, right, self._more(match[1], exact=True), float(match[2]), down=True
            )
        if not self.eat(r"(?:drawdown|decline|drop|pullback) (?:from|off|below)(?: its)?"):
            return None
        right = self.operand()
        if right is None or loose_extreme(right) != "highest":
            return None
        self.eat(STATES)
        op = self._op()
        size = None if op is None else self.eat(rf"{N} %")
        if op is None or size is None:
            return None
        return self._off(CLOSE, right, op, float(size[1]), down=True)

    def _reached(self, left: Operand | None) -> Condition | None:
        """For "drops to 50", of an oscillator; what an entry would mean by it is left open."""
        match = self.eat(
            rf"(?:is |has )?(?:({DOWN_TO_VERB})|{UP_TO_VERB})(?: all way)?(?: down| up)? to {SIGNED}(?! (?:%|{SPAN}|times|x |\*|atr|standard|sigmas?))"
        )
        beyond = r"or (?:below|lower|less|under|above|higher|more|greater)|to \d"
        if match is None or self.peek(rf"{beyond}|{AVERAGE}"):
            return None
        about = self._plain_subject() if left is None else strict(left)
        if about is None or not self._plain(about):
            return None
        direction: Direction = "below" if match[1] else "above"
        number = Number(float(match[2]))
        self._bounded(about, "<=" if match[1] else ">=", number.value)
        self.subject = about
        return SoftCross(about, direction, number, reached=True)

    def _extreme_made(self, left: Operand | None) -> Condition | None:
        """For "OBV makes a new 50 day high": beyond all of the bars before this one."""
        if left is None:
            return None
        plain = strict(left)
        if not isinstance(plain, Indicator | Field) or kind(plain) == "price":
            return None
        match = self.eat(
            rf"(?:makes|make|making|made|has made|hits|hit|sets|reaches|prints|posts|is at|at) (?:new )?{N} ({SPAN}) (highs?|lows?)(?! \()"
        )
        if match is None or ("at " in match.group() and "new" not in match.group()):
            return None
        high = match[3][0] == "h"
        days = self.span(match[1], match[2])
        self._check_days(days, f"a {days} day {'high' if high else 'low'}")
        self.note("a new high or low is beyond those of the bars before this one")
        self.subject = plain
        name = "highest" if high else "lowest"
        return Compare(plain, ">" if high else "<", Ago(Indicator(name, (max(1, days),), plain), 1))

    def _broken(self, left: Operand | None) -> Condition | None:
        """For "the upper band is broken"."""
        if left is None or kind(left) != "price":
            return None
        plain = strict(left)
        name = loose_extreme(left) or (plain.name if isinstance(plain, Indicator) else "")
        up = name == "highest" or name.endswith("_upper")
        if not up and name != "lowest" and not name.endswith("_lower"):
            return None
        if not self.eat(
            rf"(?:is|gets|has been|was) (?:broken|breached|exceeded|taken out|penetrated)(?: {'to upside|upwards' if up else 'to downside|downwards'})?"
        ):
            return None
        return self.compared(CLOSE, ">" if up else "<", left)

    def _called(self) -> Condition | None:
        """For "crossover(sma(close, 20), sma(close, 50))"."""
        match = self.eat(
            r"(crossover|crossunder|crosses (?:above|over|below|under)|crossed (?:above|over|below|under)|cross (?:above|over|below|under)) \("
        )
        if match is None:
            return None
        left = self.operand()
        if left is None or not self.eat(","):
            return None
        right = self.operand()
        if right is None or not self.eat(r"\)"):
            return None
        down = re.search("under|below", match[1]) is not None
        return self.crossed(left, "below" if down else "above", right)

    def _days_crossed(self) -> Condition | None:
        """For "the 50 day crosses the 200 day from below"."""
        match = self.eat(
            rf"{N} {DAY} {CROSSES}(?: back)?(?: (above|over|below|under))? {N} {DAY}(?: from (below|above))?(?=$| [,;.)]| and| with| or| buy| sell| go| short| long| enter| exit| then)"
        )
        if match is None or bool(match[2]) == bool(match[4]):
            return None
        up = match[2] in {"above", "over"} or match[4] == "below"
        fast, slow = int(float(match[1])), int(float(match[3]))
        for days in (fast, slow):
            self._check_days(days, f"a {days} day average")
        self.note("days that cross days are simple moving averages of the close")
        left, right = Indicator("sma", (fast,), CLOSE), Indicator("sma", (slow,), CLOSE)
        return self.crossed(left, "above" if up else "below", right)

"""Comparisons: "is above its 50 day average", "between 30 and 40"."""

from __future__ import annotations

import re

from trackrecord.strategies.rules.kinds import kind
from trackrecord.strategies.rules.model import (
    FLIPPED,
    OPPOSITE,
    Ago,
    And,
    Apart,
    Away,
    Compare,
    Comparison,
    Condition,
    Field,
    Indicator,
    Multiple,
    Number,
    Operand,
)
from trackrecord.strategies.sentences.averages import AVERAGE
from trackrecord.strategies.sentences.cursor import DAY, SIGNED, SPAN, N
from trackrecord.strategies.sentences.loose import (
    CLOSE,
    VOLUME,
    Loose,
    inner_strict,
    loose_extreme,
    strict,
)
from trackrecord.strategies.sentences.special import Special
from trackrecord.strategies.sentences.wording import (
    AND_WORDS,
    CLOSES,
    CROSSES,
    DOWN,
    DOWN_TO,
    FALLS,
    RISES,
    STATES,
    UP,
    UP_TO,
)


class Comparing(Special):
    """Reads comparisons."""

    def _compared(self, left: Operand | None) -> Condition | None:
        """A plain comparison."""
        verb = self.eat(
            rf"{STATES}|{CLOSES}|of(?= (?:at least|more than|over|above|less than|under))|(?:spikes|spike|surges|jumps|rises|increases|climbs|expands)(?: to)?(?= (?:more than |at least |over )?{N} (?:times|x|% of))|(?:{RISES}|{FALLS})(?= (?:by )?(?:more than |at least |over )?{N} (?:%|atr|standard|std))"
        )
        if (
            verb is not None
            and re.match("(?:close[sd]?|closing|finishes|ends|ends day|settles)$", verb.group())
            and left is None
        ):
            left = CLOSE
        mark = self.mark()
        previous = self.subject
        self.subject = previous if left is None else strict(left)
        found = self._away(left)
        self.subject = previous if found is None else self.subject
        if found is not None:
            return found
        self.back(mark)
        if match := self.eat(
            rf"{SIGNED}(?: %)? or (below|less|lower|under|fewer|above|more|higher|greater|over)(?! (?:than|its))"
        ):
            about = self._plain_subject() if left is None else left
            up = match[2] in {"above", "more", "higher", "greater", "over"}
            if about is None:
                return None
            return self.compared(about, ">=" if up else "<=", Number(float(match[1])))
        op = self._op()
        if op is None:
            usual = self._usual_volume(left)
            about = self._about(left, usual)
            if not isinstance(usual, Multiple) or about is None:
                return None
            self.note("'is n times' is read as at least n times")
            return self.compared(about, ">=", usual)
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
        if not isinstance(right, Number) and (
            more := self.eat(rf"by (?:at least |more than |over )?{N} %")
        ):
            size = float(more[1])
            right = Away(right, size if op in {">", ">="} else -size)
            if "at least" in more.group():
                op = ">=" if op in {">", ">="} else "<="
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
        """For "volume is above average"."""
        about = left if left is not None else self.subject
        if about is None or kind(about) != "volume":
            return None
        ends = rf"(?=$| [,;.)]| (?:{AND_WORDS})(?: |$)| or )"
        match = self.eat(
            rf"(?:{N} (% of|times|x) )?(?:its |their )?(?:average|avg|normal|usual|mean)(?: level| volume)?{ends}"
        )
        if match is None:
            return None
        self.note("the average volume is of 20 bars, as no number was said")
        usual = Loose("sma", (20,), VOLUME)
        if match[1]:
            share = float(match[1]) / (100 if match[2] == "% of" else 1)
            return Multiple(share, usual)
        return usual

    def _averages_listed(self, left: Operand | None) -> list[Operand]:
        """For "its 50 day, 100 day and 200 day moving averages"."""
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
        for pattern, op in ((UP_TO, ">="), (DOWN_TO, "<="), (UP, ">"), (DOWN, "<")):
            if match := self.eat(pattern):
                found: Comparison = op  # type: ignore[assignment]
                if match.group() == "=>" and not self.peek(r"-?\d|\("):
                    return None
                if self.eat("or equal to|or equal|or equals"):
                    found = ">=" if found == ">" else "<=" if found == "<" else found
                return OPPOSITE[found] if negated else found
        return None

    def _away(self, left: Operand | None) -> Condition | None:
        """For "is 5 % below the 10 day high", "is more than 2 ATR above the average"."""
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
        distances: dict[str | None, Comparison] = {
            None: ">=", "at least": ">=", "no less than": ">=", ">=": ">=", "at most": "<=",
            "no more than": "<=", "less than": "<", "under": "<", "<": "<",
        }  # fmt: skip
        far = distances.get(word, ">")
        op = FLIPPED[far] if down else far
        right = inner_strict(right)
        return self.compared(about, op, right)

    def _more_rights(
        self, about: Operand, op: Comparison, right: Operand, found: Condition
    ) -> Condition:
        """For "above its 50 day, 100 day and 200 day averages", "above 30 and below 70"."""
        items = [found]
        while True:
            mark = self.mark()
            if isinstance(right, Number):
                # Another bound for the same subject.
                if self.eat("and|but|,") and (more := self._op()) is not None:
                    bound = self._right(about)
                    if isinstance(bound, Number):
                        second = self.compared(about, more, bound)
                        if second is not None:
                            items.append(second)
                            continue
                self.back(mark)
                break
            joint = self.eat(
                rf"(?:, and|,|and|and also)(?: its)?(?: (?:{UP}|{DOWN}))?(?= (?:its )?\d)|(?:, and|,|and)(?= (?:its )?(?:\d|ema|sma))"
            )
            if (
                joint is None
                or not isinstance(right, Indicator)
                or right.name not in {"sma", "ema", "wma"}
            ):
                self.back(mark)
                break
            again = re.search(rf"(?:{UP}|{DOWN})$", joint.group())
            if again and (again.group() in UP.split("|")) != (op in {">", ">="}):
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
        return bool(self.peek(rf"{STATES}|{CROSSES}|{UP}|{DOWN}|{UP_TO}|{DOWN_TO}|rising|falling"))

    def _acts_next(self) -> bool:
        """Whether what was read belongs to the action that follows: "..., RSI > 70 => exit"."""
        return bool(self.peek(r"(?:=>|→|then|: (?:exit|sell|cover))"))

    def _closes_in_a_row(self) -> Condition | None:
        """For "two consecutive closes below the 50 day average"."""
        match = self.eat(
            rf"{N} (?:consecutive |straight |successive )?(?:daily )?closes(?: in row)?|{N} (?:consecutive|straight|successive) (?:{DAY})(?: of)?(?: (?:closing|closes))?"
        )
        if match is None or not self.peek(rf"{UP}|{DOWN}|{UP_TO}|{DOWN_TO}"):
            return None
        inner = self._compared(CLOSE)
        return None if inner is None else self._in_a_row(match[1] or match[2], inner)

    def _ranged(self, left: Operand | None) -> Condition | None:
        """For "between 30 and 40", "is the lowest in 120 days", "within 3 % of its high"."""
        self.eat(rf"{STATES}|{CLOSES}")
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
                small = match[1] in {"lowest", "narrowest", "smallest", "tightest", "minimum"}
                plain = strict(about)
                if isinstance(plain, Indicator | Field):
                    self.note("a tie with an earlier bar counts as the lowest or highest too")
                    name = "lowest" if small else "highest"
                    self._check_days(days, f"the {name} of {days} days")
                    self.subject = plain
                    return Compare(plain, "<=" if small else ">=", Indicator(name, (days,), plain))
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
                name = loose_extreme(right) or (right.name if isinstance(right, Indicator) else "")
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

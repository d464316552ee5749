"""Conditions joined, negated, and repeated over several bars."""

from __future__ import annotations

from trackrecord.strategies.rules.canonical import opposite
from trackrecord.strategies.rules.model import And, Condition, Or
from trackrecord.strategies.sentences.cursor import DAY, SPAN, N
from trackrecord.strategies.sentences.loose import earlier_by
from trackrecord.strategies.sentences.predicates import Predicates
from trackrecord.strategies.sentences.wording import AND_WORDS, LAST, OR_WORDS, ROW


class Conditions(Predicates):
    """Reads conditions."""

    verb_ahead: str = r"buy|sell|short|exit|cover|close (?:position|trade|out|it|long|short)|go long|go short|enter|stop|stoploss|sl|tp|target|take profit|trailing|trail|hold|long only|only"

    def condition(self) -> Condition | None:
        """Conditions joined by commas and words; ", and" binds all that stands before it."""
        first = self._either()
        if first is None:
            return None
        items, joints = [first], []
        while True:
            mark = self.mark()
            joint = self.eat(
                rf"(?:,|;)(?: ({AND_WORDS}|{OR_WORDS}))?(?: (?:also|only if|only when|if|when))?"
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
            if not self.eat(OR_WORDS):
                break
            item = self._all()
            if item is None:
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
                rf"(?:(?:{AND_WORDS}) )?(?:but )?(?:not (?:if|when|while)|unless|except when|except if|without)"
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
            if self.peek(
                r"(?:on|with) volume (?:of |at )?(?:at least|more|over|above|greater|least)"
            ):
                self.eat("on|with")
                item = self._one()
                if item is None:
                    self.back(mark)
                    break
                items.append(item)
                continue
            busy = self.peek(
                r"(?:on|with|at) (?:above|below|higher than|lower than|over|more than|greater than) (?:average|normal|usual)"
            )
            joint = (
                None
                if busy
                else self.eat(rf"(?:{AND_WORDS})(?: (?:also|if|when|only if|only when))?")
            )
            if not busy and joint is None:
                break
            anew = joint is not None and joint.group().endswith((" if", " when"))
            if self.peek(r"only|not if"):
                self.back(mark)
                break
            item = self._one()
            if item is None or (anew and self._acts_next()):
                self.back(mark)
                break
            items.append(item)
        return items[0] if len(items) == 1 else And(tuple(items))

    def _one(self) -> Condition | None:
        mark = self.mark()
        found = (
            self._prefixed()
            or self._named_way()
            or self._special()
            or self._closes_in_a_row()
            or self._simple()
        )
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
                if not self.eat(rf", (?:or )?|{OR_WORDS}"):
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
            if match := self.eat(
                rf"for (?:very )?first time in (?:last |past |at least |over )?{N} ({SPAN})"
            ):
                days = self.span(match[1], match[2])
                self.note(
                    f"the first time in {days} bars: now, and on none of the {days} bars before"
                )
                earlier = self._within(str(days), earlier_by(1, found))
                found = And((found, opposite(earlier)))
            elif match := self.eat(ROW):
                found = self._in_a_row(match[1], found)
            elif match := self.eat(
                rf"for (?:at least |each of )?(?:last |past )?{N} {DAY}|on each of last {N} {DAY}"
            ):
                found = self._in_a_row(match[1] or match[2], found)
            elif match := self.eat(LAST):
                found = self._within(str(self.span(match[1], match[2])), found)
            elif match := self.eat(rf"within {N} ({SPAN})|at least once in {N} ({SPAN})"):
                days = self.span(match[1] or match[3], match[2] or match[4])
                found = self._within(str(days), found)
            elif self.eat(
                r"today|at close|on close|at end of day|on closing basis|on daily close|at day close|on that day|that day|on same day|same day|on day|on this bar|on daily chart|on daily bars|on daily timeframe"
            ):
                continue
            else:
                return found

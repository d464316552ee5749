"""From a sentence to a rule: what was understood, what was assumed, and what was not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from trackrecord.strategies.contract import Problem
from trackrecord.strategies.rules.as_json import fault
from trackrecord.strategies.rules.canonical import finished
from trackrecord.strategies.rules.model import (
    Ago,
    Always,
    And,
    Compare,
    Condition,
    Cross,
    Field,
    Indicator,
    Number,
    Or,
    Rule,
    Schedule,
)
from trackrecord.strategies.sentences.cursor import TangledError
from trackrecord.strategies.sentences.said import Said
from trackrecord.strategies.sentences.statements import Statements
from trackrecord.strategies.sentences.tokens import FILLERS, Token, tokens
from trackrecord.strategies.sentences.vocabulary import FOREIGN, INDICATORS, NOT_DAILY, VOCABULARY

LONGEST: Final = 2_000
"""Characters of a sentence; a rule has never needed a fifth of it."""
EXAMPLE: Final = (
    "for example: buy when the 20 day average crosses above the 50 day average, sell when it "
    "crosses back below, stop 5 %"
)


@dataclass(frozen=True)
class Reading:
    """What a sentence says.

    Attributes:
        rule: The rule, None where there is no entry or it cannot be; a guess where something was
            not understood.
        refused: Whether nothing in it can be traded, or it cannot be as it is said.
        assumptions: What was not said and is taken for granted.
        not_understood: The words that nothing was made of, in the order in which they stand.
        problems: Why it is refused or a draft.
    """

    rule: Rule | None
    refused: bool
    assumptions: tuple[str, ...]
    not_understood: tuple[str, ...]
    problems: tuple[Problem, ...]


def _refused(code: str, message: str, words: tuple[str, ...] = ()) -> Reading:
    return Reading(None, True, (), words, (Problem(None, code, message),))


def read(sentence: str) -> Reading:
    """Read a sentence."""
    if len(sentence) > LONGEST:
        return _refused(
            "length", f"the sentence has {len(sentence):,} characters; say it in {LONGEST:,}"
        )
    if "\0" in sentence:
        return _refused("text", "the sentence holds a NUL character")
    cut = tokens(sentence)
    if not any(token.text[0].isalnum() for token in cut):
        return _refused("nothing", f"nothing was said; {EXAMPLE}")
    if _foreign(cut):
        return _refused("language", f"only English is read; {EXAMPLE}", _shown(sentence, cut))
    known = [token for token in cut if not _unknown(token)]
    unknown = [token for token in cut if _unknown(token)]
    reader = Statements(known)
    try:
        said = reader.sentence()
    except (TangledError, RecursionError):
        return _refused("tangled", f"it is too tangled to be read; say it in parts; {EXAMPLE}")
    for token in unknown:
        if token.text in NOT_DAILY:
            said.operands += 1
            reader.problem(
                "intraday", f"{token.text} needs bars within the day; there are daily ones"
            )
    missed = sorted([*unknown, *_unread(known, said)], key=lambda token: token.start)
    words = _phrases(sentence, missed)
    return _judged(reader, said, words)


def _unknown(token: Token) -> bool:
    text = token.text
    if text.isascii() and (text[0].isdigit() or text[0] == "-"):
        return False
    if text.isalpha():
        return text not in VOCABULARY
    return text not in VOCABULARY and text not in {
        ",", ";", ".", ":", "(", ")", "[", "]", "<", ">", "<=", ">=", "=>", "→", "=", "+", "-", "*", "/",
        "%", "%k", "%d", "%b",
    }  # fmt: skip


def _foreign(cut: list[Token]) -> bool:
    """Whether it is written in another language."""
    words = [token.text for token in cut if token.text.isalpha()]
    letters = sum(len(word) for word in words)
    if letters and sum(len(w) for w in words if not w.isascii()) * 3 > letters:
        return True
    foreign = sum(word in FOREIGN for word in words)
    known = sum(word in VOCABULARY and word not in INDICATORS for word in words)
    strange = sum(word not in VOCABULARY for word in words)
    return (foreign >= 1 and foreign >= known) or (strange >= 3 and known == 0 and foreign > 0)  # noqa: PLR2004


def _unread(known: list[Token], said: Said) -> list[Token]:
    found = []
    place = 0
    spans = said.unread
    for token in known:
        end = place + len(token.text)
        if any(start < end and place < stop for start, stop in spans):
            found.append(token)
        place = end + 1
    return [
        token for token in found if token.text not in {",", ";", ".", ":", "(", ")", "and", "then"}
    ]


def _phrases(sentence: str, missed: list[Token]) -> tuple[str, ...]:
    """Neighbouring words together, as they were written."""
    spans: list[list[int]] = []
    for token in missed:
        between = sentence[spans[-1][1] : token.start] if spans else ""
        passed = all(word in FILLERS for word in re.findall(r"\w+", between.lower()))
        if spans and passed and not re.search(r"[,;.:]", between):
            spans[-1][1] = max(spans[-1][1], token.end)
        else:
            spans.append([token.start, token.end])
    return tuple(sentence[start:end] for start, end in spans)


def _shown(sentence: str, cut: list[Token]) -> tuple[str, ...]:
    return _phrases(sentence, [token for token in cut if token.text.isalpha()])


def _judged(reader: Statements, said: Said, words: tuple[str, ...]) -> Reading:
    """The rule of what was said, and whether it may be traded."""
    problems = [Problem(None, problem.code, problem.message) for problem in reader.problems]
    notes = list(reader.notes)
    rule, more = _rule(said, notes)
    problems += more
    impossible = any(problem.code == "range" for problem in problems)
    if rule is not None:
        try:
            rule = finished(rule)
        except ValueError as error:
            problems.append(Problem(None, "range", str(error)))
            impossible, rule = True, None
    if rule is not None and _never(rule):
        problems.append(Problem(None, "never", "its entry can never be true"))
    if rule is not None:
        notes += _usual(rule, said)
    if impossible:
        return Reading(None, True, tuple(notes), words, tuple(problems))
    if rule is None:
        if any(problem.code == "both" for problem in problems):
            return Reading(None, False, tuple(notes), words, tuple(problems))
        if said.conditions or said.operands:
            problems.append(
                Problem(None, "entry", f"no condition says when to enter: does something cross, or is above "
                        f"or below something? {EXAMPLE}")
            )  # fmt: skip
            return Reading(None, False, tuple(notes), words, tuple(problems))
        problems.append(Problem(None, "nothing", f"nothing in it can be traded; {EXAMPLE}"))
        return Reading(None, True, tuple(notes), words, tuple(problems))
    if words:
        problems.append(
            Problem(None, "not_understood", f"not understood: {', '.join(repr(w) for w in words)}")
        )
    return Reading(rule, False, tuple(notes), words, tuple(problems))


def _all(said: Said, role: str) -> Condition | None:
    found = [condition for name, condition in said.conditions if name == role]
    if not found:
        return None
    return found[0] if len(found) == 1 else Or(tuple(found))


def _rule(said: Said, notes: list[str]) -> tuple[Rule | None, list[Problem]]:
    """Entries, exits and sides put together."""
    problems: list[Problem] = []
    entry, leave = _all(said, "long"), _all(said, "exit")
    short, cover = _all(said, "short"), _all(said, "cover")
    bare = _all(said, "either")
    filters = [condition for name, condition in said.conditions if name == "filter"]
    scheduled = bool(said.weekdays or said.months or said.first_of)
    exits = [condition for name, condition in said.conditions if name == "exit"]
    if (
        said.covered
        and said.sold == len(exits) == 1
        and entry is None
        and short is None
        and bare is None
    ):
        notes.append("what is sold and then covered is sold short")
        short, leave = leave, None
    if bare is not None:
        if entry is None and short is None:
            if said.sides == "short" or "short" in said.actions:
                short = bare
            else:
                entry = bare
                if "long" not in said.actions and said.sides is None:
                    notes.append("an entry without a verb is a long one")
        else:
            filters.append(bare)
    if entry is None and short is None and (scheduled or filters) and said.actions:
        only = Always() if not filters else And(tuple(filters))
        filters = []
        if "short" in said.actions:
            short = only
        else:
            entry = only
    if said.sides == "both":
        if entry is not None and short is None:
            short = _mirrored(entry)
        elif short is not None and entry is None:
            entry = _mirrored(short)
        if entry is None or short is None:
            problems.append(Problem(None, "both", "how the other side enters is not said"))
            return None, problems
    if said.reverse:
        crossed = _only_cross(entry if entry is not None else short)
        if crossed is None:
            problems.append(
                Problem(None, "entry", "what the opposite of the entry is, is not clear")
            )
        else:
            back = Cross(
                crossed.left, "below" if crossed.direction == "above" else "above", crossed.right
            )
            if entry is not None:
                leave = back if leave is None else Or((leave, back))
            else:
                cover = back if cover is None else Or((cover, back))
    if said.sides == "long" and short is not None:
        problems.append(Problem(None, "both", "long only was said, and a short too"))
        return None, problems
    if entry is None and short is not None and leave is not None:
        # An exit that was said before its entry.
        if said.sold or said.sides == "both":
            problems.append(Problem(None, "both", "a short is covered, not sold"))
        else:
            cover, leave = leave if cover is None else Or((cover, leave)), None
    if short is None and (cover is not None or said.covered):
        problems.append(Problem(None, "both", "nothing is sold short that could be covered"))
    if entry is not None and short is not None:
        leave, cover = _turning(entry, leave, short, cover)
    if _named_only(said, entry):
        notes.append("the exit is the cross back, as none was said")
        crossed = _only_cross(entry)
        if crossed is not None:
            leave = Cross(
                crossed.left, "below" if crossed.direction == "above" else "above", crossed.right
            )
    rule = Rule(
        entry=entry, exit=leave, short_entry=short, short_exit=cover, filters=tuple(filters),
        stop=said.stop, target=said.target, trail=said.trail, horizon_bars=said.horizon,
        schedule=Schedule(said.weekdays, said.months, said.first_of),
    )  # fmt: skip
    if entry is None and short is None:
        return None, problems
    wrong = fault(rule)
    if wrong is not None:
        problems.append(Problem(None, "both" if rule.sides == "both" else "rule", wrong))
        return None, problems
    return rule, problems


def _named_only(said: Said, entry: Condition | None) -> bool:
    """Whether a golden cross was named, and no way out."""
    out = any(name in {"exit", "cover"} for name, _ in said.conditions)
    levels = said.stop or said.target or said.trail or said.horizon
    return said.named_cross and not out and not levels and entry is not None


def _turning(
    entry: Condition, leave: Condition | None, short: Condition, cover: Condition | None
) -> tuple[Condition | None, Condition | None]:
    """Exits that are the other side's entry are no exits of their own."""
    if leave == short:
        leave = None
    if cover == entry:
        cover = None
    return leave, cover


def _only_cross(condition: Condition | None) -> Cross | None:
    if isinstance(condition, Cross):
        return condition
    if isinstance(condition, And):
        found = [item for item in condition.items if isinstance(item, Cross)]
        return found[0] if len(found) == 1 else None
    return None


def _mirrored(condition: Condition) -> Condition | None:
    """The same for the other side; None where that is not certain."""
    if isinstance(condition, Cross):
        if isinstance(condition.right, Number) and condition.right.value != 0:
            return None
        return Cross(
            condition.left, "below" if condition.direction == "above" else "above", condition.right
        )
    if isinstance(condition, Compare):
        swapped = _other_extreme(condition)
        if swapped is not None:
            return swapped
        if not isinstance(condition.right, Number):
            flipped = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
            return Compare(condition.left, flipped[condition.op], condition.right)  # type: ignore[arg-type]
    return None


def _other_extreme(condition: Compare) -> Compare | None:
    right = condition.right
    if not isinstance(right, Ago) or not isinstance(right.operand, Indicator):
        return None
    inner = right.operand
    if inner.name not in {"highest", "lowest"}:
        return None
    up = inner.name == "highest"
    source = inner.source
    if source == Field("high" if up else "low"):
        source = Field("low" if up else "high")
    other = Indicator("lowest" if up else "highest", inner.settings, source)
    flipped = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
    return Compare(condition.left, flipped[condition.op], Ago(other, right.bars))  # type: ignore[arg-type]


def _never(rule: Rule) -> bool:
    return any(
        condition is not None and _contradicts(condition)
        for condition in (rule.entry, rule.short_entry)
    )


def _within_its_bar(condition: Compare) -> bool:
    """Whether a price is to be beyond the high, or the low, of its own bar."""
    left, right = condition.left, condition.right
    high, low = Field("high"), Field("low")
    if right == high and isinstance(left, Field) and left.name in {"open", "low", "close"}:
        return condition.op == ">"
    if right == low and isinstance(left, Field) and left.name in {"open", "high", "close"}:
        return condition.op == "<"
    return False


def _contradicts(condition: Condition) -> bool:
    """Whether two of its comparisons exclude each other on every bar, or one excludes itself."""
    if isinstance(condition, Compare) and _within_its_bar(condition):
        return True
    if isinstance(condition, Or):
        return all(_contradicts(item) for item in condition.items)
    if not isinstance(condition, And):
        return False
    bounds: dict[object, list[Compare]] = {}
    for item in condition.items:
        if _contradicts(item):
            return True
        if isinstance(item, Compare):
            key = item.left if isinstance(item.right, Number) else (item.left, item.right)
            bounds.setdefault(key, []).append(item)
    for items in bounds.values():
        lows = [i for i in items if i.op in {">", ">="}]
        highs = [i for i in items if i.op in {"<", "<="}]
        for low in lows:
            for high in highs:
                if not isinstance(low.right, Number) or not isinstance(high.right, Number):
                    if ">=" not in low.op or "<=" not in high.op:
                        return True
                    continue
                if low.right.value > high.right.value or (
                    low.right.value == high.right.value and (low.op == ">" or high.op == "<")
                ):
                    return True
    return False


def _usual(rule: Rule, said: Said) -> list[str]:
    """How every rule works, as far as it matters to this one."""
    notes = ["decided at a bar's close, done at the next bar's open"]
    if rule.stop is not None or rule.target is not None:
        notes.append("stop and target are worked out from the decision bar's close")
    entry = rule.entry if rule.entry is not None else rule.short_entry
    if entry is not None and not _event(entry):
        notes.append(
            "the entry is a state: it enters again whenever it is flat and that still holds"
        )
    ways = (
        rule.exit or rule.short_exit or rule.stop or rule.target or rule.trail or rule.horizon_bars
    )
    if not ways and rule.sides != "both":
        notes.append("no exit was said: a position is held to the end")
    del said
    return notes


def _event(condition: Condition) -> bool:
    if isinstance(condition, And):
        return any(_event(item) for item in condition.items)
    if isinstance(condition, Or):
        return all(_event(item) for item in condition.items)
    return isinstance(condition, Cross)

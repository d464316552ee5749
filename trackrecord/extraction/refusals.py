"""Why an action is no recommendation, although it stands where one might."""

from __future__ import annotations

import re
from typing import Final

from trackrecord.extraction.document import SYMBOL, Document, Line
from trackrecord.extraction.model import side_of
from trackrecord.extraction.packs import RANKS, Term
from trackrecord.extraction.ruleset import ShapeMatch
from trackrecord.extraction.shapes import ACTIONS, action_places

UNTAKEN: Final = (
    "none",
    "no rule takes it: neither labelled nor standing where a decision stands",
)
"""Rule and reason of an action that no rule speaks of."""

WEAK: Final = "the word decides only behind a label"
"""Reason of a word such as neutral or trim that stands without a label."""

FINAL: Final = RANKS["final"]
LABELLED: Final = RANKS["labelled"]
ROW: Final = RANKS["row"]
VOTE: Final = RANKS["vote"]

_QUOTED_WORDS: Final = 3
_DECIDED_BEFORE: Final = re.compile(r"[LFG][:=>-]{1,3}[fg]?[Aa][^{}AaLFG]{0,6}\{")
_SCALE: Final = 3
_AND: Final = frozenset({"and", "und", "et", "y", "e", "и", "ve", "dan", "&", "和", "与", "及"})
_MOST_ALTERNATIVES: Final = 6
_SAID: Final = re.compile(
    r"\b(?:said|says|saying|posted|wrote|writes|tweeted|told|claimed|asked|shouted|quoted)\b",
    re.IGNORECASE,
)
_NOTHING_FOUND: Final = "/no-trade"
_OVERRIDING: Final = ("labelled-instead", "labelled-none", "hold-instead", "final-instead")
_HOLD_INSTEAD: Final = "hold-instead"
_CONDITION_AFTER: Final = "/condition-after"
_COUNT: Final = ("/count", "/count-of")


def why_not(
    document: Document,
    line: Line,
    shape: str,
    position: int,
    matches: list[ShapeMatch],
    best: ShapeMatch | None,
    flags: frozenset[str],
) -> tuple[str, str] | None:
    """Return the rule that refuses an action and its reason, None where none does.

    Args:
        document: The text.
        line: The action's line.
        shape: Its shape, perhaps with the next line's.
        position: The action's place in the shape.
        matches: All rules that speak of this action.
        best: The strongest that takes it.
        flags: What the text as a whole holds.
    """
    if best is None:
        refusing = next((match.rule for match in matches if match.rule.rank <= VOTE), None)
        return None if refusing is None else (refusing.rule, refusing.reason)
    return (
        _not_instead(document, line.first + position, best)
        or _refused_by_rule(document, line, matches, best)
        or _too_weak(document, line.first + position, best)
        or _in_reasons(shape, position, best)
        or _held(flags, document.terms[line.first + position], best)
        or _template(document, shape, line, position, best)
        or _refused_by_word(document, shape, line, position, best)
        or _quoted(document, line.first + position, best)
    )


def _not_instead(document: Document, token: int, best: ShapeMatch) -> tuple[str, str] | None:
    """Refuse what follows a denied action unlabelled, save holding: no buy, better wait."""
    term = document.terms[token]
    if not best.rule.rule.endswith(_HOLD_INSTEAD) or term is None or term.value == "HOLD":
        return None
    return best.rule.rule, "it stands beside a denied action"


def _refused_by_rule(
    document: Document, line: Line, matches: list[ShapeMatch], best: ShapeMatch
) -> tuple[str, str] | None:
    for match in matches:
        rule = match.rule
        if rule.rank == 0 and best.rule.rank <= rule.upto:
            if best.rule.rule.endswith(_OVERRIDING):
                continue
            if rule.rule.endswith(_CONDITION_AFTER) and _for_now(document, line, match.action):
                continue
            if rule.rule.endswith(_COUNT) and _before_code(document, line, match.action):
                continue
            return rule.rule, rule.reason
        if rule.rank == VOTE and best.rule.rank < RANKS["outcome"]:
            return rule.rule, rule.reason
    return None


def _for_now(document: Document, line: Line, position: int) -> bool:
    """Say whether an action is to hold until something happens: that is to hold now."""
    term = document.terms[line.first + position]
    at = line.shape.find("i", position)
    if term is None or term.value != "HOLD" or at < 0:
        return False
    return document.raw(line.first + at).lower() == "until"


def _before_code(document: Document, line: Line, position: int) -> bool:
    """Say whether the number behind an action is a stock's code, no count."""
    at = line.shape.find("N", position)
    return at >= 0 and document.is_code(line.first + at)


def _too_weak(document: Document, token: int, best: ShapeMatch) -> tuple[str, str] | None:
    """Refuse words such as neutral or watch where no label makes them a decision."""
    term = document.terms[token]
    if term is None or term.kind != "action.weak":
        return None
    # "No trade" by itself says that nothing was found, not that something is to be held.
    if term.rule.endswith(_NOTHING_FOUND) and best.rule.rank < LABELLED:
        return term.rule, "nothing was found; that is no decision to hold"
    if best.rule.rank > ROW:
        return None
    word = document.raw(token)
    return None if word == word.upper() else (term.rule, WEAK)


def _in_reasons(shape: str, position: int, best: ShapeMatch) -> tuple[str, str] | None:
    """Refuse what stands in braces behind a decision: DECISION: hold {"reasoning": "ETH: sell"}."""
    if best.rule.rank > ROW or "{" not in shape:
        return None
    match = _DECIDED_BEFORE.search(shape)
    if match is None or match.end() > position:
        return None
    return "code/reasons", "it is a reason for the decision in front of it"


def _held(flags: frozenset[str], term: Term | None, best: ShapeMatch) -> tuple[str, str] | None:
    # To hold is no side that a position could have; "holding" tells of one.
    if term is not None and term.value == "HOLD" and term.kind != "doing":
        return None
    if "position" in flags and best.rule.rank <= ROW:
        return "code/position", "the text shows open positions, and this is the side of one"
    return None


def _template(
    document: Document, shape: str, line: Line, position: int, best: ShapeMatch
) -> tuple[str, str] | None:
    """Refuse alternatives: BUY/HOLD/SELL, buy or sell, 买入|持有."""
    if best.rule.rule.endswith(_OVERRIDING):
        return None
    if any(_chosen_among(document, shape, line, position, step) for step in (1, -1)):
        return "code/alternatives", "it is one of several alternatives, not a decision"
    if best.rule.rank >= FINAL or len(action_places(shape)) < _SCALE:
        return None
    # A scale is one sentence; of a paragraph each has its own.
    start = shape.rfind(".", 0, position) + 1
    end = shape.find(".", position)
    values = {
        term.value
        for at in action_places(shape)
        if start <= at < (end if end >= 0 else len(shape))
        and (term := document.terms[line.first + at]) is not None
    }
    if len(values) >= _SCALE and SYMBOL not in shape and ":N" not in shape[position:]:
        return "code/scale", "the line lists a scale of ratings"
    return None


def _chosen_among(document: Document, shape: str, line: Line, position: int, step: int) -> bool:
    """Say whether another action stands beside one as an alternative: BUY CE / BUY PE / SELL."""
    at = position
    here = document.terms[line.first + position]
    for _ in range(_MOST_ALTERNATIVES):
        between = ""
        at += step
        while 0 <= at < len(shape) and len(between) <= 3 and shape[at] in "/|,rf()[]":  # noqa: PLR2004
            between += shape[at]
            at += step
        if not 0 <= at < len(shape) or shape[at] not in ACTIONS:
            return False
        there = document.terms[line.first + at]
        if here is None or there is None:
            return False
        if not _same(here, there):
            listed = between in {",", "|"} and shape[at + 1 : at + 2] not in {":", "="}
            chosen = between in {"][", ")("}  # buttons: [BUY] [SELL]
            both = between == "f" and _is_and(document, line.first + min(at, at - step))
            return not between or both or "/" in between or "r" in between or listed or chosen
    return False


def _is_and(document: Document, token: int) -> bool:
    """Say whether a word joins two actions: placing buy and sell orders."""
    return document.raw(token).lower() in _AND


def _same(here: Term, there: Term) -> bool:
    """Say whether two words are one action: LONG / BUY, or STRONG SELL / UNDERWEIGHT."""
    if here.value == there.value:
        return True
    side = side_of(here.value) == side_of(there.value)
    return side and "action.weak" in {here.kind, there.kind}


def _segment(shape: str, position: int) -> tuple[int, int]:
    start = max(shape.rfind(mark, 0, position) for mark in "|;.") + 1
    ends = [at for mark in "|;." if (at := shape.find(mark, position)) >= 0]
    return start, min(ends, default=len(shape))


def _refused_by_word(
    document: Document, shape: str, line: Line, position: int, best: ShapeMatch
) -> tuple[str, str] | None:
    if "z" not in shape and "b" not in shape:
        return None
    start, end = _segment(shape, position)
    if shape.find("z", start, end) < 0 and shape.find("b", start, end) < 0:
        return None
    rank = best.rule.rank
    weak = rank < (FINAL if shape.count("b", start, end) > 1 else LABELLED)
    for at in range(start, end):
        letter = shape[at]
        term = document.terms[line.first + at]
        if letter == "z" and term is None:
            return "code/direction", "the text's direction is overridden by a control character"
        if term is not None and ((letter == "z" and rank < FINAL) or (letter == "b" and weak)):
            return term.rule, term.reason or "the line is not advice"
    return None


def _quoted(document: Document, token: int, best: ShapeMatch) -> tuple[str, str] | None:
    """Refuse what stands inside a quotation of several words: somebody else said it."""
    if best.rule.rank >= FINAL:
        return None
    folded = document.folded
    start = folded.rfind("\n", 0, document.starts[token]) + 1
    end = folded.find("\n", document.ends[token])
    end = len(folded) if end < 0 else end
    if '"' not in folded[start:end] or '":' in folded[start:end]:
        return None
    left = folded.rfind('"', start, document.starts[token])
    right = folded.find('"', document.ends[token], end)
    if left < 0 or folded[start : document.starts[token]].count('"') % 2 == 0:
        return None
    around = folded[start:left] + (folded[right:end] if right >= 0 else "")
    if _SAID.search(around) is not None:
        return "code/quotation", "it stands in a quotation: somebody else's words"
    # Where all lines from here on are quoted, the text was printed with its quotes.
    several = right >= 0 or bool(folded[start:left].strip())
    if several and _is_long(folded[left + 1 : right if right >= 0 else end]):
        return "code/quotation", "it stands in a quotation: somebody else's words"
    return None


def _is_long(quoted: str) -> bool:
    """Say whether a quotation is more than the few words of a value."""
    if len(quoted.split()) > _QUOTED_WORDS:
        return True
    return not quoted.isascii() and len(quoted) > 2 * _QUOTED_WORDS

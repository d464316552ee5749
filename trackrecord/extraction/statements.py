"""Find what each line states: actions that a rule takes, and those that a rule refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import re2

from trackrecord.extraction.document import Document, Line
from trackrecord.extraction.model import Rejected
from trackrecord.extraction.packs import RANKS, Term
from trackrecord.extraction.ruleset import ShapeMatch

FINAL: Final = RANKS["final"]
LABELLED: Final = RANKS["labelled"]
STATED: Final = RANKS["stated"]
ROW: Final = RANKS["row"]
VOTE: Final = RANKS["vote"]

_ACTIONS: Final = frozenset("Aay")
_LEVELS: Final = re2.compile(rb"[ETXC](?:[:=|(fw.@)-]{0,4}[NP]|.{0,3}[NP])")
_REQUEST: Final = re2.compile(rb"D[:=][Aa][^LFTX]*q[:=]?|q[:=][^LFTX]*D[:=][Aa]")
_QUOTED_WORDS: Final = 3
_LOOK_AHEAD: Final = 3


@dataclass(slots=True)
class Statement:
    """One action that a line states."""

    line: int
    token: int
    action: str
    rank: int
    rule: str
    symbol: str | None = None
    symbol_token: int | None = None
    price_token: int | None = None
    is_row: bool = False
    """Whether it is a row of a table, whose header says where its fields stand."""
    cells: dict[str, int] = field(default_factory=dict)
    """Tokens of its fields by letter, where it is a row of a table."""


@dataclass(slots=True)
class Findings:
    """Statements in print order, and what was refused."""

    statements: list[Statement] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


def block_flags(document: Document) -> frozenset[str]:
    """Return what the text as a whole holds, for the rules' ``needs`` and ``unless``."""
    shape = "\n".join([line.shape for line in document.lines if line.shape])
    data = shape.encode("ascii", "replace")
    flags = set()
    if _LEVELS.search(data):
        flags.add("levels")
    if "p" in shape:
        flags.add("position")
    if "q" in shape and "D" in shape and _REQUEST.search(data.replace(b"\n", b"")):
        flags.add("request")
    return frozenset(flags)


def reject(document: Document, token: int, rule: str, reason: str) -> Rejected:
    """Describe an action that lost."""
    term = document.terms[token]
    return Rejected(
        term.value if term else document.raw(token),
        rule,
        reason,
        document.starts[token],
        document.ends[token],
    )


def find(
    document: Document, flags: frozenset[str], taken: set[int], findings: Findings
) -> None:
    """Find the statements of all lines that no table has taken.

    Args:
        document: The text.
        flags: See block_flags.
        taken: Indexes of lines that a table has explained.
        findings: Receives statements in print order, and the actions that a rule refused.
    """
    lines = document.lines
    joined: set[int] = set()
    for line in lines:
        if line.index in taken or line.index in joined or not line.shape:
            continue
        shape = line.shape
        following = _continuation(lines, line, taken)
        if following is not None:
            shape += following.shape
            joined.add(following.index)
        if _ACTIONS.isdisjoint(shape):
            continue
        _read_line(document, line, shape, flags, findings)
    findings.statements.sort(key=lambda statement: statement.token)


def _continuation(lines: list[Line], line: Line, taken: set[int]) -> Line | None:
    """Return the line that holds the action of a label standing alone on this one."""
    tail = line.shape.rstrip(":>-|")
    if not tail or tail[-1] not in "LFG" or not _ACTIONS.isdisjoint(line.shape):
        return None
    for following in lines[line.index + 1 : line.index + 1 + _LOOK_AHEAD]:
        if following.shape:
            starts = following.shape.lstrip("->|[(")[:1]
            usable = starts in {"A", "a"} and following.index not in taken
            return following if usable else None
    return None


def _applies(match: ShapeMatch, flags: frozenset[str]) -> bool:
    rule = match.rule
    return all(flag in flags for flag in rule.needs) and not any(
        flag in flags for flag in rule.unless
    )


def _read_line(
    document: Document, line: Line, shape: str, flags: frozenset[str], findings: Findings
) -> None:
    by_action: dict[int, list[ShapeMatch]] = {}
    for match in document.rules.match_shape(shape):
        if _applies(match, flags):
            by_action.setdefault(match.action, []).append(match)
    for position, letter in enumerate(shape):
        if letter not in _ACTIONS:
            continue
        token = line.first + position
        matches = by_action.get(position, [])
        taking = [match for match in matches if match.rule.rank > VOTE]
        best = max(taking, key=lambda match: match.rule.rank, default=None)
        if best is None:
            rule, reason = _refusal(matches) or (
                "none",
                "no rule takes it: neither labelled nor standing where a decision stands",
            )
            findings.rejected.append(reject(document, token, rule, reason))
            continue
        refused = (
            _refused_by_rule(matches, best)
            or _template(document, shape, line, position)
            or _refused_by_word(document, shape, line, position, best)
            or _quoted(document, token, best)
        )
        if refused is not None:
            findings.rejected.append(reject(document, token, *refused))
            continue
        term = document.terms[token]
        if term is None:
            continue
        statement = Statement(line.index, token, term.value, best.rule.rank, best.rule.rule)
        _place(document, line, matches, statement)
        findings.statements.append(statement)


def _place(document: Document, line: Line, matches: list[ShapeMatch], statement: Statement) -> None:
    """Take symbol and price from whichever rule names them, the strongest first."""
    for match in sorted(matches, key=lambda match: -match.rule.rank):
        if match.rule.rank <= VOTE:
            continue
        if statement.symbol is None and match.symbol is not None:
            statement.symbol_token = line.first + match.symbol
            statement.symbol = document.symbol(statement.symbol_token)
        if statement.price_token is None and match.price is not None:
            statement.price_token = line.first + match.price


def _refusal(matches: list[ShapeMatch]) -> tuple[str, str] | None:
    for match in matches:
        if match.rule.rank <= VOTE:
            return match.rule.rule, match.rule.reason
    return None


def _refused_by_rule(matches: list[ShapeMatch], best: ShapeMatch) -> tuple[str, str] | None:
    for match in matches:
        rule = match.rule
        if rule.rank == 0 and best.rule.rank <= rule.upto:
            if best.rule.rule.endswith(("labelled-instead", "labelled-none")):
                continue
            return rule.rule, rule.reason
        if rule.rank == VOTE and best.rule.rank < RANKS["outcome"]:
            return rule.rule, rule.reason
    return None


def _template(document: Document, shape: str, line: Line, position: int) -> tuple[str, str] | None:
    """Refuse alternatives: BUY/HOLD/SELL, buy or sell, 买入|持有."""
    for step in (1, -1):
        between = ""
        at = position + step
        while 0 <= at < len(shape) and len(between) <= 3 and shape[at] in "/|,rf()[]":  # noqa: PLR2004
            between += shape[at]
            at += step
        if not 0 <= at < len(shape) or shape[at] not in _ACTIONS or not between:
            continue
        here, there = document.terms[line.first + position], document.terms[line.first + at]
        if here is None or there is None or here.value == there.value:
            continue
        if "/" in between or "r" in between or between in {",", "|"}:
            return "code/alternatives", "it is one of several alternatives, not a decision"
    return None


def _segment(shape: str, position: int) -> tuple[int, int]:
    start = max(shape.rfind(mark, 0, position) for mark in "|;.") + 1
    ends = [at for mark in "|;." if (at := shape.find(mark, position)) >= 0]
    return start, min(ends, default=len(shape))


def _refused_by_word(
    document: Document, shape: str, line: Line, position: int, best: ShapeMatch
) -> tuple[str, str] | None:
    start, end = _segment(shape, position)
    rank = best.rule.rank
    for at in range(start, end):
        letter = shape[at]
        if (letter == "z" and rank < FINAL) or (letter == "b" and rank < LABELLED):
            term = document.terms[line.first + at]
            if term is None:
                return "code/direction", "the text's direction is overridden by a control character"
            return _reason(term)
    return None


def _reason(term: Term) -> tuple[str, str]:
    return term.rule, term.reason or "the line is not advice"


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
    inside = folded[left + 1 : right if right >= 0 else end]
    words = len(inside.split())
    if words > _QUOTED_WORDS or (not inside.isascii() and len(inside) > 2 * _QUOTED_WORDS):
        return "code/quotation", "it stands in a quotation: somebody else's words"
    return None

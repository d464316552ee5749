"""Find what each line states: actions that a rule takes, and those that a rule refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import re2

from trackrecord.extraction.document import SYMBOL, Document, Line
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
_REQUEST: Final = re2.compile(rb"[DL][:=][Aa].*q[:=]|q[:=].*[DL][:=][Aa]")
_DECIDED: Final = frozenset("TXCF")
_QUOTED_WORDS: Final = 3
_LOOK_AHEAD: Final = 3
_SCALE: Final = 3
_AT_REACH: Final = 9


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
    if (
        "q" in shape
        and "{" in shape
        and not _DECIDED.intersection(shape)
        and _REQUEST.search(data.replace(b"\n", b""))
    ):
        flags.add("request")
    for line in document.lines:
        # A heading such as "Open positions:", under which positions are listed.
        if line.shape.rstrip(":-") == "O" and document.terms[line.first] is not None:
            flags.add("position")
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


_LIST_HEADING: Final = re2.compile(
    rb"^[-|>]*(?:[wf]{0,2}(?P<a>[Aa])(?:Lk|k|L|g|w)?(?:k)?(?:[(]N[)])?:|[wf]{0,2}(?P<b>[Aa])(?:Lk|k)(?:[(]N[)])?)$"
)
_LIST_ITEM: Final = re2.compile(rb"^(?:[\[(]?N[\]).:]?)?[-|>.]*(S)")


def _list_under(document: Document, line: Line, findings: Findings, joined: set[int]) -> bool:
    """Read the list under a heading such as "Buy candidates:", one instrument a line."""
    match = _LIST_HEADING.search(line.shape.encode("ascii", "replace"))
    if match is None:
        return False
    position = match.start(1) if match.start(1) >= 0 else match.start(2)
    term = document.terms[line.first + position]
    if term is None:
        return False
    found = False
    for following in document.lines[line.index + 1 :]:
        if not following.shape:
            if found:
                break
            continue
        item = _LIST_ITEM.search(following.shape.encode("ascii", "replace"))
        if item is None or not _ACTIONS.isdisjoint(following.shape):
            break
        token = following.first + item.start(1)
        statement = Statement(
            following.index, line.first + position, term.value, ROW, "code/list-under-heading"
        )
        statement.symbol, statement.symbol_token = document.symbol(token), token
        statement.price_token = _price_at(document, following, token)
        findings.statements.append(statement)
        joined.add(following.index)
        found = True
    return found


def find(document: Document, flags: frozenset[str], taken: set[int], findings: Findings) -> None:
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
        if "position" not in flags and _list_under(document, line, findings, joined):
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
            or _held(flags, best)
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
        action = term.value
        if action == "BUY" and "B" in document.letters[: line.last]:
            action = "BTST_BUY"
        statement = Statement(line.index, token, action, best.rule.rank, best.rule.rule)
        _place(document, line, matches, statement)
        findings.statements.append(statement)
        findings.statements.extend(_also(document, line, statement))


def _also(document: Document, line: Line, statement: Statement) -> list[Statement]:
    """Return one more statement for each further name in BUY: AAPL, MSFT, NVDA."""
    found: list[Statement] = []
    if statement.symbol_token is None or statement.symbol_token < statement.token:
        return found
    at = statement.symbol_token + 1
    while (
        at + 1 < line.last and document.letters[at] in ",f" and document.letters[at + 1] == SYMBOL
    ):
        more = Statement(
            line.index, statement.token, statement.action, statement.rank, statement.rule
        )
        more.symbol, more.symbol_token = document.symbol(at + 1), at + 1
        found.append(more)
        at += 2
    return found


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
    quoted = _price_at(document, line, statement.token)
    if quoted is not None:
        statement.price_token = quoted


def _price_at(document: Document, line: Line, token: int) -> int | None:
    """Return the price that follows an @ or at behind an action, before any other label."""
    letters = document.letters
    for at in range(token + 1, min(line.last - 1, token + _AT_REACH)):
        if letters[at] == "@":
            return at + 1 if letters[at + 1] == "N" else None
        if letters[at] in "ETXCZRUOKA;.":
            return None
    return None


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


def _held(flags: frozenset[str], best: ShapeMatch) -> tuple[str, str] | None:
    if "position" in flags and best.rule.rank <= ROW:
        return "code/position", "the text shows open positions, and this is the side of one"
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
        listed = between in {",", "|"} and shape[at + 1 : at + 2] not in {":", "="}
        if "/" in between or "r" in between or listed:
            return "code/alternatives", "it is one of several alternatives, not a decision"
    values = {
        term.value
        for at, letter in enumerate(shape)
        if letter in _ACTIONS and (term := document.terms[line.first + at]) is not None
    }
    if len(values) >= _SCALE and SYMBOL not in shape and ":N" not in shape[position:]:
        return "code/scale", "the line lists a scale of ratings"
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

"""Find what each line states: actions that a rule takes, and those that a rule refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import re2

from trackrecord.extraction.document import SYMBOL, Document, Line
from trackrecord.extraction.fields import Found
from trackrecord.extraction.model import Rejected
from trackrecord.extraction.packs import RANKS
from trackrecord.extraction.refusals import UNTAKEN, why_not
from trackrecord.extraction.ruleset import ShapeMatch, matcher
from trackrecord.extraction.shapes import ACTIONS, action_places

ROW: Final = RANKS["row"]

_REQUEST: Final = matcher(r"[DL][:=][Aa].*q[:=]|q[:=].*[DL][:=][Aa]")
_DECIDED: Final = frozenset("TXCF")
_LIST_HEADING: Final = re2.compile(
    rb"^[-|>]*(?:[wf]{0,2}([Aa])(?:Lk|k|L|g|w)?(?:k)?(?:[(]N[)])?:"
    rb"|[wf]{0,2}([Aa])(?:Lk|k)(?:[(]N[)])?)$"
)
_LIST_ITEM: Final = re2.compile(rb"^(?:[\[(]?N[\]).:]?)?[-|>.]*(S)")
_EXITED: Final = matcher(r"(?i)\bexit(?:ed)?(?: price| rate| at)?\s*[:=|]?\s*[^\s\w]?\d")
_LOOK_AHEAD: Final = 3
# Limits that bound the time on hostile text, far above what a script prints.
_MOST_ACTIONS: Final = 64
_LONGEST_LINE: Final = 4000
_MOST_SHAPES: Final = 400
_LONGEST_LIST: Final = 200
_AT_REACH: Final = 9


@dataclass(frozen=True, slots=True)
class Cell:
    """A value in a row of a table, and where it stands in the text."""

    value: Decimal
    start: int
    end: int


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
    cells: dict[str, Cell] = field(default_factory=dict)
    """Its prices and its confidence by the letter of their label, where it is such a row."""
    bound: dict[str, Found] | None = None
    """Its fields by letter, where it is an object that names them itself."""


@dataclass(slots=True)
class Findings:
    """Statements in print order, and what was refused."""

    statements: list[Statement] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


def block_flags(document: Document) -> frozenset[str]:
    """Return what the text as a whole holds, for the rules' ``needs`` and ``unless``."""
    shape = document.letters
    flags = set()
    if "p" in shape:
        flags.add("position")
    if "q" in shape and "{" in shape and not _DECIDED.intersection(shape) and _REQUEST(shape):
        flags.add("request")
    if "R" in shape and _EXITED(document.folded):
        flags.add("ledger")
    for line in document.lines:
        traits = line.traits
        if traits.levels:
            flags.add("levels")
        # A heading such as "Open positions:", under which positions are listed.
        if traits.held and document.terms[line.first] is not None:
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


def _list_under(document: Document, line: Line, findings: Findings, joined: set[int]) -> bool:
    """Read the list under a heading such as "Buy candidates:", one instrument a line."""
    if line.shape[-1] not in ":k)":
        return False
    match = _LIST_HEADING.search(line.shape.encode("ascii", "replace"))
    if match is None:
        return False
    position = match.start(1) if match.start(1) >= 0 else match.start(2)
    term = document.terms[line.first + position]
    if term is None:
        return False
    found = False
    for following in document.lines[line.number + 1 : line.number + 1 + _LONGEST_LIST]:
        if not following.shape:
            if found or following.number > line.number + _LOOK_AHEAD:
                break
            continue
        item = _LIST_ITEM.search(following.shape.encode("ascii", "replace"))
        if item is None or not ACTIONS.isdisjoint(following.shape):
            break
        token = following.first + item.start(1)
        statement = Statement(
            following.number, line.first + position, term.value, ROW, "code/list-under-heading"
        )
        statement.symbol, statement.symbol_token = document.symbol(token), token
        statement.price_token = _price_at(document, following, token)
        findings.statements.append(statement)
        joined.add(following.number)
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
    shapes: set[str] = set()
    for line in lines:
        leads_on = line.traits.leads_on
        if not (leads_on or line.traits.acts) or line.number in taken or line.number in joined:
            continue
        shape = line.shape
        if leads_on:
            following = _continuation(lines, line, taken)
            if following is None:
                continue
            shape += following.shape
            joined.add(following.number)
        if "position" not in flags and _list_under(document, line, findings, joined):
            continue
        _read_line(document, line, shape, flags, findings, shapes)
    findings.statements.sort(key=lambda statement: statement.token)


def _continuation(lines: list[Line], line: Line, taken: set[int]) -> Line | None:
    """Return the line that holds the action of a label standing alone on this one."""
    for following in lines[line.number + 1 : line.number + 1 + _LOOK_AHEAD]:
        if following.shape:
            starts = following.shape.lstrip("->|[(")[:1]
            usable = starts in {"A", "a"} and following.number not in taken
            return following if usable else None
    return None


def _read_line(
    document: Document,
    line: Line,
    shape: str,
    flags: frozenset[str],
    findings: Findings,
    shapes: set[str],
) -> None:
    shapes.add(shape)
    actions = action_places(shape)
    if len(actions) > _MOST_ACTIONS or len(shape) > _LONGEST_LINE or len(shapes) > _MOST_SHAPES:
        reason = "more actions than a line or a text of advice has"
        findings.rejected.append(reject(document, line.first + actions[0], "code/limit", reason))
        return
    by_action: dict[int, list[ShapeMatch]] = {}
    for match in document.rules.match_shape(shape):
        if flags.issuperset(match.rule.needs) and flags.isdisjoint(match.rule.unless):
            by_action.setdefault(match.action, []).append(match)
    for position in actions:
        token = line.first + position
        matches = by_action.get(position, [])
        best = _best(matches)
        refused = why_not(document, line, shape, position, matches, best, flags)
        term = document.terms[token]
        if best is None or refused is not None or term is None:
            findings.rejected.append(reject(document, token, *(refused or UNTAKEN)))
            continue
        action = term.value
        if action == "BUY" and document.marked_btst(line.last):
            action = "BTST_BUY"
        statement = Statement(line.number, token, action, best.rule.rank, best.rule.rule)
        _place(document, line, matches, statement)
        findings.statements.append(statement)
        findings.statements.extend(_also(document, line, statement))


def _best(matches: list[ShapeMatch]) -> ShapeMatch | None:
    """Return the strongest rule that takes an action, the first of equals."""
    best = None
    for match in matches:
        if match.rule.rank > (RANKS["vote"] if best is None else best.rule.rank):
            best = match
    return best


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
            line.number, statement.token, statement.action, statement.rank, statement.rule
        )
        more.symbol, more.symbol_token = document.symbol(at + 1), at + 1
        found.append(more)
        at += 2
    return found


def _place(document: Document, line: Line, matches: list[ShapeMatch], statement: Statement) -> None:
    """Take symbol and price from whichever rule names them, the strongest first."""
    for match in sorted(matches, key=lambda match: -match.rule.rank):
        if match.rule.rank <= RANKS["vote"]:
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

"""Trades that only their levels tell the side of: a list of setups with entry, stop and target.

A setup whose stop lies below its target is to be bought, one whose stop lies above it to be sold.
This holds where a heading calls what is listed setups, picks, signals or ideas, and no line
names a side; what was traded, tested or is explained looks alike under other headings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import re2

from trackrecord.extraction import endings, fields
from trackrecord.extraction.document import Document, Line
from trackrecord.extraction.findings import Findings, Statement
from trackrecord.extraction.packs import RANKS
from trackrecord.extraction.refusals import UNTAKEN
from trackrecord.extraction.ruleset import matcher

RULE: Final = "code/implied-by-levels"
"""The rule of a side that levels tell."""

_OFFERED: Final = matcher(
    r"(?i)\b(?:set-?ups?|picks?|opportunit\w+|ideas?|recommendations?|signals?|calls?|alerts?"
    r"|candidates?|(?:recommended|suggested|proposed) trades|trade plans?|tips?|short[- ]?term"
    r"|swing|intraday|positional|buys?"
    r"|oportunidades|señales|sinais|segnali|signale|sinyal\w*|rekomendasi|idées|ideen)\b"
    r"|сигнал|идеи|推荐|机会|信号|精选|標的|銘柄|シグナル|추천|신호"
)
_OTHERWISE: Final = matcher(
    r"(?i)\b(?:journal|histor\w*|closed|past|previous|performance|back-?test\w*|examples?|samples?"
    r"|templates?|positions?|holdings?|calculator|formats?|orders?|rules?|criteria|watch\w*|log"
    r"|ledger|executed|results?|if|avoid|skip\w*|rejected|failed|expired|invalid\w*|no|test\w*"
    r"|risk management|how|what|tutorial|guide|legend|fills?|filled|opened|managing|active|open"
    r"|missed|earlier|yesterday\w*|last (?:week|month|session))\b"
    r"|示例|回测|历史|持仓"
)
_NAMED: Final = re2.compile(
    rb"^(?:[\[(]?N[\]).:]*)?[-|>.:]*(?:[wDgkLf]{1,2}N?[:.)-]+)?(?:Y[:=]+)?[\[(]?(S)(?:$|[^S])"
)
_OF_TRADES: Final = frozenset("bRpO")
_ENTERING: Final = re2.compile(rb"^[^NPAaS:]{0,6}[-:>|]+f?([Aa])[!.]?$")
_ENTER: Final = "ENTER"
_MOST_HEADINGS: Final = 12
_FEWEST_ITEMS: Final = 2
_ALLOWED: Final = frozenset({UNTAKEN[0], "actions/hold-weak", "actions/buy-weak"})
_SUPPOSED: Final = "it is a rule, not a decision"


@dataclass(slots=True)
class _Item:
    """A name and the lines that tell of it."""

    name: int
    line: Line
    last: int
    lines: list[Line] = field(default_factory=list)


@lru_cache(maxsize=8192)
def _name_at(shape: str) -> int | None:
    match = _NAMED.search(shape.encode("ascii", "replace"))
    return None if match is None else int(match.start(1))


def read(document: Document, findings: Findings) -> None:
    """Add what levels imply, where nothing else states a decision.

    Args:
        document: The text.
        findings: What was found so far; receives a statement for each setup.
    """
    letters = document.letters
    if findings.statements or "X" not in letters or "T" not in letters:
        return
    sides = {item.candidate for item in findings.rejected if item.reason == _SUPPOSED}
    if any(item.rule not in _ALLOWED and item.reason != _SUPPOSED for item in findings.rejected):
        return
    found = _entering(document) or (_listed(document) if "E" in letters else [])
    if not found or not sides <= {"HOLD", *(item.action for item in found)}:
        return
    findings.statements.extend(found)


def _side(document: Document, start: int, end: int) -> str | None:
    """Return the side that the levels among some tokens tell, None where they tell none."""
    target = fields.first(document, fields.TARGET, start, end)
    stop = fields.first(document, fields.STOP, start, end)
    if target is None or stop is None or target.value == stop.value:
        return None
    entry = fields.first(document, fields.ENTRY, start, end)
    low, high = sorted((target.value, stop.value))
    if low <= 0 or (entry is not None and not low < entry.value < high):
        return None
    return "BUY" if stop.value < target.value else "SELL"


def _entering(document: Document) -> list[Statement]:
    """Read the one line that ends in ENTER, of which the levels tell the side."""
    tokens: list[tuple[Line, int]] = []
    for line in document.lines:
        if not line.traits.acts:
            continue
        match = _ENTERING.search(line.shape.encode("ascii", "replace"))
        token = -1 if match is None else line.first + int(match.start(1))
        if token >= 0 and document.raw(token).startswith(_ENTER):
            tokens.append((line, token))
    if len(tokens) != 1:
        return []
    (line, token), term = tokens[0], document.terms[tokens[0][1]]
    side = _side(document, 0, len(document.letters))
    if side is None or term is None or (term.kind == "action" and term.value != side):
        return []
    return [Statement(line.number, token, side, RANKS["row"], RULE)]


def _listed(document: Document) -> list[Statement]:
    """Read a list of setups under a heading that calls them so."""
    items = _items(document)
    if not items or not _is_offered(document, items[0].line):
        return []
    found: list[Statement] = []
    for item in items:
        shapes = "".join([line.shape for line in item.lines])
        told = document.folded[item.line.start : item.lines[-1].end]
        if not {"T", "X"} <= set(shapes):
            if {"E", "T", "X"}.isdisjoint(shapes):
                continue
            return []
        side = _side(document, item.line.first, item.last)
        if side is None or "E" not in shapes or _is_over(item, told):
            return []
        statement = Statement(item.line.number, item.name, side, RANKS["row"], RULE)
        statement.symbol, statement.symbol_token = document.symbol(item.name), item.name
        found.append(statement)
    names = {item.symbol for item in found}
    return found if len(names) == len(found) >= _FEWEST_ITEMS else []


def _is_over(item: _Item, told: str) -> bool:
    """Say whether an item tells of a position or of a trade that is over."""
    if any(endings.happened(part) for part in told.split("\n")):
        return True
    # Behind its levels a line gives reasons, which may speak of anything.
    heads = [line.shape[: line.shape.rfind("N") + 1] or line.shape for line in item.lines]
    return any(not _OF_TRADES.isdisjoint(head) for head in heads)


def _items(document: Document) -> list[_Item]:
    """Return the names that begin lines, each with the lines up to the next one or a gap."""
    items: list[_Item] = []
    open_item: _Item | None = None
    for line in document.lines:
        shape = line.shape
        if not shape:
            if open_item is not None and len(open_item.lines) > 1:
                open_item = None
            continue
        at = _name_at(shape) if "S" in shape else None
        if at is not None:
            open_item = _Item(line.first + at, line, line.last)
            items.append(open_item)
        if open_item is not None:
            open_item.lines.append(line)
            open_item.last = line.last
    return items


def _is_offered(document: Document, first: Line) -> bool:
    """Say whether the headings above the first item call what follows setups to take."""
    lines = document.lines[max(0, first.number - _MOST_HEADINGS) : first.number]
    above = "\n".join([document.folded[line.start : line.end] for line in lines])
    start = document.folded[first.start : document.ends[first.first]]
    return _OFFERED(f"{above}\n{start}") and not _OTHERWISE(above)

"""Tables whose columns are headed by actions, with the instruments to act on below each.

``| SELL | HOLD | BUY |`` over ``| ABC | DEF | GHI |``. What stands below a name tells of it, as
``Buy 18 @ 10.96``, up to the next name, or a ruled line behind which a name of any form stands.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Final

import re2

from trackrecord.extraction.cells import Span, cut_at, letters_of, tokens_in, words_of
from trackrecord.extraction.document import NUMBER, SYMBOL, Document, Line
from trackrecord.extraction.findings import Findings, Statement, in_order
from trackrecord.extraction.packs import RANKS
from trackrecord.extraction.shapes import ACTIONS

_RULE: Final = "code/action-columns"
_HEADS: Final = re2.compile(rb"^[|]?(?:[Aaw][|]){1,8}[Aaw][|]?$")
_CHANGES: Final = {"INCREASE": "BUY", "DECREASE": "SELL", "UPWEIGHT": "BUY", "DOWNWEIGHT": "SELL"}
"""Words that are actions only among others that are."""
_FEWEST: Final = 2
_MOST_LINES: Final = 200
_MOST_TABLES: Final = 16
_LONGEST_NAME: Final = 24


def read(document: Document, taken: set[int], findings: Findings) -> None:
    """Read the instruments below columns that are actions.

    Args:
        document: The text.
        taken: Lines that another table has explained; those that are read here are added.
        findings: Receives a statement an instrument.
    """
    found = False
    tried = 0
    for line in document.lines:
        if "|" not in line.shape or not line.traits.acts or line.number in taken:
            continue
        if _heads(line.shape) and tried < _MOST_TABLES:
            tried += 1
            found = _read(document, line, taken, findings) or found
    if found:
        in_order(findings)


@lru_cache(maxsize=8192)
def _heads(shape: str) -> bool:
    """Say whether all cells of a line are single words, as where actions head columns."""
    return _HEADS.search(shape.encode("ascii", "replace")) is not None


def _read(document: Document, header: Line, taken: set[int], findings: Findings) -> bool:
    """Read one such table; nothing of it where a cell that should be a name is none."""
    acting = _acting(document, header)
    width = len(cut_at(document, header, "|"))
    if not acting:
        return False
    statements: list[Statement] = []
    lines = [header]
    open_items: dict[int, Statement] = {}
    for line in document.lines[header.number + 1 : header.number + 1 + _MOST_LINES]:
        if not line.shape.strip("|+-="):
            blank = not document.folded[line.start : line.end].strip(" |")
            if blank and not line.shape and len(lines) > 1:
                break
            open_items = {}
            continue
        cells = cut_at(document, line, "|")
        if "|" not in line.shape or len(cells) != width or _heads_again(line.shape):
            break
        found = _take(document, line, cells, acting, open_items)
        if found is None:
            return False
        statements += found
        lines.append(line)
    if not statements or len({item.symbol for item in statements}) < len(statements):
        return False
    findings.statements.extend(statements)
    taken.update(line.number for line in lines)
    return True


def _heads_again(shape: str) -> bool:
    """Say whether a line is the header of a further table: its cells are actions, too."""
    return "S" not in shape and shape.count("A") >= _FEWEST and _heads(shape)


def _take(
    document: Document,
    line: Line,
    cells: list[Span],
    acting: dict[int, tuple[int, str]],
    open_items: dict[int, Statement],
) -> list[Statement] | None:
    """Return what a line names, None where a cell that should be a name is none."""
    found: list[Statement] = []
    for place, head in acting.items():
        span = cells[place]
        if not words_of(document, *span):
            continue
        if place in open_items and letters_of(document, span) != SYMBOL:
            _tell(document, span, open_items[place])
            continue
        statement = _named(document, line, span, head)
        if statement is None:
            return None
        open_items[place] = statement
        found.append(statement)
    return found


def _acting(document: Document, header: Line) -> dict[int, tuple[int, str]]:
    """Return the token and the action of each column, empty where some are headed otherwise."""
    heads = cut_at(document, header, "|")
    acting: dict[int, tuple[int, str]] = {}
    known = 0
    for place, span in enumerate(heads):
        tokens = tokens_in(document, span)
        term = document.terms[tokens[0]] if tokens else None
        acts = term is not None and document.letters[tokens[0]] in ACTIONS
        action = (
            term.value if acts and term is not None else _CHANGES.get(words_of(document, *span))
        )
        if not tokens:
            continue
        if len(tokens) > 1 or action is None:
            return {}
        acting[place] = tokens[0], action
        known += acts
    if known < _FEWEST or len({action for _, action in acting.values()}) < _FEWEST:
        return {}
    return acting


def _named(document: Document, line: Line, span: Span, head: tuple[int, str]) -> Statement | None:
    """Make the statement of a cell that is a name in capitals, None where it is none."""
    tokens = tokens_in(document, span)
    name = words_of(document, *span)
    if not tokens or not name.isupper() or len(name) > _LONGEST_NAME:
        return None
    if document.letters[tokens[0]] not in {SYMBOL, "w"} or NUMBER in letters_of(document, span):
        return None
    statement = Statement(line.number, tokens[0], head[1], RANKS["row"], _RULE)
    statement.is_row = True
    statement.symbol, statement.symbol_token = name.lstrip("$#"), tokens[0]
    return statement


def _tell(document: Document, span: Span, statement: Statement) -> None:
    """Take the price behind an @ in a cell below a name."""
    if statement.price_token is not None:
        return
    tokens = tokens_in(document, span)
    for at, after in pairwise(tokens):
        if document.letters[at] == "@" and document.letters[after] == NUMBER:
            statement.price_token = after
            return

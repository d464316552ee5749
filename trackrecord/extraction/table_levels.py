"""The prices and the confidence in the rows of a table, by the headings of its columns."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from trackrecord.extraction import confidence_values, fields, numbers, units
from trackrecord.extraction.cells import Column, Row, Span, Table, tokens_in, words_of
from trackrecord.extraction.document import NUMBER, PERCENT, Document
from trackrecord.extraction.findings import Cell, Statement
from trackrecord.extraction.packs import Term

_LEVELS: Final = frozenset("ETXC")
_APART: Final = frozenset("ZbV")
_ONE_CELL: Final = re.compile(
    r"(?i)[^\w+.-]*(?:(?:rs|inr|usdt?|eur|gbp)\.?)?\s*[$€£¥₹₩₺]?\s*([-+]?[\d.,]*\d)\s*"
    r"(%|[$€£¥₹₩₺元円원]|usdt?|inr|eur|gbp|tl|try|rs)?"
)


def take_levels(document: Document, table: Table, row: Row, statement: Statement) -> None:
    """Take prices and confidence from the columns headed so; a range or a zone is no price."""
    columns, cells = table.columns, row.cells
    for at in range(min(len(columns), len(cells))):
        head, span = columns[at], cells[at]
        if span[1] <= span[0] or head.letters[:1] in _APART:
            continue
        for letter in head.letters:
            if letter not in _LEVELS or letter in statement.cells:
                continue
            if letter == "C":
                percent = head.percent or _has_percent(document, span)
                take_confidence(document, statement, span[0], span[1], "%" if percent else "")
            elif not (head.percent or units.heads(f" {head.text} ")):
                value = _number(document, table, span)
                if value and not _has_percent(document, span):
                    statement.cells[letter] = Cell(value, span[0], span[1])


def _has_percent(document: Document, span: Span) -> bool:
    return "%" in document.folded[span[0] : span[1]]


def _number(document: Document, table: Table, span: Span) -> Decimal | None:
    """Read the number that a cell is, with its currency; None for a range or anything else."""
    text = words_of(document, span[0], span[1])
    match = None if numbers.is_plain(text) else _ONE_CELL.fullmatch(text)
    if match is not None or numbers.is_plain(text):
        return document.parse(
            text if match is None else match[1],
            commas=table.kind != "," or text != document.folded[span[0] : span[1]],
        )
    tokens = tokens_in(document, span)
    values = [token for token in tokens if document.letters[token] in (NUMBER, PERCENT)]
    if len(values) != 1 or document.letters[values[0]] == PERCENT or values[0] != tokens[0]:
        return None
    if fields.is_range(document, values[0], len(document.letters)):
        return None
    rest = "".join([document.letters[token] for token in tokens[1:]])
    return document.number(values[0]) if rest[:1] in {"", "("} else None


def take_confidence(
    document: Document, statement: Statement, start: int, end: int, percent: str
) -> None:
    """Take a confidence: 0.82, 82 %, 8/10."""
    text = words_of(document, start, end)
    value = confidence_values.confidence_of(text, percent=bool(percent))
    if value is not None:
        statement.cells["C"] = Cell(value, start, end)


def term_of(document: Document, column: Column, letter: str) -> Term | None:
    """Return the meaning of a column's heading that one of its letters stands for."""
    for token in column.tokens:
        if document.letters[token] == letter:
            return document.terms[token]
    return None

"""Statements whose parts stand apart from one another.

An item takes its name's place from the one beside it, and a sentence of orders names a pair, a
side and a price in each of its clauses.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from trackrecord.extraction import lists
from trackrecord.extraction.capitals import is_plain
from trackrecord.extraction.document import SYMBOL, Document, Line
from trackrecord.extraction.findings import Findings, Statement, in_order
from trackrecord.extraction.packs import RANKS
from trackrecord.extraction.statements import price_at

_ITEM_OF_SYMBOL: Final = re.compile(r"((?:[-|>.]|[(]?N[).:])*)S([:>-])[Aa]([(|@,-])")
_ITEM_OF_WORDS: Final = re.compile(r"((?:[-|>.]|[(]?N[).:])*)(w{1,3})([:>-])[Aa]([(|@,-])")
_CLAUSES: Final = 2


def read(document: Document, flags: frozenset[str], taken: set[int], findings: Findings) -> None:
    """Read sentences of several orders, of which each names its instrument.

    Args:
        document: The text.
        flags: See flags.of_text.
        taken: Lines that are explained; those that are read here are added.
        findings: Receives the statements.
    """
    if "position" in flags or document.letters.count("@") < _CLAUSES:
        return
    for line in document.lines:
        if not line.traits.acts or line.number in taken:
            continue
        if line.shape.count("@") >= _CLAUSES and _clauses(document, line, findings):
            taken.add(line.number)


def _clauses(document: Document, line: Line, findings: Findings) -> bool:
    """Take each order of a sentence that names a pair, a side and a price in each clause."""
    found: list[Statement] = []
    for start, position, price in lists.clauses(line.shape):
        token = line.first + position
        term = document.terms[token]
        named = [
            at
            for at in range(line.first + start, token)
            if document.letters[at] == SYMBOL and not is_plain(document, at)
        ]
        if term is None or len(named) != 1:
            return False
        statement = Statement(line.number, token, term.value, RANKS["row"], "code/clauses")
        statement.symbol, statement.symbol_token = document.symbol(named[0]), named[0]
        statement.price_token = line.first + price
        found.append(statement)
    if len({item.symbol for item in found}) < len(found):
        return False
    findings.statements.extend(found)
    return bool(found)


def read_siblings(document: Document, taken: set[int], findings: Findings) -> None:
    """Read an item that begins with a word where the one beside it begins with a symbol.

    ``- Reliance: BUY (78%)`` is of an instrument below ``- TCS: BUY (85%)``.

    Args:
        document: The text.
        taken: Lines that are explained otherwise.
        findings: What was stated so far; receives the further statements.
    """
    lines = document.lines
    stated = {item.line for item in findings.statements if item.symbol is not None}
    found = False
    for number in sorted(stated):
        marks = _marks_of_item(lines[number].shape)
        if marks is None:
            continue
        for step in (-1, 1):
            at = number + step
            while 0 <= at < len(lines) and at not in stated and at not in taken:
                match = _ITEM_OF_WORDS.match(lines[at].shape)
                if match is None or match.group(1, 3, 4) != marks:
                    break
                if not _take_item(document, lines[at], match.span(2), findings):
                    break
                stated.add(at)
                at += step
                found = True
    if found:
        in_order(findings)


@lru_cache(maxsize=8192)
def _marks_of_item(shape: str) -> tuple[str, ...] | None:
    """Return the marks around a symbol and an action that begin a line, None where none do."""
    match = _ITEM_OF_SYMBOL.match(shape)
    return None if match is None else (match[1], match[2], match[3])


def _take_item(document: Document, line: Line, place: tuple[int, int], findings: Findings) -> bool:
    """Take an item whose name is some words, each with a capital."""
    first, last = line.first + place[0], line.first + place[1]
    words = [document.raw(at) for at in range(first, last)]
    term = document.terms[last + 1]
    if term is None or not all(word[0].isupper() and word.isalpha() for word in words):
        return False
    stated = [item for item in findings.statements if item.line == line.number]
    if not stated:
        rule = "code/named-by-siblings"
        stated = [Statement(line.number, last + 1, term.value, RANKS["row"], rule)]
        stated[0].price_token = price_at(document, line, last + 1)
        findings.statements.append(stated[0])
    stated[0].symbol, stated[0].symbol_token = " ".join(words), first
    return len(stated) == 1

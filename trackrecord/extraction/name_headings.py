"""Headings that name instruments although they are built like no ticker: ## CEMEX_MX."""

from __future__ import annotations

import re
from typing import Final

from trackrecord.extraction.document import SYMBOL, WORD, Document
from trackrecord.extraction.findings import Statement
from trackrecord.extraction.words import UNNAMED

_MARKED: Final = re.compile(
    r"(#{1,4})(?!#)(?: +[^\w\n]{0,4}([A-Za-z][\w.&-]{1,23})[ \t]*$)?", re.MULTILINE
)
_DEEPEST: Final = 5
_SEVERAL: Final = 2
_FAR: Final = 60


def assign(document: Document, statements: list[Statement]) -> None:
    """Take headings of one depth for names, where each of several has a decision of its own.

    Below ``## CNEC_CL`` and ``## EXITO_CL``, of which neither is built like a ticker.
    """
    nameless = [item for item in statements if item.symbol is None and not item.is_row]
    if len(nameless) < _SEVERAL or len(nameless) < len(statements):
        return
    chains = [_headings_above(document, item.line) for item in nameless]
    for depth in range(1, _DEEPEST):
        found = [chain[depth] for chain in chains if depth in chain]
        if len(found) == len(nameless) == len({name for _, name in found}):
            for item, (token, name) in zip(nameless, found, strict=True):
                item.symbol, item.symbol_token = name, token
            return


def _headings_above(document: Document, number: int) -> dict[int, tuple[int, str]]:
    """Return the headings that a line stands under which are one name, by their depth."""
    found: dict[int, tuple[int, str]] = {}
    least = _DEEPEST
    for line in reversed(document.lines[max(0, number - _FAR) : number]):
        match = _MARKED.match(document.folded, line.start, line.end)
        if match is None or len(match[1]) >= least:
            continue
        least = len(match[1])
        named = match[2] is not None and line.last == line.first + 1
        known = document.letters[line.first : line.first + 1] in {SYMBOL, WORD}
        plain = named and known and match[2].isupper() and match[2] not in UNNAMED
        if plain and match[2] not in document.rules.not_symbols:
            found[least] = line.first, match[2]
    return found

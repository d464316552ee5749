"""Tables that say a decision in two columns: of a row that has it in one of them, that one."""

from __future__ import annotations

from typing import Final

from trackrecord.extraction.cells import (
    Column,
    Row,
    Span,
    Table,
    cell_of,
    letters_of,
    tokens_in,
    words_of,
)
from trackrecord.extraction.document import Document
from trackrecord.extraction.model import side_of

_ACTIONS: Final = frozenset("Aa")
_MEANT: Final = frozenset("LFD")


def second_column(document: Document, table: Table, column: Column) -> Column | None:
    """Return the column that says the decision once more, in all rows that say it in both.

    As ``Strategy: SELL ALL`` beside ``Signal: DOWNTREND``, in a table whose other rows have
    ``BUY`` in both.
    """
    if "L" not in column.letters:
        return None
    for other in table.columns:
        meant = _MEANT.intersection(other.letters) and "V" not in other.letters
        if other is column or not (meant or other.text == "strategy"):
            continue
        agreed = 0
        for row in table.rows:
            first = _side_in(document, cell_of(table, row, column))
            then = _side_in(document, cell_of(table, row, other))
            if not then or (first and first != then):
                break
            agreed += bool(first)
        else:
            if agreed:
                return other
    return None


def _side_in(document: Document, span: Span) -> str:
    """Return the side of the one action in a cell, empty where there is none or are several."""
    sides = {
        side_of(term.value)
        for token in tokens_in(document, span)
        if document.letters[token] in _ACTIONS and (term := document.terms[token]) is not None
    }
    return sides.pop() if len(sides) == 1 else ""


def says_otherwise(document: Document, table: Table, row: Row, column: Column) -> bool:
    """Say whether a cell is a word that is no action, and not empty or none."""
    span = cell_of(table, row, column)
    letters = letters_of(document, span)
    return bool(letters) and set(letters) <= {"w"} and words_of(document, *span).isupper()

"""Which instrument a row of a table speaks of: by a column, by the index, or by a word in it."""

from __future__ import annotations

import re
from typing import Final

from trackrecord.extraction.cells import Column, Row, Span, Table, cell_of, tokens_in, words_of
from trackrecord.extraction.document import NUMBER, SYMBOL, Document
from trackrecord.extraction.findings import Statement

_NO_SYMBOL: Final = frozenset({
    "", "-", "--", "nan", "none", "null", "n/a", "na", "nat", "total", "<na>", "...", "?",
})  # fmt: skip
# What may stand around an action in its cell; anything else makes it another statement.
_LEADING: Final = re.compile(r"(?:\d{1,3}[.)]\s+|[^\w$#^]+)")
_NAME: Final = re.compile(r"[\w$#^][\w.&=^:/!+-]*+")
_LONGEST_NAME: Final = 40


def name_column(document: Document, table: Table) -> Column | None:
    """Return the column that names the instruments: by its heading, else by what it holds."""
    headed = [c for c in table.columns if "Y" in c.letters and "O" not in c.letters]
    if len(headed) > 1:
        # A name beside a code: the code is the instrument.
        for column in headed:
            if _all_symbols(document, [cell_of(table, row, column) for row in table.rows]):
                return column
    if headed:
        return headed[0]
    if "Y" in table.index_is or _all_symbols(document, [row.index for row in table.rows]):
        return _column_of_index(table)
    place = next(
        (
            at
            for at, c in enumerate(table.columns)
            if table.rows[0].cells[at][1] > table.rows[0].cells[at][0]
        ),
        0,
    )
    first = table.columns[place]
    if first.letters in {"", "w", "ww", "S"} and _all_symbols(
        document, [row.cells[place] for row in table.rows]
    ):
        return first
    return None


def _column_of_index(table: Table) -> Column:
    """Make what stands in front of the columns a column of its own."""
    column = Column(table.header.start, table.header.start, "Y", [], False)
    table.columns.append(column)
    for row in table.rows:
        row.cells.append(row.index)
    return column


def _all_symbols(document: Document, spans: list[Span]) -> bool:
    """Say whether all cells are built like tickers, some of them words such as LOW and ON."""
    found = False
    for start, end in spans:
        if end <= start:
            continue
        tokens = tokens_in(document, (start, end))
        if not tokens:
            return False
        if document.letters[tokens[0]] == SYMBOL or document.is_code(tokens[0]):
            found = True
            continue
        word = document.raw(tokens[0])
        if len(tokens) > 1 or not word.isalpha() or not word.isupper() or len(word) > 5:  # noqa: PLR2004
            return False
        if document.letters[tokens[0]] in "VKRULFGCA":
            return False
    return found


def take_name(document: Document, span: Span, statement: Statement) -> bool:
    """Take the instrument from a cell: as printed, whatever word it is."""
    text = document.folded
    start, end = span
    while end > start and text[end - 1] in " \t*`_\"'":
        end -= 1
    lead = _LEADING.match(text, start, end)
    if lead is not None:
        start = lead.end()
    name = text[start:end]
    if name.lower() in _NO_SYMBOL or not name.strip(".- ") or len(name) > _LONGEST_NAME:
        return False
    tokens = tokens_in(document, (start, end))
    whole = _NAME.match(text, start, end)
    if whole is None or whole.end() != end:
        named = [token for token in tokens if document.letters[token] == SYMBOL]
        if "(" in name or "[" in name or "|" in name or "," in name:
            token = named[0] if named else tokens[0] if tokens else None
            if token is None:
                return False
            statement.symbol, statement.symbol_token = document.symbol(token), token
            return True
        option = named and tokens and tokens[0] == named[0] and NUMBER in _shape(document, tokens)
        if len(named) == 1 and not option:
            statement.symbol, statement.symbol_token = document.symbol(named[0]), named[0]
            return True
    if name.isdigit() and len(name) < 3:  # noqa: PLR2004 - a rank, not a code
        return False
    statement.symbol = name.lstrip("$#")
    statement.symbol_token = tokens[0] if tokens else None
    return True


def take_option(document: Document, table: Table, row: Row, statement: Statement) -> None:
    """Name an option by its strike and its kind, which stand in columns of their own."""
    strike = kind = ""
    for column, span in zip(table.columns, row.cells, strict=False):
        text = words_of(document, span[0], span[1])
        if column.text in {"strike", "strike price", "strike_price"}:
            strike = text
        elif text.upper() in _OPTIONS:
            kind = text
    if statement.symbol is not None and strike and kind:
        statement.symbol = f"{statement.symbol} {strike} {kind}"


_OPTIONS: Final = frozenset({"CE", "PE", "CALL", "PUT"})


def _shape(document: Document, tokens: list[int]) -> str:
    return "".join([document.letters[token] for token in tokens])


def name_by_word(document: Document, table: Table, row: Row, statement: Statement) -> None:
    """Take the one ticker that a row without a symbol column holds."""
    for column, span in zip(table.columns, row.cells, strict=False):
        if "V" in column.letters or len(column.letters.strip("w")) > 1:
            continue
        tokens = tokens_in(document, span)
        if tokens and document.letters[tokens[0]] == SYMBOL and len(tokens) <= 2:  # noqa: PLR2004
            statement.symbol_token = tokens[0]
            statement.symbol = document.symbol(tokens[0])
            return

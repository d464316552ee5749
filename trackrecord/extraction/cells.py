"""Tables as parts of the text: columns, rows, cells, and how a line is cut into them."""

from __future__ import annotations

from typing import final

from trackrecord.extraction.document import Document, Line

Span = tuple[int, int]
"""From and to in the text; empty where a row has no such cell."""


@final
class Column:
    """A column of a table: where its heading stands, and what that says."""

    __slots__ = ("end", "letters", "percent", "start", "text", "tokens")

    def __init__(
        self, start: int, end: int, letters: str, tokens: list[int], percent: bool, text: str = ""
    ) -> None:
        self.start = start
        self.end = end
        self.letters = letters
        self.tokens = tokens
        self.percent = percent
        self.text = text
        """The heading in lower case."""


@final
class Row:
    """A row of a table: its line, and a part of the text for each column."""

    __slots__ = ("cells", "index", "line", "wrapped")

    def __init__(self, line: Line, cells: list[Span], index: Span = (0, 0)) -> None:
        self.line = line
        self.cells = cells
        self.index = index
        """What stands in front of the first column."""
        self.wrapped: dict[int, Span] = {}
        """Cells of a second line, by column, where the first was too narrow."""


@final
class Table:
    """A header and its rows."""

    __slots__ = (
        "at_left", "at_right", "columns", "edges", "header", "index_is", "kind", "lines", "pieces",
        "rows", "symbol",
    )  # fmt: skip

    def __init__(
        self, header: Line, kind: str, columns: list[Column], rows: list[Row] | None = None
    ) -> None:
        self.header = header
        self.kind = kind
        self.columns = columns
        self.rows = [] if rows is None else rows
        self.lines: list[Line] = []
        """All lines that belong to it."""
        self.index_is = ""
        """Letters of what names the index of its rows."""
        self.symbol: Span = (0, 0)
        """The instrument of all rows, where the header names one."""
        self.edges: list[Span] = []
        """Where its columns begin and end, from the header's beginning, once looked for."""
        self.at_left: dict[int, int] = {}
        """The column that begins at a place."""
        self.at_right: dict[int, int] = {}
        """The column that ends at a place."""
        self.pieces = -1
        """How many pieces its header is cut into at its gaps, once that was looked for."""

    def has(self, letters: str) -> bool:
        """Say whether a column is headed by one of these labels."""
        return any(letter in column.letters for column in self.columns for letter in letters)


def words_of(document: Document, first: int, last: int) -> str:
    """Return a part of the text without the marks of tables and emphasis around it."""
    return document.folded[first:last].strip(" \t|*_`\"'\u2060")


def tokens_in(document: Document, span: Span) -> list[int]:
    """Return the tokens that begin within a part of the text, bars left out."""
    starts, letters = document.starts, document.letters
    found: list[int] = []
    begin, end = span
    at = document.token_from(begin)
    while at < len(starts) and starts[at] < end:
        if letters[at] != "|":
            found.append(at)
        at += 1
    return found


def letters_of(document: Document, span: Span) -> str:
    """Return the letters of the tokens in a part of the text."""
    return "".join([document.letters[token] for token in tokens_in(document, span)])


def cut_at(document: Document, line: Line, mark: str) -> list[Span]:
    """Cut a line at a mark, but not within quotes."""
    text = document.folded
    parts: list[Span] = []
    start = line.start
    end = line.end
    if mark == "," and '"' in text[start:end]:
        quoted = False
        for at in range(start, end):
            if text[at] == '"':
                quoted = not quoted
            elif text[at] == mark and not quoted:
                parts.append((start, at))
                start = at + 1
        parts.append((start, end))
        return parts
    while (found := text.find(mark, start, end)) >= 0:
        parts.append((start, found))
        start = found + 1
    parts.append((start, end))
    return parts


def pieces_of(document: Document, line: Line) -> list[Span]:
    """Cut a line where two spaces or more stand."""
    pieces: list[Span] = []
    begin = behind = -1
    for start, end in words(document, line.start, line.end):
        if begin >= 0 and (start != behind + 1 or document.folded[behind] != " "):
            pieces.append((begin, behind))
            begin = start
        elif begin < 0:
            begin = start
        behind = end
    if begin >= 0:
        pieces.append((begin, behind))
    return pieces


def words(document: Document, start: int, end: int) -> list[Span]:
    """Cut a part of the text at its spaces."""
    text = document.folded
    found: list[Span] = []
    at = start
    for word in text[start:end].split():
        at = text.find(word, at, end)
        found.append((at, at + len(word)))
        at += len(word)
    return found


def cell_of(table: Table, row: Row, column: Column) -> Span:
    """Return the part of the text that a row has under a column."""
    return row.cells[table.columns.index(column)]


def head_of(row: Row) -> Span:
    """Return the first cell of a row that holds anything."""
    if row.index[1] > row.index[0]:
        return row.index
    return next((span for span in row.cells if span[1] > span[0]), row.index)

"""Find the tables of a text: a header that names its columns, and rows that stand under it.

Cells are parts of the text. Bars, tabs, semicolons and commas cut a row; where only spaces do,
a row with as many pieces as the header is cut at its gaps, any other by where its words stand.
"""

from __future__ import annotations

from typing import Final

from trackrecord.extraction.cells import (
    Column,
    Row,
    Span,
    Table,
    cut_at,
    letters_of,
    pieces_of,
    words,
    words_of,
)
from trackrecord.extraction.document import Document, Line
from trackrecord.extraction.headings import (
    ACTIONS,
    LONGEST_LINE,
    VALUES,
    aligned,
    column_of,
    header_of,
    is_percent,
    meaning,
)

_MOST_ROWS: Final = 400
_LONGEST_ROW: Final = 256
_LONGEST_ABOVE: Final = 8
_NOT_ABOVE: Final = frozenset("NPdAaS:!?><z")
_NOWHERE: Final = -2
_BLANK: Final = " \t\u2060"
_IN_FRONT: Final = -1


def find(document: Document) -> list[Table]:
    """Return the tables of a text that have a header."""
    tables: list[Table] = []
    lines = document.lines
    index = 0
    while index < len(lines):
        line = lines[index]
        table = None
        if line.traits.may_head and line.end - line.start <= LONGEST_LINE:
            table = header_of(document, line)
        if table is None:
            index += 1
            continue
        _header_above(document, table, tables[-1].lines[-1].number if tables else -1)
        behind = _take_rows(document, table, index + 1)
        if not table.rows:
            index += 1
            continue
        index = _right_part(document, table, behind)
        tables.append(table)
    return tables


def _take_rows(document: Document, table: Table, index: int) -> int:
    """Give a table its rows, and return the first line behind it."""
    lines = document.lines
    table.lines.append(table.header)
    started = index
    while index < len(lines) and len(table.rows) < _MOST_ROWS:
        line = lines[index]
        if not line.shape.strip(".|+-:="):
            # A blank line ends a table, but right under the header; a ruled one does not.
            blank = not document.folded[line.start : line.end].strip()
            if blank and (table.rows or index > started):
                break
        elif not table.rows and (
            _names_index(document, table, line) or _second_header(document, table, line)
        ):
            table.lines.append(line)
        else:
            row = _row(document, table, line)
            if row is not None:
                _add(document, table, row)
            elif table.kind != "|" or "|" not in line.shape:
                break
        index += 1
    return index


def _add(document: Document, table: Table, row: Row) -> None:
    """Add a row, or the second line of the one before, whose cells were too narrow."""
    table.lines.append(row.line)
    if table.rows and table.kind in {"|", " "} and row.index[1] <= row.index[0]:
        before = table.rows[-1]
        first = next((at for at, span in enumerate(row.cells) if span[1] > span[0]), 0)
        names = [at for at, column in enumerate(table.columns[:first]) if "Y" in column.letters]
        if names and "Y" not in table.columns[first].letters:
            letters = "".join([letters_of(document, span) for span in row.cells])
            if "d" in letters or not VALUES.isdisjoint(letters):
                # One name for several rows, as where rows are grouped.
                for at in names:
                    row.cells[at] = before.cells[at]
            elif row.line.number == before.line.number + 1:
                before.wrapped.update(
                    {at: span for at, span in enumerate(row.cells) if span[1] > span[0]}
                )
                return
    table.rows.append(row)


def _right_part(document: Document, table: Table, index: int) -> int:
    """Join the right parts of a table that was too wide for its lines; return what follows."""
    lines = document.lines
    header = table.header
    while document.folded[header.start : header.end].rstrip().endswith("\\"):
        while index < len(lines) and not lines[index].shape:
            index += 1
        if index >= len(lines):
            break
        more = aligned(document, lines[index], forced=True)
        if more is None:
            break
        behind = _take_rows(document, more, index + 1)
        if len(more.rows) != len(table.rows):
            break
        table.columns = [column for column in table.columns if column.text != "\\"]
        width = len(table.columns)
        table.columns.extend(more.columns)
        for row, rest in zip(table.rows, more.rows, strict=True):
            row.cells = row.cells[:width] + rest.cells
        table.lines.extend(more.lines)
        header = more.header
        index = behind
    return index


def _header_above(document: Document, table: Table, taken: int) -> None:
    """Join the line above a header where it holds the first words of headings: Stop over Loss."""
    number = table.header.number - 1
    if number <= taken or table.kind not in {"|", " "}:
        return
    line = document.lines[number]
    shape = line.shape.strip("|")
    if not shape or len(shape) > _LONGEST_ABOVE or not _NOT_ABOVE.isdisjoint(shape):
        return
    if table.kind == "|":
        row = _row(document, table, line)
    else:
        row = Row(line, _by_place(document, table, line, pieces_of(document, line))[0])
    if row is None:
        return
    joined: list[tuple[Column, str, str]] = []
    for column, span in zip(table.columns, row.cells, strict=True):
        above = words_of(document, span[0], span[1]).lower()
        if above:
            both = f"{above} {column.text}".strip()
            term = document.rules.term(both.replace(" ", ""))
            if term is None:
                return
            joined.append((column, both, term.letter))
    for column, both, letter in joined:
        column.text = both
        column.letters = meaning(letter, both)
    table.lines.append(line)


def _names_index(document: Document, table: Table, line: Line) -> bool:
    """Say whether a line under the header only names what the rows are called by, as Date."""
    text = document.folded[line.start : line.end]
    plain = VALUES.isdisjoint(line.shape) and ACTIONS.isdisjoint(line.shape)
    if table.kind != " " or not plain or text[:1] in " \t":
        return False
    if "S" in line.shape and line.shape[0] in "Yw":
        return _names_symbol(document, table, line)
    indented = document.folded[table.header.start : table.header.start + 1] == " "
    few = len(pieces_of(document, line)) <= 2 and (indented or table.symbol[1] > 0)  # noqa: PLR2004
    width = document.ends[line.last - 1] - line.start
    if not few or width > table.columns[0].end - table.header.start:
        return False
    names = [
        column_of(document, start, end) for start, end in words(document, line.start, line.end)
    ]
    if any(name.letters in {"L", "F"} for name in names):
        return False
    table.index_is = "".join([name.letters or "w" for name in names])
    if len(names) > 1:
        # Columns in front, whose headings stand a line deeper.
        shift = table.header.start - line.start
        for name in reversed(names):
            name.start += shift
            name.end += shift
            table.columns.insert(0, name)
    return True


def _names_symbol(document: Document, table: Table, line: Line) -> bool:
    """Take the one instrument that a second line of headings names."""
    tokens = [at for at in range(line.first, line.last) if document.letters[at] == "S"]
    if len({document.raw(token) for token in tokens}) != 1:
        return False
    table.symbol = (document.starts[tokens[0]], document.ends[tokens[0]])
    return True


def _second_header(document: Document, table: Table, line: Line) -> bool:
    """Join a second line of headings: Stop over Loss."""
    shape = line.shape
    if line.number != table.header.number + 1 or not VALUES.isdisjoint(shape):
        return False
    if not ACTIONS.isdisjoint(shape) or "S" in shape or "d" in shape or "u" in shape:
        return False
    row = _row(document, table, line)
    if row is None and table.kind == " ":
        row = Row(line, _by_place(document, table, line, pieces_of(document, line))[0])
    if row is None:
        return False
    texts = [words_of(document, start, end).lower() for start, end in row.cells]
    if not any(texts) or any(len(text) > 20 or "-" in text for text in texts):  # noqa: PLR2004
        return False
    for column, text in zip(table.columns, texts, strict=True):
        if not text:
            continue
        joined = f"{column.text} {text}".strip()
        term = document.rules.term(joined.replace(" ", ""))
        column.text = joined
        column.percent = column.percent or is_percent(text)
        column.letters = meaning(term.letter if term is not None else column.letters, joined)
    return True


def _row(document: Document, table: Table, line: Line) -> Row | None:
    """Cut a line into the cells of a table, None where it is no row of it."""
    if len(line.shape) > _LONGEST_ROW or line.end - line.start > LONGEST_LINE:
        return None
    if table.kind == " ":
        return _spaced(document, table, line)
    width = len(table.columns)
    parts = cut_at(document, line, table.kind)
    if table.kind == "|":
        parts = _even(document, table, line, parts)
    if len(parts) < width - (1 if table.kind == "|" else 0):
        return None
    parts = parts[:width]
    parts.extend([(line.end, line.end)] * (width - len(parts)))
    return Row(line, [_tight(document, span) for span in parts])


def _spaced(document: Document, table: Table, line: Line) -> Row | None:
    """Cut a line whose cells only spaces part: by their number, else by where they stand."""
    text = document.folded[line.start : line.end]
    pieces = pieces_of(document, line)
    if not pieces or ": " in text or text.endswith(":") or text.startswith("["):
        return None
    width = len(table.columns)
    if width == 1 and (len(pieces) != 2 or pieces[0][0] != line.start):  # noqa: PLR2004
        return None
    single = " " not in text.strip()
    if single and (width < 2 or not table.rows or pieces[0][0] - line.start < 3):  # noqa: PLR2004
        return None  # one word alone only goes on with a cell of the row above
    counted = None if single else _counted(document, table, line, pieces)
    if counted is not None:
        return counted
    cells, index = _by_place(document, table, line, pieces)
    return Row(line, cells, index)


def _counted(document: Document, table: Table, line: Line, pieces: list[Span]) -> Row | None:
    """Give each piece to a column in turn, where there are as many and none may be two cells."""
    width = len(table.columns)
    if len(pieces) == 1 and all(" " not in column.text for column in table.columns):
        # A narrow table, whose columns stand one space apart.
        cells = words(document, line.start, line.end)
        return Row(line, cells) if len(cells) == width else None
    if not _by_count(document, table, len(pieces)):
        return None
    indented = document.folded[table.header.start : table.header.start + 1] in {" ", "\t"}
    joined = indented and _joined(document, pieces)
    if len(pieces) == width and not joined:
        return Row(line, pieces)
    if len(pieces) == width + 1 and indented and not joined:
        return Row(line, pieces[1:], pieces[0])
    return None


def _by_count(document: Document, table: Table, pieces: int) -> bool:
    """Say whether a row's pieces may be told by their number: each column is a piece or a word."""
    width = len(table.columns)
    if pieces not in {width, width + 1}:
        return False
    if table.pieces < 0:
        heads = pieces_of(document, table.header)
        table.pieces = sum(document.folded[start:end] != "\\" for start, end in heads)
    return table.pieces == width or all(" " not in column.text for column in table.columns)


def _joined(document: Document, pieces: list[Span]) -> bool:
    """Say whether only one space stands between what may be two cells."""
    return any(
        " " in document.folded[start:end]
        and not ACTIONS.intersection(letters_of(document, (start, end)))
        and letters_of(document, (start, end)) != "d"
        for start, end in pieces
    )


def _even(document: Document, table: Table, line: Line, parts: list[Span]) -> list[Span]:
    """Give a row the same bars at its edges as the header has."""
    if len(parts) == len(table.columns):
        return parts
    header = document.folded[table.header.start : table.header.end].strip()
    row = document.folded[line.start : line.end].strip()
    if header.startswith("|") and not row.startswith("|"):
        return [(line.start, line.start), *parts]
    if row.startswith("|") and not header.startswith("|"):
        return parts[1:]
    return parts


def _tight(document: Document, span: Span) -> Span:
    text = document.folded[span[0] : span[1]]
    start = span[1] - len(text.lstrip(_BLANK))
    return (start, max(start, span[0] + len(text.rstrip(_BLANK))))


def _by_place(
    document: Document, table: Table, line: Line, pieces: list[Span]
) -> tuple[list[Span], Span]:
    """Give each word to the column that it stands under: at its right or left edge, or across."""
    base = line.start
    width = len(table.columns)
    if len(table.edges) != width:
        _find_edges(table)
    cells: list[Span] = [(line.end, line.end)] * width
    index: Span = (0, 0)
    for piece in pieces:
        alone = document.folded.find(" ", piece[0], piece[1]) < 0
        inside = [piece] if alone else words(document, piece[0], piece[1])
        places = [_place(start - base, end - base, table) for start, end in inside]
        # A word under no heading goes with its neighbour in the same piece.
        for at in range(len(places) - 2, -1, -1):
            if places[at] == _NOWHERE:
                places[at] = places[at + 1]
        for at in range(1, len(places)):
            if places[at] == _NOWHERE:
                places[at] = places[at - 1]
        for at, place in enumerate(places):
            if place == _NOWHERE:
                continue
            start, end = inside[at]
            if place == _IN_FRONT:
                index = (index[0] if index[1] else start, end)
            else:
                held = cells[place]
                cells[place] = (min(held[0], start), end) if held[1] > held[0] else (start, end)
    return cells, index


def _find_edges(table: Table) -> None:
    base = table.header.start
    table.edges = [(column.start - base, column.end - base) for column in table.columns]
    table.at_left = {left: at for at, (left, _) in enumerate(table.edges)}
    table.at_right = {right: at for at, (_, right) in enumerate(table.edges)}


def _place(start: int, end: int, table: Table) -> int:
    edges = table.edges
    last = len(edges) - 1
    if len(table.at_left) > last and len(table.at_right) > last:
        # Most cells end where their column does, or begin there.
        at_right = table.at_right.get(end, last + 1)
        at_left = table.at_left.get(start, last + 1)
        if at_left < last and at_left < at_right and end <= edges[at_left + 1][0]:
            return at_left
        if at_right <= last:
            return at_right
    best, most = _NOWHERE, 0
    for place, (left, right) in enumerate(edges):
        if end == right or (start == left and place < last and end <= edges[place + 1][0]):
            return place
        across = min(end, right) - max(start, left)
        if across > most:
            best, most = place, across
        elif best == _NOWHERE and (-1 <= end - right <= 1 or -1 <= start - left <= 1):
            best = place
    if best == _NOWHERE and edges and end <= edges[0][0]:
        return _IN_FRONT
    return best

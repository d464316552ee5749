"""Tables that have no header of their own: a printed pandas Series, and a frame on its side."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import re2

from trackrecord.extraction import looks
from trackrecord.extraction.cells import Column, Row, Span, Table, cut_at, pieces_of, words_of
from trackrecord.extraction.document import Document, Line
from trackrecord.extraction.headings import column_of

_MAY_FOOT: Final = looks.ask("dtype: |Freq: ")
_FOOTERS: Final = ("Name: ", "dtype: ", "Freq: ", "Length: ")
_MOST_ROWS: Final = 400
_LOOK_BACK: Final = 16
_MOST_LINES: Final = 24
_ACTING_ROW: Final = re2.compile(rb"^[|]?[LF][|,;]?(?:[Aa][|,;]?|-[|,;]?){2,}$")
_NAMES: Final = re2.compile(rb"^[|]?(?:[Yw]?[|,;])?[Yw]?[|,;]?(?:[SwZfV][|,;]?){2,}$")


def find(document: Document, taken: set[int]) -> list[Table]:
    """Return the tables of a text whose rows are named, but not their columns.

    Args:
        document: The text.
        taken: Lines of other tables; those of the ones found here are added.
    """
    found: list[Table] = []
    if document.may(_MAY_FOOT):
        _each_series(document, taken, found)
    acting = [line for line in document.lines if line.traits.acts]
    if len(acting) > 1:
        _tallies(document, acting, taken, found)
    if acting:
        _each_upright(document, taken, found)
    for line in acting:
        if line.shape.lstrip("|")[:1] in {"L", "F"} and line.number not in taken:
            if not _is_acting_row(line.shape):
                continue
            table = _on_side(document, line)
            if table is not None:
                found.append(table)
                taken.update(item.number for item in table.lines)
    return found


@lru_cache(maxsize=8192)
def _is_acting_row(shape: str) -> bool:
    return _ACTING_ROW.search(shape.encode("ascii", "replace")) is not None


def _tallies(document: Document, acting: list[Line], taken: set[int], found: list[Table]) -> None:
    """Find lines such as BUY 3 over SELL 1: how many, or how likely, and no decision."""
    counts = [
        line
        for line in acting
        if len(line.shape) <= _LONGEST_TALLY and line.number not in taken and _is_tally(line.shape)
    ]
    if len(counts) < 2:  # noqa: PLR2004 - one alone is a decision and its confidence
        return
    run = [counts[0]]
    for line in [*counts[1:], None]:
        if line is not None and line.number == run[-1].number + 1:
            run.append(line)
            continue
        terms = {document.terms[item.first + item.shape.index(_act(item))] for item in run}
        if len(terms) > 1:
            table = Table(run[0], "tally", [_made("b")])
            table.rows = [Row(item, [(item.start, item.end)]) for item in run]
            table.lines = list(run)
            found.append(table)
            taken.update(item.number for item in run)
        if line is not None:
            run = [line]


@lru_cache(maxsize=8192)
def _is_tally(shape: str) -> bool:
    return _TALLY.fullmatch(shape) is not None


def _act(line: Line) -> str:
    return "A" if "A" in line.shape else "a"


_LONGEST_TALLY: Final = 12
_TALLY: Final = re.compile(r"[|]?[-.]?[Aa][Lk]?[|:=-]?(?:[NP]w?|N[(/]?P?N?[)]?)[|]?")


# --- a Series ----------------------------------------------------------------------------------


def _each_series(document: Document, taken: set[int], found: list[Table]) -> None:
    for line in document.lines:
        text = document.folded[line.start : line.end]
        if not text.startswith(_FOOTERS) or line.number in taken or line.number == 0:
            continue
        table = _series(document, line, text, taken)
        if table is not None:
            found.append(table)
            taken.update(item.number for item in table.lines)


def _series(document: Document, footer: Line, text: str, taken: set[int]) -> Table | None:
    """Read the lines above ``Name: signal, dtype: object``: a name and a value each."""
    above, heading = _above(document, footer, taken)
    if not above:
        return None
    name: Span = (0, 0)
    if "Name: " in text:
        start = footer.start + text.index("Name: ") + len("Name: ")
        end = document.folded.find(",", start, footer.end)
        name = (start, footer.end if end < 0 else end)
    called = column_of(document, *name).letters if name[1] else ""
    rows = [Row(line, cells) for line, cells in above]
    acting = sum(_acts(document, cells[1]) for _, cells in above)
    if any(_acts(document, cells[0]) for _, cells in above):
        # Actions and how often each was met: none of them is a decision.
        table = Table(footer, "series", [_made("b"), _made("b")], rows)
    elif acting * 2 >= len(above) and not _labels(document, above):
        letters = "L" if called in {"", "S"} else called
        table = Table(footer, "series", [_made(""), _made(letters)], rows)
    elif acting and "object" in text:
        table = Table(footer, "series", [column_of(document, *cells[0]) for _, cells in above])
        decisive = next(line for line, cells in above if _acts(document, cells[1]))
        table.rows = [Row(decisive, [cells[1] for _, cells in above])]
    else:
        return None
    if called == "S":
        table.symbol = name
    table.lines = [*[line for line, _ in above], *heading, footer]
    return table


def _above(
    document: Document, footer: Line, taken: set[int]
) -> tuple[list[tuple[Line, list[Span]]], list[Line]]:
    """Return the lines of two pieces above a footer, and the one that names their index."""
    found: list[tuple[Line, list[Span]]] = []
    heading: list[Line] = []
    number = footer.number - 1
    while number >= 0 and len(found) < _MOST_ROWS and number not in taken:
        line = document.lines[number]
        cells = pieces_of(document, line)
        if len(cells) != 2 or cells[0][0] != line.start:  # noqa: PLR2004
            if len(cells) == 1 and not line.traits.acts:
                heading = [line]
            break
        if line.shape.strip("."):
            found.append((line, cells))
        number -= 1
    found.reverse()
    return found, heading


def _made(letters: str) -> Column:
    return Column(0, 0, letters, [], False)


def _acts(document: Document, span: Span) -> bool:
    return any(letter in "Aa" for letter in column_of(document, span[0], span[1]).letters)


def _labels(document: Document, above: list[tuple[Line, list[Span]]]) -> bool:
    """Say whether the names are those of fields, one of them the decision."""
    return any(
        letter in "LFY" for _, cells in above for letter in column_of(document, *cells[0]).letters
    )


# --- fields below one another ------------------------------------------------------------------


def _each_upright(document: Document, taken: set[int], found: list[Table]) -> None:
    """Find fields and their values in two columns, whose instrument is a word such as LOW."""
    for line in document.lines:
        shape = line.shape.strip("|")
        if shape[:1] != "Y" or len(shape) > _LONGEST_FIELD or not _ONLY_WORD.fullmatch(shape):
            continue
        if line.number in taken:
            continue
        table = _upright(document, line)
        if table is not None:
            found.append(table)
            taken.update(item.number for item in table.lines)


_LONGEST_FIELD: Final = 4
_ONLY_WORD: Final = re.compile(r"Y[|]?[wfZVLKAane]")


def _upright(document: Document, named: Line) -> Table | None:
    mark = "|" if "|" in named.shape else " "
    if len(_cells(document, named, mark)) != 2:  # noqa: PLR2004
        return None
    lines = [named]
    for step in (-1, 1):
        number = named.number + step
        while 0 <= number < len(document.lines) and len(lines) < _MOST_LINES:
            line = document.lines[number]
            number += step
            if _is_ruled(document, line):
                continue
            if not line.shape or len(_cells(document, line, mark)) != 2:  # noqa: PLR2004
                break
            lines.append(line)
    lines.sort(key=lambda line: line.number)
    fields = [_cells(document, line, mark) for line in lines]
    table = Table(named, "side", [column_of(document, *cells[0]) for cells in fields])
    deciding = [
        line
        for line, column in zip(lines, table.columns, strict=True)
        if column.letters[:1] in {"L", "F"}
    ]
    if len(deciding) != 1:
        return None
    table.rows = [Row(deciding[0], [cells[1] for cells in fields])]
    table.lines = lines
    return table


# --- a frame on its side -----------------------------------------------------------------------


def _cells(document: Document, line: Line, mark: str) -> list[Span]:
    if mark == " ":
        return pieces_of(document, line)
    cells = cut_at(document, line, mark)
    text = document.folded[line.start : line.end].strip()
    if mark == "|" and text.startswith("|"):
        cells = cells[1:]
    if mark == "|" and text.endswith("|"):
        cells = cells[:-1]
    return cells


def _on_side(document: Document, acting: Line) -> Table | None:
    """Read a table with an instrument a column and a label in front of each line."""
    text = document.folded[acting.start : acting.end]
    mark = next((mark for mark in "|\t;," if mark in text), " ")
    width = len(_cells(document, acting, mark)) - 1
    header = _names_above(document, acting, mark, width + 1)
    if header is None or width < 2:  # noqa: PLR2004 - one instrument is no table on its side
        return None
    names = _cells(document, header, mark)
    if len(names) not in {width, width + 1}:
        return None
    table = Table(acting, "side", [_made("Y")])
    table.rows = [Row(acting, [span]) for span in names[-width:]]
    table.lines.append(header)
    for line in document.lines[header.number + 1 : header.number + 1 + _MOST_LINES]:
        if _is_ruled(document, line):
            continue
        cells = _cells(document, line, mark)
        if not line.shape or len(cells) != width + 1:
            break
        table.columns.append(column_of(document, *cells[0]))
        for row, span in zip(table.rows, cells[1:], strict=True):
            row.cells.append(span)
        table.lines.append(line)
    if any(not words_of(document, *row.cells[0]) for row in table.rows):
        return None
    return table


def _is_ruled(document: Document, line: Line) -> bool:
    """Say whether a line only rules off others."""
    return not line.shape.strip("|-:+") and bool(document.folded[line.start : line.end].strip())


def _names_above(document: Document, acting: Line, mark: str, width: int) -> Line | None:
    """Return the line of instruments that heads a table on its side."""
    for number in range(acting.number - 1, max(-1, acting.number - _LOOK_BACK), -1):
        line = document.lines[number]
        if _is_ruled(document, line):
            continue
        if "S" in line.shape and _NAMES.search(line.shape.encode("ascii", "replace")) is not None:
            return line
        if not line.shape or len(_cells(document, line, mark)) != width:
            return None
    return None

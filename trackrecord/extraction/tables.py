"""Tables: pipes, commas or aligned columns under a header that names what stands in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from trackrecord.extraction.document import NUMBER, PERCENT, SYMBOL, WORD, Document, Line
from trackrecord.extraction.model import Rejected
from trackrecord.extraction.packs import RANKS
from trackrecord.extraction.result_values import Candidate
from trackrecord.extraction.shapes import HEADINGS
from trackrecord.extraction.statements import Findings, Statement, reject

_ACTIONS: Final = frozenset("Aa")
_FEWEST_COLUMNS: Final = 3
_MOST_ROWS: Final = 400
_LONGEST_ROW: Final = 256
_FIELDS: Final = frozenset("ETXC")


@dataclass(slots=True, eq=False)
class Column:
    """A column of a table: its place and the labels in its header."""

    start: int
    end: int
    letters: str
    tokens: list[int]
    percent: bool


@dataclass(slots=True)
class Table:
    """A header and its rows."""

    header: Line
    kind: str
    columns: list[Column]
    rows: list[Line] = field(default_factory=list)

    def has(self, letters: str) -> bool:
        """Say whether a column is headed by one of these labels."""
        return any(letter in column.letters for column in self.columns for letter in letters)

    def column(self, letters: str) -> Column | None:
        """Return the first column headed by the first of these labels that heads one."""
        for letter in letters:
            for column in self.columns:
                if letter in column.letters:
                    return column
        return None


def find(document: Document) -> list[Table]:
    """Return the tables of a text that have a header."""
    tables: list[Table] = []
    lines = document.lines
    index = 0
    while index < len(lines):
        table = _header(document, lines[index]) if lines[index].traits.may_head else None
        if table is None:
            index += 1
            continue
        index += 1
        while index < len(lines) and len(table.rows) < _MOST_ROWS:
            line = lines[index]
            if not line.shape:
                # A blank line ends a table, a ruled one does not.
                if not document.folded[line.start : line.end].strip():
                    break
            elif _is_row(document, table, line):
                table.rows.append(line)
            elif table.kind != "aligned" and "|" in line.shape:
                pass
            else:
                break
            index += 1
        if table.rows:
            tables.append(table)
    return tables


def _header(document: Document, line: Line) -> Table | None:
    shape = line.shape
    text = document.folded[line.start : line.end]
    if shape.count("|") >= 2:  # noqa: PLR2004
        return _split(document, line, "pipes", text, "|")
    if shape.count(",") >= _FEWEST_COLUMNS - 1 and ", " not in text:
        return _split(document, line, "commas", text, ",")
    if ":" in shape or ("  " not in text and "\t" not in text):
        return None
    return _aligned(document, line)


def _split(document: Document, line: Line, kind: str, text: str, mark: str) -> Table | None:
    columns: list[Column] = []
    position = 0
    for part in text.split(mark):
        start = line.start + position
        columns.append(
            _column(document, line, start, start + len(part), "%" in part or "pct" in part)
        )
        position += len(part) + 1
    if kind == "pipes" and ":" in line.shape:
        return None
    alternatives = [column for column in columns if not _ACTIONS.isdisjoint(column.letters)]
    if alternatives and not _only_named(alternatives):
        return None
    return Table(line, kind, columns) if len(columns) >= _FEWEST_COLUMNS - 1 else None


def _only_named(columns: list[Column]) -> bool:
    """Say whether actions in a header only explain a column: Signal (BUY/SELL)."""
    return all(any(letter in "LFDb" for letter in column.letters) for column in columns)


def _column(document: Document, line: Line, start: int, end: int, percent: bool) -> Column:
    tokens = [
        token
        for token in range(line.first, line.last)
        if start <= document.starts[token] < end and document.letters[token] != "|"
    ]
    return Column(start, end, "".join(document.letters[token] for token in tokens), tokens, percent)


def _aligned(document: Document, line: Line) -> Table | None:
    """Columns of a table set by spaces: one for each label, as wide as its words."""
    columns: list[Column] = []
    text = document.folded
    previous = -1
    for token in range(line.first, line.last):
        letter = document.letters[token]
        start, end = document.starts[token], document.ends[token]
        near = previous >= 0 and not text[document.ends[previous] : start].count("  ")
        bracket = near and columns and (text[start - 1] in "([/" or letter in "()[]/%")
        if letter in HEADINGS and not bracket:
            columns.append(Column(start, end, letter, [token], False))
        elif near and columns:
            last = columns[-1]
            last.letters += letter
            last.tokens.append(token)
            last.end = max(last.end, end)
        else:
            columns.append(Column(start, end, letter, [token], False))
        previous = token
    for column in columns:
        stop = column.end + 3
        column.percent = "%" in text[column.start : min(stop, line.end)]
        while column.end < line.end and text[column.end] in "%)]":
            column.end += 1
    return Table(line, "aligned", columns) if len(columns) >= _FEWEST_COLUMNS else None


def _is_row(document: Document, table: Table, line: Line) -> bool:
    shape = line.shape
    if len(shape) > _LONGEST_ROW:
        return False
    text = document.folded[line.start : line.end]
    if table.kind == "pipes":
        return shape.count("|") >= max(1, table.header.shape.count("|") - 1)
    if table.kind == "commas":
        return text.count(",") >= len(table.columns) - 1
    return "  " in text.strip() and ":" not in shape.replace("d", "")


def cell(document: Document, table: Table, row: Line, column: Column) -> list[int]:
    """Return the tokens of a row that stand in a column."""
    if table.kind != "aligned":
        mark = "|" if table.kind == "pipes" else ","
        place = table.columns.index(column)
        text = document.folded
        start = row.start
        for _ in range(place):
            found = text.find(mark, start, row.end)
            if found < 0:
                return []
            start = found + 1
        end = text.find(mark, start, row.end)
        end = row.end if end < 0 else end
        return [
            token
            for token in range(row.first, row.last)
            if start <= document.starts[token] < end and document.letters[token] != "|"
        ]
    left, right = column.start - table.header.start, column.end - table.header.start
    best: list[int] = []
    for token in range(row.first, row.last):
        start, end = document.starts[token] - row.start, document.ends[token] - row.start
        if abs(end - right) <= 1 or abs(start - left) <= 1:
            return [token]
        if start < right and end > left:
            best.append(token)
    return best


def read(document: Document, tables: list[Table], findings: Findings) -> set[int]:
    """Read the recommendations of tables.

    Args:
        document: The text.
        tables: Its tables.
        findings: Receives a statement a row, or the reason why a table is none.

    Returns:
        The lines that need no further reading.
    """
    taken: set[int] = set()
    for table in tables:
        lines = [table.header, *table.rows]
        acting = [
            token
            for line in lines
            for token in range(line.first, line.last)
            if document.letters[token] in _ACTIONS
        ]
        if not acting:
            continue
        taken.update(line.number for line in lines)
        column = _action_column(document, table)
        refusal = _refusal(table, column)
        if refusal is not None or column is None:
            rule, reason = refusal or ("code/no-action-column", "no column is headed as a decision")
            findings.rejected.extend(
                Rejected(
                    document.raw(token), rule, reason, document.starts[token], document.ends[token]
                )
                for token in acting
            )
            continue
        _rows(document, table, column, findings)
    return taken


def _action_column(document: Document, table: Table) -> Column | None:
    for letters in ("F", "L", "D", "w"):
        for column in table.columns:
            if letters not in column.letters:
                continue
            tokens = [cell(document, table, row, column) for row in table.rows]
            acting = sum(
                any(document.letters[token] in _ACTIONS for token in found) for found in tokens
            )
            if acting and acting * 2 >= len(table.rows):
                return column
    return None


def _refusal(table: Table, column: Column | None) -> tuple[str, str] | None:
    if column is None:
        return "code/no-action-column", "no column is headed as a decision"
    advice = table.has("TXC")
    decided = "L" in column.letters or "F" in column.letters
    reasons = (
        (table.has("bpz"), "the table lists trades or positions"),
        (table.has("RU") and not table.has("TX"), "the table lists trades with their profit"),
        (table.has("q") and not advice, "the table lists orders with their quantity"),
        (not decided and not advice, "the column gives a side, not a decision"),
        (table.has("V") and not table.has("Y"), "each row is one vote, not the decision"),
    )
    return next((("code/ledger-table", reason) for holds, reason in reasons if holds), None)


def _rows(document: Document, table: Table, column: Column, findings: Findings) -> None:
    symbols = table.column("Y")
    dated = False
    before = len(findings.statements)
    for row in table.rows:
        tokens = cell(document, table, row, column)
        acting = [token for token in tokens if document.letters[token] in _ACTIONS]
        if len(acting) != 1:
            continue
        token = acting[0]
        term = document.terms[token]
        if term is None:
            continue
        statement = Statement(row.number, token, term.value, RANKS["labelled"], "code/table-row")
        statement.is_row = True
        _name(document, table, row, symbols, statement)
        if "V" in row.shape[:2] and statement.symbol is None:
            findings.rejected.append(reject(document, token, "code/votes-table", "one vote"))
            continue
        _fill(document, table, row, statement)
        dated = dated or "d" in row.shape[:3]
        findings.statements.append(statement)
    found = findings.statements[before:]
    if dated and len(found) > 1 and all(item.symbol is None for item in found):
        # One instrument through time: the last row is what holds now.
        for item in found[:-1]:
            findings.statements.remove(item)
            findings.rejected.append(
                reject(document, item.token, "code/time-series", "a later row decides")
            )


def _fill(document: Document, table: Table, row: Line, statement: Statement) -> None:
    """Take prices and confidence from the columns headed so; a range or a zone is no price."""
    for head in table.columns:
        for letter in _FIELDS.intersection(head.letters):
            values = [
                at
                for at in cell(document, table, row, head)
                if document.letters[at] in (NUMBER, PERCENT)
            ]
            usable = len(values) == 1 and (letter == "C" or document.letters[values[0]] == NUMBER)
            if usable and letter not in statement.cells and not head.letters.startswith("Z"):
                statement.cells[letter] = values[0]


def _name(
    document: Document, table: Table, row: Line, column: Column | None, statement: Statement
) -> None:
    if column is not None:
        tokens = cell(document, table, row, column)
        named = [
            token
            for token in tokens
            if document.letters[token] in (SYMBOL, WORD, NUMBER, "v", "V", "K", "w")
        ]
        symbols = [token for token in named if document.letters[token] == SYMBOL]
        token = symbols[0] if symbols else named[0] if named else None
        if token is not None:
            statement.symbol_token = token
            statement.symbol = document.symbol(token)
            return
    for token in range(row.first, row.last):
        if document.letters[token] == SYMBOL:
            statement.symbol_token = token
            statement.symbol = document.symbol(token)
            return


def results(document: Document, tables: list[Table]) -> tuple[list[Candidate], set[int]]:
    """Read the results of tables: the total row, or the only one.

    Returns:
        Candidates, and the lines that need no further reading.
    """
    found: list[Candidate] = []
    taken: set[int] = set()
    for table in tables:
        if not table.has("R"):
            continue
        taken.update(line.number for line in [table.header, *table.rows])
        totals = [
            row
            for row in table.rows
            if "total" in document.folded[row.start : row.end].lower()[:40]
        ]
        if totals:
            rows = totals[-1:]
        elif len(table.rows) == 1:
            rows = table.rows
        else:
            continue
        for column in table.columns:
            if "R" not in column.letters or "U" in column.letters:
                continue
            for row in rows:
                candidate = _result(document, table, row, column)
                if candidate is not None:
                    found.append(candidate)
    return found, taken


def _result(document: Document, table: Table, row: Line, column: Column) -> Candidate | None:
    values = [
        token
        for token in cell(document, table, row, column)
        if document.letters[token] in (NUMBER, PERCENT)
    ]
    if len(values) != 1:
        return None
    token = values[0]
    value = document.number(token)
    label = column.tokens[column.letters.index("R")]
    term = document.terms[label]
    if value is None or term is None:
        return None
    is_percent = column.percent or document.letters[token] == PERCENT or term.value.endswith("%")
    return Candidate(
        "total",
        value if is_percent else None,
        None if is_percent else value,
        (),
        term.rule,
        document.raw(label).lower(),
        document.starts[token],
        document.ends[token],
        row.number,
    )

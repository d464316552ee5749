"""Read the results of tables: the total row, or the only one."""

from __future__ import annotations

from typing import Final

from trackrecord.extraction.cells import Column, Row, Table, cell_of, tokens_in, words_of
from trackrecord.extraction.document import NUMBER, PERCENT, Document
from trackrecord.extraction.result_values import Candidate
from trackrecord.extraction.table_levels import term_of

_TOTAL_WITHIN: Final = 40


def results(document: Document, tables: list[Table]) -> tuple[list[Candidate], set[int]]:
    """Read the results of tables: the total row, or the only one.

    Returns:
        Candidates, and the lines that need no further reading.
    """
    found: list[Candidate] = []
    taken: set[int] = set()
    for table in tables:
        if sum(bool(column.text) for column in table.columns) < 2:  # noqa: PLR2004
            continue  # the title of a box, over lines that name their values themselves
        if not table.has("R") or not _holds_amounts(document, table):
            found.extend(_of_sales(document, table))
            continue
        taken.update(line.number for line in table.lines)
        if table.has("p") or any(column.text in _OPEN for column in table.columns):
            continue  # what is held is not yet gained
        rows = _deciding(document, table)
        if rows and any(_without_trades(document, table, row) for row in rows):
            continue
        found.extend(_of_columns(document, table, rows))
    return found, taken


def _of_columns(document: Document, table: Table, rows: list[Row]) -> list[Candidate]:
    """Read the columns of results: in the rows that decide, else what all rows have in common."""
    found: list[Candidate] = []
    for column in table.columns:
        if "R" not in column.letters or "U" in column.letters:
            continue
        if not rows:
            found.extend(_common(document, table, column))
        for row in rows:
            candidate = _result(document, table, row, column)
            if candidate is not None:
                found.append(candidate)
    return found


def _holds_amounts(document: Document, table: Table) -> bool:
    """Say whether a column headed as a result holds numbers.

    It does not where it is that of the names, or the title above values with labels of their own.
    """
    places = [at for at, column in enumerate(table.columns) if "R" in column.letters]
    return any(
        _is_amount(document, tokens_in(document, row.cells[at]))
        for row in table.rows
        for at in places
        if at < len(row.cells)
    )


def _is_amount(document: Document, tokens: list[int]) -> bool:
    """Say whether a cell holds a number, and no label before it."""
    for token in tokens:
        letter = document.letters[token]
        if letter in (NUMBER, PERCENT, ":"):
            return letter != ":"
    return False


def _deciding(document: Document, table: Table) -> list[Row]:
    """Return the total row, else the only one."""
    totals = [
        row
        for row in table.rows
        if "total" in document.folded[row.line.start : row.line.end].lower()[:_TOTAL_WITHIN]
    ]
    if totals:
        return totals[-1:]
    return table.rows if len(table.rows) == 1 else []


_OPEN: Final = frozenset({
    "current", "current price", "mark", "mark price", "ltp", "cmp", "last", "last price",
    "mkt price", "market price", "current_price", "mark_price", "now",
    "since", "current rate", "current value", "market value", "l/s", "open since", "age",
    "unrealized", "unrealised", "liq price", "liq. price",
    "现价", "最新价", "当前价", "現價", "现在价", "現在値", "現在価格", "현재가",
})  # fmt: skip
_GAINS: Final = frozenset({
    "gain/loss", "gain / loss", "gain (loss)", "gain", "gains", "gain/loss ($)", "p/l",
    "profit/loss",
})  # fmt: skip
_COUNTS: Final = frozenset({
    "trades", "# trades", "total trades", "no. of trades", "number of trades", "num trades",
    "trade count", "closed trades", "n trades", "entries", "buys", "#trades", "total_trades",
    "num_trades", "n_trades", "trades #", "交易次数", "交易数",
})  # fmt: skip


def _without_trades(document: Document, table: Table, row: Row) -> bool:
    """Say whether a row counts no trades, so that its return is none."""
    return any(
        column.text in _COUNTS and words_of(document, span[0], span[1]) in {"0", "0.0"}
        for column, span in zip(table.columns, row.cells, strict=False)
    )


def _common(document: Document, table: Table, column: Column) -> list[Candidate]:
    """Of several runs side by side, keep whether all gained or all lost: none is the return."""
    term = term_of(document, column, "R")
    if term is None or not term.value.startswith("total"):
        return []
    found = [_result(document, table, row, column) for row in table.rows]
    first = found[0]
    if first is None or len(found) < 2:  # noqa: PLR2004
        return []
    values = [item.percent for item in found if item is not None and item.percent is not None]
    if len(values) == len(found):
        return [first.of(first.percent, first.money, tuple(values[1:]))]
    return [first] if _of_one_sign(found) else []


def _of_one_sign(found: list[Candidate | None]) -> bool:
    """Say whether all of several amounts of money are gains, or all are losses."""
    monies = [item.money for item in found if item is not None and item.money]
    return len(monies) == len(found) and len({money > 0 for money in monies}) == 1


def _of_sales(document: Document, table: Table) -> list[Candidate]:
    """Read the gains beside sales in a ledger, where all are gains or all are losses."""
    gains = next((column for column in table.columns if column.text in _GAINS), None)
    sides = next((column for column in table.columns if column.letters[:1] in {"D", "L"}), None)
    if gains is None or sides is None or not table.has("q") or table.has("pC"):
        return []
    found: list[Candidate | None] = []
    for row in table.rows:
        tokens = tokens_in(document, cell_of(table, row, gains))
        if not any(document.letters[token] in (NUMBER, PERCENT) for token in tokens):
            continue
        acting = [
            document.terms[token] for token in tokens_in(document, cell_of(table, row, sides))
        ]
        if not any(term is not None and term.value == "SELL" for term in acting):
            return []
        found.append(_amount(document, tokens, row.line.number))
    first = found[0] if found else None
    return [first] if first is not None and _of_one_sign(found) else []


def _amount(document: Document, tokens: list[int], line: int) -> Candidate | None:
    """Return the one amount of money in a cell."""
    values = [token for token in tokens if document.letters[token] == NUMBER]
    value = document.number(values[0]) if len(values) == 1 else None
    if value is None:
        return None
    start, end = document.starts[values[0]], document.ends[values[0]]
    return Candidate("trade", None, value, (), "code/sales", "sold", start, end, line)


def _result(document: Document, table: Table, row: Row, column: Column) -> Candidate | None:
    values = [
        token
        for token in tokens_in(document, row.cells[table.columns.index(column)])
        if document.letters[token] in (NUMBER, PERCENT)
    ]
    if len(values) != 1:
        return None
    token = values[0]
    value = document.number(token)
    term = term_of(document, column, "R")
    if value is None or term is None:
        return None
    is_percent = column.percent or document.letters[token] == PERCENT or term.value.endswith("%")
    return Candidate(
        "total",
        value if is_percent else None,
        None if is_percent else value,
        (),
        term.rule,
        column.text,
        document.starts[token],
        document.ends[token],
        row.line.number,
    )

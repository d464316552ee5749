"""Read the recommendations of tables: a row states what its columns are headed as."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import pairwise
from typing import Final

from trackrecord.extraction import fields, units
from trackrecord.extraction.cells import (
    Column,
    Row,
    Span,
    Table,
    letters_of,
    tokens_in,
    words_of,
)
from trackrecord.extraction.document import DATE, NUMBER, PERCENT, SYMBOL, Document
from trackrecord.extraction.headings import VOTERS
from trackrecord.extraction.model import Rejected
from trackrecord.extraction.packs import RANKS, Term
from trackrecord.extraction.statements import Cell, Findings, Statement, reject

_ACTIONS: Final = frozenset("Aa")
_PRICES: Final = frozenset("ETX")
_NO_SYMBOL: Final = frozenset({
    "", "-", "--", "nan", "none", "null", "n/a", "na", "nat", "total", "<na>", "...", "?",
})  # fmt: skip
# What may stand around an action in its cell; anything else makes it another statement.
_BESIDE: Final = frozenset("AafgwkLvKCPN()[]!-.,:@SZ+")
_ONE_CELL: Final = re.compile(
    r"(?i)[^\w+.-]*(?:(?:rs|inr|usdt?|eur|gbp)\.?)?\s*[$€£¥₹₩₺]?\s*([-+]?[\d.,]*\d)\s*"
    r"(%|[$€£¥₹₩₺元円원]|usdt?|inr|eur|gbp|tl|try|rs)?"
)
_LEADING: Final = re.compile(r"(?:\d{1,3}[.)]\s+|[^\w$#^]+)")
_NAME: Final = re.compile(r"[\w$#^][\w.&=^:/!+-]*+")
_ISO: Final = re.compile(r"\d{4}[-/.]\d{2}[-/.]\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?)?")
_LONGEST_NAME: Final = 40


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
        acting = [
            token
            for line in table.lines
            for token in range(line.first, line.last)
            if document.letters[token] in _ACTIONS
        ]
        if not acting:
            continue
        taken.update(line.number for line in table.lines)
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


def _cell(table: Table, row: Row, column: Column) -> Span:
    return row.cells[table.columns.index(column)]


def _action_column(document: Document, table: Table) -> Column | None:
    for letters in ("F", "L", "D", "w"):
        best: Column | None = None
        most = 0
        for column in table.columns:
            if letters not in column.letters or column.letters[0] in "VbO":
                continue
            acting = sum(
                any(
                    document.letters[token] in _ACTIONS
                    for span in (
                        _cell(table, row, column),
                        row.wrapped.get(table.columns.index(column), (0, 0)),
                    )
                    for token in tokens_in(document, span)
                )
                for row in table.rows
            )
            enough = acting > most and (acting * 2 >= len(table.rows) or letters in "FL")
            if enough:
                best, most = column, acting
        if best is not None:
            return best
    return None


def _refusal(table: Table, column: Column | None) -> tuple[str, str] | None:
    if column is None:
        return "code/no-action-column", "no column is headed as a decision"
    advice = table.has("TXC")
    decided = "L" in column.letters or "F" in column.letters
    reasons = (
        (table.has("bpz"), "the table lists trades or positions"),
        (table.has("R") and not table.has("TX"), "the table lists trades with their profit"),
        (table.has("q") and not advice, "the table lists orders with their quantity"),
        (not decided and not advice, "the column gives a side, not a decision"),
    )
    return next((("code/ledger-table", reason) for holds, reason in reasons if holds), None)


def _rows(document: Document, table: Table, column: Column, findings: Findings) -> None:
    """State what each row says, of several rows on one instrument the latest."""
    names = _name_column(document, table)
    # Where nothing names an instrument, a table speaks of one through time, or holds votes.
    voting = names is None and _has_voters(document, table)
    others = [
        other
        for other in table.columns
        if other is not column and "L" in other.letters and "V" not in other.letters
    ]
    stated: list[tuple[Row, Statement | None]] = []
    for row in table.rows:
        statement = _statement(document, table, row, column, findings)
        if statement is None:
            stated.append((row, None))
            continue
        if "L" in column.letters and _differs(document, table, row, others, statement):
            reason: str | None = "two columns disagree"
        else:
            reason = _identify(document, table, row, names, statement, voting=voting)
        if reason is not None:
            _refuse(document, findings, statement, "code/table-row", reason)
            continue
        _option(document, table, row, statement)
        stated.append((row, statement))
    findings.statements.extend(_latest(document, table, stated, findings))


def _identify(
    document: Document,
    table: Table,
    row: Row,
    names: Column | None,
    statement: Statement,
    *,
    voting: bool,
) -> str | None:
    """Give a row's statement its instrument; return why it is none, if it is none."""
    final = _is_final(document, row)
    if names is not None and _name(document, _cell(table, row, names), statement):
        return None
    if final:
        statement.rank = RANKS["final"]
        return None
    if names is not None:
        return "the row names no instrument"
    if voting or _is_vote(document, row):
        return "it is one vote"
    if table.symbol[1]:
        _name(document, table.symbol, statement)
    else:
        _name_by_word(document, table, row, statement)
    return None


def _has_voters(document: Document, table: Table) -> bool:
    """Say whether a column names indicators, models or people, one a row."""
    for place, column in enumerate(table.columns):
        if "V" not in column.letters:
            continue
        letters = "".join([letters_of(document, row.cells[place]) for row in table.rows])
        if letters.strip("-.") and not (_ACTIONS | {NUMBER, PERCENT}).intersection(letters):
            return True
        if column.letters == "V" and column.text in VOTERS:
            return True
    return False


def _refuse(
    document: Document, findings: Findings, statement: Statement, rule: str, reason: str
) -> None:
    findings.rejected.append(reject(document, statement.token, rule, reason))


def _statement(
    document: Document, table: Table, row: Row, column: Column, findings: Findings
) -> Statement | None:
    """Read the action of a row, None where its cell holds none or something else beside it."""
    place = table.columns.index(column)
    tokens = tokens_in(document, row.cells[place])
    letters = document.letters
    wrapped = tokens_in(document, row.wrapped[place]) if place in row.wrapped else []
    acting = [token for token in [*tokens, *wrapped] if letters[token] in _ACTIONS]
    if not acting:
        return None
    token = acting[0]
    term = document.terms[token]
    if wrapped and len(acting) == 1:
        both = [document.raw(at) for at in [*tokens, *wrapped]]
        term = document.rules.term("".join(both)) or term
        tokens = [*tokens, *wrapped]
    plain = len(acting) == 1 and _BESIDE.issuperset([letters[at] for at in tokens])
    if not plain and len(acting) == 1 and letters[tokens[0]] in _ACTIONS:
        # What explains an action may say anything, but not take it back: BUY - RSI oversold.
        plain = not any(letters[at] in "nizr?" for at in tokens)
    if term is None or not plain:
        reason = "the cell says more than one action, or takes it back"
        findings.rejected.extend(reject(document, at, "code/table-cell", reason) for at in acting)
        return None
    over = _over(document, table, row, column)
    if over is not None:
        findings.rejected.append(reject(document, token, "code/table-row", over))
        return None
    action = term.value
    if action == "BUY" and document.marked_btst(row.line.last):
        action = "BTST_BUY"
    statement = Statement(row.line.number, token, action, RANKS["labelled"], "code/table-row")
    statement.is_row = True
    _fill(document, table, row, statement)
    if "C" not in statement.cells and not table.has("C"):
        beside = [at for at in tokens if letters[at] == PERCENT]
        if len(beside) == 1 and document.raw(beside[0])[0] not in "+-":
            _sure(document, statement, document.starts[beside[0]], document.ends[beside[0]], "%")
    return statement


def _over(document: Document, table: Table, row: Row, column: Column) -> str | None:
    """Return why a row speaks of a trade that is over or an order that is filled."""
    for other in table.columns:
        if other is column or "Y" in other.letters:
            continue
        span = _cell(table, row, other)
        tokens = tokens_in(document, span)
        if not tokens or len(tokens) > 3:  # noqa: PLR2004 - a sentence of reasons
            continue
        term = document.terms[tokens[0]]
        if term is not None and term.letter in "bz":
            return term.reason or "the row is of a trade that is over"
        if words_of(document, *span).lower() in _CLOSED:
            return "the row is of a trade that is over"
    return None


_CLOSED: Final = frozenset({
    "closed", "filled", "executed", "done", "exited", "tp hit", "sl hit", "target hit", "stopped",
    "stopped out", "expired", "cancelled", "canceled", "rejected", "win", "won", "loss", "lost",
    "hit tp", "hit sl", "booked", "completed", "complete", "已成交", "已平仓",
})  # fmt: skip


def _differs(
    document: Document, table: Table, row: Row, others: list[Column], statement: Statement
) -> bool:
    """Say whether another column that decides gives the row another action."""
    for other in others:
        for token in tokens_in(document, _cell(table, row, other)):
            term = document.terms[token]
            if document.letters[token] in _ACTIONS and term is not None:
                here, there = statement.action.split("_")[-1], term.value.split("_")[-1]
                if here != there:
                    return True
    return False


def _is_final(document: Document, row: Row) -> bool:
    """Say whether a row is headed as the decision: Overall, Final."""
    tokens = tokens_in(document, _head(row))
    return bool(tokens) and document.letters[tokens[0]] in "FGL"


def _head(row: Row) -> Span:
    """Return the first cell of a row that holds anything."""
    if row.index[1] > row.index[0]:
        return row.index
    return next((span for span in row.cells if span[1] > span[0]), row.index)


def _is_vote(document: Document, row: Row) -> bool:
    """Say whether a row is headed as an indicator or a model."""
    tokens = tokens_in(document, _head(row))
    return bool(tokens) and document.letters[tokens[0]] in "VK"


# --- which instrument, and which row holds now -------------------------------------------------


def _name_column(document: Document, table: Table) -> Column | None:
    """Return the column that names the instruments: by its heading, else by what it holds."""
    headed = [c for c in table.columns if "Y" in c.letters and "O" not in c.letters]
    if len(headed) > 1:
        # A name beside a code: the code is the instrument.
        for column in headed:
            if _all_symbols(document, [_cell(table, row, column) for row in table.rows]):
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


def _name(document: Document, span: Span, statement: Statement) -> bool:
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


def _option(document: Document, table: Table, row: Row, statement: Statement) -> None:
    """Name an option by its strike and its kind, which stand in columns of their own."""
    strike = kind = ""
    for column, span in zip(table.columns, row.cells, strict=False):
        text = words_of(document, *span)
        if column.text in {"strike", "strike price", "strike_price"}:
            strike = text
        elif text.upper() in _OPTIONS:
            kind = text
    if statement.symbol is not None and strike and kind:
        statement.symbol = f"{statement.symbol} {strike} {kind}"


_OPTIONS: Final = frozenset({"CE", "PE", "CALL", "PUT"})


def _shape(document: Document, tokens: list[int]) -> str:
    return "".join([document.letters[token] for token in tokens])


def _name_by_word(document: Document, table: Table, row: Row, statement: Statement) -> None:
    """Take the one ticker that a row without a symbol column holds."""
    for column, span in zip(table.columns, row.cells, strict=False):
        if "V" in column.letters or len(column.letters.strip("w")) > 1:
            continue
        tokens = tokens_in(document, span)
        if tokens and document.letters[tokens[0]] == SYMBOL and len(tokens) <= 2:  # noqa: PLR2004
            statement.symbol_token = tokens[0]
            statement.symbol = document.symbol(tokens[0])
            return


def _latest(
    document: Document,
    table: Table,
    stated: list[tuple[Row, Statement | None]],
    findings: Findings,
) -> list[Statement]:
    """Keep what holds now: of a series through time, the latest row of each instrument.

    Rows without an instrument and without an order in time are votes or alternatives.
    """
    found = [statement for _, statement in stated if statement is not None]
    if not found:
        return []
    dates = [_date(document, row) for row, _ in stated]
    given = [date for date in dates if date]
    descending = len(given) > 1 and given[0] > given[-1]
    nameless = all(item.symbol is None for item in found)
    if nameless and all(item.rank < RANKS["final"] for item in found):
        if len(stated) == 1:
            return found
        serial = len(given) == len(stated) or _counted(document, [row for row, _ in stated])
        latest = stated[0 if descending else -1][1] if serial else None
        if serial and table.kind != "series" and _trades(table, found):
            latest = None
        reason = (
            ("code/time-series", "a later row decides")
            if serial
            else ("code/votes-table", "rows without an instrument: votes or alternatives")
        )
        for item in found:
            if item is not latest:
                _refuse(document, findings, item, *reason)
        return [] if latest is None else [latest]
    if not descending:
        return found
    kept: list[Statement] = []
    names: set[str | None] = set()
    for item in found:
        if item.symbol in names:
            _refuse(document, findings, item, "code/time-series", "a later row decides")
        else:
            names.add(item.symbol)
            kept.append(item)
    return kept


def _trades(table: Table, found: list[Statement]) -> bool:
    """Say whether rows buy and sell in turn at a price: what a backtest did."""
    if any(column.text in {"signal", "signals"} for column in table.columns):
        return False
    actions = [statement.action for statement in found]
    turns = all(one != other for one, other in pairwise(actions))
    return len(actions) > 1 and turns and set(actions) == {"BUY", "SELL"}


def _date(document: Document, row: Row) -> str:
    """Return the time of a row as it sorts; "" where it has none that does."""
    for token in range(row.line.first, min(row.line.last, row.line.first + 4)):
        if document.letters[token] == DATE:
            raw = document.raw(token)
            match = _ISO.match(raw)
            return match[0].replace("T", " ") if match is not None else "0"
    return ""


def _counted(document: Document, rows: list[Row]) -> bool:
    """Say whether the rows are numbered one after the other."""
    previous: int | None = None
    for row in rows:
        text = words_of(document, *_head(row))
        if not text.isdigit() or len(text) > 9:  # noqa: PLR2004
            return False
        if previous is not None and int(text) != previous + 1:
            return False
        previous = int(text)
    return previous is not None


# --- prices and confidence ---------------------------------------------------------------------


def _fill(document: Document, table: Table, row: Row, statement: Statement) -> None:
    """Take prices and confidence from the columns headed so; a range or a zone is no price."""
    for head, span in zip(table.columns, row.cells, strict=False):
        if head.letters.startswith(("Z", "b", "V")) or span[1] <= span[0]:
            continue
        for letter in head.letters:
            if letter in statement.cells:
                continue
            if letter == "C":
                percent = head.percent or _has_percent(document, span)
                _sure(document, statement, *span, "%" if percent else "")
            elif letter in _PRICES and not (head.percent or units.heads(f" {head.text} ")):
                value = _number(document, table, span)
                if value and not _has_percent(document, span):
                    statement.cells[letter] = Cell(value, *span)


def _has_percent(document: Document, span: Span) -> bool:
    return "%" in document.folded[span[0] : span[1]]


def _number(document: Document, table: Table, span: Span) -> Decimal | None:
    """Read the number that a cell is, with its currency; None for a range or anything else."""
    text = words_of(document, *span)
    match = _ONE_CELL.fullmatch(text)
    if match is not None:
        return document.parse(
            match[1], commas=table.kind != "," or text != document.folded[span[0] : span[1]]
        )
    tokens = tokens_in(document, span)
    values = [token for token in tokens if document.letters[token] in (NUMBER, PERCENT)]
    if len(values) != 1 or document.letters[values[0]] == PERCENT or values[0] != tokens[0]:
        return None
    if fields.is_range(document, values[0], len(document.letters)):
        return None
    rest = _shape(document, tokens[1:])
    return document.number(values[0]) if rest[:1] in {"", "("} else None


def _sure(document: Document, statement: Statement, start: int, end: int, percent: str) -> None:
    """Take a confidence: 0.82, 82 %, 8/10."""
    text = words_of(document, start, end)
    value = fields.confidence_of(text, percent=bool(percent))
    if value is not None:
        statement.cells["C"] = Cell(value, start, end)


def term_of(document: Document, column: Column, letter: str) -> Term | None:
    """Return the meaning of a column's heading that one of its letters stands for."""
    for token in column.tokens:
        if document.letters[token] == letter:
            return document.terms[token]
    return None

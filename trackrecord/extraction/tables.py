"""Read the recommendations of tables: a row states what its columns are headed as."""

from __future__ import annotations

from typing import Final

import re2

from trackrecord.extraction import headed_tables, said_twice
from trackrecord.extraction.cells import (
    Column,
    Row,
    Span,
    Table,
    cell_of,
    head_of,
    letters_of,
    tokens_in,
    words_of,
)
from trackrecord.extraction.document import NUMBER, PERCENT, Document
from trackrecord.extraction.findings import Findings, Statement, reject
from trackrecord.extraction.headings import VOTERS
from trackrecord.extraction.model import Rejected
from trackrecord.extraction.packs import RANKS
from trackrecord.extraction.table_levels import take_confidence, take_levels
from trackrecord.extraction.table_names import name_by_word, name_column, take_name, take_option
from trackrecord.extraction.table_order import latest_of

_ACTIONS: Final = frozenset("Aa")
# What may stand around an action in its cell; anything else makes it another statement.
_BESIDE: Final = frozenset("AafgwkLvKCPN()[]!-.,:@SZ+")


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
            taken |= headed_tables.read(document, table, findings)
            continue
        if _is_box(document, table, acting):
            continue
        taken.update(line.number for line in table.lines)
        column = _action_column(document, table)
        refusal = _refusal(document, table, column)
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


def _is_box(document: Document, table: Table, acting: list[int]) -> bool:
    """Say whether a table of one column frames lines such as ``Signal: SELL`` under a title."""
    if table.kind != "|" or sum(bool(column.text) for column in table.columns) != 1:
        return False
    return all(token > 0 and document.letters[token - 1] == ":" for token in acting)


def _action_column(document: Document, table: Table) -> Column | None:
    for letters in ("F", "L", "D", "w"):
        best: Column | None = None
        most = 0
        for place, column in enumerate(table.columns):
            if letters not in column.letters or column.letters[0] in "VbO":
                continue
            acting = sum(
                _acts(document, row.cells[place])
                or (place in row.wrapped and _acts(document, row.wrapped[place]))
                for row in table.rows
            )
            enough = acting > most and (acting * 2 >= len(table.rows) or letters in "FL")
            if enough:
                best, most = column, acting
        if best is not None:
            return best
    return None


def _acts(document: Document, span: Span) -> bool:
    """Say whether a cell names an action."""
    return any(document.letters[token] in _ACTIONS for token in tokens_in(document, span))


def _refusal(document: Document, table: Table, column: Column | None) -> tuple[str, str] | None:
    if column is None:
        return "code/no-action-column", "no column is headed as a decision"
    decided = "L" in column.letters or "F" in column.letters
    if table.has("bpz"):
        reason = "the table lists trades or positions"
    elif table.has("R") and not table.has("TX"):
        reason = "the table lists trades with their profit"
    elif _holds(document, table, column):
        return None  # no order is placed to hold
    elif _lists_past(document, table):
        reason = "the table is headed as what was done"
    elif table.has("q") and not table.has("TXC"):
        reason = "the table lists orders with their quantity"
    elif not decided and not table.has("TXC"):
        reason = "the column gives a side, not a decision"
    else:
        return None
    return "code/ledger-table", reason


def _lists_past(document: Document, table: Table) -> bool:
    """Say whether the line above a table heads what was done: Executed trades, 已执行交易."""
    for line in reversed(
        document.lines[max(0, table.header.number - _ABOVE) : table.header.number]
    ):
        if line.shape.strip(".|+-:="):
            return _PAST.search(document.folded, line.start, line.end) is not None
    return False


def _holds(document: Document, table: Table, column: Column) -> bool:
    """Say whether rows without a date say what to hold, as decisions do and orders do not."""
    cells = [cell for row in table.rows for cell in row.cells]
    if any(document.letters[token] == "d" for cell in cells for token in tokens_in(document, cell)):
        return False
    place = table.columns.index(column)
    return any(
        term is not None and term.kind == "action" and term.value == "HOLD"
        for row in table.rows
        for term in [document.terms[token] for token in tokens_in(document, row.cells[place])]
    )


def _rows(document: Document, table: Table, column: Column, findings: Findings) -> None:
    """State what each row says, of several rows on one instrument the latest."""
    names = name_column(document, table)
    # Where nothing names an instrument, a table speaks of one through time, or holds votes.
    voting = names is None and _has_voters(document, table)
    others = [
        other
        for other in table.columns
        if other is not column and "L" in other.letters and "V" not in other.letters
    ]
    stated: list[tuple[Row, Statement | None]] = []
    second = said_twice.second_column(document, table, column)
    for row in table.rows:
        statement = _statement(document, table, row, column, findings)
        if (
            statement is None
            and second is not None
            and said_twice.says_otherwise(document, table, row, column)
        ):
            statement = _statement(document, table, row, second, findings)
        if statement is None:
            stated.append((row, None))
            continue
        if names is None and _names_all(document, row):
            _refuse(document, findings, statement, "code/table-row", "the row names every decision")
            continue
        if "L" in column.letters and _differs(document, table, row, others, statement):
            reason: str | None = "two columns disagree"
        else:
            reason = _identify(document, table, row, names, statement, voting=voting)
        if reason is not None:
            _refuse(document, findings, statement, "code/table-row", reason)
            continue
        take_option(document, table, row, statement)
        if _is_running(document, table, row, column):
            reason = "the row is of a trade that is open, among others that are over"
            _refuse(document, findings, statement, "code/table-row", reason)
            continue
        stated.append((row, statement))
    findings.statements.extend(latest_of(document, table, stated, findings))


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
    if names is not None and take_name(document, cell_of(table, row, names), statement):
        return None
    if final:
        statement.rank = RANKS["final"]
        return None
    if names is not None:
        return "the row names no instrument"
    if voting or _is_vote(document, row):
        return "it is one vote"
    if table.symbol[1]:
        take_name(document, table.symbol, statement)
    else:
        name_by_word(document, table, row, statement)
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
    take_levels(document, table, row, statement)
    if "C" not in statement.cells and not table.has("C"):
        beside = [at for at in tokens if letters[at] == PERCENT]
        if len(beside) == 1 and document.raw(beside[0])[0] not in "+-":
            take_confidence(
                document, statement, document.starts[beside[0]], document.ends[beside[0]], "%"
            )
    return statement


def _over(document: Document, table: Table, row: Row, column: Column) -> str | None:
    """Return why a row speaks of a trade that is over or an order that is filled."""
    for other in table.columns:
        if other is column or "Y" in other.letters:
            continue
        span = cell_of(table, row, other)
        tokens = tokens_in(document, span)
        if not tokens or len(tokens) > 3:  # noqa: PLR2004 - a sentence of reasons
            continue
        term = document.terms[tokens[0]]
        if term is not None and term.letter in "bz":
            return term.reason or "the row is of a trade that is over"
        if words_of(document, span[0], span[1]).lower() in _CLOSED:
            return "the row is of a trade that is over"
    return None


def _is_running(document: Document, table: Table, row: Row, column: Column) -> bool:
    """Say whether a row's trade is open in a list of which other trades are over."""
    running = not table.has("TX") and any(
        words_of(document, *cell_of(table, row, other)).lower().strip("-.!") in _RUNNING
        for other in table.columns
        if other is not column and "Y" not in other.letters
    )
    return running and any(
        _over(document, table, other, column) is not None
        for other in table.rows
        if other is not row
    )


def _names_all(document: Document, row: Row) -> bool:
    """Say whether the cells of a row name every decision there is, as a heading does."""
    values = {
        term.value
        for cell in row.cells
        if letters_of(document, cell) in _ACTIONS
        for token in tokens_in(document, cell)
        if (term := document.terms[token]) is not None
    }
    return len(values) >= _ALL


_ALL: Final = 3
_ABOVE: Final = 3
_PAST: Final = re2.compile(
    r"(?i)\b(?:executed|closed|completed|filled|past|previous|historical) (?:trades?|orders?"
    r"|signals?"
    r"|positions?|transactions?)\b|\b(?:trade|order|signal|transaction) (?:history|log|journal)\b"
    r"|(?:已执行|已成交|历史|成交|已平仓)(?:的)?(?:交易|订单|记录|信号)|交易(?:记录|历史)"
    r"|取引履歴|約定履歴"
    r"|(?:체결|거래|매매) ?(?:내역|기록|이력)"
)
_RUNNING: Final = frozenset({
    "open", "active", "running", "pending", "in progress", "ongoing", "live", "ouvert", "ouverte",
    "abierta", "abierto", "aberta", "offen", "aperta", "进行中", "持仓中",
})  # fmt: skip
_CLOSED: Final = frozenset({
    "closed", "filled", "executed", "done", "exited", "tp hit", "sl hit", "target hit", "stopped",
    "stopped out", "expired", "cancelled", "canceled", "rejected", "win", "won", "loss", "lost",
    "hit tp", "hit sl", "booked", "gagné", "perdu", "ganada", "ganado", "perdida", "perdido",
    "gewonnen", "verloren", "vinta", "persa", "completed", "complete", "已成交", "已平仓",
})  # fmt: skip


def _differs(
    document: Document, table: Table, row: Row, others: list[Column], statement: Statement
) -> bool:
    """Say whether another column that decides gives the row another action."""
    for other in others:
        for token in tokens_in(document, cell_of(table, row, other)):
            term = document.terms[token]
            if document.letters[token] in _ACTIONS and term is not None:
                here, there = statement.action.split("_")[-1], term.value.split("_")[-1]
                if here != there:
                    return True
    return False


def _is_final(document: Document, row: Row) -> bool:
    """Say whether a row is headed as the decision: Overall, Final."""
    tokens = tokens_in(document, head_of(row))
    return bool(tokens) and document.letters[tokens[0]] in "FGL"


def _is_vote(document: Document, row: Row) -> bool:
    """Say whether a row is headed as an indicator or a model."""
    tokens = tokens_in(document, head_of(row))
    return bool(tokens) and document.letters[tokens[0]] in "VK"

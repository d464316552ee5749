"""Tables of instruments under a heading that is an action: TOP BUY SIGNALS over Symbol, Price."""

from __future__ import annotations

import re
from typing import Final

from trackrecord.extraction import lists
from trackrecord.extraction.cells import Table
from trackrecord.extraction.document import Document
from trackrecord.extraction.findings import Findings, Statement, reject
from trackrecord.extraction.packs import RANKS
from trackrecord.extraction.table_levels import take_levels
from trackrecord.extraction.table_names import name_column, take_name

_DONE: Final = re.compile(
    r"(?i)\b(?:recent|past|histor\w*|previous|earlier|executed|closed|filled|trades?|orders?"
    r"|back-?test\w*|yesterday\w*|last|examples?|samples?|positions?|log|volume|pressure|book|depth"
    r"|levels?|zones?|walls?|activity|transactions?|insiders?|counts?|statistics|stats"
    r"|performance|results?|conditions?|criteria|rules?)\b"
)


def read(document: Document, table: Table, findings: Findings) -> set[int]:
    """Read the rows of a table whose heading above it says what to do with each.

    Args:
        document: The text.
        table: A table in which no action is named.
        findings: Receives a statement a row.

    Returns:
        The lines that need no further reading: its own and the heading's; none where no action
        heads it, or where it lists trades, positions or orders.
    """
    heading = lists.heading_above(document, table.header.number)
    if heading is None:
        return set()
    place = lists.heads(heading.shape)
    term = None if place is None else document.terms[heading.first + place]
    if place is None or term is None or term.kind == "action.weak":
        return set()
    if _DONE.search(document.folded, heading.start, heading.end) is not None:
        return set()
    lines = {heading.number, *(line.number for line in table.lines)}
    names = name_column(document, table)
    token = heading.first + place
    if table.has("bpzRqO") or names is None:
        reason = "the table under it lists no instruments to act on"
        findings.rejected.append(reject(document, token, "code/headed-table", reason))
        return lines
    action = "BTST_BUY" if term.kind == "btst" else term.value
    if action == "BUY" and document.marked_btst(heading.last):
        action = "BTST_BUY"
    at = table.columns.index(names)
    for row in table.rows:
        statement = Statement(row.line.number, token, action, RANKS["row"], "code/headed-table")
        statement.is_row = True
        if take_name(document, row.cells[at], statement):
            take_levels(document, table, row, statement)
            findings.statements.append(statement)
    return lines

"""Which rows of a table hold now: of a series through time, the latest."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from trackrecord.extraction.cells import Row, Table, head_of, words_of
from trackrecord.extraction.document import DATE, Document
from trackrecord.extraction.findings import Findings, Statement, reject
from trackrecord.extraction.packs import RANKS

_ISO: Final = re.compile(r"\d{4}[-/.]\d{2}[-/.]\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?)?")


def latest_of(
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
                findings.rejected.append(reject(document, item.token, *reason))
        return [] if latest is None else [latest]
    if not descending:
        return found
    kept: list[Statement] = []
    names: set[str | None] = set()
    for item in found:
        if item.symbol in names:
            later = "a later row decides"
            findings.rejected.append(reject(document, item.token, "code/time-series", later))
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
        text = words_of(document, *head_of(row))
        if not text.isdigit() or len(text) > 9:  # noqa: PLR2004
            return False
        if previous is not None and int(text) != previous + 1:
            return False
        previous = int(text)
    return previous is not None

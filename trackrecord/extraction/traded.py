"""Lines that look like decisions and are a log of trades, or prices to watch on both sides."""

from __future__ import annotations

from trackrecord.extraction import names
from trackrecord.extraction.document import Document
from trackrecord.extraction.findings import Findings, Statement
from trackrecord.extraction.refusals import ROW


def drop(document: Document, findings: Findings) -> None:
    """Refuse lines of logs of trades, and rules for both sides of one instrument.

    Args:
        document: The text.
        findings: Its statements, symbols assigned; those refused move to ``rejected``.
    """
    _drop_ledgers(document, findings)
    _drop_two_sided(document, findings)


def _drop_ledgers(document: Document, findings: Findings) -> None:
    """Refuse bare lines that buy and sell the same thing in turn: a list of trades."""
    bare = [
        item
        for item in findings.statements
        if item.rank <= ROW and not item.is_row and item.rule != "code/labelled-row"
    ]
    lines = {item.line for item in bare}
    if len(lines) < 2:  # noqa: PLR2004 - a list has at least two lines
        return
    by_symbol: dict[str | None, set[str]] = {}
    for item in bare:
        by_symbol.setdefault(item.symbol, set()).add(item.action)
    listed = [
        item
        for item in bare
        if len(by_symbol[item.symbol]) > 1
        and (item.symbol is None or _is_dated(document.lines[item.line].shape))
    ]
    heads = {_head(document, item) for item in listed}
    alike = [item for item in bare if _head(document, item) in heads]
    findings.refuse(document, alike, "code/ledger", "it is a line of a list of trades")


def _is_dated(shape: str) -> bool:
    """Say whether a line begins with a date, or tells a price and a day."""
    return "d" in shape[:4] or ("d" in shape and "@N" in shape)


def _head(document: Document, statement: Statement) -> str:
    """Return the shape of a statement's line up to its action."""
    line = document.lines[statement.line]
    return line.shape[: max(0, statement.token - line.first) + 1]


def _drop_two_sided(document: Document, findings: Findings) -> None:
    """Refuse buy above X and sell below Y of one instrument: levels to watch, no decision."""
    awaited = [
        item
        for item in findings.statements
        if item.price_token is not None and _is_awaited(document, item.price_token)
    ]
    sides: dict[str | None, set[str]] = {}
    for item in awaited:
        sides.setdefault(item.symbol, set()).add(item.action)
    both = [item for item in awaited if len(sides[item.symbol]) > 1]
    findings.refuse(document, both, "code/two-sided", "it is a rule for both sides")


def _is_awaited(document: Document, price: int) -> bool:
    """Say whether a price stands behind above or below."""
    at = price - 1 if document.letters[price - 1] != ":" else price - 2
    return at >= 0 and document.letters[at] == "@" and document.raw(at).lower() in names.NEAR

"""Rows of words such as trim and accumulate, which decide beside rows that do: ACME - trim."""

from __future__ import annotations

from trackrecord.extraction.document import Document
from trackrecord.extraction.findings import Findings, Statement, token_of


def take(document: Document, findings: Findings) -> None:
    """Take rows of weaker words in a list in which others decide: NVDA - trim, AAPL - hold.

    Args:
        document: The text.
        findings: Its statements; receives those of weaker words that stand in line with others.
    """
    if not findings.weak or not findings.statements:
        return
    taken = {item.line: item for item in findings.statements if item.symbol is not None}
    found: set[int] = set()
    for weak, beside in (
        *((item, item.line - 1) for item in findings.weak),
        *((item, item.line + 1) for item in reversed(findings.weak)),
    ):
        other = taken.get(beside)
        if other is None or weak.symbol in {None, other.symbol} or weak.line in taken:
            continue
        if _alike(document, weak) == _alike(document, other):
            taken[weak.line] = weak
            findings.statements.append(weak)
            found.add(document.starts[weak.token])
    findings.rejected = [item for item in findings.rejected if item.start not in found]
    findings.statements.sort(key=token_of)


def _alike(document: Document, statement: Statement) -> str:
    """Return the shape of a statement's line, whether its word is a strong or a weak one."""
    return document.lines[statement.line].shape.replace("A", "a")

"""What is found in a text: statements of actions, each with its fields, and what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import final

from trackrecord.extraction import fields
from trackrecord.extraction.document import Document
from trackrecord.extraction.model import Rejected, rejected


@final
class Cell:
    """A value in a row of a table, and where it stands in the text."""

    __slots__ = ("end", "start", "value")

    def __init__(self, value: Decimal, start: int, end: int) -> None:
        self.value = value
        self.start = start
        self.end = end


@final
class Statement:
    """One action that a line states."""

    __slots__ = (
        "action", "bound", "cells", "is_order", "is_row", "line", "price_token", "rank", "rule",
        "symbol", "symbol_token", "token",
    )  # fmt: skip

    def __init__(self, line: int, token: int, action: str, rank: int, rule: str) -> None:
        self.line = line
        self.token = token
        self.action = action
        self.rank = rank
        self.rule = rule
        self.symbol: str | None = None
        self.symbol_token: int | None = None
        self.price_token: int | None = None
        self.is_order = False
        """Whether its action is the kind of an order, as SELL LIMIT: 96,000 is."""
        self.is_row = False
        """Whether it is a row of a table, whose header says where its fields stand."""
        self.cells: dict[str, Cell] = {}
        """Its prices and its confidence by the letter of their label, where it is such a row."""
        self.bound: dict[str, fields.Found] | None = None
        """Its fields by letter, where it is an object that names them itself."""


@final
class Findings:
    """Statements in print order, and what was refused."""

    __slots__ = ("named", "over", "rejected", "statements", "weak")

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.rejected: list[Rejected] = []
        self.over: list[tuple[int, int]] = []
        """Tokens of blocks that tell of what is over: no price in them is of a recommendation."""
        self.weak: list[Statement] = []
        """Rows of words that decide only behind a label, as trim and accumulate do."""
        self.named: set[str] = set()
        """Instruments of examples: what the text is about where nothing else says it."""

    def refuse(self, document: Document, lost: Sequence[Statement], rule: str, reason: str) -> None:
        """Move statements to the rejected ones, in print order.

        Args:
            document: The text.
            lost: Which of the statements are no decision.
            rule: What refuses them.
            reason: Why, in words.
        """
        if not lost:
            return
        gone = {id(item) for item in lost}
        self.rejected.extend(
            reject(document, item.token, rule, reason)
            for item in self.statements
            if id(item) in gone
        )
        self.statements = [item for item in self.statements if id(item) not in gone]


def reject(document: Document, token: int, rule: str, reason: str) -> Rejected:
    """Describe an action that lost."""
    term = document.terms[token]
    said = term.value if term else document.raw(token)
    return rejected(said, rule, reason, document.starts[token], document.ends[token])


def in_order(findings: Findings) -> None:
    """Put the statements in print order."""
    if len(findings.statements) > 1:
        findings.statements.sort(key=token_of)


def token_of(statement: Statement) -> int:
    """Return where a statement names its action."""
    return statement.token

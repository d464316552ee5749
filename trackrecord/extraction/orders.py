"""Prices of orders beside a decision: SELL LIMIT: 96,000, Decision: BUY 9 units at 31.40."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

from trackrecord.extraction import fields, looks
from trackrecord.extraction.document import NUMBER, Document
from trackrecord.extraction.findings import Statement
from trackrecord.extraction.lexer import key
from trackrecord.extraction.model import side_of
from trackrecord.extraction.packs import RANKS

_WAITING: Final = frozenset({
    "buylimit", "selllimit", "limitbuy", "limitsell", "buystop", "sellstop",
})  # fmt: skip
_PRICED: Final = re.compile(r"[Aay](?:N[qwe]{0,2}@[:f]?|[:=@-]{0,2})N")
_COUNTED: Final = re.compile(r"[Aa]N[qwe]{0,2}(?:f?S)?@")
_LONGEST_COUNTED: Final = 8
_UNPRICED: Final = frozenset("qwS@fe")
"""Letters behind a number that make it a quantity."""
_DECIDED: Final = frozenset("LF")
# Buy on pullback to $95.10 or break above $97.
_PULLED: Final = re.compile(
    r"(?i)\b(buy|sell|long|short)(?:ing)?[ ](?:on[ ])?(?:an?[ ])?"
    r"(?:pull-?back|dip|retest|retracement|bounce|rally|break(?:out|down)?)[ ]"
    r"(?:to|at|near|above|below|of)[ ](?:[$€£₹]|Rs\.?[ ]?)?(?=\d)"
)
_MAY_PULL: Final = looks.ask(
    r"(?i)\b(?:buy|sell|long|short)(?:ing)?[ ](?:on[ ])?(?:an?[ ])?"
    r"(?:pull|dip|retest|retrace|bounce|rally|break)"
)
_LONG: Final = frozenset({"buy", "long"})
_DONE: Final = re.compile(r"(?i)\b(?:executed|filled|fills?|bought|sold)\b|成交")


def weaken(document: Document, statements: list[Statement]) -> None:
    """Let a waiting order's kind in front of its price, SELL LIMIT: 96,000, decide nothing else.

    Args:
        document: The text.
        statements: What was stated; the ranks of such orders are lowered.
    """
    for statement in statements:
        if _waits(document, statement.token):
            statement.rank = min(statement.rank, RANKS["order"])


def _waits(document: Document, token: int, *, bare: bool = False) -> bool:
    if not bare and document.letters[token + 1 : token + 3] not in {":N", "=N"}:
        return False
    return key(document.raw(token)).replace(" ", "") in _WAITING


def quoted(
    document: Document, statements: list[Statement], winner: Statement
) -> fields.Found | None:
    """Return the price behind an action itself, BUY ACME @ 31.40, but none of an order's fill.

    Args:
        document: The text.
        statements: All on one instrument, in print order.
        winner: The one that decides, asked first.
    """
    for statement in [winner, *statements]:
        token = statement.price_token
        # 300750 may be a code here, not a price.
        named = token == statement.symbol_token
        if token is None or named or statement.action != winner.action:
            continue
        if _is_fill(document, statements[0], statement):
            continue
        found = fields.quoted(document, statement.token, token, len(document.letters))
        if found is not None:
            return found
    return None


def _is_fill(document: Document, first: Statement, statement: Statement) -> bool:
    """Say whether a statement with a quantity only tells how an earlier one was executed."""
    if first.token >= statement.token or not _counts(document, statement.token):
        return False
    return not _counts(document, first.token) and _DONE.search(document.folded) is not None


def _counts(document: Document, token: int) -> bool:
    """Say whether a quantity and a price follow an action: BUY 8.1 ACME at 31.40."""
    letters = document.letters
    return _COUNTED.match(letters, token, token + _LONGEST_COUNTED) is not None


def entry(document: Document, action: str, start: int, end: int) -> fields.Found | None:
    """Return the price of an order on one side among the tokens start..end-1.

    A limit or stop order names it in front of a colon, or a labelled decision behind a quantity.
    """
    side = side_of(action)
    for match in _PRICED.finditer(document.letters, start, end):
        token, at = match.start(), match.end() - 1
        term = document.terms[token]
        if term is None or side_of(term.value) != side:
            continue
        begins = document.folded.rfind("\n", 0, document.starts[at])
        first = bisect_left(document.starts, begins + 1, 0, at)
        if first > token:
            continue
        bare = at == token + 1 and document.letters[at + 1 : at + 2] not in _UNPRICED
        before = document.letters[first:token]
        decided = "@" in match.group() and not _DECIDED.isdisjoint(before)
        if "Nq" in match.group() and before.strip("-|>.") in {"", "S:"}:
            # Buy 20 shares at $1.50, below the decision.
            stop = document.folded.find("\n", document.ends[at])
            line = document.folded[begins + 1 : stop if stop >= 0 else len(document.folded)]
            decided = decided or _DONE.search(line) is None
        if not decided and not _waits(document, token, bare=bare):
            continue
        found = fields.quoted(document, token, at, end)
        if found is not None:
            return found
    return _pulled_back(document, side, start, end)


def _pulled_back(document: Document, side: str, start: int, end: int) -> fields.Found | None:
    """Return the price at which an order waits for the market to come back."""
    if start >= end or not document.may(_MAY_PULL):
        return None
    for match in _PULLED.finditer(document.folded, document.starts[start], document.ends[end - 1]):
        at = bisect_left(document.starts, match.end() - 1, 0, end - 1)
        if document.letters[at] != NUMBER:
            at = bisect_left(document.ends, match.end() + 1, 0, end - 1)
        same = (match[1].lower() in _LONG) == (side == "BUY")
        if not same or document.letters[at] != NUMBER:
            continue
        found = fields.quoted(document, bisect_left(document.starts, match.start()), at, end)
        if found is not None:
            return found
    return None

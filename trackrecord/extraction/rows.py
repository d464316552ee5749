"""Rows between bars without a header: AAPL | Close: 189.2 | RSI: SELL | BUY.

The cell that is an action and nothing else decides; labelled cells are votes and values.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import re2

from trackrecord.extraction.document import Document, Line
from trackrecord.extraction.findings import Findings, Statement, reject
from trackrecord.extraction.packs import RANKS
from trackrecord.extraction.shapes import ACTIONS

_LONGEST: Final = 160
_ACTION: Final = re2.compile(
    rb"^[-.>!\[(]*([Aa])[!.\])]*(?:C?[:=]?[(]?C?[:=]?(?:P|N(?:/N)?)[)]?)?[-<!.]*$"
)
_SYMBOL: Final = re2.compile(
    rb"^(?:[wdN:.\[\]()]*[->])?(?:[\[(]?[Nd][\]).:]?)*[-.>\[]*(?:Y[:=]?)?(S)\]?(?:[(][^()]*[)]|[\[][^\[\]]*[\]]|w{1,2})?$"
)
_PAIR: Final = re2.compile(rb"^[-.>]*(S)(A)[!.]?(?:[(]?(?:P|@?N)[)]?)?$")
_DECIDED: Final = re2.compile(rb"[LFGD][:=>-]+[\[(]?[Aa]")
_LABELLED: Final = re2.compile(rb"[^|][:=][^|]")
_LISTED: Final = re2.compile(
    rb"^S[,;](?:([Aa])(?:[,;][NPd]){1,6}|(?:[NPdwfVKSOZ,;-]{1,40}[,;])([Aa]))$"
)
_MOST_LISTED: Final = 200
_NOT_ADVICE: Final = frozenset("bzqipRunG?{}")
_EXCHANGES: Final = frozenset({
    "BINANCE", "BYBIT", "KRAKEN", "COINBASE", "BITGET", "OKX", "KUCOIN", "MEXC", "BITFINEX",
    "HUOBI", "HTX", "GATEIO", "BITSTAMP", "BITMEX", "DERIBIT", "NSE", "BSE", "NASDAQ", "NYSE",
    "AMEX", "MCX", "ZERODHA", "OANDA", "ALPACA", "IBKR", "LIVE", "PAPER", "WORKER", "MAIN", "BOT",
})  # fmt: skip


class _Places(NamedTuple):
    """Where a row names instruments and actions, by its shape alone."""

    symbols: tuple[int, ...]
    actions: tuple[int, ...]
    labelled: bool


def read(document: Document, flags: frozenset[str], taken: set[int], findings: Findings) -> None:
    """Read the rows of a text that no table has taken.

    Args:
        document: The text.
        flags: See flags.of_text.
        taken: Lines that a table has explained; those that are read here are added.
        findings: Receives statements and the votes that lost.
    """
    if "position" in flags or "ledger" in flags:
        return
    _plain_list(document, taken, findings)
    for line in document.lines:
        if not line.traits.acts or "|" not in line.shape or line.number in taken:
            continue
        places = _places(line.shape)
        if places is not None and _take(document, line, places, findings):
            taken.add(line.number)


_TRENDS: Final = frozenset({"상승", "하락", "강세", "약세", "強気", "弱気"})
"""Words for a side that in a cell of its own tell of a trend."""


def _take(document: Document, line: Line, places: _Places, findings: Findings) -> bool:
    pairs: list[tuple[int, int]]
    if len(places.actions) > 1:
        pairs = list(zip(places.symbols, places.actions, strict=True))
    else:
        named = [at for at in places.symbols if document.raw(line.first + at) not in _EXCHANGES]
        if not named:
            return False
        pairs = [(named[0], places.actions[0])]
    for _, action in pairs:
        term = document.terms[line.first + action]
        word = document.raw(line.first + action)
        weak = term is not None and term.kind == "action.weak"
        if term is None or (weak and (word != word.upper() or word in _TRENDS)):
            return False
    rule = "code/labelled-row" if places.labelled else "code/row-cell"
    for symbol, action in pairs:
        term = document.terms[line.first + action]
        value = "" if term is None else term.value
        if value == "BUY" and document.marked_btst(line.last):
            value = "BTST_BUY"
        statement = Statement(line.number, line.first + action, value, RANKS["row"], rule)
        statement.symbol_token = line.first + symbol
        statement.symbol = document.symbol(line.first + symbol)
        findings.statements.append(statement)
    decided = {action for _, action in pairs}
    for at, letter in enumerate(line.shape):
        if letter in ACTIONS and at not in decided:
            reason = "another cell of the row is the decision"
            findings.rejected.append(reject(document, line.first + at, rule, reason))
    return True


def _plain_list(document: Document, taken: set[int], findings: Findings) -> None:
    """Read a text of nothing but lines such as ``AAPL,BUY,189.2,200``, which head no prices."""
    lines = [line for line in document.lines[:_MOST_LISTED] if line.shape]
    if not lines or not lines[0].traits.acts or lines[0].shape[0] != "S":
        return
    lines = [line for line in document.lines if line.shape]
    if len(lines) > _MOST_LISTED:
        return
    found: list[Statement] = []
    for line in lines:
        match = _LISTED.search(line.shape.encode("ascii", "replace"))
        if line.number in taken or match is None:
            return
        token = line.first + max(match.start(1), match.start(2))
        term = document.terms[token]
        if term is None:
            return
        statement = Statement(line.number, token, term.value, RANKS["row"], "code/listed-row")
        statement.symbol_token = line.first
        statement.symbol = document.symbol(line.first)
        statement.is_row = True
        found.append(statement)
    if len({statement.symbol for statement in found}) == len(found):
        findings.statements.extend(found)
        taken.update(line.number for line in lines)


@lru_cache(maxsize=8192)
def _places(shape: str) -> _Places | None:
    """Return where a row of this shape names what to do, None where it is no such row."""
    if len(shape) > _LONGEST or not _NOT_ADVICE.isdisjoint(shape):
        return None
    data = shape.encode("ascii", "replace")
    if _DECIDED.search(data) is not None:
        return None
    cells: list[tuple[int, bytes]] = []
    at = 0
    for part in data.split(b"|"):
        if part:
            cells.append((at, part))
        at += len(part) + 1
    pairs = [(start, _PAIR.search(part)) for start, part in cells]
    if len(cells) > 1 and all(match is not None for _, match in pairs):
        return _Places(
            tuple([start + match.start(1) for start, match in pairs if match is not None]),
            tuple([start + match.start(2) for start, match in pairs if match is not None]),
            False,
        )
    actions = [
        start + match.start(1)
        for start, part in cells
        if (match := _ACTION.search(part)) is not None
    ]
    symbols = [
        start + match.start(1)
        for start, part in cells
        if (match := _SYMBOL.search(part)) is not None
    ]
    symbols = [symbol for symbol in symbols if not actions or symbol < actions[0]]
    if len(actions) != 1 or not symbols or len(cells) < 3:  # noqa: PLR2004
        return None
    return _Places(tuple(symbols), tuple(actions), _LABELLED.search(data) is not None)

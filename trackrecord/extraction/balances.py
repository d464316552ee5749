"""A result told by what was there at first and at last: Initial capital, Final capital."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import re2

from trackrecord.extraction import looks
from trackrecord.extraction.document import PERCENT, Document
from trackrecord.extraction.result_values import Candidate
from trackrecord.extraction.ruleset import matcher

_FIRST: Final = (
    r"(?:starting|start|initial|beginning|opening)(?:[ _-](?:portfolio|account|trading|wallet|cash"
    r"|total))*[ _-]?(?:value|capital|balance|equity|cash|bankroll|net worth|portfolio)"
    r"|startkapital|anfangskapital|(?:capital|saldo|balance) ini[cz]ial|capitale? iniziale"
    r"|capital initial|başlang\x{131}ç (?:sermayesi|bakiyesi)|初始(?:资金|资本|本金|權益|权益)"
    r"|期初(?:资金|权益)|起始资金|初期(?:資金|資産|資本)|초기 ?(?:자본|자금|자산|잔고)"
)
_LAST: Final = (
    r"(?:ending|end|final|closing)(?:[ _-](?:portfolio|account|trading|wallet|cash|total))*"
    r"[ _-]?(?:value|capital|balance|equity|net worth|portfolio)"
    r"|endkapital|(?:capital|saldo|balance) final|capitale? finale|bitiş (?:sermayesi|bakiyesi)"
    r"|son (?:bakiye|sermaye)|(?:最终|最終|期末)(?:资金|资本|权益|资产|資金|資産|資本|總值)"
    r"|최종 ?(?:자본|자금|자산|잔고)"
)
_VALUE: Final = (
    r"['\"]?(?: ?\([^()\n]{1,12}\))?['\"*]{0,3}\s{0,3}[:=|]{0,2}[ \t|:='\"*_]{0,30}"
    r"(?:[A-Z]{2,4}\$? ?|[$€£¥₹] ?)?(\d[\d,.']*)"
)
_MONEY: Final = r"[$€£¥₹]?\d[\d,.]*(?: ?[A-Z]{3,4})?"
# Final balance $9,412 from $10,000 (-5.88 %), started with 1000 USDT, ended with 1124 (+12.4 %)
_FROM: Final = re2.compile(
    rf"(?i)(?:\b(?:{_LAST})[^\w\n]{{0,4}}{_MONEY} \(?(?:from|vs\.?|started? (?:at|with)) {_MONEY}"
    rf"|\b(?:started|began|start) (?:with|at|from) {_MONEY}[^\n\d]{{1,40}}{_MONEY})"
    r"[,;]? ?\(([+-]?\d+(?:\.\d+)?) ?%\)"
)
_MAY_TELL_BOTH: Final = looks.ask(r"(?i)(?:from|vs\.?|with|at) [$€£¥₹]?\d[^\n]*\d ?%\)")
_FIRSTS: Final = re2.compile(rf"(?i)\b(?:{_FIRST}){_VALUE}|(?:{_FIRST}){_VALUE}")
_LASTS: Final = re2.compile(rf"(?i)\b(?:{_LAST}){_VALUE}|(?:{_LAST}){_VALUE}")
_NAMES_FIRST: Final = looks.ask(rf"(?i)(?:{_FIRST})")
_NAMES_LAST: Final = looks.ask(rf"(?i)(?:{_LAST})")
# It is another's, or none yet.
_NOT_OWN: Final = matcher(
    r"(?i)hold|benchmark|target|goal|expect|project|forecast|example|if |would|could|unreal|基准"
)
_SHOWN: Final = 60
_ROUNDED: Final = Decimal("0.0051")


def find(document: Document) -> list[Candidate]:
    """Return whether the one capital at the end is more or less than the one at the beginning.

    Returns:
        One candidate, its money the difference, or none: where either is missing or printed
        several times with other values, or where nothing has changed.
    """
    text = document.folded
    told = _FROM.search(text) if document.may(_MAY_TELL_BOTH) else None
    if told is not None:
        value = document.parse(told.group(1))
        number = next((line.number for line in document.lines if line.end >= told.end()), 0)
        return [
            Candidate("total", value, None, (), "code/balances", "final capital",
                      told.start(), told.end(), number)
        ]  # fmt: skip
    if not (document.may(_NAMES_FIRST) and document.may(_NAMES_LAST)):
        return []
    firsts, lasts = _read(document, _FIRSTS), _read(document, _LASTS)
    if len({value for value, _, _ in firsts}) != 1 or len({value for value, _, _ in lasts}) != 1:
        return []
    change = lasts[0][0] - firsts[0][0]
    if not change or firsts[0][0] <= 0:
        return []
    _, start, end = lasts[0]
    number = next((line.number for line in document.lines if line.end >= end), 0)
    percent = _printed_share(document, 100 * change / firsts[0][0])
    return [
        Candidate(
            "total", percent, change, (), "code/balances", "final capital", start, end, number
        )
    ]


def _printed_share(document: Document, share: Decimal) -> Decimal | None:
    """Return the percentage in a text that is the change of its capital, as it is printed."""
    for token, letter in enumerate(document.letters):
        value = document.number(token) if letter == PERCENT else None
        if value is not None and abs(value - share) <= _ROUNDED:
            return value
    return None


def _read(document: Document, pattern: object) -> list[tuple[Decimal, int, int]]:
    found = []
    text = document.folded
    for match in pattern.finditer(text):  # type: ignore[attr-defined]
        start, end = int(match.start()), int(match.end())
        around = text[max(text.rfind("\n", 0, start) + 1, start - _SHOWN) : end]
        value = document.parse((match.group(1) or match.group(2)).rstrip(".,'"))
        if value is None or _NOT_OWN(around):
            continue
        found.append((value, start, end))
    return found

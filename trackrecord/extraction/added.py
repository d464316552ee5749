"""A total that is the sum of the amounts above it: Total: +1.5 % below +2.5 % and -1.0 %."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import re2

from trackrecord.extraction import looks
from trackrecord.extraction.document import Document, Line
from trackrecord.extraction.result_values import Candidate
from trackrecord.extraction.ruleset import matcher

_WORDS: Final = (
    r"(?:grand total|total|net|sum|overall|gesamt|summe|suma|somme|totale|toplam|итого"
    r"|合计|合計|总计|總計|합계|총계)"
)
_TOTAL: Final = re2.compile(
    rf"(?i)^[^\w\n+-]*{_WORDS}[ *_]*[:=|][ |*_]*([+-]?[$€£¥₹]?[+-]?\d[\d.,]*)( ?%)?"
)
_MAY: Final = looks.ask(rf"(?i)^[^\w\n+-]*{_WORDS}[ *_]*[:=|]")
# Trades: 12 | Wins: 7 | Net: -$41.20 (-0.41 %)
_COUNTED: Final = re2.compile(
    r"(?i)\btrades ?[:=] ?[1-9]\d*\b[^\n]{0,80}\b(?:net|total) ?[:=] ?"
    r"([+-][$€£¥₹]?\d[\d.,]*|[$€£¥₹][+-]\d[\d.,]*)( ?%)?(?: ?\(([+-]?\d[\d.,]*) ?%\))?"
)
_MAY_COUNT: Final = looks.ask(r"(?i)\btrades ?[:=] ?\d[^\n]*\b(?:net|total) ?[:=]")
# The day: 4 trades, +$610.00 - the best so far
_SUMMED: Final = re2.compile(
    r"(?i)\b(?:[2-9]|[1-9]\d+) (?:closed )?trades ?[,:=|(-] ?"
    r"([+-][$€£¥₹]\d[\d.,]*|[$€£¥₹][+-]\d[\d.,]*|[+-]\d[\d.,]* ?%)"
)
_NO_SUM: Final = matcher(
    r"(?i)^\W*(?:avg|average|mean|per|each|every|a|unreali[sz]ed|open|expected"
    r"|goal|target|max|limit)\b"
)
_MAY_SUM: Final = looks.ask(r"(?i)\d (?:closed )?trades ?[,:=|(-] ?[$€£¥₹+-]")
_PART: Final = re2.compile(r"(?:^|[ :|(])([+-][$€£¥₹]?\d[\d.,]*|[$€£¥₹][+-]\d[\d.,]*)( ?%)?[^\d]*$")
_ABOVE: Final = 64
_ROUNDED: Final = Decimal("0.06")
_MONEY: Final = frozenset("$€£¥₹")
_SIGNS: Final = str.maketrans("", "", "$€£¥₹ ")


def find(document: Document) -> list[Candidate]:
    """Return the total of a list of signed amounts, where it is their sum.

    No word tells that the amounts are those of trades; that they have signs and add up does.

    Returns:
        One candidate, none where no total is the sum of two amounts or more right above it.
    """
    counted = _COUNTED.search(document.folded) if document.may(_MAY_COUNT) else None
    if counted is not None:
        return _beside_count(document, counted)
    if document.may(_MAY_SUM):
        summed = [item for line in document.lines for item in _summed(document, line)]
        if summed:
            return summed if len(summed) == 1 else []
    if not document.may(_MAY):
        return []
    for line in document.lines:
        if not line.looks & _MAY:
            continue
        text = document.folded[line.start : line.end]
        match = _TOTAL.search(text)
        # A total of pips, points or trades is none of money.
        if match is None or (match.group(2) is None and _MONEY.isdisjoint(match.group(1))):
            continue
        total = _amount(document, match)
        percent = match.group(2) is not None
        parts = _parts(document, line, percent)
        if total is None or len(parts) < 2 or abs(sum(parts) - total) > _ROUNDED:  # noqa: PLR2004
            continue
        money = None if percent else total
        return [
            Candidate("total", total if percent else None, money, (), "code/sum", "total",
                      line.start, line.end, line.number)
        ]  # fmt: skip
    return []


def _amount(document: Document, match: Any) -> Decimal | None:
    """Return the number that the first group of a match holds, without signs of money."""
    value: Decimal | None = document.parse(match.group(1).translate(_SIGNS).rstrip(".,%"))
    return value


def _beside_count(document: Document, match: Any) -> list[Candidate]:
    """Return the net amount on a line that counts the trades."""
    value = _amount(document, match)
    if value is None:
        return []
    is_percent = match.group(2) is not None
    percent: Decimal | None = value if is_percent else None
    if match.group(3) is not None:
        percent = document.parse(match.group(3))
    start, end = int(match.start()), int(match.end())
    number = document.line_at(end)
    money = None if is_percent else value
    return [Candidate("total", percent, money, (), "code/sum", "net", start, end, number)]


def _summed(document: Document, line: Line) -> list[Candidate]:
    """Return the amount that stands behind the number of trades on a line."""
    if not line.looks & _MAY_SUM:
        return []
    text = document.folded[line.start : line.end]
    match = _SUMMED.search(text)
    if match is None or _NO_SUM(text[match.end() :]):
        return []
    value = _amount(document, match)
    if value is None:
        return []
    percent = match.group(1).endswith("%")
    return [
        Candidate("total", value if percent else None, None if percent else value, (), "code/sum",
                  "trades", line.start, line.end, line.number)
    ]  # fmt: skip


def _parts(document: Document, total: Line, percent: bool) -> list[Decimal]:
    """Return the signed amounts that end the lines right above a total, percentages or money."""
    found: list[Decimal] = []
    for line in reversed(document.lines[max(0, total.number - _ABOVE) : total.number]):
        text = document.folded[line.start : line.end]
        if not line.shape:
            if found:
                break
            continue  # a ruled line
        match = _PART.search(text)
        if match is None or (match.group(2) is not None) != percent:
            break
        value = _amount(document, match)
        if value is None:
            break
        found.append(value)
    return found

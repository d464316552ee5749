"""The confidence of a recommendation: as it is printed, 0 to 1, and the one nearest to it."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from trackrecord.extraction import confidences, fields, numbers
from trackrecord.extraction.document import NUMBER, PERCENT, Document
from trackrecord.extraction.fields import CONFIDENCE

_PERCENT: Final = Decimal(100)
_TEN: Final = Decimal(10)
_WHOLES: Final = (_TEN, _PERCENT)
"""What a confidence is a part of: 8/10, 80/100. Of five or three, it counts stars or votes."""


def as_confidence(document: Document, token: int) -> Decimal | None:
    """Read a confidence as 0 to 1: 82 %, 0.82, 82 and 8/10 are the forms that scripts print."""
    value = document.number(token)
    # Points that are added up: Confidence: +15.
    if value is None or value < 0 or document.text[document.starts[token]] == "+":
        return None
    letters = document.letters
    if document.letters[token] == PERCENT:
        value = value / _PERCENT
    elif token + 2 < len(letters) and letters[token + 1] == "/" and letters[token + 2] == NUMBER:
        whole = document.number(token + 2)
        value = value / whole if whole in _WHOLES else Decimal(2)
    elif value > _TEN:
        value = value / _PERCENT
    return value if value <= 1 else None


def confidence_of(text: str, *, percent: bool) -> Decimal | None:
    """Read the confidence that a cell of a table holds, 0 to 1.

    Args:
        text: The cell: 82 %, 0.82, 82, 8/10.
        percent: Whether it or its heading says that it is a percentage.
    """
    part, mark, whole = text.partition("/")
    value = numbers.parse(part) if part.strip() else None
    if value is None or value < 0 or " " in part.strip().rstrip("%").strip():
        return None
    if mark:
        most = numbers.parse(whole)
        value = value / most if most in _WHOLES else Decimal(2)
    elif (percent and (value > 1 or "%" in text)) or value > _TEN:
        value = value / _PERCENT
    return value if value <= 1 else None


def confidence(document: Document, label: int) -> fields.Found | None:
    """Return the confidence behind a label, 0 to 1."""
    token = fields.value_after(document, label, percent=True)
    if token is None:
        return None
    value = as_confidence(document, token)
    return None if value is None else fields.Found(value, label, token)


def _confidence_before(document: Document, label: int) -> fields.Found | None:
    """Read 78 % confidence, where the value stands in front."""
    letters = document.letters
    if label == 0 or letters[label - 1] != PERCENT or letters[label + 1 : label + 2] in {":", "="}:
        return None
    value = as_confidence(document, label - 1)
    return None if value is None else fields.Found(value, label - 1, label)


def nearest_confidence(document: Document, start: int, end: int, token: int) -> fields.Found | None:
    """Return the confidence next to a statement: the first one after it, else the last before."""
    before: fields.Found | None = None
    at = document.letters.find(CONFIDENCE, start, end)
    while at >= 0:
        found = _confidence_before(document, at) or confidence(document, at)
        if found is None and at > token and confidences.in_words(document, at):
            below = confidences.number_below(document, at)
            if below is not None:
                return confidence(document, below)
            apart = before is not None and confidences.are_apart(document, before.label, token)
            return None if apart else before
        if (
            found is not None
            and not confidences.of_a_vote(document, at, token)
            and not confidences.is_of_state(document, at, token)
        ):
            if at > token:
                return found
            before = found
        at = document.letters.find(CONFIDENCE, at + 1, end)
    return before

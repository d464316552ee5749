"""Prices and confidence of a recommendation, from labels among a range of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from trackrecord.extraction.document import NUMBER, PERCENT, Document

ENTRY: Final = "E"
TARGET: Final = "T"
STOP: Final = "X"
CONFIDENCE: Final = "C"

_BETWEEN: Final = frozenset(":=>-|@(fwge[,")
_REACH: Final = 8
_WORDS: Final = 3
_ORDINAL: Final = 5
_PERCENT: Final = Decimal(100)
_TEN: Final = Decimal(10)


@dataclass(frozen=True, slots=True)
class Found:
    """A value, its label and where it stands."""

    value: Decimal
    label: int
    token: int


def _line_end(document: Document, token: int) -> int:
    newline = document.folded.find("\n", document.ends[token])
    limit = len(document.folded) if newline < 0 else newline
    end = token + 1
    starts = document.starts
    while end < len(starts) and starts[end] < limit:
        end += 1
    return end


def is_range(document: Document, token: int, end: int) -> bool:
    """Say whether a number begins or ends a range such as 150 - 155 or 150 to 155."""
    letters = document.letters
    if token + 2 < end and letters[token + 2] == NUMBER:
        if letters[token + 1] == "-":
            return True
        if letters[token + 1] == "f" and document.raw(token + 1).lower() == "to":
            return True
    gap = document.folded[document.ends[token] : document.ends[token] + 3]
    if gap[:1] in {"~", "-"} or (gap[:1] == " " and gap[1:2] == "~"):
        return True
    return token >= 2 and letters[token - 1] == "-" and letters[token - 2] == NUMBER  # noqa: PLR2004


def _after_bracket(document: Document, token: int, end: int) -> int:
    """Skip ``(12 months)`` between a label and its value; enter ``($98)`` that is the value."""
    close = next(
        (at for at in range(token, min(token + _REACH, end)) if document.letters[at] == ")"), None
    )
    if close is not None and close + 1 < end and document.letters[close + 1] in ":=|-NP":
        return close + 1
    return token + 1


def value_after(document: Document, label: int, *, percent: bool = False) -> int | None:
    """Return the token of the number that a label gives a value to.

    Args:
        document: The text.
        label: The label's token.
        percent: Whether a percentage will do.

    Returns:
        The token, None where the label has no value, a range or a percentage.
    """
    letters = document.letters
    end = _line_end(document, label)
    at = label + 1
    words = 0
    while at < end and at - label <= _REACH + words:
        letter = letters[at]
        if letter == "(":
            at = _after_bracket(document, at, end)
            continue
        if letter == NUMBER:
            if _is_ordinal(document, label, at, end):
                at += 1
                continue
            if is_range(document, at, end):
                return None
            return at
        if letter == PERCENT:
            if percent:
                return at
            if at + 2 < end and letters[at + 1] == "(" and letters[at + 2] == NUMBER:
                return at + 2
            return None
        if letter == "S" and at + 2 < end and letters[at + 1] == "@":
            at += 1
            continue
        if letter in "wg":
            words += 1
            if words > _WORDS:
                return None
        elif letter not in _BETWEEN:
            return None
        at += 1
    return None


def _is_ordinal(document: Document, label: int, at: int, end: int) -> bool:
    """Say whether a small number counts the label (Target 1: 150), not its value."""
    if at != label + 1 or at + 1 >= end or document.letters[at + 1] not in ":=(.)-":
        return False
    text = document.raw(at)
    return text.isdigit() and int(text) <= _ORDINAL


def price(document: Document, label: int) -> Found | None:
    """Return the price behind a label."""
    token = value_after(document, label)
    if token is None:
        return None
    value = document.number(token)
    if value is None or value <= 0:
        return None
    return Found(value, label, token)


def as_confidence(document: Document, token: int) -> Decimal | None:
    """Read a confidence as 0 to 1: 82 %, 0.82, 82 and 8/10 are the forms that scripts print."""
    value = document.number(token)
    if value is None or value < 0:
        return None
    letters = document.letters
    if document.letters[token] == PERCENT:
        value = value / _PERCENT
    elif token + 2 < len(letters) and letters[token + 1] == "/" and letters[token + 2] == NUMBER:
        whole = document.number(token + 2)
        value = value / whole if whole and whole <= _PERCENT else Decimal(2)
    elif value > _TEN:
        value = value / _PERCENT
    return value if value <= 1 else None


def confidence(document: Document, label: int) -> Found | None:
    """Return the confidence behind a label, 0 to 1."""
    token = value_after(document, label, percent=True)
    if token is None:
        return None
    value = as_confidence(document, token)
    return None if value is None else Found(value, label, token)


def first(document: Document, letter: str, start: int, end: int) -> Found | None:
    """Return the first price with a label of this letter among the tokens start..end-1."""
    letters = document.letters
    for token in range(start, end):
        if letters[token] == letter:
            found = price(document, token)
            if found is not None:
                return found
    return None


def nearest_confidence(document: Document, start: int, end: int, token: int) -> Found | None:
    """Return the confidence next to a statement: the first one after it, else the last before."""
    before: Found | None = None
    for at in range(start, end):
        if document.letters[at] == CONFIDENCE:
            found = confidence(document, at)
            if found is not None:
                if at > token:
                    return found
                before = found
    return before

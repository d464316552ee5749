"""Prices and confidence of a recommendation, from labels among a range of tokens."""

from __future__ import annotations

import re
from bisect import bisect_left
from decimal import Decimal
from functools import lru_cache
from typing import Final, final

from trackrecord.extraction import units
from trackrecord.extraction.currency import PAID
from trackrecord.extraction.document import NUMBER, PERCENT, Document
from trackrecord.extraction.words import AT_LEVEL, MONTHS

ENTRY: Final = "E"
TARGET: Final = "T"
STOP: Final = "X"
CONFIDENCE: Final = "C"

_BETWEEN: Final = frozenset(":=>-|@(fwge[,")
_REACH: Final = 8
_WORDS: Final = 3
_ORDINAL: Final = 5
# Letters of SL/TP: 95/110, of labels and of numbers.
_LABELS: Final = re.compile(r"((?:[ETXZ]/)+[ETXZ])[:=]?([NP](?:[/|,-][NP])*)")
# Entry; 入場價格 (Entry); Stop Loss (SL):
_LONE_LABEL: Final = re.compile(r"[-|.]*[ETX]{1,2}w?(?:\([wETXf]{1,3}\))?[:|.-]*")
_ONLY_PRICE: Final = re.compile(r"[-|.]*N[we]?[|.-]*")
_POINTING: Final = "\N{LEFTWARDS ARROW}"
"""An arrow from a label behind a price to it: 4,332.00 <- ENTRY PRICE."""
_TIMES: Final = "\N{MULTIPLICATION SIGN}"


@final
class Found:
    """A value, its label and where it stands."""

    __slots__ = ("label", "token", "value")

    def __init__(self, value: Decimal, label: int, token: int) -> None:
        self.value = value
        self.label = label
        self.token = token


def _line_end(document: Document, token: int) -> int:
    newline = document.folded.find("\n", document.ends[token])
    limit = len(document.folded) if newline < 0 else newline
    starts = document.starts
    return bisect_left(starts, limit, token + 1, min(len(starts), token + 4 * _REACH))


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
    if close is not None and close + 1 < end:
        behind = document.letters[close + 1]
        beyond = document.letters[close + 2] if close + 2 < end else ""
        if behind in ":=NP" or (behind in "|-" and beyond in (NUMBER, PERCENT)):
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
        if letter in (NUMBER, PERCENT):
            if _is_ordinal(document, label, at, end):
                at += 1
                continue
            if at > label + 1 and document.raw(at - 1).lower() in MONTHS:
                return None  # a day: after Mar 11
            return _as_value(document, label, at, end, percent=percent)
        if letter == "(":
            at = _after_bracket(document, at, end)
            continue
        if letter == "|" and words:
            return None  # the next cell is of something else
        words += letter in "wgZ"
        named = letter == "S" and at + 2 < end and letters[at + 1] == "@"
        named = named or is_currency(document, at, end)
        if words > _WORDS or not (named or letter in _BETWEEN or (percent and letter == "Z")):
            return None
        at += 1
    return None


def is_currency(document: Document, token: int, end: int) -> bool:
    """Say whether a word in front of a number is its currency: CHF 98, NT$580."""
    letters = document.letters
    return (
        letters[token] in "Swe"
        and token + 1 < end
        and letters[token + 1] == NUMBER
        and document.raw(token).upper() in PAID
    )


def _as_value(document: Document, label: int, at: int, end: int, *, percent: bool) -> int | None:
    """Take a number as a price, or what stands in brackets behind a percentage: 2% ($98)."""
    letters = document.letters
    if letters[at] == NUMBER:
        before = document.folded[max(0, document.starts[at] - 3) : document.starts[at]]
        if before.rstrip()[-1:] == _TIMES:
            return None  # a factor
        between = document.folded[document.ends[label] : document.starts[at]]
        if is_range(document, at, end) or (not percent and units.heads(between)):
            return None
        return at if percent else price_of_distance(document, at, end)
    if percent:
        return at
    place = at + 2
    if place + 1 < end and document.raw(place).lower() in AT_LEVEL:
        place += 1
    bracketed = place < end and letters[at + 1] == "(" and letters[place] == NUMBER
    apart = bracketed and units.follows(document.folded, document.ends[place]) is not None
    return place if bracketed and not apart else None


def price_of_distance(document: Document, at: int, end: int) -> int | None:
    """Return a number that is a price, or the price behind a distance: 40 pips (1.0890).

    Returns:
        The token; None where the number bears a unit that is no currency, and no price follows.
    """
    behind = units.follows(document.folded, document.ends[at])
    if behind is None:
        return at
    place = units.price_behind(document.folded, behind)
    if place is None:
        return None
    for token in range(at + 1, min(at + _REACH, end)):
        if document.starts[token] >= place:
            usable = (
                document.starts[token] == place
                and document.letters[token] == NUMBER
                and units.follows(document.folded, document.ends[token]) is None
            )
            return token if usable else None
    return None


def quoted(document: Document, label: int, at: int, end: int) -> Found | None:
    """Return the price that a number behind an action is, or that stands behind its distance.

    Returns:
        The price with the token that announces it; None for a range or a number that is no price.
    """
    if is_range(document, at, end):
        return None
    token = price_of_distance(document, at, end)
    value = None if token is None else level(document, token)
    return None if token is None or value is None else Found(value, label, token)


def _is_ordinal(document: Document, label: int, at: int, end: int) -> bool:
    """Say whether a small number counts the label (Target 1: 150), not its value."""
    if at != label + 1 or at + 1 >= end or document.letters[at + 1] not in ":=(.)-":
        return False
    text = document.raw(at)
    return text.isdigit() and int(text) <= _ORDINAL


def price(document: Document, label: int) -> Found | None:
    """Return the price behind a label."""
    letters = document.letters
    if letters[label + 1 : label + 2] == "/" or (label and letters[label - 1] == "/"):
        shared = _shared(document, label)
        if shared is not None:
            return shared if shared.token >= 0 else None
    token = value_after(document, label)
    if token is None:
        token = _value_before(document, label)
    if token is None:
        token = _listed(document, label)
    if token is None:
        token = _below(document, label)
    if token is None or (document.letters[label] == ENTRY and _one_of_several(document, label)):
        return None
    value = level(document, token)
    return None if value is None else Found(value, label, token)


def _shared(document: Document, label: int) -> Found | None:
    """Return the price of one of several labels: SL/TP: 95/110.

    Returns:
        The price; one at token -1 where labels and numbers do not match; None where the labels
        are no such list.
    """
    match = None
    start = max(0, label - _REACH)
    for found in _LABELS.finditer(document.letters, start, label + 2 * _REACH):
        if found.start(1) <= label < found.end(1):
            match = found
    if match is None:
        return None
    place = (label - match.start(1)) // 2
    numbers_behind = match.group(2).count(NUMBER)
    token = match.start(2) + 2 * place
    value = level(document, token) if numbers_behind == match.group(1).count("/") + 1 else None
    return Found(Decimal(0), label, -1) if value is None else Found(value, label, token)


def level(document: Document, token: int) -> Decimal | None:
    """Return the price that a token holds; 0 and below only where the sign is the number's own.

    A dash that hangs on the label (``Entry:-150``, ``Target -150``) parts them; one behind a
    colon and a space, or in a cell, is the number's sign.
    """
    value = document.number(token)
    folded = document.folded
    start = document.starts[token]
    if value is not None and folded[start] == "+":
        return None  # so much above
    if value is None or value > 0:
        return value
    if folded[start] != "-" and value < 0:
        return value  # behind a currency: $-2.50
    if value == 0:
        # A level of 0 is mostly one that was not set; among negative ones it is a price.
        return value if document.holds_negative() else None
    before = folded[max(0, start - 3) : start]
    if before[-1:] == ":" and before[-2:-1] not in ('"', "'"):
        return -value
    mark = before.rstrip(" ")[-1:]
    return value if mark in {":", "=", "@", "|", ",", "\t", "(", "["} and mark else None


def _value_before(document: Document, label: int) -> int | None:
    """Return the number in front of a label: with a 720 stop loss, 1.1734 (SL)."""
    letters = document.letters
    if letters[label - 2 : label + 2] == f"N({letters[label]})" and label > 1:
        return None if letters[label + 2 : label + 3] in (":", "=", "N") else label - 2
    if label and letters[label - 1] == NUMBER:
        between = document.folded[document.ends[label - 1] : document.starts[label]]
        if between.strip() == _POINTING:
            return label - 1
    if label < 2 or letters[label - 1] != NUMBER or letters[label - 2] != "f":  # noqa: PLR2004
        return None
    return None if letters[label + 1 : label + 2] in (":", "=") else label - 1


def _named_in_plural(document: Document, label: int) -> bool:
    return document.raw(label)[-1:] in {"s", "S"}


def _one_of_several(document: Document, label: int) -> bool:
    """Say whether a label such as Entry targets has several prices, so that none is the one."""
    letters = document.letters
    return _named_in_plural(document, label) and letters[label + 1 : label + 5][:4] in {
        ":N,N", ":N|N", ":N/N", ":N-N",
    }  # fmt: skip


def _listed(document: Document, label: int) -> int | None:
    """Return the first price of a list: Targets: 138 - 135 - 130, or the items below a label."""
    letters = document.letters
    end = _line_end(document, label)
    at = label + 1
    while at < end and letters[at] in ":|->":
        at += 1
    if at < end:
        several = letters[label] == TARGET and _named_in_plural(document, label)
        return at if several and letters[at] == NUMBER and letters[at + 1 : at + 2] == "-" else None
    if at >= len(letters) or letters[label + 1 : label + 2] != ":":
        return None
    item = _item(document, at)
    if item is None or letters[label] != ENTRY:
        return item
    behind = _line_end(document, item)
    return item if behind >= len(letters) or _item(document, behind) is None else None


def _below(document: Document, label: int) -> int | None:
    """Return the number that is all of the line below a label that is all of its line.

    As in a card: ``Entry`` over ``2,650``, or ``入場價格 (Entry)``. Where several labels or
    several numbers stand below one another, none is known to be the label's.
    """
    number = document.line_at(document.starts[label])
    lines = document.lines
    if not 0 <= number < len(lines) - 1 or not _is_lone_label(lines[number].shape):
        return None
    below, further = lines[number + 1], lines[number + 2 : number + 3]
    if not _ONLY_PRICE.fullmatch(below.shape):
        return None
    if further and _ONLY_PRICE.fullmatch(further[0].shape):
        return None
    if number and _is_lone_label(lines[number - 1].shape):
        return None
    return below.first + below.shape.index(NUMBER)


@lru_cache(maxsize=8192)
def _is_lone_label(shape: str) -> bool:
    return _LONE_LABEL.fullmatch(shape) is not None


def _item(document: Document, at: int) -> int | None:
    """Return the price of a line that is an item of a list of prices: 1) 62000."""
    letters = document.letters
    end = _line_end(document, at)
    while at < end and letters[at] in "-|>":
        at += 1
    if at + 2 < end and letters[at] == NUMBER and letters[at + 1] in ").:":
        at += 2
    if at >= end or letters[at] != NUMBER or is_range(document, at, end):
        return None
    return at if at + 1 == end or letters[at + 1] in "(|,-P" else None


def first(document: Document, letter: str, start: int, end: int) -> Found | None:
    """Return the first price with a label of this letter among the tokens start..end-1."""
    token = document.letters.find(letter, start, end)
    while token >= 0:
        if not _of_position(document, token):
            found = price(document, token)
            if found is not None:
                return found
        token = document.letters.find(letter, token + 1, end)
    return None


def _of_position(document: Document, token: int) -> bool:
    """Say whether a label follows Position: on its line, so that its price is of the past."""
    nearest = document.letters.rfind("O", max(0, token - 4 * _REACH + 1), token)
    if nearest < 0:
        return False
    folded = document.folded
    line = folded.rfind("\n", 0, document.starts[token])
    if document.letters[token] == ENTRY and line > 0:
        # The entry on the line below a position is that position's.
        above = folded.rfind("\n", 0, line)
        begins = bisect_left(document.starts, above + 1, 0, token)
        if document.letters[begins] == "O":
            return True
    return document.starts[nearest] > line

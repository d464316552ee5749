"""What stands behind a symbol's label: a name to the end of its token, though it may be a word."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

from trackrecord.extraction.words import SYMBOL, UNNAMED, Parts, is_pair

# What stands behind "Symbol:", to the end of its token.
_CHUNK: Final = re.compile(
    r"[$#^.]?[A-Za-z0-9]++(?:(?:[._/-]|:(?=[A-Z0-9]|usd|btc|eur)|&(?=[A-Z]))[A-Za-z0-9]++)*+"
    r"(?:=[XF](?![A-Za-z0-9])|!(?=\s|$))?"
)
_LONGEST: Final = 64
_PICKS: Final = frozenset({"pick", "picks"})
_AHEAD: Final = frozenset(":=([")
_BEHIND: Final = frozenset("LFDETXCZGRKqYVA@-.>([{|,;)]}")
_CODE: Final = re.compile(r"[0-9]{4,6}")
_MIXED: Final = re.compile(r"[A-Z0-9]{3,12}(?:[mcz]|\.?[a-z]{1,5})|[a-z]{1,3}[A-Z]{3,12}[0-9]*")
_COMPANY_LABELS: Final = frozenset(
    {"stock", "company", "security", "scrip", "stock name", "company name", "name", "share"}
)
_LONGEST_COMPANY: Final = 6
_SEPARATED: Final = frozenset(",;|)]}\"'")


def find(text: str, parts: Parts) -> list[tuple[int, int]]:
    """Return where the names behind symbol labels stand that are no symbols by themselves.

    Args:
        text: What the line is a part of.
        parts: Its tokens.
    """
    letters, _, starts, ends, _, _ = parts
    size = len(letters)
    found: list[tuple[int, int]] = []
    for at in range(size - 2):
        mark = _mark_behind(text, parts, at)
        if mark < 0:
            continue
        first = mark + 1
        if letters[mark] in ":=" and letters[first] in "([":
            first += 1
        if first >= size:
            continue
        company = _company(text, parts, at, first)
        end = ends[company] if company else _end_of_name(text, parts, first)
        start = starts[first] - (text[starts[first] - 1] == "^")
        if end > start:
            found.append((start, end))
    return found


def _mark_behind(text: str, parts: Parts, label: int) -> int:
    """Return the mark behind a symbol's label, -1 where a token is none."""
    letters, terms, starts, ends, _, _ = parts
    if letters[label] != "Y":
        # TOP PICK: MA. The phrase is none yet.
        picks = letters[label + 1] == ":" and text[starts[label] : ends[label]].lower() in _PICKS
        return label + 1 if picks else -1
    term = terms[label]
    if term is None or term.value == "weak":
        return -1
    mark = label + 1
    if letters[mark] == "w" and text[starts[mark] : ends[mark]].lower() == "name":
        mark += 1  # Stock Name: TATA MOTORS
    return mark if mark + 1 < len(letters) and letters[mark] in _AHEAD else -1


def may_pick(text: str, parts: Parts) -> bool:
    """Say whether a line may name a pick behind a colon."""
    letters, _, starts, ends, _, _ = parts
    at = letters.index(":")
    return at > 0 and text[starts[at - 1] : ends[at - 1]].lower() in _PICKS


def _end_of_name(text: str, parts: Parts, first: int) -> int:
    """Return where the name ends that begins with a token, 0 where there is none."""
    letters, _, starts, ends, _, _ = parts
    start = starts[first]
    if text[start - 1] == "^":
        start -= 1
    match = _CHUNK.match(text, start, start + _LONGEST)
    if match is None:
        return 0
    end = match.end()
    for inside in range(first, bisect_left(starts, end, first)):
        if letters[inside] == "A":
            if inside < first + 2:
                return 0
            end = ends[inside - 2]
            break
    return end if _is_name(text, start, end, letters, first, bisect_left(starts, end)) else 0


def _company(text: str, parts: Parts, label: int, first: int) -> int:
    """Return the last token of a company's name of several words, 0 where there is none.

    Every word begins with a capital and means nothing else, and the name ends the line or cell:
    ``Stock: Tata Motors Ltd``. A ticker in brackets behind it is the better name.
    """
    letters, terms, starts, ends, _, _ = parts
    if text[starts[label] : ends[label]].lower() not in _COMPANY_LABELS:
        return 0
    size = len(letters)
    last = first
    while last < size and last - first < _LONGEST_COMPANY:
        letter = letters[last]
        if letter == "." and ends[last - 1] == starts[last]:
            last += 1
            continue
        if letter not in "wS" or terms[last] is not None or not text[starts[last]].isupper():
            break
        if last > first and starts[last] - ends[last - 1] > 1:
            break
        last += 1
    if last - first < 2 or (last < size and letters[last] not in "|,;"):  # noqa: PLR2004
        return 0
    return last - 1


def _is_name(text: str, start: int, end: int, letters: list[str], first: int, last: int) -> bool:
    """Say whether what stands behind a symbol label is a symbol."""
    body = text[start:end].lstrip("$#")
    if not body or body.upper() in UNNAMED:
        return False
    if last == first + 1 and letters[first] == SYMBOL and text[start] != "^":
        return False  # it is one already
    alone = (
        last >= len(letters)
        or text[end : end + 1] in _SEPARATED
        or text[end : end + 2] == "  "
        or letters[last] in _BEHIND
    )
    if body.isdigit():
        return _CODE.fullmatch(body) is not None and alone
    if body.isascii() and body.upper() == body:
        return alone if last == first + 1 or letters[first] in "LFDETXCGRq" else True
    return is_pair(body) or _MIXED.fullmatch(body) is not None

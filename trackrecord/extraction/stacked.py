"""A side below the name of its instrument, as channels print it: FXS/USDT, Short, Entry: 1.2.

Such a side is often no more than a word in small letters on a line of its own. What makes it a
decision are the name above it and the levels below it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import re2

from trackrecord.extraction import fields
from trackrecord.extraction.document import SYMBOL, Document, Line

_ALONE: Final = re2.compile(rb"^[-|>.:]*(?:[\[(]?([Aa])[\])]?|[DOw]:[\[(]?([Aa])[\])]?)[-|!.]*$")
_BESIDE: Final = re2.compile(rb"^[-|>.:]*(S)[-|:]?[\[(]([Aa])[\])](?:w{0,2}|[|-].*)$")
_ABOVE_NAME: Final = re2.compile(rb"^[-|>.:]*([Aa])[wf]{1,2}[-|:!.]*$")
_NAME: Final = re2.compile(rb"^[-|>.:]*(?:Y[:=]+)?[\[(]?(S)[\])]?w?[-|:.]*$")
# ## NVDA - NVIDIA Corporation, ### ASML (ASML Holding)
_HEADING: Final = re2.compile(rb"^[-|>.:]*(S)(?:[-:|(][^NPALFETXR:]{1,12})?$")
_LEVEL: Final = re2.compile(rb"([ETX])(?:[:=|(fw.@)-]{0,4}[NP])")
# What tells a position that is open, or a trade that is over.
_HELD: Final = frozenset("RUbpO")
_ABOVE: Final = -1
_BELOW_IT: Final = -2
_UNDER: Final = 2
_BELOW: Final = 10
_STATUS: Final = "status"
_POSITION: Final = "position"


class Side(NamedTuple):
    """A side and the name that it stands under."""

    token: int
    """The token of the action."""
    name: int
    """The token of the instrument."""
    price: int
    """The token of the entry's price, -1 where it is to be looked for."""


@lru_cache(maxsize=8192)
def _places(shape: str) -> tuple[int, int] | None:
    """Return where a line that is a side names action and instrument, below 0 for another line."""
    data = shape.encode("ascii", "replace")
    match = _BESIDE.search(data)
    if match is not None:
        return int(match.start(2)), int(match.start(1))
    match = _ALONE.search(data)
    if match is not None:
        return int(max(match.start(1), match.start(2))), _ABOVE
    match = _ABOVE_NAME.search(data)
    return None if match is None else (int(match.start(1)), _BELOW_IT)


@lru_cache(maxsize=8192)
def _levels(shape: str) -> frozenset[str]:
    """Return the letters of the levels that a line gives a value to."""
    found = []
    data = shape.encode("ascii", "replace")
    at = 0
    while (match := _LEVEL.search(data, at)) is not None:
        found.append(shape[int(match.start(1))])
        at = int(match.end())
    return frozenset(found)


def read(document: Document, line: Line) -> Side | None:
    """Read a line that is only a side below its instrument, or beside it in brackets.

    Args:
        document: The text.
        line: A line that names an action.

    Returns:
        Where the side and its instrument stand; None where a name or levels are missing, or
        where what stands below tells of a position or a trade that is over.
    """
    places = _places(line.shape)
    token = line.first + (0 if places is None else places[0])
    label = None if places is None else _label(document, line, token)
    if places is None or label is None or not _may_decide(document, token, label):
        return None
    if places[1] == _BELOW_IT:
        return _with_name_below(document, line, token)
    if places[1] >= 0:
        name: int | None = line.first + places[1]
    else:
        name = _name_above(document, line, heading=label == _STATUS)
    # "Position: LONG" may be one that is held; target and stop tell a signal.
    both = label == _POSITION or places[1] >= 0
    if name is None or (label != _STATUS and not _has_levels(document, line, both=both)):
        return None
    return Side(token, name, _entry_below(document, line) if label == _POSITION else -1)


def _with_name_below(document: Document, line: Line, token: int) -> Side | None:
    """Read SELL FUTURES over the instrument's name and its levels."""
    for below in document.lines[line.number + 1 : line.number + 1 + _UNDER]:
        at = _named_at(below.shape, False) if below.shape else -1
        if at >= 0 and _has_levels(document, below, both=True):
            return Side(token, below.first + at, -1)
    return None


def _may_decide(document: Document, token: int, label: str) -> bool:
    """Say whether an action is a side, or behind "status" any in capitals."""
    term = document.terms[token]
    if label == _STATUS:
        return term is not None and document.raw(token).isupper()
    return term is not None and term.kind == "action"


def _label(document: Document, line: Line, token: int) -> str | None:
    """Return the word before a side, empty where there is none, None where it is no label."""
    shape = line.shape
    at = shape.find(":")
    if at <= 0 or line.first + at > token or shape[at - 1] not in "DOw":
        return ""
    word = document.raw(line.first + at - 1).lower()
    if shape[at - 1] == "D" or word in {_STATUS, _POSITION}:
        return word
    return None


@lru_cache(maxsize=8192)
def _named_at(shape: str, heading: bool) -> int:
    """Return where a line that is only a name, or heads what is below, has it; -1 where none."""
    match = (_HEADING if heading else _NAME).search(shape.encode("ascii", "replace"))
    return -1 if match is None else int(match.start(1))


def _name_above(document: Document, line: Line, *, heading: bool) -> int | None:
    """Return the symbol of the line above that is only a name, over one blank line at most."""
    for above in reversed(document.lines[max(0, line.number - _UNDER) : line.number]):
        if not above.shape:
            continue
        at = _named_at(above.shape, heading)
        return None if at < 0 else above.first + at
    return None


def _has_levels(document: Document, line: Line, *, both: bool) -> bool:
    """Say whether two levels stand below a line, a target or a stop among them, or both."""
    found: set[str] = set()
    for below in document.lines[line.number + 1 : line.number + 1 + _BELOW]:
        if not _HELD.isdisjoint(below.shape):
            return False
        if SYMBOL in below.shape and found:
            break
        found |= _levels(below.shape)
    return {"T", "X"} <= found if both else len(found) > 1


def _entry_below(document: Document, line: Line) -> int:
    """Return the price behind the label of an entry below a line, -1 where there is none."""
    for below in document.lines[line.number + 1 : line.number + 1 + _BELOW]:
        at = below.shape.find(fields.ENTRY)
        if at >= 0:
            found = fields.price(document, below.first + at)
            return -1 if found is None else found.token
    return -1

"""Several instruments under one heading, or several decisions on one line.

A line such as ``BUY``, ``SELL SIGNALS (2)`` or ``BTST OPPORTUNITIES`` heads the items below it,
never the one above; ``AAPL BUY | MSFT HOLD`` states each pair by itself.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import re2

from trackrecord.extraction.document import NUMBER, SYMBOL, Document, Line
from trackrecord.extraction.packs import RANKS
from trackrecord.extraction.shapes import ACTIONS, action_places, log_prefix

_HEADING: Final = re2.compile(
    rb"^(?:[-|>\[.]|[(]?N[\]).])*(?:"
    # BUY; BUY (2); BUY SIGNALS (2); Top 5 BUY picks today:
    rb"([Aa])\]?(?:[(][^AaSR]*[)])?[:|>-]*"
    rb"|[wfN]{0,3}([Aa])\]?[Lkg]{1,2}[wfd]{0,4}(?:[(][^AaSR]*[)])?(?:[:|-]+[wfdN,]{0,6})?[:|-]*"
    rb"|[wfN]{0,3}([Aa])\]?[wfd]{0,4}(?:[(][^AaSR]*[)])?[:]"
    rb"|([Aa])[wfg]?[:-]+N[wk]?"
    rb"|[wfN]{0,3}(h)[wfd]{0,3}(?:[(][^AaSR]*[)])?[:|-]*"
    rb"|[wfN]{0,3}(B)[kLgw]{0,3}[fwd]{0,3}(?:[(][^AaSR]*[)])?(?:[-:|,].*)?)$"
)
_ITEM: Final = re2.compile(
    rb"^(?:[\[(]?N[\]).:]+)?[-|>.]*(?:Y[:=](S)|(S)|Y[:=](N)"
    rb"|Y[:=]([wZVfKgTX])$|[wSfgZ&.,]{1,6}[(](S)[)]|[wf]{1,4}[(](N)[)]|(N)w)"
)
_NAMES: Final = re2.compile(rb"^[-|>.]*S(?:[,|f]?S)+[.]?$")
_BARE: Final = re2.compile(rb"^S(?:$|[^wfSLFGDMvio?!]|[wf.,]{1,4}[(:|-]?[NP@])")
_HELD: Final = re2.compile(rb"[bpO]")
_GAINED: Final = re2.compile(rb"(R)[:=|(]{0,2}[NP]")
_DETAIL: Final = frozenset("LFG")
_SINGLE: Final = re2.compile(rb"^[-|>.\[\]d]*[wf]{0,2}B[Lkgw]?(?:[:>|-]+|\]|(?:f|g)?)(S)")
_LEVEL: Final = re2.compile(rb"@N|[EXT][:=]?N")
_BULLETS: Final = "-*+>•·‣▪◦●○|.→└├"
# PG (33 shares) - Reduce beta: why it is on the list.
_REASONED: Final = re2.compile(rb"^[^AaySLFGDMO]*S[^AaySLFGDMO]*[-(:][^AyLFGDMO]*$")
_LOOK_AHEAD: Final = 3
_ABOVE: Final = 4
_LONGEST_LIST: Final = 400
_FEWEST: Final = 2

_LINE_HEAD: Final = rb"^(?:[-|>\[\].,:d]|[(]?N[\]).:])*(?:(?:[wf]{0,2}([LFk])?k?|E)[:>-]+)?[\[({]*"
_TAIL: Final = rb"(?:[(\[]?(?:@?N|P|[CKETX][:=]?[NP]|[(][^AaS()]*[)])[)\],]?){0,4}"
_NAME_FIRST: Final = re2.compile(
    _LINE_HEAD
    + rb"(?:[-(\[]?S[)\]]?(?:[:=>|(\[f-]|N|P){0,3}[Aa][)\]]?"
    + _TAIL
    + rb"[|,;/f.&+-]*){2,64}[})\].]*$"
)
_ACTION_FIRST: Final = re2.compile(
    _LINE_HEAD
    + rb"(?:[-(\[]?[Aa][)\]]?[:=>(\[-]{0,2}f?S[)\]]?(?:[,f]{1,2}S)*"
    + _TAIL
    + rb"[|,;/f.&+-]*){2,64}[})\].]*$"
)
_TUPLES: Final = re2.compile(rb"^\[?(?:[(\[]S,A[)\]],?){2,64}\]?$")
_NEAR: Final = re2.compile(rb"S[)]?[:=>(\[|-]{0,2}A|A[)\]]?[:>-]{0,2}S")


@lru_cache(maxsize=8192)
def heads(shape: str) -> int | None:
    """Return where a line that may head a list names the action, None where it heads none."""
    prefix = log_prefix(shape)
    match = _HEADING.search(shape[prefix:].encode("ascii", "replace"))
    if match is None:
        return None
    starts = [int(match.start(group)) for group in range(1, 7)]
    return prefix + max(starts)


@lru_cache(maxsize=8192)
def _item(shape: str) -> tuple[int, ...]:
    """Return where a line of a list names its instruments."""
    prefix = log_prefix(shape)
    data = shape[prefix:].encode("ascii", "replace")
    if _NAMES.search(data) is not None:
        return tuple([at for at, letter in enumerate(shape) if letter == SYMBOL])
    match = _ITEM.search(data)
    if match is None:
        return ()
    return tuple([prefix + match.start(group) for group in range(1, 8) if match.start(group) >= 0])


@lru_cache(maxsize=8192)
def _stands_bare(shape: str) -> bool:
    bare = shape[log_prefix(shape) :]
    return bare[:1] == "Y" or _BARE.search(bare.encode("ascii", "replace")) is not None


@lru_cache(maxsize=8192)
def _held_at(shape: str) -> int | None:
    """Return the place that tells a position or a trade: -1 the line as a whole, None none."""
    data = shape.encode("ascii", "replace")
    if _HELD.search(data) is not None:
        return -1
    match = _GAINED.search(data)
    return None if match is None else int(match.start(1))


def _is_held(document: Document, line: Line) -> bool:
    """Say whether a line of a list shows a position: a gain may be the day's, a profit is not."""
    at = _held_at(line.shape)
    if at is None or at < 0:
        return at is not None
    return not document.raw(line.first + at).lower().startswith(("gain", "return"))


@lru_cache(maxsize=8192)
def pairs(shape: str) -> tuple[tuple[int, int, int], ...]:
    """Return the places of action and symbol and the rank, where a line is pairs of them.

    Empty unless the whole line is two or more pairs, so that none is bound to its neighbour.
    """
    actions = action_places(shape)
    names = [at for at, letter in enumerate(shape) if letter == SYMBOL]
    if not _FEWEST <= len(actions) <= len(names):
        return ()
    data = shape.encode("ascii", "replace")
    row = RANKS["row"]
    if len(names) == len(actions):
        if _TUPLES.search(data) is not None:
            return tuple([(at, name, row) for at, name in zip(actions, names, strict=True)])
        match = _NAME_FIRST.search(data)
        if match is not None:
            rank = row if match.group(1) in {None, b"k"} else RANKS["labelled"]
            return tuple([(at, name, rank) for at, name in zip(actions, names, strict=True)])
    match = _ACTION_FIRST.search(data)
    if match is None:
        return ()
    rank = row if match.group(1) in {None, b"k"} else RANKS["labelled"]
    return tuple([(max(at for at in actions if at < name), name, rank) for name in names])


_CLAUSE: Final = re2.compile(rb"[^AaynirN|?]*?([Aa])[f]?@[:f]?(N)(?:f?N|[-/~]N)?[),.;]*")


@lru_cache(maxsize=8192)
def clauses(shape: str) -> tuple[tuple[int, int, int], ...]:
    """Return where each clause of a sentence of orders begins, its action and its price.

    As in ``USDJPY pending order: sell @ 110.95, EURUSD sell @ 1.1159 and 1.1070``.
    """
    if shape.count("@") < _FEWEST:
        return ()
    data = shape.encode("ascii", "replace")
    found: list[tuple[int, int, int]] = []
    at = 0
    while (match := _CLAUSE.match(data, at)) is not None:
        found.append((at, match.start(1), match.start(2)))
        at = match.end()
    left = shape[at:]
    whole = ACTIONS.isdisjoint(left) and "N" not in left
    return tuple(found) if whole and len(found) >= _FEWEST else ()


@lru_cache(maxsize=8192)
def statements_seen(shape: str) -> tuple[int, ...]:
    """Return where actions in capitals stand beside a symbol, as in a statement."""
    data = shape.encode("ascii", "replace")
    found: list[int] = []
    at = 0
    while (match := _NEAR.search(data, at)) is not None:
        found.append(match.start() + match.group(0).index(b"A"))
        at = match.end() - 1 if match.group(0).endswith(b"S") else match.end()
    return tuple(found)


@lru_cache(maxsize=8192)
def btst_on_line(shape: str) -> int | None:
    """Return the symbol of a line such as ``BTST: TRENT @ 5123.4 SL 5020``."""
    if (
        not ACTIONS.isdisjoint(shape)
        or _HELD.search(shape.encode("ascii", "replace")) is not None
        or "n" in shape
        or "i" in shape
    ):
        return None
    data = shape.encode("ascii", "replace")
    match = _SINGLE.search(data)
    if match is None or (":" not in shape[: match.start(1)] and _LEVEL.search(data) is None):
        return None
    return int(match.start(1))


def _usable(document: Document, token: int) -> bool:
    letter = document.letters[token]
    if letter == NUMBER:
        return document.is_code(token)
    return letter == SYMBOL or document.raw(token).isupper()


def _text(document: Document, line: Line) -> str:
    """Return a line without what a logger puts before it."""
    prefix = log_prefix(line.shape)
    start = document.ends[line.first + prefix - 1] if prefix else line.start
    return document.folded[start : line.end]


def _mark(document: Document, line: Line) -> tuple[str, int]:
    """Return how a line begins and how far it is in.

    ``n`` is a number, ``-`` a bullet, ``e`` a picture, ``s`` a word.
    """
    text = _text(document, line)
    body = text.lstrip()
    first = body[:1]
    if first.isdigit() or body[:2].lstrip("[(")[:1].isdigit():
        mark = "n"
    else:
        mark = "s" if first.isalnum() or first in "$#" else "-" if first in _BULLETS else "e"
    return mark, len(text) - len(body)


@lru_cache(maxsize=8192)
def _names_only(shape: str) -> bool:
    """Say whether a line is an instrument's name alone, as above its own action."""
    return shape[log_prefix(shape) :].strip(":-|.[]()") == SYMBOL


def is_empty(document: Document, line: Line, joined: set[int]) -> bool:
    """Say whether a heading without items is one among lists, or counts none: SELL (0)."""
    if line.number and line.number - 1 in joined:
        return True
    shape = line.shape
    at = shape.find("N")
    return at > 0 and shape[at - 1] in "(:" and document.raw(line.first + at) == "0"


def heading_above(document: Document, number: int) -> Line | None:
    """Return the heading that is an action above a line, over blank and ruled ones only."""
    for at in range(number - 1, max(-1, number - 1 - _ABOVE), -1):
        line = document.lines[at]
        if line.shape.strip(".|+-:="):
            return line if heads(line.shape) is not None else None
    return None


def may_head(document: Document, line: Line, joined: set[int]) -> bool:
    """Say whether the lines below are a heading's: not where its instrument stands above it."""
    if not line.number:
        return True
    above = document.lines[line.number - 1]
    return not (above.number not in joined and _names_only(above.shape))


def items(document: Document, line: Line, joined: set[int]) -> list[tuple[int, int]]:
    """Return the items below a heading, until the next heading or what is no item.

    Args:
        document: The text.
        line: The heading.
        joined: Receives the lines that the list explains.

    Returns:
        Line and symbol token of each item; empty where no list stands below, or where it is
        one of positions or trades.
    """
    found: list[tuple[int, int]] = []
    explained: list[int] = []
    kind = ""
    indent = 0
    blank = False
    for following in document.lines[line.number + 1 : line.number + 1 + _LONGEST_LIST]:
        shape = following.shape
        if not shape:
            if not found and following.number > line.number + _LOOK_AHEAD:
                break
            blank = True
            continue
        mark, here = _mark(document, following)
        if heads(shape) is not None and (not found or here <= indent):
            break
        tokens = _names(document, following, mark)
        acting = not ACTIONS.isdisjoint(shape) and not _reasoned(shape)
        if tokens and not acting and _goes_on(shape, mark, here, blank, kind, indent):
            found.extend((following.number, token) for token in tokens)
            if not explained:
                kind, indent = mark, here
        elif not found or not _of_item(shape, here > indent, blank, kind):
            if found and tokens and acting and mark == kind and not blank:
                continue
            break
        elif acting and not _DETAIL.isdisjoint(shape):
            continue
        explained.append(following.number)
        blank = False
    joined.update(explained)
    return [] if any(_is_held(document, document.lines[at]) for at in explained) else found


@lru_cache(maxsize=8192)
def _reasoned(shape: str) -> bool:
    """Say whether the only action that an item names is a weak one, in the reason it gives."""
    return _REASONED.search(shape.encode("ascii", "replace")) is not None


def _names(document: Document, line: Line, mark: str) -> list[int]:
    """Return the instruments of an item, none where the line is no item."""
    tokens = [line.first + at for at in _item(line.shape) if _usable(document, line.first + at)]
    return tokens if mark != "s" or _stands_bare(line.shape) or len(tokens) > 1 else []


def _goes_on(shape: str, mark: str, here: int, blank: bool, kind: str, indent: int) -> bool:
    """Say whether an item belongs to the list: of its kind, and bare ones without a gap."""
    if not kind:
        return True
    if blank and mark == "s" and shape[0] != "Y":
        return False
    return mark == kind and here <= indent + 1


def _of_item(shape: str, inner: bool, blank: bool, kind: str) -> bool:
    """Say whether a line tells more of the item above it."""
    return inner or (not blank and ":" in shape and (kind == "n" or shape[0] in "YZETXCKVq"))

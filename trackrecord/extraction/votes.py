"""Whether a text tells of a debate or a vote, so that its consensus is the decision.

A consensus of analysts is somebody else's; that of the speakers whose words stand above it is
what the script decided.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import re2

from trackrecord.extraction import looks
from trackrecord.extraction.document import SYMBOL, Document
from trackrecord.extraction.ruleset import matcher
from trackrecord.extraction.shapes import ACTIONS

_MAY_AGREE: Final = looks.ask(r"(?i)consensus")
_CONSENSUS: Final = matcher(r"(?im)^[^\w\n]*(?:\w+ ){0,2}consensus\b[^\n\d]{0,24}[:=>\x{2192}-]")
_OF_ANALYSTS: Final = matcher(
    r"(?i)\b(?:analysts|brokers?|brokerages?|firms?|street|ratings?|price targets?|mean target"
    r"|upside|estimates?|institutional)\b"
)
# Bull: Buy opportunity, [Bear] sell, Munger - hold
_SPEAKS: Final = re2.compile(
    rb"^[-|>.]*(?:\[[VwsSf]{1,3}\]|[VwsS]{1,2}(?:[(][^()]*[)])?[:>|-]+)[^NP:]"
)
_TITLE: Final = re2.compile(rb"^[-|>.]*(V)[:=-]+[(]?[Aa](?:$|[^/|,fr])")
_VOTES: Final = re2.compile(rb"V[^AaV]{0,3}[:=>(|-][fwLg]*A")
_SIGNAL: Final = matcher(r"(?i)(?:signal|sinyali?|se\x{f1}al|sinal|segnale|\x{4fe1}\x{53f7})$")
_OTHERS: Final = matcher(r"(?i)analyst|consensus|news|sentiment|vote")
_OTHER_ACTIONS: Final = frozenset("ayhLF")
_ABOVE: Final = 16
_FEWEST: Final = 2


def decided(document: Document) -> bool:
    """Say whether lines of two speakers or more stand above a consensus, and one names an action.

    Args:
        document: The text.
    """
    text = document.folded
    if not document.may(_MAY_AGREE) or not _CONSENSUS(text) or _OF_ANALYSTS(text):
        return False
    for line in document.lines:
        if "K" not in line.shape or ACTIONS.isdisjoint(line.shape):
            continue
        if "consensus" not in text[line.start : line.end].lower():
            continue
        above = document.lines[max(0, line.number - _ABOVE) : line.number]
        spoken = [
            item.shape
            for item in above
            if _SPEAKS.search(item.shape.encode("ascii", "replace")) is not None
        ]
        acting = sum(not ACTIONS.isdisjoint(shape) for shape in spoken)
        if len(spoken) >= _FEWEST and acting:
            return True
    return False


def titles(document: Document) -> bool:
    """Say whether a text begins with a kind of signal and is about that one: TECHNICAL SIGNAL: BUY.

    Among others it would be one vote.

    Args:
        document: The text.
    """
    first = next((line for line in document.lines if line.shape), None)
    if _is_alone(document):
        return True
    if first is None or not first.traits.acts:
        return False
    at = _titled_at(first.shape)
    if at < 0 or not _SIGNAL(document.raw(first.first + at)):
        return False
    return not any(
        line.traits.acts
        and ("L" in line.shape or "F" in line.shape or ("V" in line.shape and _is_vote(line.shape)))
        for line in document.lines[first.number + 1 :]
    )


@lru_cache(maxsize=8192)
def _titled_at(shape: str) -> int:
    """Return where a line names the kind of a signal in front of an action, else -1."""
    match = _TITLE.search(shape.encode("ascii", "replace"))
    return -1 if match is None else int(match.start(1))


@lru_cache(maxsize=8192)
def _is_vote(shape: str) -> bool:
    """Say whether a line of this shape says what one speaker or indicator is for."""
    return _VOTES.search(shape.encode("ascii", "replace")) is not None


def _is_alone(document: Document) -> bool:
    """Say whether a text names one action, beside one instrument: Golden cross on ACME: BUY."""
    letters = document.letters
    if letters.count("A") != 1 or not _OTHER_ACTIONS.isdisjoint(letters):
        return False
    acting = next((line for line in document.lines if "A" in line.shape), None)
    if acting is None or acting.shape.count(SYMBOL) != 1 or acting.shape.count("V") != 1:
        return False
    return not _OTHERS(document.raw(acting.first + acting.shape.index("V")))

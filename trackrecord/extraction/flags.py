"""What a text as a whole holds: what the rules of shapes need it to hold, or not to."""

from __future__ import annotations

from typing import Final

from trackrecord.extraction import looks, votes
from trackrecord.extraction.document import Document
from trackrecord.extraction.ruleset import matcher

_REQUEST: Final = matcher(r"[DL][:=][Aa].*q[:=]|q[:=].*[DL][:=][Aa]")
_DECIDED: Final = frozenset("TXCF")
_MAY_EXIT: Final = looks.ask(r"(?i)\bexit")
_EXITED: Final = matcher(r"(?i)\bexit(?:ed)?(?: price| rate| at)?\s*[:=|]?\s*[^\s\w]?\d")
_NAMES_ONE: Final = matcher(r"Y[:=>|-]+S")
# What orders, positions and trades name beside a side.
_ORDERED: Final = frozenset("qpbROE")
_SENT: Final = matcher(
    r"(?i)\b(?:market|limit|orders?|filled|executed|status|client|ids?|opened|closed|position|lots?"
    r"|trades?|account|balance|fee|tif|gtc|ioc|day|created|updated|leverage)\b"
)


def of_text(document: Document) -> frozenset[str]:
    """Return what the text as a whole holds, for the rules' ``needs`` and ``unless``."""
    shape = document.letters
    flags = set()
    if "p" in shape:
        flags.add("position")
    if "q" in shape and "{" in shape and not _DECIDED.intersection(shape) and _REQUEST(shape):
        flags.add("request")
    if "R" in shape and document.may(_MAY_EXIT) and _EXITED(document.folded):
        flags.add("ledger")
    if _is_named(document):
        flags.add("symbol")
    if "V" in shape and votes.titles(document):
        flags.add("titled")
    if "K" in shape and votes.decided(document):
        flags.add("votes")
    for line in document.lines:
        traits = line.traits
        if traits.levels:
            flags.add("levels")
        # A heading such as "Open positions:", under which positions are listed.
        if traits.held and document.terms[line.first] is not None:
            flags.add("position")
    return frozenset(flags)


def _is_named(document: Document) -> bool:
    """Say whether a text labels its instrument and nothing that orders and positions have."""
    shape = document.letters
    if "D" not in shape or not _NAMES_ONE(shape) or not _ORDERED.isdisjoint(shape):
        return False
    return not _SENT(document.folded)

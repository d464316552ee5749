"""What the shape of a line tells by itself, worked out once a shape."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, final

import re2

from trackrecord.extraction.ruleset import matcher

ACTIONS: Final = frozenset("Aay")
"""Letters of tokens that name an action."""
HEADINGS: Final = frozenset("LFDYETXCZRUqKVbOGpk")
"""Letters that name a column of a table."""

_LEVELS: Final = matcher(r"[ETXC](?:[:=|(fw.@)-]{0,4}[NP]|.{0,3}[NP])")
# Recommendation for TSLA, Final decision - AAPL
# Recommendation (24 months)
_LEADS_ON: Final = matcher(
    r"^[-|>.]*[wf]{0,2}[LF][wf:(|-]{1,2}S[)]?[:|>-]*$",
    r"^[-|>.]*[wf]{0,2}[LF][(][^()SRUK]{1,6}[)][:|>-]*$",
)
_PREFIX: Final = re2.compile(rb"^\[?d\]?(?:[|\[\]:,]|-[|]?|w[-|:\]])*|^\[?[|]\]?[:|-]?")
_VALUES: Final = frozenset("NPd=")
_NUMBERED: Final = re.compile(r"(?<=[A-Za-z])(?:\(N[a-z]?\)|N(?![.:]))|\(?P\)?")
_MANY_CUTS: Final = 4
_FEWEST_NAMES: Final = 2
_LONGEST_HEADER: Final = 128
_DECISIONS: Final = frozenset("LF")
_HELD: Final = frozenset({"O", "O:", "O-", "O(N)", "O(N):"})


@final
class Traits:
    """What a line may be, as far as its shape tells."""

    __slots__ = (
        "acts", "begins", "held", "leads_on", "levels", "lists", "may_head", "names", "reports",
    )  # fmt: skip

    def __init__(self, shape: str) -> None:
        self.acts: Final = not ACTIONS.isdisjoint(shape)
        """It names an action."""
        self.begins: Final = shape[:1] == "d" or shape[:2] == "[d" or log_prefix(shape) > 1
        """It begins a logged message."""
        self.leads_on: Final = not self.acts and (
            (shape[-1:] in set("LFG:>-|") and shape.rstrip(":>-|")[-1:] in set("LFG"))
            or _LEADS_ON(shape)
        )
        """It ends in a label, whose action may stand on the next line."""
        self.reports: Final = "R" in shape or "b" in shape or "|" in shape
        """It may state a result."""
        self.names: Final = "S" in shape or "N" in shape or "Y" in shape
        """It may name an instrument."""
        self.may_head: Final = _may_head(shape)
        """It may head a table: it names several things and holds no values."""
        self.levels: Final = _LEVELS(shape)
        """A number stands behind a label of a price or of confidence."""
        self.lists: Final = "h" in shape or "B" in shape
        """It may head a list, or name an instrument to buy today and sell tomorrow."""
        self.held: Final = shape in _HELD
        """It may be a heading such as "Open positions:", under which positions are listed."""


@lru_cache(maxsize=8192)
def log_prefix(shape: str) -> int:
    """Return how many tokens a line's date, logger and level take."""
    match = _PREFIX.search(shape.encode("ascii", "replace"))
    return 0 if match is None else int(match.end())


@lru_cache(maxsize=8192)
def traits_of(shape: str) -> Traits:
    """Return what a line of this shape may be."""
    return Traits(shape)


@lru_cache(maxsize=8192)
def action_places(shape: str) -> tuple[int, ...]:
    """Return where a shape names actions."""
    return tuple([at for at, letter in enumerate(shape) if letter in ACTIONS])


def _may_head(shape: str) -> bool:
    if len(shape) > _LONGEST_HEADER or (
        shape.count(":") > 1 and "|" not in shape and "," not in shape
    ):
        return False
    if shape.strip("|") in _DECISIONS:
        return True
    if not _VALUES.isdisjoint(shape):
        # RSI (14), Target 1 (EGP) among many headings between commas.
        shape = _NUMBERED.sub("w", shape)
        if shape.count(",") < _MANY_CUTS or not _VALUES.isdisjoint(shape):
            return False
    if len(HEADINGS.intersection(shape)) >= _FEWEST_NAMES:
        return True
    return not _DECISIONS.isdisjoint(shape) and len(shape) > _FEWEST_NAMES

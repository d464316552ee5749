"""What the shape of a line tells by itself, worked out once a shape."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from trackrecord.extraction.ruleset import matcher

ACTIONS: Final = frozenset("Aay")
"""Letters of tokens that name an action."""
HEADINGS: Final = frozenset("LFDYETXCZRUqKVbOGpk")
"""Letters that name a column of a table."""

_LEVELS: Final = matcher(r"[ETXC](?:[:=|(fw.@)-]{0,4}[NP]|.{0,3}[NP])")
_VALUES: Final = frozenset("NPd=")
_FEWEST_NAMES: Final = 2
_LONGEST_HEADER: Final = 128
_HELD: Final = frozenset({"O", "O:", "O-", "O(N)", "O(N):"})


class Traits(NamedTuple):
    """What a line may be, as far as its shape tells."""

    acts: bool
    """It names an action."""
    leads_on: bool
    """It ends in a label, whose action may stand on the next line."""
    reports: bool
    """It may state a result."""
    names: bool
    """It may name an instrument."""
    may_head: bool
    """It may head a table: it names several things and holds no values."""
    levels: bool
    """A number stands behind a label of a price or of confidence."""
    held: bool
    """It may be a heading such as "Open positions:", under which positions are listed."""


@lru_cache(maxsize=8192)
def traits_of(shape: str) -> Traits:
    """Return what a line of this shape may be."""
    acts = not ACTIONS.isdisjoint(shape)
    return Traits(
        acts,
        not acts and shape[-1:] in set("LFG:>-|") and shape.rstrip(":>-|")[-1:] in set("LFG"),
        "R" in shape or "b" in shape or "|" in shape,
        "S" in shape or "N" in shape or "Y" in shape,
        _may_head(shape),
        _LEVELS(shape),
        shape in _HELD,
    )


@lru_cache(maxsize=8192)
def action_places(shape: str) -> tuple[int, ...]:
    """Return where a shape names actions."""
    return tuple([at for at, letter in enumerate(shape) if letter in ACTIONS])


def _may_head(shape: str) -> bool:
    if len(shape) > _LONGEST_HEADER or (":" in shape and "|" not in shape and "," not in shape):
        return False
    return len(HEADINGS.intersection(shape)) >= _FEWEST_NAMES and _VALUES.isdisjoint(shape)

"""Names that a reader must not see: one condition, for every query that tells of names.

What is hidden is told of in no way: it is in no list, counts in no sum, and whoever asks for it by
its name is answered as for a name that there is not.
"""

from __future__ import annotations

from typing import Final

Hidden = frozenset[str]
"""Names of strategies and scripts."""

NOTHING: Final[Hidden] = frozenset()
"""Hidden from whoever may see all, such as the command line."""


def visible(column: str) -> str:
    """SQL: a name is none of those in the parameter ``hidden``."""
    return f"{column} <> ALL(%(hidden)s::text[])"


def as_parameter(hidden: Hidden) -> list[str]:
    """The value of that parameter."""
    return sorted(hidden)

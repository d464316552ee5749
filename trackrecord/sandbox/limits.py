"""How much a strategy may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RECURSION: Final = 200
"""Calls of functions inside one another."""
OUTPUT_BYTES: Final = 64 * 1024
"""What a call may print; it is thrown away."""


@dataclass(frozen=True)
class Limits:
    """Of one decision.

    Attributes:
        seconds: Of computing, for one decision, or for one instant of several symbols.
        memory_mb: Megabytes of values that exist at once, history included.
    """

    seconds: float = 1.0
    memory_mb: int = 100

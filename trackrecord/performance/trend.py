"""Whether later results are better than earlier ones, beyond noise."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

FEWEST: Final = 5
"""Results that each side of the comparison needs."""

LEVEL: Final = 0.05
"""The chance of calling a trend where there is none, at most (two-sided)."""


@dataclass(frozen=True)
class Trend:
    """A trend, or why there is none to speak of.

    Attributes:
        direction: ``stable`` where the difference is within noise; None with too few results.
        p_value: Two-sided, of the Mann-Whitney test; None with too few results.
        reason: ``too_few_results`` where direction is None.
    """

    direction: Literal["improving", "declining", "stable"] | None
    p_value: float | None
    reason: str | None = None


def trend(results: Sequence[float]) -> Trend:
    """Compare the latest third of results with those before it.

    Args:
        results: Oldest first: returns in any unit, or -1, 0, 1 for loss, breakeven, profit.

    Returns:
        ``improving`` or ``declining`` only where a two-sided Mann-Whitney test
        (normal approximation with continuity and tie correction) rejects at 5 %
        that both parts come from one distribution. Ranks are used, so that one
        extreme result calls no trend.

    Source: Mann, Whitney (1947), Annals of Mathematical Statistics 18, 50-60.
    """
    recent_count = max(len(results) // 3, FEWEST)
    earlier, recent = results[:-recent_count], results[-recent_count:]
    if len(earlier) < FEWEST or len(recent) < FEWEST:
        return Trend(None, None, "too_few_results")
    p_value, better = _mann_whitney(recent, earlier)
    if p_value > LEVEL:
        return Trend("stable", p_value)
    return Trend("improving" if better else "declining", p_value)


def _mann_whitney(one: Sequence[float], other: Sequence[float]) -> tuple[float, bool]:
    """The two-sided p-value, and whether ``one`` tends to be larger."""
    n, m = len(one), len(other)
    total = n + m
    counts = Counter([*one, *other])
    rank_of, below = {}, 0
    for value in sorted(counts):
        rank_of[value] = below + (counts[value] + 1) / 2
        below += counts[value]
    u = sum(rank_of[value] for value in one) - n * (n + 1) / 2
    mean = n * m / 2
    ties = sum(count**3 - count for count in counts.values())
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance == 0:
        return 1.0, False
    z = max(abs(u - mean) - 0.5, 0) / math.sqrt(variance)
    return math.erfc(z / math.sqrt(2)), u > mean

"""What a probability is worth once it is known what happened.

Nothing here needs what models are made with: whoever only reads their record starts at once.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMALLEST: Final = 1e-6
"""The least a probability may be, and the least by which it may fall short of 1."""

NEVER: Final = 2.0
"""A threshold that no probability reaches."""


def base_rate(success: Floats, weights: Floats) -> float:
    """The weighted share of successes, kept off 0 and 1."""
    share = float(np.average(success, weights=weights))
    return min(max(share, SMALLEST), 1 - SMALLEST)


def log_loss(success: Floats, probability: Floats) -> Floats:
    """The loss of each prediction, in nats, (n,)."""
    return -np.where(success > 0, np.log(probability), np.log1p(-probability))


def area_under_curve(success: Floats, score: Floats) -> float | None:
    """How likely a success has a higher score than a failure (Mann and Whitney 1947).

    That is the area under the ROC curve. Ties count half.

    Args:
        success: 1 or 0, (n,).
        score: Anything that grows with the chance of success, (n,), no NaN.

    Returns:
        From 0 to 1; None without a success or without a failure.
    """
    won = success > 0
    wins = int(won.sum())
    losses = len(won) - wins
    if not wins or not losses:
        return None
    _, place, ties = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[place]
    return float((ranks[won].sum() - wins * (wins + 1) / 2) / (wins * losses))

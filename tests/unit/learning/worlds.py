"""Rows to learn from, of which the truth is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trackrecord.learning.data import Data
from trackrecord.learning.splits import Span

DAY = 86_400_000_000
HORIZON = 5 * DAY


def world(seed: int, rows: int, strength: float, *, shared: float = 0.0) -> Data:
    """Outcomes that depend on three of eight features, as strongly as asked; 0 is noise.

    Args:
        seed: Random seed.
        rows: How many, over three years.
        strength: Of the log odds.
        shared: How much of each outcome all signals of a day and its neighbours share.
    """
    rng = np.random.default_rng(seed)
    emitted_at = np.sort(rng.integers(0, 1_095 * DAY, rows))
    features = rng.normal(size=(rows, 8))
    market = np.convolve(rng.normal(size=1_200), np.ones(5) / np.sqrt(5), "same")
    odds = strength * truth(features) + shared * market[emitted_at // DAY]
    success = (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    features[rng.random(features.shape) < 0.02] = np.nan
    return Data(
        features,
        tuple(f"feature_{number}" for number in range(8)),
        success,
        np.where(success > 0, 0.03, -0.03) + rng.normal(0, 0.005, rows),
        rng.integers(0, 50, rows),
        Span(emitted_at, emitted_at + rng.integers(DAY, HORIZON, rows)),
    )


def truth(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the log odds are made of."""
    return np.asarray(features[:, 0] - 0.7 * features[:, 1] + 0.5 * features[:, 2])

"""What a model learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trackrecord.errors import TrackrecordError
from trackrecord.learning.probabilities import Floats
from trackrecord.learning.splits import Span

FEWEST_ROWS: Final = 200
"""Outcomes without which nothing is trained."""


class TooFewError(TrackrecordError, ValueError):
    """There is not enough to learn from; the message says of what."""


@dataclass(frozen=True)
class Data:
    """Signals whose whole horizon has elapsed; (n, k) features and (n,) arrays.

    Attributes:
        features: As stored at emission; NaN where unknown.
        names: Of the features' columns.
        success: 1 where the net return was above the threshold, else 0.
        returned: Gross returns, fractions.
        symbol: A number for each symbol.
        span: When each was emitted, and when its horizon ended.
    """

    features: Floats
    names: tuple[str, ...]
    success: Floats
    returned: Floats
    symbol: NDArray[np.int64]
    span: Span

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Data:
        """A part of the rows."""
        return Data(
            self.features[rows],
            self.names,
            self.success[rows],
            self.returned[rows],
            self.symbol[rows],
            Span(self.span.emitted_at[rows], self.span.ends_at[rows]),
        )


def in_order(features: Floats, names: Sequence[str], wanted: Sequence[str]) -> Floats:
    """Columns by name, in another order; one that is not there is unknown (NaN) throughout."""
    place = {name: number for number, name in enumerate(names)}
    result = np.full((len(features), len(wanted)), np.nan)
    for number, name in enumerate(wanted):
        if name in place:
            result[:, number] = features[:, place[name]]
    return result

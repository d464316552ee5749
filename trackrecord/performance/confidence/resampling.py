"""Resamples of the stationary bootstrap: which values each of them draws, and how often.

Blocks of geometric length from a series that is a circle. What is drawn depends
on the length of the series, the mean length of a block, and the seed alone, so
that series of one length share their resamples, and each of them has the same
interval in whatever company it is measured. Source: Politis and Romano (1994),
"The stationary bootstrap".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trackrecord.performance.measure import FloatArray

Whole = npt.NDArray[np.int64]

_CELLS = 4_000_000
"""Drawn values held in memory at once: 32 MB."""


@dataclass(frozen=True, eq=False)
class Resamples:
    """Blocks of b resamples of a series of ``size`` values; k is the most that one needs.

    Attributes:
        size: Length of the series and of each resample.
        starts: Where each block begins in the series, shape (b, k).
        lengths: How long it is, shape (b, k); each row adds up to ``size``.
    """

    size: int
    starts: Whole
    lengths: Whole

    @staticmethod
    def draw(size: int, resamples: int, mean_block: float, seed: int) -> Resamples:
        """Draw the blocks.

        Args:
            size: At least 1.
            resamples: At least 1.
            mean_block: Mean length of a block, at least 1.
            seed: The same seed draws the same blocks.
        """
        draws = np.random.default_rng(seed)
        blocks = size / mean_block
        width = math.ceil(blocks + 4 * math.sqrt(blocks)) + 4
        lengths = draws.geometric(1 / mean_block, (resamples, width))
        # Rarely, some resample is not full yet.
        while lengths.sum(axis=1).min() < size:
            more = draws.geometric(1 / mean_block, (resamples, width))
            lengths = np.concatenate((lengths, more), axis=1)
        ends = np.minimum(np.cumsum(lengths, axis=1), size)
        lengths = np.diff(ends, axis=1, prepend=0)
        lengths = lengths[:, : int((lengths > 0).sum(axis=1).max())]
        return Resamples(size, draws.integers(0, size, lengths.shape), lengths)

    def places(self) -> Iterator[Whole]:
        """Indices of the drawn values in their order, some resamples at a time, shape (r, size)."""
        for rows in self._parts():
            starts, lengths = self.starts[rows], self.lengths[rows]
            flat = lengths.ravel()
            begun = np.cumsum(flat) - flat
            count = int(flat.sum())
            places = np.repeat(starts.ravel() - begun, flat) + np.arange(count)
            yield (places % self.size).reshape(len(starts), self.size)

    def counts(self) -> Iterator[FloatArray]:
        """How often each value is drawn, some resamples at a time, shape (r, size)."""
        wide = self.size + 1
        for rows in self._parts():
            starts, lengths = self.starts[rows], self.lengths[rows]
            row = np.arange(len(starts))[:, None] * wide
            ends = starts + lengths
            around = ends > self.size
            opened = np.bincount((row + starts).ravel(), minlength=len(starts) * wide)
            closed = np.bincount(
                (row + np.where(around, ends - self.size, ends)).ravel(),
                minlength=len(starts) * wide,
            )
            steps = (opened - closed).reshape(len(starts), wide)
            steps[:, 0] += around.sum(axis=1)
            yield np.cumsum(steps[:, : self.size], axis=1).astype(np.float64)

    def _parts(self) -> Iterator[slice]:
        height = max(1, _CELLS // self.size)
        for first in range(0, len(self.starts), height):
            yield slice(first, first + height)

"""A model that is to be beaten, and what earlier decisions leave for the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trackrecord.learning.contest import FEWEST_BLOCKS, blocks_of
from trackrecord.learning.data import FEWEST_ROWS, Data, TooFewError
from trackrecord.learning.ensemble import Ensemble
from trackrecord.learning.probabilities import Floats
from trackrecord.learning.splits import longest_horizon

_SHARE_LEARNT: Final = 0.75


@dataclass(frozen=True)
class Serving:
    """The model that serves; see :class:`trackrecord.learning.train.Champion`.

    Attributes:
        ensemble: As its files were read.
        learnt_until: The last moment that any of its labels looked at; microseconds since
            1970 UTC.
    """

    ensemble: Ensemble
    learnt_until: int

    def predict(self, data: Data) -> Floats:
        """Probabilities of success, (n,)."""
        return self.ensemble.predict_named(data.features, data.names)

    def takes(self, probability: Floats) -> NDArray[np.bool_]:
        """Which signals it takes, (n,)."""
        return np.asarray(probability >= self.ensemble.thresholds.buy)


def unseen_from(data: Data, learnt_until: int, decided_until: int | None) -> int:
    """From which emission on outcomes are kept for the decision; microseconds since 1970 UTC.

    The last quarter, or less of it where the champion has learnt from some of it or an earlier
    decision has looked at it. An outcome that was looked at twice would let the second challenger
    profit from what the first decision told.

    Args:
        data: All that can be learnt from.
        learnt_until: Of the champion; 0 without one.
        decided_until: The last emission that an earlier decision looked at.

    Raises:
        TooFewError: There are too few, or they lie too close together in time to decide
            anything. Nothing was looked at, so that they can wait for more.
    """
    emitted_at = np.sort(data.span.emitted_at)
    if len(emitted_at) < FEWEST_ROWS:
        raise TooFewError(
            f"{len(emitted_at)} outcomes to learn from, and at least {FEWEST_ROWS} are needed: "
            "wait until the horizons of more signals have elapsed"
        )
    begin = max(
        int(emitted_at[int(len(emitted_at) * _SHARE_LEARNT)]),
        learnt_until + 1,
        0 if decided_until is None else decided_until + 1,
    )
    # The very blocks that the decision will rest on: no longer, or it would wait for ever, and
    # no shorter, or outcomes would be looked at that decide nothing.
    unseen = data.take(data.span.emitted_at >= begin).span
    block = blocks_of(unseen.emitted_at, longest_horizon(unseen))
    blocks = int(block.max()) + 1 if len(block) else 0
    if blocks < FEWEST_BLOCKS:
        since = "" if decided_until is None else " since the last decision"
        raise TooFewError(
            f"{len(block)} outcomes that nothing has seen{since}, in {blocks} blocks of time as "
            f"long as the longest horizon, and {FEWEST_BLOCKS} blocks are needed: wait until the "
            "horizons of more signals have elapsed"
        )
    return begin

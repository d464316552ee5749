"""Features of a strategy's own record, as far as it was known when a signal was emitted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trackrecord.features.windows import Floats, Rows

_LAST = 10


class Resolved(NamedTuple):
    """Outcomes of earlier signals; each array has one entry per outcome."""

    strategy: NDArray[np.int64]
    """A number for each strategy."""
    known_at: Rows
    """When the exit bar closed; microseconds since 1970 UTC."""
    returned: Floats
    """Return, as a fraction."""


def record_features(
    resolved: Resolved, strategy: NDArray[np.int64], emitted_at: Rows
) -> dict[str, Floats]:
    """Work out what :data:`trackrecord.features.catalogue.RECORD` lists.

    An outcome counts from the moment after its exit bar closed, never by when the signal was
    emitted: of two signals of one day, neither knows how the other ends.

    Args:
        resolved: Outcomes, in any order.
        strategy: Of each signal, (n,).
        emitted_at: Of each signal, (n,); microseconds since 1970 UTC.

    Returns:
        (n,) arrays by name. The rate and the mean are drawn towards one half and 0 by two
        outcomes that never were (Laplace), so that one lucky trade is no record.
    """
    found = {
        "strategy_outcomes": np.zeros(len(strategy)),
        "strategy_win_rate": np.full(len(strategy), 0.5),
        "strategy_mean_return": np.zeros(len(strategy)),
        "strategy_last_10": np.full(len(strategy), np.nan),
    }
    # Of outcomes known at the same time, the order does not show.
    order = np.lexsort((resolved.returned, resolved.known_at, resolved.strategy))
    own = resolved.strategy[order]
    asking = np.argsort(strategy, kind="stable")
    numbers, starts = np.unique(strategy[asking], return_index=True)
    pieces = np.split(asking, starts[1:]) if len(asking) else []
    for number, mine in zip(numbers, pieces, strict=True):
        first, end = np.searchsorted(own, (number, number + 1))
        outcomes = order[first:end]
        _note(
            found, mine, emitted_at[mine], resolved.known_at[outcomes], resolved.returned[outcomes]
        )
    return found


def _note(
    found: dict[str, Floats],
    mine: NDArray[np.int64],
    emitted_at: Rows,
    known_at: Rows,
    returned: Floats,
) -> None:
    """Fill in one strategy's signals from its outcomes in the order in which they were known."""
    wins = np.concatenate(([0], np.cumsum(returned > 0)))
    sums = np.concatenate(([0.0], np.cumsum(returned)))
    count = np.searchsorted(known_at, emitted_at, "left")
    found["strategy_outcomes"][mine] = np.log1p(count)
    found["strategy_win_rate"][mine] = (wins[count] + 1) / (count + 2)
    found["strategy_mean_return"][mine] = sums[count] / (count + 2)
    recent = wins[count] - wins[np.maximum(count - _LAST, 0)]
    found["strategy_last_10"][mine] = np.where(count >= _LAST, recent / _LAST, np.nan)

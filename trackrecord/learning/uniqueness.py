"""How much a row says that others do not: overlapping labels repeat one another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trackrecord.learning.splits import Span


def uniqueness(symbol: NDArray[np.int64], span: Span) -> NDArray[np.float64]:
    """The mean, over a label's time, of one over the number of labels of its symbol then open.

    López de Prado, Advances in Financial Machine Learning, 2018, ch. 4.4, with time cut at every
    moment at which a label begins or ends.

    Args:
        symbol: A number for each symbol, (n,).
        span: Of the labels, (n,).

    Returns:
        (n,) weights above 0 and at most 1.
    """
    if not len(symbol):
        return np.zeros(0)
    start = span.emitted_at.astype(np.float64)
    end = np.maximum(span.ends_at.astype(np.float64), start + 1)
    # Moments of all symbols on one line, one symbol behind the other.
    _, number = np.unique(symbol, return_inverse=True)
    offset = number * (end.max() - start.min() + 1) - start.min()
    moments, place = np.unique(np.concatenate((start + offset, end + offset)), return_inverse=True)
    begins, ends = place[: len(start)], place[len(start) :]
    steps = np.bincount(begins, minlength=len(moments)) - np.bincount(ends, minlength=len(moments))
    open_ = np.cumsum(steps)[:-1]
    width = np.diff(moments)
    shares = np.concatenate(
        ([0.0], np.cumsum(np.where(open_ > 0, width / np.maximum(open_, 1), 0)))
    )
    return np.asarray((shares[ends] - shares[begins]) / (end - start))

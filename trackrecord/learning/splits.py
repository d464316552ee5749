"""Walk-forward splits that let nothing of the test leak into the training.

A label looks ahead as far as its horizon. So a training row whose horizon reaches into the test
would tell of it, whatever its symbol: all symbols share a market.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]

_LONGEST: Final = 0.995


class Span(NamedTuple):
    """What the labels of rows look at; (n,) arrays, microseconds since 1970 UTC."""

    emitted_at: Rows
    ends_at: Rows
    """When the horizon ends, even where the label was settled early."""


class Split(NamedTuple):
    """Rows to learn from, and later rows to be judged by; both ascending in time."""

    train: Rows
    test: Rows


def walk_forward(span: Span, folds: int, embargo: int, first_share: float = 0.3) -> Iterator[Split]:
    """Cut time into a first stretch and so many tests after it; each is learnt for from before.

    Purging and embargo after López de Prado, Advances in Financial Machine Learning, 2018, ch. 7.

    Args:
        span: Of the rows, in any order.
        folds: Tests.
        embargo: Microseconds before a test of which no row is learnt from; at least the longest
            horizon.
        first_share: Share of the rows before the first test.

    Yields:
        Splits with something in both parts.
    """
    order = np.argsort(span.emitted_at, kind="stable")
    cuts = np.linspace(first_share, 1, folds + 1)
    places = np.unique((cuts * len(order)).astype(np.int64))
    for start, end in pairwise(places):
        test = order[start:end]
        begin = span.emitted_at[test[0]]
        # Whoever was emitted at the same moment as the first is in the test with it.
        train = order[: np.searchsorted(span.emitted_at[order], begin, "left")]
        train = train[before(Span(span.emitted_at[train], span.ends_at[train]), begin, embargo)]
        if len(train) and len(test):
            yield Split(train, test)


def before(span: Span, moment: int, embargo: int) -> NDArray[np.bool_]:
    """Which rows may be learnt from for a test that begins at a moment."""
    return np.asarray((span.ends_at < moment) & (span.emitted_at < moment - embargo))


def longest_horizon(span: Span) -> int:
    """How long labels are, in microseconds: what all but the longest 0.5 % stay within.

    A symbol whose trading was halted for a year has labels of a year. Taken as the length of a
    block they would leave no blocks at all, and as an embargo nothing to learn from; what they
    look at is kept out of the training by their own end in any case.
    """
    if not len(span.emitted_at):
        return 0
    return int(np.quantile(span.ends_at - span.emitted_at, _LONGEST, method="higher"))

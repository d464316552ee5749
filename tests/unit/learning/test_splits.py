"""Nothing that a test knows is learnt from."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.learning.splits import Span, walk_forward
from trackrecord.learning.uniqueness import uniqueness

spans = st.lists(
    st.tuples(st.integers(0, 300), st.integers(1, 30), st.integers(0, 3)), min_size=1, max_size=80
)


@given(spans, st.integers(1, 5))
def test_no_horizon_of_a_training_row_reaches_the_test_or_its_embargo(
    rows: list[tuple[int, int, int]], folds: int
) -> None:
    span = Span(np.array([at for at, _, _ in rows]), np.array([at + more for at, more, _ in rows]))
    embargo = max(more for _, more, _ in rows)
    tested: set[int] = set()
    for split in walk_forward(span, folds, embargo):
        begin = span.emitted_at[split.test].min()
        assert (span.ends_at[split.train] < begin).all()
        assert (span.emitted_at[split.train] < begin - embargo).all()
        assert not tested.intersection(split.test.tolist())
        tested.update(split.test.tolist())


def test_everything_behind_the_first_stretch_is_tested_once() -> None:
    at = np.arange(1_000)
    splits = list(walk_forward(Span(at, at + 3), 4, 3))
    tested = np.concatenate([split.test for split in splits])
    assert sorted(tested.tolist()) == list(range(300, 1_000))
    assert [len(split.train) for split in splits] == sorted(len(split.train) for split in splits)


@given(spans)
def test_uniqueness_is_the_mean_of_one_over_the_labels_open(
    rows: list[tuple[int, int, int]],
) -> None:
    start = np.array([at for at, _, _ in rows])
    end = np.array([at + more for at, more, _ in rows])
    symbol = np.array([number for _, _, number in rows])
    open_ = {
        (number, moment): sum(
            1 for s, e, n in zip(start, end, symbol, strict=True) if n == number and s <= moment < e
        )
        for number in set(symbol.tolist())
        for moment in range(331)
    }
    expected = [
        np.mean([1 / open_[number, moment] for moment in range(s, e)])
        for s, e, number in zip(start, end, symbol.tolist(), strict=True)
    ]
    np.testing.assert_allclose(uniqueness(symbol, Span(start, end)), expected, rtol=1e-9)

"""The area under the ROC curve, held against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from trackrecord.learning.probabilities import area_under_curve


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([-2.5, 0.0, 0.1, 0.25, 0.9, 7.0])),
        min_size=2,
        max_size=60,
    )
)
def test_it_is_scikit_learns_with_and_without_ties(rows: list[tuple[float, float]]) -> None:
    success, score = (np.array(column) for column in zip(*rows, strict=True))
    area = area_under_curve(success, score)
    if 0 < success.sum() < len(success):
        assert area == pytest.approx(roc_auc_score(success, score), abs=1e-12)
    else:
        assert area is None


@pytest.mark.parametrize(("score", "area"), [([1, 2, 3, 4], 1), ([4, 3, 2, 1], 0), ([1] * 4, 0.5)])
def test_order_alone_counts(score: list[float], area: float) -> None:
    success = np.array([0.0, 0.0, 1.0, 1.0])
    assert area_under_curve(success, np.array(score, np.float64)) == area


def test_nothing_has_none() -> None:
    assert area_under_curve(np.zeros(0), np.zeros(0)) is None

"""The loop on generated bars, from signals to a verdict: a short form of the benchmarks."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.learning.noise import one as in_noise
from benchmarks.learning.planted import one as in_planted
from benchmarks.learning.worlds import expected_auc, learnable, planted, random_walks


@pytest.mark.parametrize("shared", [False, True])
def test_random_walks_promote_nothing(shared: bool) -> None:
    promoted = [in_noise(10 + seed, shared=shared, trials=1)["promoted"] for seed in range(3)]
    assert promoted == [False] * 3


def test_what_is_planted_in_bars_is_found_and_promoted() -> None:
    found = in_planted(1, 0.85, symbols=60, length=600, trials=1)
    assert found["promoted"]
    assert found["short_of_bayes"] < 0.05
    assert found["first_eight"] >= 2


def test_a_planted_worlds_outcomes_follow_its_probabilities() -> None:
    data, truth = learnable(planted(2, 0.85, symbols=30, length=500))
    # The mean of what happened in each third of the probabilities is theirs.
    for part in np.array_split(np.argsort(truth), 3):
        error = np.sqrt((truth[part] * (1 - truth[part])).sum()) / len(part)
        assert abs(data.success[part].mean() - truth[part].mean()) < 4 * error


def test_bayes_is_one_half_where_all_are_alike_and_one_where_all_is_known() -> None:
    assert expected_auc(np.full(10, 0.3)) == 0.5
    assert expected_auc(np.array([0.0, 0.0, 1.0])) == 1.0


def test_a_random_walk_is_the_same_for_the_same_seed_and_its_labels_overlap_if_asked() -> None:
    one, other = (random_walks(3, shared=True) for _ in range(2))
    np.testing.assert_array_equal(one.bars.close, other.bars.close)
    data, _ = learnable(one)
    first = data.symbol == 0
    gaps = np.diff(np.sort(data.span.emitted_at[first]))
    assert gaps.max() < (data.span.ends_at - data.span.emitted_at).min()

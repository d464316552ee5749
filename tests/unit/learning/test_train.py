"""A training finds what is there, promotes nothing where nothing is, and refuses too little."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.unit.learning.worlds import DAY, truth, world
from trackrecord.learning.data import TooFewError
from trackrecord.learning.judging import quality, reliability_curve
from trackrecord.learning.search import Budget
from trackrecord.learning.splits import Span
from trackrecord.learning.train import train

QUICK = Budget(seconds=None, trials=1)


def test_what_is_planted_is_found_calibrated_and_promoted() -> None:
    data = world(1, 4_000, 1.5)
    told: list[str] = []
    trained = train(data, budget=QUICK, seed=1, progress=told.append)
    assert trained.verdict.promoted, trained.verdict.reason
    metrics = trained.report["metrics"]
    bayes = roc_auc_score(data.success, truth(np.nan_to_num(data.features)))
    assert metrics["auc"] > bayes - 0.05
    assert metrics["log_loss"] < trained.report["baseline"]["log_loss"]
    assert metrics["brier_reliability"] < 0.01
    assert metrics["average_return_of_bought"] > 0.01
    found = trained.report["feature_importances"]
    assert set(list(found)[:3]) == {"feature_0", "feature_1", "feature_2"}
    assert trained.report["targets"]["auc"]["target"] == 0.8
    assert trained.report["targets"]["inference_ms"]["met"] is None
    assert told[0].startswith("searching")
    json.dumps(trained.report, allow_nan=False)


def test_nothing_is_learnt_from_what_it_is_judged_on() -> None:
    data = world(2, 2_000, 1.0)
    trained = train(data, budget=QUICK)
    begin = np.sort(data.span.emitted_at)[1_500]
    assert trained.learnt_until < begin
    after = data.span.emitted_at >= begin
    flipped = replace(data, success=np.where(after, 1 - data.success, data.success))
    again = train(flipped, budget=QUICK)
    fresh = world(3, 100, 1.0).features
    np.testing.assert_array_equal(again.ensemble.predict(fresh), trained.ensemble.predict(fresh))
    assert again.report["metrics"]["auc"] < 0.5 < trained.report["metrics"]["auc"]


def test_the_slowest_prediction_is_told() -> None:
    def ticks() -> Iterator[float]:
        moment = 0.0
        for number in range(1_000):
            moment += 0.025 if number == 101 else 0.001
            yield moment

    clock = ticks()
    trained = train(world(2, 800, 1.0), budget=QUICK, clock=lambda: next(clock))
    assert trained.report["inference_ms"] == pytest.approx(25)
    assert trained.report["targets"]["inference_ms"]["met"]


@pytest.mark.parametrize("shared", [0.0, 1.0])
def test_noise_is_not_promoted(shared: float) -> None:
    promoted = [
        train(world(100 + seed, 1_200, 0.0, shared=shared), budget=QUICK, seed=seed)
        for seed in range(4)
    ]
    assert [each.verdict.reason for each in promoted if each.verdict.promoted] == []


def test_a_champion_as_good_stays() -> None:
    class Same:
        learnt_until = 0

        def predict(self, data: object) -> np.ndarray:
            return first.ensemble.predict(data.features)  # type: ignore[attr-defined]

        def takes(self, probability: np.ndarray) -> np.ndarray:
            return np.asarray(probability >= first.ensemble.thresholds.buy)

    data = world(4, 2_000, 1.5)
    first = train(data, budget=QUICK, seed=1)
    assert not train(data, champion=Same(), budget=QUICK, seed=1).verdict.promoted


def test_too_little_is_refused_in_words() -> None:
    with pytest.raises(TooFewError, match="at least 200 are needed"):
        train(world(1, 150, 1.0), budget=QUICK)
    data = world(1, 1_000, 1.0)
    with pytest.raises(TooFewError, match="only successes"):
        train(replace(data, success=np.ones(1_000)), budget=QUICK)
    long = Span(data.span.emitted_at, data.span.emitted_at + 2_000 * DAY)
    with pytest.raises(TooFewError):
        train(replace(data, span=long), budget=QUICK)


def test_one_signal_of_a_symbol_that_was_halted_for_a_year_stops_nothing() -> None:
    data = world(1, 4_000, 1.5)
    ends_at = data.span.ends_at.copy()
    ends_at[[1_000, 2_900, 3_500]] += 300 * DAY
    halted = replace(data, span=Span(data.span.emitted_at, ends_at))
    trained = train(halted, budget=QUICK, seed=1)
    assert trained.verdict.promoted, trained.verdict.reason
    assert trained.verdict.gain.blocks > 20
    # What the longest label looks at is still kept out of the training.
    assert trained.learnt_until < np.sort(data.span.emitted_at)[3_000]


def test_with_very_many_outcomes_settings_are_found_on_some_and_the_models_learn_from_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = importlib.import_module("trackrecord.learning.train")
    monkeypatch.setattr(module, "ENOUGH", 1_000)
    fitted: list[int] = []
    original = module.fit_models

    def counted(features: np.ndarray, *rest: object) -> object:
        fitted.append(len(features))
        return original(features, *rest)

    monkeypatch.setattr(module, "fit_models", counted)
    told: list[str] = []
    trained = train(world(1, 4_000, 1.5), budget=QUICK, seed=1, progress=told.append)
    assert told[0].startswith("searching settings on 1,000 of 2,9")
    assert fitted == [trained.report["learnt_from"]]
    assert trained.report["learnt_from"] > 2_900
    assert trained.verdict.promoted


def test_one_prediction_for_all_resolves_nothing_whatever_the_order_of_the_rows() -> None:
    success = np.repeat([0.0, 1.0], 500)
    found = quality(success, np.full(1_000, 0.4), success - 0.5, 0.5)
    assert found["brier_resolution"] == pytest.approx(0)
    assert found["brier_reliability"] == pytest.approx(0.01)
    assert found["brier"] == pytest.approx(0.26)
    # Of two predictions, each has its own row, though they do not part the rows in tenths.
    curve = reliability_curve(success, np.where(np.arange(1_000) < 330, 0.2, 0.6))
    assert [(row["count"], row["happened"]) for row in curve] == [(330, 0), (670, 500 / 670)]

"""The blend is calibrated out of fold, thresholds pay, and files bring the same model back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.unit.learning.worlds import world
from trackrecord.learning.ensemble import (
    Blend,
    Ensemble,
    Thresholds,
    choose_thresholds,
    fit_blend,
    fit_models,
)
from trackrecord.learning.files import MANIFEST, TamperedError, pack, unpack, version_of
from trackrecord.learning.members import KINDS, Settings
from trackrecord.learning.probabilities import NEVER, base_rate, log_loss

QUICK = Settings(rounds=30, trees=30)


def small() -> Ensemble:
    data = world(1, 600, 1.5)
    models = fit_models(data.features, data.success, np.ones(600), QUICK, 1)
    return Ensemble(models, Blend((0.4, 0.4, 0.4), 0.1), Thresholds(0.6, 0.7), data.names)


def test_each_model_finds_what_is_planted() -> None:
    data, fresh = world(1, 3_000, 1.5), world(2, 3_000, 1.5)
    models = fit_models(data.features, data.success, np.ones(3_000), QUICK, 1)
    for kind in KINDS:
        area = roc_auc_score(fresh.success, models[kind].predict(fresh.features))
        assert area > 0.80, kind
        importances = models[kind].importances()
        assert importances[:3].sum() > 0.7, kind
        assert importances.sum() == pytest.approx(1)


def test_a_blend_of_models_that_know_nothing_says_the_base_rate() -> None:
    rng = np.random.default_rng(3)
    success = (rng.random(4_000) < 0.3).astype(np.float64)
    parts = rng.uniform(0.05, 0.95, (4_000, 3))
    blended = fit_blend(parts, success, np.ones(4_000)).apply(parts)
    assert blended.std() < 0.03
    assert blended.mean() == pytest.approx(success.mean(), abs=0.005)
    rate = np.full(4_000, base_rate(success, np.ones(4_000)))
    assert log_loss(success, blended).mean() <= log_loss(success, rate).mean() + 1e-3


def test_a_blend_calibrates_models_that_are_too_sure() -> None:
    rng = np.random.default_rng(4)
    odds = rng.normal(0, 1, 20_000)
    success = (rng.random(20_000) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    sure = 1 / (1 + np.exp(-3 * odds))
    parts = np.column_stack([sure, sure, sure])
    blend = fit_blend(parts, success, np.ones(20_000))
    assert sum(blend.weights) == pytest.approx(1 / 3, abs=0.03)
    assert all(weight >= 0 for weight in blend.weights)


def test_thresholds_are_where_it_paid() -> None:
    probability = np.linspace(0, 1, 1_000)
    returned = np.where(probability > 0.6, 0.02, -0.02) + np.where(probability > 0.9, 0.05, 0)
    thresholds = choose_thresholds(probability, returned)
    assert thresholds.buy == pytest.approx(0.6, abs=0.002)
    assert thresholds.strong == pytest.approx(0.9, abs=0.02)
    assert choose_thresholds(probability, np.full(1_000, -0.01)) == Thresholds(NEVER, NEVER)
    assert choose_thresholds(probability, returned, cost=0.1) == Thresholds(NEVER, NEVER)
    assert choose_thresholds(probability[:10], returned[:10]) == Thresholds(NEVER, NEVER)


def test_verdicts_are_mirrored_for_shorts() -> None:
    thresholds = Thresholds(0.5, 0.8)
    probability = np.array([0.9, 0.6, 0.2, 0.9, 0.6, 0.2])
    direction = np.array([1, 1, 1, -1, -1, -1], np.int8)
    assert thresholds.verdicts(probability, direction) == [
        "STRONG_BUY", "BUY", "SKIP", "STRONG_SELL", "SELL", "SKIP",
    ]  # fmt: skip
    assert thresholds.qualities(probability) == ["HIGH", "MEDIUM", "POOR"] * 2


def test_files_bring_the_same_predictions_back() -> None:
    ensemble = small()
    files = pack(ensemble, {"seed": 1})
    again, manifest = unpack(files)
    fresh = world(5, 200, 1.5)
    np.testing.assert_array_equal(again.predict(fresh.features), ensemble.predict(fresh.features))
    assert again.features == ensemble.features
    assert manifest["about"] == {"seed": 1}
    assert manifest["version"] == version_of(files) == version_of(pack(ensemble, {"seed": 1}))
    assert version_of(pack(ensemble, {"seed": 2})) != version_of(files)


@pytest.mark.parametrize("name", ["forest.txt", "boosting.txt", "logistic.json", MANIFEST])
def test_a_file_that_was_changed_or_is_missing_is_refused(name: str) -> None:
    files = pack(small(), {})
    middle = len(files[name]) // 2
    for place in (0, middle, len(files[name]) - 1):
        changed = bytearray(files[name])
        changed[place] ^= 1
        with pytest.raises(TamperedError):
            unpack(files | {name: bytes(changed)})
    with pytest.raises(TamperedError):
        unpack({other: data for other, data in files.items() if other != name})


def test_a_manifest_that_names_other_thresholds_is_refused() -> None:
    files = pack(small(), {})
    manifest = json.loads(files[MANIFEST])
    manifest["thresholds"]["buy"] = 0.0
    with pytest.raises(TamperedError, match="not the one that was written"):
        unpack(files | {MANIFEST: json.dumps(manifest).encode()})

"""The three models of the ensemble: how each is fitted, what it predicts, and what is kept of it.

A random forest and gradient boosting, both LightGBM's, and logistic regression. What is kept is
LightGBM's own text and plain arrays: nothing that runs when it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import lightgbm as lgb
import numpy as np
from sklearn.linear_model import LogisticRegression

from trackrecord.learning.probabilities import SMALLEST, Floats

KINDS: Final = ("forest", "boosting", "logistic")
"""Names of the models, in the order of the ensemble's weights."""

_CLIPPED: Final = 5.0
"""Standard deviations beyond which a feature says nothing more to the logistic regression."""
_FEW: Final = 64
"""Rows up to which a second thread costs more than it saves when predicting."""
_SMALL: Final = 20_000
"""The same when fitting."""


class Model(Protocol):
    """A fitted model."""

    def predict(self, features: Floats) -> Floats:
        """Probabilities of success: (n, k) features, NaN where unknown, to (n,)."""
        ...

    def importances(self) -> Floats:
        """How much each feature counts, (k,), summing to 1 (or all 0)."""
        ...


class Fitter(Protocol):
    """Where LightGBM's models are fitted: :func:`fit_here`, or elsewhere to the same end."""

    def __call__(
        self,
        features: Floats,
        success: Floats,
        weights: Floats,
        rounds: int,
        parameters: Mapping[str, Any],
    ) -> str:
        """Fit trees.

        Args:
            features: (n, k), NaN where unknown.
            success: (n,), 1 or 0.
            weights: (n,).
            rounds: How many trees.
            parameters: All others of LightGBM's, by their own names, but for its threads.

        Returns:
            LightGBM's own description.
        """
        ...


@dataclass(frozen=True)
class Settings:
    """What a fit may vary; found by the search, otherwise these."""

    leaves: int = 15
    rate: float = 0.05
    rounds: int = 150
    smallest_leaf: int = 50
    share_of_features: float = 0.7
    share_of_rows: float = 0.7
    shrinkage: float = 5.0
    """L2 of the leaves."""
    trees: int = 150
    """Of the forest."""
    forest_leaves: int = 31
    strength: float = 0.05
    """Inverse of the logistic regression's L2."""


@dataclass(frozen=True)
class Trees:
    """A forest or boosted trees.

    Attributes:
        text: LightGBM's own description.
    """

    text: str
    _booster: lgb.Booster = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_booster", lgb.Booster(model_str=self.text))

    def predict(self, features: Floats) -> Floats:
        """See :class:`Model`."""
        threads = 1 if len(features) <= _FEW else 0
        found = self._booster.predict(features, num_threads=threads)
        return np.clip(np.asarray(found, np.float64), SMALLEST, 1 - SMALLEST)

    def importances(self) -> Floats:
        """How much each feature gained, (k,), summing to 1 (or all 0)."""
        gains = np.asarray(self._booster.feature_importance("gain"), np.float64)
        return gains / gains.sum() if gains.sum() > 0 else gains


@dataclass(frozen=True)
class Linear:
    """A logistic regression on standardised features; what is not known counts as the median.

    Attributes:
        median: (k,) of the training rows; 0 where nothing was ever known.
        scale: (k,) standard deviations; 1 where a feature does not vary.
        mean: (k,) after filling in.
        weights: (k,) of the standardised features.
        intercept: The log odds where all are at their mean.
    """

    median: Floats
    mean: Floats
    scale: Floats
    weights: Floats
    intercept: float

    def predict(self, features: Floats) -> Floats:
        """See :class:`Model`."""
        odds = self._standardised(features) @ self.weights + self.intercept
        return np.clip(sigmoid(odds), SMALLEST, 1 - SMALLEST)

    def importances(self) -> Floats:
        """The size of each weight, (k,), summing to 1 (or all 0)."""
        sizes = np.abs(self.weights)
        return sizes / sizes.sum() if sizes.sum() > 0 else sizes

    def _standardised(self, features: Floats) -> Floats:
        return standardised(features, self.median, self.mean, self.scale)


def standardised(features: Floats, median: Floats, mean: Floats, scale: Floats) -> Floats:
    """Features with what is not known filled in, in standard deviations, clipped."""
    filled = np.where(np.isnan(features), median, features)
    return np.clip((filled - mean) / scale, -_CLIPPED, _CLIPPED)


def sigmoid(odds: Floats) -> Floats:
    """Probabilities from log odds."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * odds)))


def log_odds(probability: Floats) -> Floats:
    """Log odds from probabilities."""
    kept = np.clip(probability, SMALLEST, 1 - SMALLEST)
    return np.asarray(np.log(kept) - np.log1p(-kept))


def fit_here(
    features: Floats,
    success: Floats,
    weights: Floats,
    rounds: int,
    parameters: Mapping[str, Any],
) -> str:
    """Fit trees in this process; see :class:`Fitter`."""
    threads = 1 if len(success) <= _SMALL else 0
    dataset = lgb.Dataset(features, success, weight=weights, free_raw_data=True)
    booster = lgb.train({**parameters, "num_threads": threads}, dataset, rounds)
    return str(booster.model_to_string())


def fit_forest(
    features: Floats,
    success: Floats,
    weights: Floats,
    settings: Settings,
    seed: int,
    fitter: Fitter = fit_here,
) -> Trees:
    """Fit a random forest (Breiman 2001), on half of the rows and features for each tree."""
    return _fit_trees(
        features,
        success,
        weights,
        settings.trees,
        {
            "boosting": "rf",
            "bagging_freq": 1,
            "bagging_fraction": 0.5,
            "feature_fraction": 0.5,
            "num_leaves": settings.forest_leaves,
            "min_data_in_leaf": settings.smallest_leaf,
        },
        seed,
        fitter,
    )


def fit_boosting(
    features: Floats,
    success: Floats,
    weights: Floats,
    settings: Settings,
    seed: int,
    fitter: Fitter = fit_here,
) -> Trees:
    """Fit gradient-boosted trees (Ke et al. 2017)."""
    return _fit_trees(
        features,
        success,
        weights,
        settings.rounds,
        {
            "boosting": "gbdt",
            "learning_rate": settings.rate,
            "bagging_freq": 1,
            "bagging_fraction": settings.share_of_rows,
            "feature_fraction": settings.share_of_features,
            "num_leaves": settings.leaves,
            "min_data_in_leaf": settings.smallest_leaf,
            "lambda_l2": settings.shrinkage,
        },
        seed,
        fitter,
    )


def _fit_trees(
    features: Floats,
    success: Floats,
    weights: Floats,
    rounds: int,
    parameters: dict[str, Any],
    seed: int,
    fitter: Fitter,
) -> Trees:
    # A leaf never holds more than a fifth of the rows, or few rows would give no tree at all.
    parameters["min_data_in_leaf"] = max(1, min(parameters["min_data_in_leaf"], len(success) // 5))
    shared = {
        "objective": "binary",
        "verbosity": -1,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
    }
    return Trees(fitter(features, success, weights, rounds, shared | parameters))


def fit_logistic(
    features: Floats,
    success: Floats,
    weights: Floats,
    settings: Settings,
    seed: int,
    _fitter: Fitter = fit_here,
) -> Linear:
    """Fit a logistic regression with L2, always in this process."""
    known = ~np.isnan(features)
    median = np.zeros(features.shape[1])
    for column in np.flatnonzero(known.any(axis=0)):
        median[column] = np.median(features[known[:, column], column])
    filled = np.where(known, features, median)
    mean, deviation = filled.mean(axis=0), filled.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1.0)
    model = LogisticRegression(C=settings.strength, max_iter=200, random_state=seed)
    model.fit(standardised(features, median, mean, scale), success, weights)
    return Linear(
        median, mean, scale, model.coef_[0].astype(np.float64), float(model.intercept_[0])
    )


Fit = Callable[[Floats, Floats, Floats, Settings, int, Fitter], Model]
FITS: Final[dict[str, Fit]] = {
    "forest": fit_forest,
    "boosting": fit_boosting,
    "logistic": fit_logistic,
}

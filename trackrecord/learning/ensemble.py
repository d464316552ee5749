"""The ensemble: three models, how they are blended, and from where a probability is a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from trackrecord.learning.data import in_order
from trackrecord.learning.members import (
    FITS,
    KINDS,
    Fitter,
    Model,
    Settings,
    fit_here,
    log_odds,
    sigmoid,
)
from trackrecord.learning.probabilities import NEVER, Floats
from trackrecord.learning.splits import Split

_FEWEST_BOUGHT: Final = 30
_LEAST_SHARE: Final = 0.02


@dataclass(frozen=True)
class Blend:
    """Log odds of the blend: the intercept and a weighted sum of the models' log odds.

    As the weights need not sum to 1, the same numbers calibrate (Platt 1999).
    """

    weights: tuple[float, ...]
    intercept: float

    def apply(self, parts: Floats) -> Floats:
        """Blend the models' probabilities, (n, models), to (n,)."""
        return sigmoid(log_odds(parts) @ np.array(self.weights) + self.intercept)


@dataclass(frozen=True)
class Thresholds:
    """Probabilities from which a signal is worth taking."""

    buy: float
    strong: float

    def verdicts(self, probability: Floats, direction: NDArray[np.int8]) -> list[str]:
        """STRONG_BUY, BUY or SKIP; for shorts STRONG_SELL, SELL or SKIP."""
        sides = np.where(direction > 0, "BUY", "SELL")
        taken = np.where(probability >= self.buy, sides, "SKIP")
        strong = (probability >= self.strong) & (probability >= self.buy)
        return list(np.where(strong, np.char.add("STRONG_", sides), taken))

    def qualities(self, probability: Floats) -> list[str]:
        """HIGH, MEDIUM or POOR."""
        medium = np.where(probability >= self.buy, "MEDIUM", "POOR")
        return list(np.where((probability >= self.strong) & (medium == "MEDIUM"), "HIGH", medium))


@dataclass(frozen=True)
class Ensemble:
    """Three fitted models and their blend."""

    models: dict[str, Model]
    blend: Blend
    thresholds: Thresholds
    features: tuple[str, ...]

    def predict(self, features: Floats) -> Floats:
        """Probabilities of success: (n, k) features in the order of ``features``, to (n,)."""
        return self.blend.apply(parts_of(self.models, features))

    def predict_named(self, features: Floats, names: Sequence[str]) -> Floats:
        """The same from features in any order, by name; one that is not there is unknown."""
        return self.predict(in_order(features, names, self.features))


def parts_of(models: dict[str, Model], features: Floats) -> Floats:
    """What each model predicts, (n, models)."""
    return np.column_stack([models[kind].predict(features) for kind in KINDS])


def fit_models(
    features: Floats,
    success: Floats,
    weights: Floats,
    settings: Settings,
    seed: int,
    fitter: Fitter = fit_here,
) -> dict[str, Model]:
    """Fit all three on the same rows."""
    return {kind: FITS[kind](features, success, weights, settings, seed, fitter) for kind in KINDS}


class Fold(NamedTuple):
    """Models, and rows that they have not learnt from."""

    models: dict[str, Model]
    test: NDArray[np.int64]


def fit_folds(
    features: Floats,
    success: Floats,
    weights: Floats,
    splits: list[Split],
    settings: Settings,
    seed: int,
    fitter: Fitter = fit_here,
) -> list[Fold]:
    """Fit all three models for each split whose training knew both classes."""
    return [
        Fold(
            fit_models(
                features[split.train],
                success[split.train],
                weights[split.train],
                settings,
                seed,
                fitter,
            ),
            split.test,
        )
        for split in splits
        if success[split.train].min() < success[split.train].max()
    ]


def out_of_fold(features: Floats, folds: list[Fold]) -> Floats:
    """What each model predicts for rows that it has not learnt from, (n, models).

    Returns:
        NaN in rows that are in no fold's test.
    """
    found = np.full((len(features), len(KINDS)), np.nan)
    for fold in folds:
        found[fold.test] = parts_of(fold.models, features[fold.test])
    return found


def fit_blend(parts: Floats, success: Floats, weights: Floats) -> Blend:
    """Choose the blend with the least log loss on out-of-fold predictions.

    No model counts negatively. A little L2 draws towards saying nothing but the base rate, which
    is right where the models know nothing.
    """
    odds = log_odds(parts)
    share = weights / weights.sum()
    pull = 1.0 / max(len(success), 1)

    def loss(values: Floats) -> tuple[float, Floats]:
        total = odds @ values[:-1] + values[-1]
        # log(1 + e^x) - y x, without overflow
        losses = np.logaddexp(0, total) - success * total
        errors = share * (sigmoid(total) - success)
        gradient = np.append(odds.T @ errors, errors.sum())
        gradient[:-1] += 2 * pull * values[:-1]
        return float(share @ losses + pull * (values[:-1] ** 2).sum()), gradient

    count = parts.shape[1]
    start = np.append(np.full(count, 1 / count), 0.0)
    bounds = [(0.0, None)] * count + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return Blend(tuple(float(value) for value in found.x[:-1]), float(found.x[-1]))


def choose_thresholds(probability: Floats, returned: Floats, cost: float = 0.0) -> Thresholds:
    """Choose from where it paid, out of fold.

    ``buy`` has the largest sum of returns above it, ``strong`` the largest mean among thresholds
    above which at least a fifth of what is bought lies. Where nothing paid, nothing is bought.

    Args:
        probability: Out of fold, (n,).
        returned: Gross returns, fractions, (n,).
        cost: Of a trade, a fraction.
    """
    order = np.argsort(-probability, kind="stable")
    profit = np.cumsum(returned[order] - cost)
    counts = np.arange(1, len(order) + 1)
    # A threshold cannot part equal probabilities.
    ends = np.append(np.diff(probability[order]) != 0, True) if len(order) else np.zeros(0, bool)
    fewest = max(_FEWEST_BOUGHT, int(_LEAST_SHARE * len(order)))
    allowed = ends & (counts >= fewest)
    if not allowed.any():
        return Thresholds(NEVER, NEVER)
    sums = np.where(allowed, profit, -np.inf)
    bought = int(np.argmax(sums))
    if sums[bought] <= 0:
        return Thresholds(NEVER, NEVER)
    inside = ends & (counts <= bought + 1) & (counts >= max(fewest, (bought + 1) // 5))
    means = np.where(inside, profit / counts, -np.inf)
    strong = int(np.argmax(means))
    return Thresholds(float(probability[order[bought]]), float(probability[order[strong]]))

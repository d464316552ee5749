"""The search for settings: by purged out-of-fold predictions, within a budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import optuna

from trackrecord.learning.ensemble import Fold, choose_thresholds, fit_blend, fit_folds, out_of_fold
from trackrecord.learning.judging import quality
from trackrecord.learning.members import Fitter, Settings, fit_here
from trackrecord.learning.probabilities import Floats
from trackrecord.learning.splits import Split

Objective = Literal["log_loss", "auc", "precision", "recall", "f1", "profit"]
OBJECTIVES: Final[tuple[Objective, ...]] = (
    "log_loss",
    "auc",
    "precision",
    "recall",
    "f1",
    "profit",
)

_WORST: Final = -1e9


@dataclass(frozen=True)
class Rows:
    """What there is to learn from; (n, k) features and (n,) arrays."""

    features: Floats
    success: Floats
    weights: Floats
    returned: Floats


@dataclass(frozen=True)
class Budget:
    """When the search ends.

    Attributes:
        seconds: After which no other settings are tried.
        trials: Settings that are tried at most; with this alone the search can be repeated.
    """

    seconds: float | None = 60.0
    trials: int | None = None


def search(
    rows: Rows,
    splits: list[Split],
    objective: Objective,
    budget: Budget,
    seed: int,
    progress: Callable[[int, float], None] = lambda _number, _score: None,
    fitter: Fitter = fit_here,
) -> tuple[Settings, list[Fold]]:
    """Look for the settings that do best out of fold (Optuna's TPE, Akiba et al. 2019).

    The settings that come with the package are tried first, so that the result is never worse
    than they are on the same rows.

    Args:
        rows: What there is to learn from, the unseen last stretch not among it.
        splits: Purged splits of the rows.
        objective: What is to be large (log loss: small).
        budget: When to end.
        seed: Random seed.
        progress: Called after each try with its number and the best score so far.
        fitter: Where LightGBM's models are fitted.

    Returns:
        The settings, and the models that were fitted with them out of fold.
    """
    standard = Settings()
    best: tuple[float, Settings, list[Fold]] | None = None

    def score(trial: optuna.Trial) -> float:
        nonlocal best
        tried = Settings(
            leaves=trial.suggest_int("leaves", 3, 63, log=True),
            rate=trial.suggest_float("rate", 0.01, 0.2, log=True),
            rounds=trial.suggest_int("rounds", 30, 300, log=True),
            smallest_leaf=trial.suggest_int("smallest_leaf", 10, 400, log=True),
            share_of_features=trial.suggest_float("share_of_features", 0.3, 1.0),
            share_of_rows=trial.suggest_float("share_of_rows", 0.4, 0.95),
            shrinkage=trial.suggest_float("shrinkage", 0.1, 100.0, log=True),
            forest_leaves=trial.suggest_int("forest_leaves", 7, 127, log=True),
            strength=trial.suggest_float("strength", 1e-4, 1.0, log=True),
        )
        folds = fit_folds(rows.features, rows.success, rows.weights, splits, tried, seed, fitter)
        value = evaluate(rows, folds, objective)
        if best is None or value > best[0]:
            best = value, tried, folds
        return value

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=8)
    )
    names = ("leaves", "rate", "rounds", "smallest_leaf", "share_of_features", "share_of_rows",
             "shrinkage", "forest_leaves", "strength")  # fmt: skip
    study.enqueue_trial({name: getattr(standard, name) for name in names})
    study.optimize(
        score,
        n_trials=budget.trials,
        timeout=budget.seconds,
        callbacks=[lambda study_, trial: progress(trial.number + 1, study_.best_value)],
    )
    if best is None:
        raise ValueError("the budget allows no try: give it a second, or a trial")
    return best[1:]


def evaluate(rows: Rows, folds: list[Fold], objective: Objective) -> float:
    """How well models do out of fold: the objective, larger is better."""
    parts = out_of_fold(rows.features, folds)
    told = ~np.isnan(parts).any(axis=1)
    success, weights, returned = rows.success[told], rows.weights[told], rows.returned[told]
    if not told.any() or success.min() == success.max():
        return _WORST
    probability = fit_blend(parts[told], success, weights).apply(parts[told])
    thresholds = choose_thresholds(probability, returned)
    found = quality(success, probability, returned, thresholds.buy)
    if objective == "log_loss":
        return -(found["log_loss"] or 0.0)
    if objective == "profit":
        return float(returned[probability >= thresholds.buy].sum())
    precision, recall = found["precision"] or 0.0, found["recall"] or 0.0
    if objective == "f1":
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"auc": found["auc"] or 0.5, "precision": precision, "recall": recall}[objective]

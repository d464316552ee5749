"""One training: from rows with outcomes to a challenger, and its worth on unseen outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from trackrecord.learning.contest import Verdict, judge
from trackrecord.learning.data import FEWEST_ROWS, Data, TooFewError
from trackrecord.learning.ensemble import (
    Blend,
    Ensemble,
    Fold,
    Thresholds,
    choose_thresholds,
    fit_blend,
    fit_models,
    out_of_fold,
)
from trackrecord.learning.judging import quality, reliability_curve
from trackrecord.learning.leaks import suspicious
from trackrecord.learning.members import KINDS, Fitter, fit_here
from trackrecord.learning.probabilities import Floats, area_under_curve, base_rate, log_loss
from trackrecord.learning.search import Budget, Objective, Rows, search
from trackrecord.learning.splits import before, longest_horizon, walk_forward
from trackrecord.learning.targets import against_targets
from trackrecord.learning.uniqueness import uniqueness
from trackrecord.performance.returns.drawdown import max_drawdown
from trackrecord.performance.returns.sharpe import sharpe
from trackrecord.times import DAY

_FOLDS: Final = 4
_UNSEEN_SHARE: Final = 0.25
_TIMED: Final = 100
ENOUGH: Final = 100_000
"""Outcomes from which settings and blend are found; the models then learn from all there are.
Four folds of a million rows would take several times as long as the models themselves."""


class Champion(Protocol):
    """Whoever is to be beaten."""

    def predict(self, data: Data) -> Floats:
        """Probabilities of success, (n,)."""
        ...

    def takes(self, probability: Floats) -> NDArray[np.bool_]:
        """Which signals it takes, (n,)."""
        ...

    @property
    def learnt_until(self) -> int:
        """The last moment that any of its labels looked at; microseconds since 1970 UTC."""
        ...


@dataclass(frozen=True)
class BaseRate:
    """Always the share of successes among the rows that a challenger learnt from.

    Attributes:
        rate: That share.
        takes_all: Whether the signals earned anything there: then all are taken, else none.
    """

    rate: float
    takes_all: bool
    learnt_until: int = 0

    def predict(self, data: Data) -> Floats:
        """See :class:`Champion`."""
        return np.full(len(data.success), self.rate)

    def takes(self, probability: Floats) -> NDArray[np.bool_]:
        """See :class:`Champion`."""
        return np.full(len(probability), self.takes_all)


@dataclass(frozen=True)
class Trained:
    """A challenger and its report.

    Attributes:
        ensemble: The challenger.
        verdict: Against the champion, or the base rate where there is none.
        learnt_until: The last moment that any label it learnt from looked at.
        report: All that is told of it; JSON values.
    """

    ensemble: Ensemble
    verdict: Verdict
    learnt_until: int
    report: dict[str, Any] = field(repr=False)


def train(
    data: Data,
    *,
    champion: Champion | None = None,
    objective: Objective = "log_loss",
    budget: Budget | None = None,
    unseen_from: int | None = None,
    cost: float = 0.0,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
    fitter: Fitter = fit_here,
    clock: Callable[[], float] | None = None,
) -> Trained:
    """Train a challenger on the past, and judge it once on what came after.

    Args:
        data: Signals whose whole horizon has elapsed, in any order.
        champion: Whoever is to be beaten; the base rate of the training rows if None.
        objective: What the search looks for.
        budget: Of the search.
        unseen_from: From when outcomes are kept for the judgement; a quarter of them if None.
        cost: Of a trade, a fraction, when thresholds are chosen.
        seed: Random seed.
        progress: Told in words what is being done.
        fitter: Where LightGBM's models are fitted.
        clock: Seconds; without one the time of a prediction is not known.

    Raises:
        TooFewError: Too few outcomes, or only successes or failures.
    """
    order = np.argsort(data.span.emitted_at, kind="stable")
    data = data.take(order)
    learn, unseen = _part(data, unseen_from, champion)
    _check(learn, unseen)
    weights = uniqueness(learn.symbol, learn.span)
    embargo = longest_horizon(learn.span)
    tried = _spread(len(learn.success), ENOUGH)
    some = learn.take(tried)
    rows = Rows(some.features, some.success, weights[tried], some.returned)
    splits = list(walk_forward(some.span, _FOLDS, embargo))
    if not splits:
        raise TooFewError("no stretch of time is left to learn from before another: the horizons "
                          "are as long as the whole history")  # fmt: skip
    progress(f"searching settings on {len(rows.success):,} of {len(learn.success):,} outcomes")
    settings, folds = search(
        rows,
        splits,
        objective,
        budget or Budget(),
        seed,
        lambda number, best: progress(f"settings {number} tried, best {objective} {best:.5f}"),
        fitter,
    )
    blend, thresholds = _out_of_fold(rows, folds, cost)
    models = fit_models(learn.features, learn.success, weights, settings, seed, fitter)
    ensemble = Ensemble(models, blend, thresholds, learn.names)
    progress(f"judging on {len(unseen.success):,} outcomes that nothing has seen")
    beaten = champion or BaseRate(
        base_rate(learn.success, weights), float(np.average(learn.returned, weights=weights)) > 0
    )
    verdict, report = _judge(ensemble, beaten, unseen, seed)
    report |= _stability(rows, folds)
    report |= {
        "settings": asdict(settings),
        "data_points": len(data.success),
        "learnt_from": len(learn.success),
        "judged_on": len(unseen.success),
        "blocks": verdict.gain.blocks,
        "feature_importances": importances(ensemble),
        "suspicious_features": suspicious(learn.features, learn.names, learn.success),
        "inference_ms": _inference_ms(ensemble, unseen.features, clock) if clock else None,
    }
    report["targets"] = against_targets(
        report["metrics"] | report["stability"] | {"inference_ms": report["inference_ms"]}
    )
    return Trained(ensemble, verdict, int(learn.span.ends_at.max()), report)


def _inference_ms(ensemble: Ensemble, features: Floats, clock: Callable[[], float]) -> float:
    """The longest of a hundred predictions, each of one signal, in milliseconds."""
    took = []
    for row in range(min(_TIMED, len(features))):
        began = clock()
        ensemble.predict(features[row : row + 1])
        took.append(clock() - began)
    return 1000 * max(took)


def _part(data: Data, unseen_from: int | None, champion: Champion | None) -> tuple[Data, Data]:
    """What is learnt from, and the unseen rest, with an embargo between."""
    emitted_at = data.span.emitted_at
    if not len(emitted_at):
        return data, data
    if unseen_from is None:
        unseen_from = int(emitted_at[int(len(emitted_at) * (1 - _UNSEEN_SHARE))])
    learnt = before(data.span, unseen_from, longest_horizon(data.span))
    kept = emitted_at >= unseen_from
    if champion is not None:
        kept &= emitted_at > champion.learnt_until
    return data.take(learnt), data.take(kept)


def _check(learn: Data, unseen: Data) -> None:
    for rows, name in ((learn, "to learn from"), (unseen, "to be judged by")):
        count = len(rows.success)
        fewest = FEWEST_ROWS if rows is learn else FEWEST_ROWS // 4
        if count < fewest:
            raise TooFewError(
                f"{count} outcomes {name}, and at least {fewest} are needed: wait until the "
                "horizons of more signals have elapsed"
            )
    if learn.success.min() == learn.success.max():
        only = "successes" if learn.success[0] else "failures"
        raise TooFewError(f"only {only} among {len(learn.success)} outcomes: nothing to tell apart")


def _spread(count: int, most: int) -> NDArray[np.int64]:
    """Places of at most so many rows, evenly spread over all."""
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).astype(np.int64)


def _out_of_fold(rows: Rows, folds: list[Fold], cost: float) -> tuple[Blend, Thresholds]:
    """Blend and thresholds, from predictions for rows that the models have not learnt from."""
    parts = out_of_fold(rows.features, folds)
    told = ~np.isnan(parts).any(axis=1)
    if not told.any():
        raise TooFewError("no stretch of time holds both successes and failures")
    blend = fit_blend(parts[told], rows.success[told], rows.weights[told])
    return blend, choose_thresholds(blend.apply(parts[told]), rows.returned[told], cost)


def _judge(
    ensemble: Ensemble, champion: Champion, unseen: Data, seed: int
) -> tuple[Verdict, dict[str, Any]]:
    probability = ensemble.predict(unseen.features)
    before_ = champion.predict(unseen)
    gain = _gain(unseen.success, before_, probability)
    taken = probability >= ensemble.thresholds.buy
    profit = np.where(taken, unseen.returned, 0) - np.where(
        champion.takes(before_), unseen.returned, 0
    )
    verdict = judge(unseen.span.emitted_at, gain, profit, longest_horizon(unseen.span), seed)
    if verdict.promoted and isinstance(champion, BaseRate):
        # A rate that happens to suit the unseen stretch better is no knowledge of signals.
        rate = np.full(len(probability), probability.mean())
        gain = _gain(unseen.success, rate, probability)
        verdict = judge(unseen.span.emitted_at, gain, profit, longest_horizon(unseen.span), seed)
    buy = ensemble.thresholds.buy
    report: dict[str, Any] = {
        "promoted": verdict.promoted,
        "reason": verdict.reason,
        "metrics": quality(unseen.success, probability, unseen.returned, buy)
        | _as_portfolio(unseen, taken),
        "baseline": quality(unseen.success, before_, unseen.returned, buy),
        "reliability": reliability_curve(unseen.success, probability),
        "gain": asdict(verdict.gain),
        "profit": asdict(verdict.profit),
    }
    return verdict, report


def _gain(success: Floats, before_: Floats, probability: Floats) -> Floats:
    return log_loss(success, before_) - log_loss(success, probability)


def _as_portfolio(unseen: Data, taken: NDArray[np.bool_]) -> dict[str, float | None]:
    """Sharpe ratio and drawdown if each day's capital is shared by the signals taken that day.

    A day on which signals came and none was taken earns nothing. 252 days a year.
    """
    days, place = np.unique(unseen.span.emitted_at // DAY, return_inverse=True)
    count = np.bincount(place[taken], minlength=len(days))
    total = np.bincount(place[taken], unseen.returned[taken], len(days))
    returns = np.where(count > 0, total / np.maximum(count, 1), 0.0)
    ratio = sharpe(returns).value
    deepest = max_drawdown(np.maximum(returns, -1)).value
    if not taken.any() or ratio is None or deepest is None:
        return {"sharpe_of_bought": None, "max_drawdown_of_bought": None}
    return {"sharpe_of_bought": ratio, "max_drawdown_of_bought": abs(deepest)}


def _stability(rows: Rows, folds: list[Fold]) -> dict[str, dict[str, float | None]]:
    """How alike the folds' boosted trees are: in AUC, and in what they find important."""
    areas: list[float] = []
    weights: list[Floats] = []
    for fold in folds:
        judged = rows.success[fold.test]
        boosting = fold.models["boosting"]
        area = area_under_curve(judged, boosting.predict(rows.features[fold.test]))
        if area is None:
            continue
        areas.append(area)
        weights.append(boosting.importances())
    pairs = [
        float(spearmanr(one, other).statistic)
        for place, one in enumerate(weights)
        for other in weights[place + 1 :]
        if one.any() and other.any()
    ]
    return {
        "stability": {
            "stability": 1 - float(np.std(areas) / np.mean(areas)) if len(areas) > 1 else None,
            "importance_stability": float(np.mean(pairs)) if pairs else None,
        }
    }


def importances(ensemble: Ensemble) -> dict[str, float]:
    """How much each feature counts: the models' own importances, weighted as they are blended."""
    total = np.zeros(len(ensemble.features))
    for kind, weight in zip(KINDS, ensemble.blend.weights, strict=True):
        total += weight * ensemble.models[kind].importances()
    share = total / total.sum() if total.sum() > 0 else total
    order = np.argsort(-share, kind="stable")
    return {ensemble.features[place]: float(share[place]) for place in order}

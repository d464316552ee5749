"""How good predictions were, in the numbers that people ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from trackrecord.learning.probabilities import Floats, area_under_curve, log_loss

_BINS: Final = 10


def quality(
    success: Floats, probability: Floats, returned: Floats, buy: float
) -> dict[str, float | None]:
    """Judge probabilities by what happened.

    Args:
        success: 1 or 0, (n,).
        probability: (n,).
        returned: Gross returns, fractions, (n,).
        buy: The threshold from which a signal is taken.

    Returns:
        Numbers by name; None where one is not defined: no such class, nothing bought.
    """
    taken = probability >= buy
    hits = float((taken & (success > 0)).sum())
    brier, reliability, resolution, uncertainty = _brier(success, probability)
    return {
        "auc": area_under_curve(success, probability),
        "log_loss": float(log_loss(success, probability).mean()) if len(success) else None,
        "brier": brier,
        "brier_reliability": reliability,
        "brier_resolution": resolution,
        "brier_uncertainty": uncertainty,
        "accuracy": float(((probability >= 0.5) == (success > 0)).mean()) if len(success) else None,  # noqa: PLR2004 - even odds
        "precision": hits / float(taken.sum()) if taken.any() else None,
        "recall": hits / float(success.sum()) if success.sum() else None,
        "bought": float(taken.sum()),
        "success_of_bought": hits / float(taken.sum()) if taken.any() else None,
        "average_return_of_bought": float(returned[taken].mean()) if taken.any() else None,
        "base_rate": float(success.mean()) if len(success) else None,
    }


def _brier(
    success: Floats, probability: Floats
) -> tuple[float | None, float | None, float | None, float | None]:
    """The Brier score and its decomposition over tenths of the predictions (Murphy 1973)."""
    if not len(success):
        return None, None, None, None
    rate = float(success.mean())
    reliability = resolution = 0.0
    for row in reliability_curve(success, probability):
        share = row["count"] / len(success)
        reliability += share * (row["predicted"] - row["happened"]) ** 2
        resolution += share * (row["happened"] - rate) ** 2
    score = float(((probability - success) ** 2).mean())
    return score, reliability, resolution, rate * (1 - rate)


def reliability_curve(success: Floats, probability: Floats) -> list[dict[str, Any]]:
    """What was predicted and what happened, by tenths of the predictions in order.

    Equal predictions are never parted: else the order of the rows would look like knowledge, and
    a single prediction for all like one that resolves.
    """
    order = np.argsort(probability, kind="stable")
    ranked = probability[order]
    cuts = np.linspace(0, len(order), _BINS + 1).astype(np.int64)[1:-1]
    if len(order):
        cuts = np.unique(np.searchsorted(ranked, ranked[cuts], "left"))
    return [
        {
            "predicted": float(probability[part].mean()),
            "happened": float(success[part].mean()),
            "count": len(part),
        }
        for part in np.split(order, cuts)
        if len(part)
    ]


def expected_calibration_error(curve: Sequence[Mapping[str, Any]]) -> float:
    """The mean distance of what was said from what happened, over bins weighted by their signals.

    Source: Naeini, Cooper and Hauskrecht (2015), "Obtaining Well Calibrated Probabilities Using
    Bayesian Binning", AAAI.

    Args:
        curve: Bins of at least one signal, each with ``count``, ``predicted`` and ``happened``.
    """
    signals = sum(each["count"] for each in curve)
    return float(
        sum(each["count"] * abs(each["predicted"] - each["happened"]) for each in curve) / signals
    )

"""Targets of a model and of its trainings, and whether they were met."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple


class Target(NamedTuple):
    """What is asked of a number."""

    value: float
    more: bool
    """Whether more is better."""
    unknown: str
    """Why the number is null where it is."""


_NOTHING_BOUGHT: Final = "no signal was bought"
_NO_RETURNS: Final = "no signal was bought, or on fewer than two days, or all earned the same"

TARGETS: Final[dict[str, Target]] = {
    "accuracy": Target(0.75, True, "no outcome to judge by"),
    "auc": Target(0.80, True, "only successes or only failures among the outcomes"),
    "precision": Target(0.70, True, _NOTHING_BOUGHT),
    "recall": Target(0.65, True, "no success among the outcomes"),
    "success_of_bought": Target(0.65, True, _NOTHING_BOUGHT),
    "average_return_of_bought": Target(0.05, True, _NOTHING_BOUGHT),
    "sharpe_of_bought": Target(1.5, True, _NO_RETURNS),
    "max_drawdown_of_bought": Target(0.15, False, _NO_RETURNS),
    "stability": Target(0.90, True, "fewer than two folds hold both successes and failures"),
    "importance_stability": Target(0.80, True, "fewer than two folds found a feature that counts"),
    "inference_ms": Target(100.0, False, "the training had no clock to time it by"),
    "retraining_success": Target(
        0.95, True, "no run is logged, as a training from files stands alone"
    ),
}


def against_targets(found: Mapping[str, float | None]) -> dict[str, dict[str, Any]]:
    """Hold numbers against all targets."""
    return {name: against_target(name, found.get(name)) for name in TARGETS}


def against_target(name: str, value: float | None) -> dict[str, Any]:
    """Hold one number against its target: reached or not, or null and why."""
    target = TARGETS[name]
    told = {"target": target.value, "value": value}
    if value is None:
        return {**told, "met": None, "reason": target.unknown}
    return {**told, "met": value > target.value if target.more else value < target.value}


def retraining_success(completed: int, refused: int, failed: int) -> float | None:
    """The share of runs that ended well; None where none has ended.

    A run that was refused ended well: it found too little to learn from or to decide by, and
    said so. A run has failed that ended in an error, or whose process was killed each time.
    """
    ended = completed + refused + failed
    return (completed + refused) / ended if ended else None

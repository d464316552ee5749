"""Shared by the benchmarks of the training of models: their results."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

from benchmarks.harness import machine, versions

_LEARNERS: Final = ("lightgbm", "optuna", "scikit-learn", "scipy")


def outcome(
    name: str,
    seed: int,
    runs: list[dict[str, Any]],
    median: dict[str, dict[str, float]],
    targets: dict[str, dict[str, Any]],
    ratios: dict[str, float] | None = None,
) -> dict[str, Any]:
    """Put a result into the form that all results have.

    Args:
        name: The benchmark's.
        seed: Of everything drawn.
        runs: What was seen each time.
        median: Numbers of each way, the same for all ways.
        targets: By name, as :func:`target` makes them.
        ratios: Ours against others, more is better.
    """
    return {
        "name": name,
        "machine": machine(),
        "versions": versions() | {each: version(each) for each in _LEARNERS},
        "seed": seed,
        "runs": runs,
        "median": median,
        "ratios": ratios or {},
        "targets": targets,
    }


def target(asked: float, value: float, *, most: bool = False) -> dict[str, Any]:
    """A target and whether it is met: a value of at least it, or at most it."""
    return {"target": asked, "value": value, "met": value <= asked if most else value >= asked}

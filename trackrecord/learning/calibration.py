"""What a model said of signals when they were emitted, held against what happened to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trackrecord.learning.contest import blocks_of, bound
from trackrecord.learning.judging import quality, reliability_curve
from trackrecord.learning.probabilities import NEVER, Floats, base_rate, log_loss
from trackrecord.learning.splits import Span, longest_horizon
from trackrecord.performance.confidence.intervals import wilson

VERDICTS: Final = ("STRONG_BUY", "BUY", "STRONG_SELL", "SELL", "SKIP")
"""In the order in which they are told."""

_FEWEST: Final = 30
"""Signals of a group without which no bounds are told: resamples of a few hold anything."""

_NUMBERS: Final = (
    "auc", "log_loss", "brier", "brier_reliability", "brier_resolution", "brier_uncertainty",
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What one model said of signals whose whole horizon has elapsed; (n,) arrays.

    Attributes:
        emitted_at: Microseconds since 1970 UTC.
        ends_at: When the horizon had elapsed, likewise.
        probability: Of success, as it was told at the emission.
        success: 1 or 0.
        returned: Gross returns, fractions.
        verdict: As it was told.
        strategy: Whose signal it is.
    """

    emitted_at: NDArray[np.int64]
    ends_at: NDArray[np.int64]
    probability: Floats
    success: Floats
    returned: Floats
    verdict: NDArray[np.str_]
    strategy: NDArray[np.str_]

    def take(self, rows: NDArray[np.bool_]) -> Said:
        """A part of the signals."""
        return Said(
            self.emitted_at[rows],
            self.ends_at[rows],
            self.probability[rows],
            self.success[rows],
            self.returned[rows],
            self.verdict[rows],
            self.strategy[rows],
        )


def calibration(said: Said) -> dict[str, Any]:
    """Hold what was said against what happened; JSON values.

    The base rate is the share of successes among these very signals: the best that one number
    for all of them could have been, though nobody knew it before. So its Brier score is the
    uncertainty of Murphy's decomposition, and a model is not flattered by the comparison.

    Returns:
        ``signals``, ``success_rate``, ``predicted`` (the mean), the numbers of
        :func:`trackrecord.learning.judging.quality` that need no threshold,
        ``brier_of_base_rate``, ``log_loss_of_base_rate``, ``gain`` (of log loss over the base
        rate, nats a signal, with 99 % bounds over blocks of time), ``bins``, and the same
        signals by verdict and by strategy. A number that is not defined is None.
    """
    found = quality(said.success, said.probability, said.returned, NEVER)
    everybody = np.ones(len(said.success))
    constant = everybody * base_rate(said.success, everybody) if len(everybody) else everybody
    losses = log_loss(said.success, constant)
    return {
        "signals": len(said.success),
        "success_rate": found["base_rate"],
        "predicted": _mean(said.probability),
        **{name: found[name] for name in _NUMBERS},
        "brier_of_base_rate": found["brier_uncertainty"],
        "log_loss_of_base_rate": _mean(losses),
        "gain": _bounded(said, losses - log_loss(said.success, said.probability)),
        "bins": with_intervals(reliability_curve(said.success, said.probability)),
        "verdicts": {
            name: _group(said.take(said.verdict == name))
            for name in VERDICTS
            if (said.verdict == name).any()
        },
        "strategies": {
            str(name): _group(said.take(said.strategy == name)) for name in np.unique(said.strategy)
        },
    }


def with_intervals(curve: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The bins of a reliability curve, each with Wilson's interval of what happened.

    The interval takes signals as independent. Those of one time are not, so it is too narrow
    where many overlap.
    """
    return [
        {**each, "interval": _wilson(round(each["happened"] * each["count"]), each["count"])}
        for each in curve
    ]


def _group(said: Said) -> dict[str, Any]:
    rate = float(said.success.mean())
    return {
        "signals": len(said.success),
        "predicted": float(said.probability.mean()),
        "success_rate": rate,
        "interval": _wilson(int(said.success.sum()), len(said.success)),
        "brier": float(((said.probability - said.success) ** 2).mean()),
        "brier_of_base_rate": rate * (1 - rate),
        "average_return": _bounded(said, said.returned),
    }


def _bounded(said: Said, values: Floats) -> dict[str, Any]:
    """A mean, and its one-sided 99 % bounds over blocks as long as the horizons are."""
    if not len(values):
        return {"mean": None, "lower": None, "upper": None, "blocks": 0}
    longest = longest_horizon(Span(said.emitted_at, said.ends_at))
    found = bound(values, blocks_of(said.emitted_at, longest), np.random.default_rng(0))
    enough = len(values) >= _FEWEST
    return {
        "mean": found.mean,
        "lower": found.lower if enough else None,
        "upper": found.upper if enough else None,
        "blocks": found.blocks,
    }


def _wilson(successes: int, trials: int) -> list[float | None]:
    interval = wilson(successes, trials)
    return [interval.low, interval.high]


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None

"""When to train anew: new outcomes, a schedule, a model that has become worse, features that drift.

Whoever looks often at noise sees something in the end. So what is said of a live model needs 99 %
confidence over blocks of time, and neither decay nor drift is acted upon before there are enough
new outcomes for a decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trackrecord.learning.contest import Bound, blocks_of, bound
from trackrecord.learning.probabilities import Floats

Kind = Literal["request", "outcomes", "schedule", "decay_brier", "decay_profit", "drift"]

FEWEST_NEW: Final = 50
"""Outcomes since the last run before decay or drift starts another: fewer decide nothing."""

FEWEST_RECENT: Final = 200
"""Recent signals without which nothing is said of drift."""

BINS: Final = 10
"""Of the stability index, and one more for what is unknown."""

NOT_DRIFT: Final = frozenset({"strategy_outcomes", "weekday", "month", "day_of_month"})
"""Features that move with time by what they are: a count that only grows, and the calendar."""

_LEAST_SHARE: Final = 1e-4
_MOST_NAMED: Final = 5


class Trigger(NamedTuple):
    """Why a training begins."""

    kind: Kind
    reason: str
    """In words."""


@dataclass(frozen=True)
class Rules:
    """What starts a training.

    Attributes:
        new_outcomes: So many outcomes since the last run.
        every_seconds: So long since the last run; None: no schedule.
        decay: Whether a live model that became worse does.
        drift: Stability index from which a feature has drifted; None: drift does not count.
    """

    new_outcomes: int = 500
    every_seconds: float | None = None
    decay: bool = True
    drift: float | None = 0.25


@dataclass(frozen=True)
class Live:
    """What the champion said since it went live, and what happened; (n,) arrays.

    Attributes:
        emitted_at: Microseconds since 1970 UTC.
        probability: As it was told at the emission.
        success: 1 or 0.
        returned: Gross returns, fractions.
        taken: Whether its verdict was not SKIP.
        longest_horizon: Microseconds.
        judged_brier: Its Brier score when it was judged.
        judged_profit: What it earned per signal then, those not taken included, a fraction.
    """

    emitted_at: NDArray[np.int64]
    probability: Floats
    success: Floats
    returned: Floats
    taken: NDArray[np.bool_]
    longest_horizon: int
    judged_brier: float
    judged_profit: float

    @property
    def brier(self) -> Bound:
        """The Brier score since it went live."""
        return self._bound((self.probability - self.success) ** 2)

    @property
    def profit(self) -> Bound:
        """What it earned per signal since it went live."""
        return self._bound(np.where(self.taken, self.returned, 0.0))

    def _bound(self, values: Floats) -> Bound:
        blocks = blocks_of(self.emitted_at, self.longest_horizon)
        return bound(np.asarray(values, np.float64), blocks, np.random.default_rng(0))


@dataclass(frozen=True)
class State:
    """What is known when it is asked whether to train.

    Attributes:
        new_outcomes: Since the last run, or at all where there was none.
        seconds_since: The last run began; None where there was none.
        live: Of the champion, if there is one that has judged something.
        drifted: Stability index of the features that may have drifted.
    """

    new_outcomes: int
    seconds_since: float | None = None
    live: Live | None = None
    drifted: Mapping[str, float] = field(default_factory=dict)


def fired(rules: Rules, state: State) -> Trigger | None:
    """The first rule that asks for a training, or None."""
    if state.new_outcomes >= rules.new_outcomes:
        return Trigger("outcomes", f"{state.new_outcomes:,} new outcomes since the last run")
    scheduled = _scheduled(rules.every_seconds, state)
    if scheduled is not None or state.new_outcomes < FEWEST_NEW:
        return scheduled
    worse = _decayed(state.live) if rules.decay and state.live is not None else None
    if worse is None and rules.drift is not None:
        return _drifted(state.drifted, rules.drift)
    return worse


def _scheduled(every: float | None, state: State) -> Trigger | None:
    since = state.seconds_since
    if every is None or not state.new_outcomes or (since is not None and since < every):
        return None
    told = "there was no run before" if since is None else f"the last run began {since:,.0f} s ago"
    return Trigger("schedule", f"scheduled: {told}")


def _decayed(live: Live) -> Trigger | None:
    brier = live.brier
    if brier.lower is not None and brier.lower > live.judged_brier:
        return Trigger(
            "decay_brier",
            f"the live Brier score is {brier.mean:.4f} over {len(live.success):,} outcomes, at "
            f"least {brier.lower:.4f} with 99 % confidence; it was {live.judged_brier:.4f} when "
            "the model was judged",
        )
    profit = live.profit
    if profit.upper is not None and profit.upper < live.judged_profit:
        return Trigger(
            "decay_profit",
            f"the live profit is {profit.mean:+.5f} a signal over {len(live.success):,} outcomes, "
            f"at most {profit.upper:+.5f} with 99 % confidence; it was {live.judged_profit:+.5f} "
            "when the model was judged",
        )
    return None


def _drifted(index: Mapping[str, float], limit: float) -> Trigger | None:
    found = sorted(((value, name) for name, value in index.items() if value > limit), reverse=True)
    if not found:
        return None
    named = ", ".join(f"{name} ({value:.2f})" for value, name in found[:_MOST_NAMED])
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return Trigger("drift", f"features drifted (stability index above {limit}): {named}{more}")


def stability_index(reference: Floats, recent: Floats, names: Sequence[str]) -> dict[str, float]:
    """How far recent features are from those that were learnt from (population stability index).

    The sum over bins of (p - q) ln(p / q), in bins that hold a tenth of the reference each, and
    one for what is unknown. By custom less than 0.1 is little, and above 0.25 is drift.

    Args:
        reference: (n, k) features of the rows that were learnt from; NaN where unknown.
        recent: (m, k) features of late.
        names: Of the columns.

    Returns:
        By name, those of :data:`NOT_DRIFT` left out; nothing where there are too few rows.
    """
    if len(recent) < FEWEST_RECENT or len(reference) < FEWEST_RECENT:
        return {}
    return {
        name: _index(reference[:, place], recent[:, place])
        for place, name in enumerate(names)
        if name not in NOT_DRIFT
    }


def _index(reference: Floats, recent: Floats) -> float:
    known = reference[~np.isnan(reference)]
    edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if len(known) else known
    was, now = _shares(reference, edges), _shares(recent, edges)
    return float(np.sum((now - was) * np.log(now / was)))


def _shares(values: Floats, edges: Floats) -> Floats:
    unknown = np.isnan(values)
    # A value on an edge belongs below it: of a feature with few values each has its bin.
    place = np.where(unknown, len(edges) + 1, np.searchsorted(edges, values, "left"))
    count = np.bincount(place, minlength=len(edges) + 2)
    return np.maximum(count / len(values), _LEAST_SHARE)

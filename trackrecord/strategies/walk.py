"""Walk-forward: parameters are chosen on what has been, and judged on what comes after.

The first fifth of the sessions is in sample. The rest is cut into windows; before each of them
the parameters may be chosen anew on all sessions before it, and the strategy is handed no bar
behind them while that is done. What it then does in the windows, one after the other, is out of
sample, and that alone is judged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from trackrecord.performance.returns.sharpe import is_too_few, period_sharpe
from trackrecord.strategies.answers import Columnar
from trackrecord.strategies.drive import Strategy, Stretch
from trackrecord.strategies.history import BadBarsError, History
from trackrecord.strategies.source import Parameter
from trackrecord.strategies.trades import by_session, earned_by_bar, trips_of
from trackrecord.strategies.tries import parameters_identity

WINDOWS: Final = 5
SHARE_IN_SAMPLE: Final = 0.2
TRIALS: Final = 40
"""Sets of parameters that are tried before each window."""

_LOG_FROM: Final = 10.0
"""Ratio of the ends of a range from which on it is searched by factors, not by steps."""
_NOTHING: Final = -math.inf

Declared = Mapping[str, Parameter]
"""The ``PARAMETERS`` of a strategy."""
Told = Callable[[str, int, int], None]
"""Told what is done, how much of it, and of how much."""


def untold(_what: str, _done: int, _total: int) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Search:
    """How parameters are looked for.

    Attributes:
        trials: Sets that are tried before each window, the defaults among them.
        seed: The same seed tries the same sets.
        enough: Asked before each further set; true ends the search of a window.
    """

    trials: int = TRIALS
    seed: int = 0
    enough: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Chosen:
    """What was chosen before a window.

    Attributes:
        first: Date of the window's first session, days since 1970.
        parameters: All of them.
        sharpe: Annualised, net, in sample; None where nothing was searched, or undefined.
        tried: How many sets were compared.
    """

    first: int
    parameters: Mapping[str, Any]
    sharpe: float | None = None
    tried: int = 1


@dataclass
class Walk:
    """The windows and what was chosen for each.

    Attributes:
        chosen: By window, in order.
        tried: Identities of every set of parameters that was looked at, each once.
    """

    chosen: list[Chosen]
    tried: list[str]

    @property
    def plan(self) -> list[Stretch]:
        """To run out of sample."""
        return [Stretch(each.first, each.parameters) for each in self.chosen]


def windows_of(history: History, count: int = WINDOWS, share: float = SHARE_IN_SAMPLE) -> list[int]:
    """The first date of each window, days since 1970; fewer windows where sessions are few.

    Raises:
        BadBarsError: There are not two sessions.
    """
    sessions = history.sessions
    if len(sessions) < 2:  # noqa: PLR2004 - one to learn from, one to be judged on
        raise BadBarsError("the bars are of one session; a backtest needs two at least")
    begin = min(max(1, int(len(sessions) * share)), len(sessions) - 1)
    edges = np.linspace(begin, len(sessions), count + 1)[:-1].astype(int)
    return [int(sessions[place]) for place in sorted(set(edges.tolist()))]


def walk(
    strategy: Strategy,
    history: History,
    declared: Declared,
    given: Mapping[str, Any],
    firsts: list[int],
    *,
    search: Search | None = None,
    cost: float = 0.001,
    tried: list[str] | None = None,
    told: Told = untold,
) -> Walk:
    """Choose the parameters of every window.

    Args:
        strategy: What they are of.
        history: All bars; each window's choice is shown those before it alone.
        declared: What may be searched: numbers with both limits, booleans, and choices.
        given: Values that are set and stay; they take the defaults' place.
        firsts: As :func:`windows_of` gives them.
        search: How to look; None keeps the defaults.
        cost: Of each fill, as a fraction of its notional.
        tried: Is filled with what is tried, as it is; so it is known also where this is broken off.
        told: How far it is.
    """
    standard = {name: each.default for name, each in declared.items()} | dict(given)
    found = Walk([], [] if tried is None else tried)
    found.tried.append(parameters_identity(standard))
    seen = set(found.tried)
    space = {}
    if search is not None:
        space = {
            name: distribution
            for name, each in declared.items()
            if name not in given and (distribution := distribution_of(each)) is not None
        }
    if search is None or not space:
        found.chosen = [Chosen(first, standard) for first in firsts]
        return found
    total = search.trials * len(firsts)
    for number, first in enumerate(firsts):
        known = history.until(first)

        def score(parameters: Mapping[str, Any], known: History = known) -> float:
            return in_sample(strategy, known, parameters, cost)

        best = (score(standard), standard)
        compared = {parameters_identity(standard)}
        study = _study(strategy, search.seed + number)
        for trial in range(1, search.trials):
            if search.enough():
                break
            asked = study.ask(space)
            other = standard | asked.params
            identity = parameters_identity(other)
            if identity not in seen:
                seen.add(identity)
                found.tried.append(identity)
            value = score(other)
            study.tell(asked, value if math.isfinite(value) else -1e9)
            compared.add(identity)
            if value > best[0]:
                best = (value, other)
            told("parameters", number * search.trials + trial + 1, total)
        sharpe = best[0] * math.sqrt(history.sessions_per_year)
        found.chosen.append(
            Chosen(first, best[1], sharpe if math.isfinite(sharpe) else None, len(compared))
        )
    return found


def in_sample(
    strategy: Strategy, known: History, parameters: Mapping[str, Any], cost: float
) -> float:
    """Net Sharpe ratio per session over all that is known; minus infinity with too few trades."""
    first = int(known.sessions[0])
    stretch = Stretch(first, parameters)
    if isinstance(strategy, Columnar):
        trips = strategy.trips(known, stretch)
    else:
        trades = strategy.trades(known, [stretch])
        trips = {
            name: trips_of(trade for trade in trades if trade.symbol == name)
            for name in known.series
        }
    closed = int(sum(each.closed.sum() for each in trips.values()))
    if is_too_few(closed, closed):
        return _NOTHING
    earned = {name: earned_by_bar(known.series[name], each, cost) for name, each in trips.items()}
    levels = 1.0 + np.cumsum(by_session(known, earned, first))
    if levels.min() <= 0:
        return _NOTHING
    ratio = period_sharpe(levels / np.append(1.0, levels[:-1]) - 1).value
    return _NOTHING if ratio is None else ratio


def distribution_of(declared: Parameter) -> Any:
    """Where a parameter may be looked for; None where its declaration sets no limits."""
    import optuna  # noqa: PLC0415 - half a second, for who searches

    low, high = declared.least, declared.most
    if declared.choices:
        return optuna.distributions.CategoricalDistribution(list(declared.choices))
    if declared.kind == "bool":
        return optuna.distributions.CategoricalDistribution([False, True])
    if low is None or high is None or not low < high:
        return None
    wide = low > 0 and high / low >= _LOG_FROM
    if declared.kind == "int":
        return optuna.distributions.IntDistribution(int(low), int(high), log=wide)
    return optuna.distributions.FloatDistribution(float(low), float(high), log=wide)


def _study(strategy: Strategy, seed: int) -> Any:
    """Where a try costs nothing it is drawn at random; where it is dear, by what was learnt."""
    import optuna  # noqa: PLC0415 - half a second, for who searches

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = (
        optuna.samplers.RandomSampler(seed=seed)
        if isinstance(strategy, Columnar)
        else optuna.samplers.TPESampler(seed=seed)
    )
    return optuna.create_study(direction="maximize", sampler=sampler)

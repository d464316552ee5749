"""Walk-forward: parameters are chosen on what has been, and judged on what comes after.

The first fifth of the sessions is in sample. The rest is cut into windows; before each of them
the parameters may be chosen anew on all sessions before it, and the strategy is handed no bar
behind them while that is done. What it then does in the windows, one after the other, is out of
sample, and that alone is judged.

The best of many sets owes part of its lead to luck. So the values that somebody set, or the
defaults, stay unless the best set leads by more than one standard error of that lead. Smoothing
over neighbouring sets was tried and chooses worse (docs/decisions/0047-what-a-search-chooses.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trackrecord.performance.returns.sharpe import is_too_few, period_sharpe
from trackrecord.strategies.answers import Columnar
from trackrecord.strategies.drive import Strategy, Stretch
from trackrecord.strategies.history import BadBarsError, History
from trackrecord.strategies.source import Parameter
from trackrecord.strategies.trades import by_session, earned_by_bar, trips_of
from trackrecord.strategies.tries import parameters_identity

Floats = NDArray[np.float64]

WINDOWS: Final = 5
SHARE_IN_SAMPLE: Final = 0.2
TRIALS: Final = 40
"""Sets of parameters that are tried before each window."""
LEAD: Final = 1.0
"""Standard errors by which the best set has to lead over the values that would stay."""

_LOG_FROM: Final = 10.0
"""Ratio of the ends of a range from which on it is searched by factors, not by steps."""
_NOTHING: Final = -math.inf
_FEWEST_RETURNS: Final = 2

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
        trials: Sets that are tried before each window, the defaults among them. Those of a rule
            stay in the comparison before later windows: they cost no further try, and little time.
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
    kept: dict[str, Mapping[str, Any]] = {}
    for number, first in enumerate(firsts):
        known = history.until(first)
        usual = _scored(strategy, known, standard, cost)
        best, compared = usual, {parameters_identity(standard)}
        for identity, earlier in kept.items():
            best = max(best, _scored(strategy, known, earlier, cost), key=_by_sharpe)
            compared.add(identity)
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
                if isinstance(strategy, Columnar):
                    kept[identity] = other
            scored = _scored(strategy, known, other, cost)
            study.tell(asked, scored.sharpe if math.isfinite(scored.sharpe) else -1e9)
            compared.add(identity)
            best = max(best, scored, key=_by_sharpe)
            told("parameters", number * search.trials + trial + 1, total)
        chosen = best if leads(best.returns, usual.returns) else usual
        sharpe = chosen.sharpe * math.sqrt(history.sessions_per_year)
        found.chosen.append(
            Chosen(
                first, chosen.parameters, sharpe if math.isfinite(sharpe) else None, len(compared)
            )
        )
    return found


@dataclass(frozen=True, eq=False)
class _Scored:
    """A set of parameters and what it did in sample; its Sharpe ratio is per session."""

    parameters: Mapping[str, Any]
    returns: Floats | None
    sharpe: float


def _by_sharpe(scored: _Scored) -> float:
    return scored.sharpe


def _scored(
    strategy: Strategy, known: History, parameters: Mapping[str, Any], cost: float
) -> _Scored:
    returns = in_sample(strategy, known, parameters, cost)
    ratio = None if returns is None else period_sharpe(returns).value
    return _Scored(
        parameters, None if ratio is None else returns, _NOTHING if ratio is None else ratio
    )


def leads(best: Floats | None, usual: Floats | None, errors: float = LEAD) -> bool:
    """Whether one record's Sharpe ratio is above another's by more than the lead's standard error.

    The error of the difference of two Sharpe ratios over the same sessions: Memmel, Performance
    hypothesis testing with the Sharpe ratio, Finance Letters 1 (2003), 21 to 23, formula (4).

    Args:
        best: Returns per session, (m,); None where undefined, which never leads.
        usual: Likewise; whatever is defined leads over None.
        errors: How many standard errors.
    """
    if best is None or usual is None:
        return best is not None
    count = len(best)
    first, second = period_sharpe(best).value, period_sharpe(usual).value
    if first is None or second is None or count < _FEWEST_RETURNS:
        return second is None and first is not None
    related = float(np.corrcoef(best, usual)[0, 1])
    variance = (
        2 - 2 * related + (first * first + second * second - 2 * first * second * related**2) / 2
    ) / count
    return first - second > errors * math.sqrt(max(variance, 0.0))


def in_sample(
    strategy: Strategy, known: History, parameters: Mapping[str, Any], cost: float
) -> Floats | None:
    """Net return of each session over all that is known, (m,).

    None with too few trades to compare by, and where the equity is gone.
    """
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
        return None
    earned = {name: earned_by_bar(known.series[name], each, cost) for name, each in trips.items()}
    levels = 1.0 + np.cumsum(by_session(known, earned, first))
    if levels.min() <= 0:
        return None
    returns: Floats = levels / np.append(1.0, levels[:-1]) - 1
    return returns


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

"""Generated markets ("worlds") whose true probabilities are known: with a pattern or without.

Each world consists of bars and signals, as ``trackrecord train`` reads them; outcomes, features
and rows are computed from those by the same functions. Bars are made of smaller steps, so that
highs and lows are those of a path. There is one bar for every day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trackrecord.features import Emitted, History, Market
from trackrecord.features.market import market_features
from trackrecord.features.windows import ages
from trackrecord.learning.data import Data
from trackrecord.learning.dataset import Outcomes, Sent, features_of, outcomes_of, rows_of
from trackrecord.learning.members import sigmoid
from trackrecord.times import DAY

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

"""Microseconds."""

START: Final = 15_000 * DAY
PLANTED: Final = ("volatility_20", "return_20", "range_position_20")
"""The features that outcomes of a planted world depend on."""

_STEPS: Final = 8
"""Steps of the path inside a bar."""
_WARM_UP: Final = 60
_BASE_VOLATILITY: Final = 0.015


@dataclass(frozen=True)
class World:
    """A market and the signals sent in it.

    Attributes:
        bars: Of all symbols.
        opened_at: Of each bar; microseconds since 1970 UTC.
        sent: The signals.
        truth: The true probability of success of each signal, (n,).
    """

    bars: History
    opened_at: Rows
    sent: Sent
    truth: Floats


def learnable(world: World) -> tuple[Data, Floats]:
    """Take a world through outcomes and features to rows, as ``trackrecord train`` does.

    Returns:
        The rows, and the true probability of success of each.
    """
    outcomes: Outcomes = outcomes_of(world.bars, world.opened_at, world.sent)
    features = features_of(Market(world.bars), world.sent, outcomes)
    return rows_of(features, world.sent, outcomes), world.truth[outcomes.settled]


def random_walks(seed: int, *, shared: bool) -> World:
    """A market in which nothing can be known.

    Every symbol has the same volatility and every signal the same geometry, both known to all;
    so the probability of success is the same for every signal, whatever its features say.
    Between worlds, the barriers' ratio, the volatility and the sides differ.

    Args:
        seed: Of everything drawn.
        shared: False: independent symbols, labels of 10 bars, none overlapping another of its
            symbol. True: 60 % of the variance is one market's, and each symbol has a signal every
            8 bars with a label of 20 bars, so that two or three of its labels are open.
    """
    rng = np.random.default_rng(seed)
    symbols, length = 40, 1_000
    horizon, every = (20, 8) if shared else (10, 10)
    volatility = float(rng.uniform(0.008, 0.025))
    steps = rng.normal(size=(symbols, length * _STEPS))
    if shared:
        steps = np.sqrt(0.4) * steps + np.sqrt(0.6) * rng.normal(size=length * _STEPS)
    steps *= volatility / np.sqrt(_STEPS)
    history, opened_at = _history(steps, rng)
    at = [np.arange(_WARM_UP + int(rng.integers(every)), length, every) for _ in range(symbols)]
    row = np.concatenate([number * length + place for number, place in enumerate(at)])
    both = bool(rng.integers(2))
    direction = rng.choice([-1, 1], len(row)) if both else np.ones(len(row), np.int64)
    # Volatility of half a horizon: most labels end at a level, some expire.
    width = volatility * np.sqrt(horizon / 2)
    reward = float(rng.choice([1.0, 1.5]))
    sent = _sent(
        history, row, direction.astype(np.int8), width * reward, width, horizon,
        rng.integers(0, 4, len(row)),
    )  # fmt: skip
    return World(history, opened_at, sent, np.full(len(row), np.nan))


def planted(seed: int, bayes_auc: float, *, symbols: int = 60, length: int = 1_000) -> World:
    """A market in which the outcome of a signal depends on three features known at its emission.

    The probability of success is logistic in :data:`PLANTED`; an outcome is drawn from it, and
    the bars that follow are a random walk that meets the level drawn: where it would have met the
    other one, its mirror image. So truth is exact, and the bars show nothing but the outcome.

    Args:
        seed: Of everything drawn.
        bayes_auc: The area under the ROC curve of the true probabilities, in expectation; 0.5 to
            0.95. Met within 0.004 by a search for the strength of the dependence.
        symbols: How many.
        length: Bars of each.
    """
    low, high = 0.0, 8.0
    while True:
        strength = (low + high) / 2
        world = _react(seed, strength, symbols, length)
        found = expected_auc(world.truth)
        if abs(found - bayes_auc) < 0.004 or high - low < 1e-3:  # noqa: PLR2004 - as told above
            return world
        low, high = (strength, high) if found < bayes_auc else (low, strength)


def expected_auc(truth: Floats) -> float:
    """The area under the ROC curve that true probabilities have in expectation: Bayes's.

    The chance that of two signals, one drawn by its probability of success and the other by that
    of failure, the first has the larger probability; equal ones count half.

    Args:
        truth: True probabilities, (n,).
    """
    values, place = np.unique(truth, return_inverse=True)
    won = np.bincount(place, truth, len(values))
    lost = np.bincount(place, 1 - truth, len(values))
    below = np.cumsum(lost) - lost
    return float((won * (below + lost / 2)).sum() / (won.sum() * lost.sum()))


def _react(seed: int, strength: float, symbols: int, length: int) -> World:
    """Walk all symbols forward; each group emits at its own bars, and reacts to what it emitted."""
    rng = np.random.default_rng(seed)
    horizon, every = 10, 12
    phase = rng.integers(0, every, symbols)
    drift = 0.15 * rng.normal(size=(symbols, length))
    spread = np.zeros((symbols, length))
    for day in range(1, length):
        spread[:, day] = 0.95 * spread[:, day - 1] + drift[:, day]
    volatility = _BASE_VOLATILITY * np.exp(spread)
    steps = rng.normal(size=(symbols, length, _STEPS)) * (volatility / np.sqrt(_STEPS))[..., None]
    rows: list[Rows] = []
    widths: list[Floats] = []
    truths: list[Floats] = []
    for day in range(_WARM_UP, length - horizon):
        who = np.flatnonzero((day - phase) % every == 0)
        if not len(who):
            continue
        truth = sigmoid(strength * _score(steps[who, day - _WARM_UP : day + 1]))
        width = 2.5 * volatility[who, day]
        ahead = steps[who, day + 1 : day + 1 + horizon]
        wins = rng.random(len(who)) < truth
        ahead *= np.where(_rises(ahead, width) == wins, 1.0, -1.0)[:, None, None]
        steps[who, day + 1 : day + 1 + horizon] = ahead
        rows.append(who * length + day)
        widths.append(width)
        truths.append(truth)
    history, opened_at = _history(steps.reshape(symbols, -1), rng)
    row, width = np.concatenate(rows), np.concatenate(widths)
    sent = _sent(
        history, row, np.ones(len(row), np.int8), width, width, horizon,
        rng.integers(0, 4, len(row)),
    )  # fmt: skip
    return World(history, opened_at, sent, np.concatenate(truths))


def _score(steps: Floats) -> Floats:
    """What the log odds are made of, from the features of the last bars, (symbols, days, steps)."""
    symbols, days, _ = steps.shape
    bars, _ = _history(steps.reshape(symbols, -1), np.random.default_rng(0))
    found = market_features(bars, ages(bars.starts, len(bars.close)))
    last = bars.starts + days - 1
    volatility, moved, position = (found[name][last] for name in PLANTED)
    return np.asarray(
        np.log(volatility / _BASE_VOLATILITY)
        + 0.8 * np.tanh(moved / (volatility * np.sqrt(20)))
        - 2.0 * (position - 0.5)
    )


def _rises(steps: Floats, width: Floats) -> NDArray[np.bool_]:
    """Whether paths meet the upper level first, or meet none and end above where they began."""
    path = np.cumsum(steps.reshape(len(steps), -1), axis=1)
    met = np.abs(path) >= width[:, None]
    first = np.where(met.any(axis=1), met.argmax(axis=1), path.shape[1] - 1)
    return np.asarray(path[np.arange(len(path)), first] > 0)


def _history(steps: Floats, rng: np.random.Generator) -> tuple[History, Rows]:
    """Bars of paths of log steps, (symbols, length * steps of a bar)."""
    symbols = len(steps)
    path = np.cumsum(steps, axis=1).reshape(symbols, -1, _STEPS)
    length = path.shape[1]
    close = path[:, :, -1]
    opened = np.concatenate((np.zeros((symbols, 1)), close[:, :-1]), axis=1)
    high = np.maximum(path.max(axis=2), opened)
    low = np.minimum(path.min(axis=2), opened)
    start = 100.0
    columns: list[Any] = [start * np.exp(part).ravel() for part in (opened, high, low, close)]
    opened_at = START + np.tile(np.arange(length), symbols) * DAY
    volume = np.round(rng.lognormal(12, 0.5, symbols * length))
    columns += [volume, opened_at + DAY, np.arange(symbols, dtype=np.int64) * length]
    return History(*columns), opened_at


def _sent(
    bars: History,
    row: Rows,
    direction: NDArray[np.int8],
    up: Floats | float,
    down: Floats | float,
    horizon: int,
    strategy: Rows,
) -> Sent:
    """Signals at the closes of bars, with levels so many log steps away."""
    price = bars.close[row]
    count = len(row)
    return Sent(
        Emitted(
            np.searchsorted(bars.starts, row, "right") - 1,
            strategy,
            bars.closed_at[row],
            direction,
            price,
            price * np.exp(direction * up),
            price * np.exp(-direction * down),
            np.full(count, np.nan),
            np.full(count, horizon, np.int64),
        ),
        np.zeros(count, np.bool_),
    )

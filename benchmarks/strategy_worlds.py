"""Markets in which it is known what strategies are worth: nothing, or a Sharpe ratio of two."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from trackrecord.strategies.answers import Columnar
from trackrecord.strategies.drive import Stretch
from trackrecord.strategies.history import History, Series
from trackrecord.strategies.record import annual_sharpe, record_of
from trackrecord.strategies.rule_answers import columnar
from trackrecord.strategies.rules.model import (
    Ago,
    Away,
    Compare,
    Cross,
    Field,
    Indicator,
    Percent,
    Rule,
)
from trackrecord.strategies.rules.parameters import parameters, with_parameters
from trackrecord.strategies.source import Parameter
from trackrecord.times import DAY

Floats = NDArray[np.float64]

YEARS: Final = 10
SESSIONS: Final = 252 * YEARS
START: Final = 15_002
"""Days since 1970: a Friday."""
STEPS: Final = 8
"""Of the path inside a bar, so that highs and lows are those of a path."""
DAILY: Final = 0.013
"""Volatility of a day."""

CLOSE: Final = Field("close")


@dataclass(frozen=True)
class Family:
    """Strategies of one kind.

    Attributes:
        name: Of it.
        rule: With the parameters that are the defaults.
        ranges: Where each parameter is looked for, as somebody would who knows what they mean.
    """

    name: str
    rule: Rule
    ranges: Mapping[str, tuple[float, float]]

    @property
    def declared(self) -> dict[str, Parameter]:
        """As a strategy declares them."""
        return {
            each.name: Parameter(
                "int" if each.type == "int" else "float", each.default, *self.ranges[each.name]
            )
            for each in parameters(self.rule)
        }

    def strategy(self) -> Columnar:
        """To be led through bars."""
        return columnar(lambda values: with_parameters(self.rule, values), {})


def average(days: int) -> Indicator:
    """The simple one of closes."""
    return Indicator("sma", (days,), CLOSE)


CROSS: Final = Family(
    "average cross, stop",
    Rule(
        entry=Cross(average(10), "above", average(30)),
        exit=Cross(average(10), "below", average(30)),
        stop=Percent(6.0),
        lookback=81,
    ),
    {"sma_fast": (3, 20), "sma_slow": (15, 60), "stop_percent": (1.0, 20.0)},
)
REVERSION: Final = Family(
    "below its average, held some days",
    Rule(
        entry=Compare(CLOSE, "<", Away(average(10), -2.0)),
        horizon_bars=5,
        stop=Percent(8.0),
        lookback=60,
    ),
    {
        "sma_days": (3, 20),
        "percent_from_sma": (-8.0, -0.5),
        "hold_bars": (2, 10),
        "stop_percent": (1.0, 20.0),
    },
)
MOMENTUM: Final = Family(
    "momentum, both sides",
    Rule(
        entry=Compare(CLOSE, ">", Ago(CLOSE, 20)),
        short_entry=Compare(CLOSE, "<", Ago(CLOSE, 20)),
        stop=Percent(15.0),
        lookback=71,
    ),
    {"bars_before": (3, 40), "stop_percent": (2.0, 30.0)},
)
DIP: Final = Family(
    "dip of some days, held some",
    Rule(
        entry=Compare(CLOSE, "<", Away(Ago(CLOSE, 5), -2.0)),
        horizon_bars=3,
        stop=Percent(12.0),
        lookback=60,
    ),
    {
        "bars_before": (2, 10),
        "percent_from_close": (-6.0, -0.5),
        "hold_bars": (2, 6),
        "stop_percent": (2.0, 20.0),
    },
)
NOISE: Final = (CROSS, REVERSION, MOMENTUM)


def history_of(close: Floats, high: Floats, low: Floats) -> History:
    """Bars of one market that opens where it closed; a bar on each weekday."""
    count = len(close) - 1
    days = START + np.arange(2 * count)
    days = days[(days + 3) % 7 < 5][:count]  # noqa: PLR2004 - Monday to Friday
    opened = days * DAY
    return History(
        {
            "WALK": Series(
                "WALK", opened, opened + DAY // 2, close[:-1].copy(), high, low, close[1:].copy(),
                np.full(count, 1e6),
            )
        }
    )  # fmt: skip


def walk(seed: int, *, drift: float, volatility: float = DAILY) -> History:
    """A random walk in which nothing can be known; its expected price grows by the drift alone.

    Args:
        seed: Of it.
        drift: A year, in logarithms.
        volatility: Of a day; it comes in spells.
    """
    rng = np.random.default_rng(seed)
    spell = np.zeros(SESSIONS)
    for day in range(1, SESSIONS):
        spell[day] = 0.97 * spell[day - 1] + 0.1 * rng.normal()
    daily = volatility * np.exp(spell)
    moves = rng.normal(size=SESSIONS) * daily + drift / 252 - daily * daily / 2
    return _bars(np.concatenate(([0.0], np.cumsum(moves))), daily, rng)


def _bars(logs: Floats, daily: Floats | float, rng: np.random.Generator) -> History:
    """Bars of a continuous path through closes, in logarithms.

    Highs and lows are drawn from the law of a Brownian bridge, in parts of a day: a path in steps
    would jump over stops, which a backtest fills at their level, and so make an edge of nothing.
    """
    count = len(logs) - 1
    spread = np.broadcast_to(np.asarray(daily) / math.sqrt(STEPS), (count,))[:, None]
    free = np.cumsum(rng.normal(size=(count, STEPS)) * spread, axis=1)
    share = np.arange(1, STEPS + 1) / STEPS
    ends = logs[:-1, None] + free + share * (logs[1:] - logs[:-1] - free[:, -1])[:, None]
    begins = np.concatenate((logs[:-1, None], ends[:, :-1]), axis=1)
    middle, apart = (begins + ends) / 2, ends - begins
    high, low = (
        middle + sign * np.sqrt(apart**2 - 2 * spread**2 * np.log(rng.random((count, STEPS)))) / 2
        for sign in (1, -1)
    )
    return history_of(
        100 * np.exp(logs), 100 * np.exp(high.max(axis=1)), 100 * np.exp(low.min(axis=1))
    )


Signal = Callable[[Floats, int], Floats]
"""From logarithms of closes, (worlds, days), and a day to the drift that follows, in units."""


def momentum_signal(logs: Floats, day: int) -> Floats:
    """Up after twenty days up, down after twenty days down."""
    if day < 20:  # noqa: PLR2004 - days that it looks back on
        return np.zeros(len(logs))
    return np.sign(logs[:, day] - logs[:, day - 20])


def dip_signal(logs: Floats, day: int) -> Floats:
    """Up on each of the three days after a fall of two percent in five."""
    found = np.zeros(len(logs))
    for back in range(3):
        if day - back >= 5:  # noqa: PLR2004 - days that it looks back on
            fell = logs[:, day - back] - logs[:, day - back - 5] < math.log(0.98)
            found = np.maximum(found, fell)
    return found


PLANTED: Final[Mapping[str, tuple[Family, Signal]]] = {
    "momentum": (MOMENTUM, momentum_signal),
    "dip": (DIP, dip_signal),
}


def planted(kind: str, seed: int, worlds: int, strength: float) -> list[History]:
    """Markets whose drift of the next day follows from their past.

    Args:
        kind: A key of :data:`PLANTED`.
        seed: Of all of them.
        worlds: How many.
        strength: Drift of a day, in logarithms, where the signal is one.
    """
    _, signal = PLANTED[kind]
    rng = np.random.default_rng(seed)
    logs = np.zeros((worlds, SESSIONS + 1))
    for day in range(SESSIONS):
        moves = rng.normal(0, DAILY, worlds) + strength * signal(logs, day)
        logs[:, day + 1] = logs[:, day] + moves - DAILY * DAILY / 2
    return [_bars(each, DAILY, rng) for each in logs]


def true_sharpe(kind: str, histories: list[History], cost: float) -> float:
    """The annual Sharpe ratio, net, of the strategy that knows the truth; the mean of markets."""
    family, _ = PLANTED[kind]
    found = []
    for history in histories:
        first = int(history.sessions[0])
        trades = family.strategy().trades(history, [Stretch(first, {})])
        record = record_of(history, trades, first, cost=Decimal(str(cost)))
        ratio = annual_sharpe(record.curve, 252.0)
        found.append(0.0 if ratio is None else ratio)
    return float(np.mean(found))


def strength_of(kind: str, sharpe: float, cost: float, *, seed: int, worlds: int = 40) -> float:
    """The strength at which the truth has a Sharpe ratio, net; by bisection, within 0.02."""
    low, high = 0.0, 0.01
    for _ in range(12):
        middle = (low + high) / 2
        found = true_sharpe(kind, planted(kind, seed, worlds, middle), cost)
        if abs(found - sharpe) < 0.02:  # noqa: PLR2004 - as told above
            return middle
        low, high = (middle, high) if found < sharpe else (low, middle)
    return (low + high) / 2


def drawn(family: Family, count: int, seed: int) -> list[dict[str, Any]]:
    """Sets of parameters as the search draws them, the defaults first."""
    import optuna  # noqa: PLC0415 - as the search does

    from trackrecord.strategies.walk import distribution_of  # noqa: PLC0415

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    space = {
        name: found
        for name, each in family.declared.items()
        if (found := distribution_of(each)) is not None
    }
    defaults = {name: each.default for name, each in family.declared.items()}
    return [defaults, *(defaults | study.ask(space).params for _ in range(count - 1))]

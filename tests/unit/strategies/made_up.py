"""Rules and bars made up by a seed, and a strategy's code run as Python runs it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from trackrecord.strategies import prelude_functions
from trackrecord.strategies.rules import model as m
from trackrecord.strategies.rules.as_json import fault
from trackrecord.strategies.rules.canonical import finished
from trackrecord.strategies.rules.catalogue import CATALOGUE
from trackrecord.strategies.rules.series import Columns

CLOSE = m.Field("close")
_FIELDS = ("open", "high", "low", "close", "volume")


def made_rule(seed: int) -> m.Rule:
    """A rule of any shape that the reader and the contract allow."""
    rng = random.Random(seed)
    while True:
        rule = _rule(rng)
        if fault(rule) is None:
            try:
                return finished(rule)
            except ValueError:
                continue


def _rule(rng: random.Random) -> m.Rule:
    sides = rng.choice(("long", "long", "short", "both"))
    long, short = sides != "short", sides != "long"
    both = sides == "both"
    leaves = rng.random() < 0.7 and not both

    def maybe(chance: float, make: Callable[[], Any]) -> Any:
        return make() if rng.random() < chance else None

    stop = maybe(0.4, lambda: _distance(rng, level=not both))
    target = maybe(0.3, lambda: _distance(rng, level=False))
    if stop is not None and rng.random() < 0.2:
        target = m.Risk(float(rng.choice((1, 2, 3))))
    return m.Rule(
        entry=_condition(rng, 2) if long else None,
        exit=_condition(rng, 1) if long and leaves else None,
        short_entry=_condition(rng, 2) if short else None,
        short_exit=_condition(rng, 1) if short and leaves else None,
        filters=(_compare(rng),) if rng.random() < 0.2 else (),
        stop=stop,
        target=target,
        trail=None if both else maybe(0.25, lambda: _distance(rng, level=False)),
        horizon_bars=maybe(0.3, lambda: rng.randint(1, 20)),
        schedule=_schedule(rng),
    )


def _schedule(rng: random.Random) -> m.Schedule:
    kind = rng.random()
    if kind < 0.1:
        return m.Schedule(weekdays=tuple(sorted(rng.sample(range(5), rng.randint(1, 3)))))
    if kind < 0.15:
        return m.Schedule(months=tuple(sorted(rng.sample(range(1, 13), rng.randint(1, 6)))))
    if kind < 0.2:
        return m.Schedule(first_of=rng.choice(("week", "month")))
    return m.ALWAYS


def _distance(rng: random.Random, *, level: bool) -> Any:
    kind = rng.random()
    if kind < 0.5:
        return m.Percent(float(rng.choice((0.5, 1, 2, 3.5, 5, 8, 12))))
    if kind < 0.9 or not level:
        return m.Ranges(float(rng.choice((0.5, 1, 1.5, 2, 3))), rng.choice((5, 10, 14)))
    return m.Level(
        rng.choice((m.Field("low"), m.Indicator("lowest", (10,), m.Field("low")),
                    m.Ago(m.Field("low"), 1)))
    )  # fmt: skip


def _condition(rng: random.Random, depth: int) -> m.Condition:
    kind = rng.random()
    if depth == 0 or kind < 0.35:
        return _compare(rng)
    if kind < 0.6:
        return _cross(rng)
    if kind < 0.75:
        return m.And((_condition(rng, depth - 1), _condition(rng, depth - 1)))
    if kind < 0.85:
        return m.Or((_condition(rng, depth - 1), _condition(rng, depth - 1)))
    if kind < 0.9:
        return m.Not(_cross(rng))
    shape = m.Within if rng.random() < 0.5 else m.InARow
    return shape(rng.randint(2, 5), _condition(rng, depth - 1))


def _compare(rng: random.Random) -> m.Condition:
    left, right = _different(rng)
    return m.Compare(left, rng.choice((">", ">=", "<", "<=")), right)


def _different(rng: random.Random) -> tuple[m.Operand, m.Operand]:
    while True:
        left, right = _pair(rng)
        if left != right:
            return left, right


def _cross(rng: random.Random) -> m.Condition:
    left, right = _different(rng)
    return m.Cross(left, rng.choice(("above", "below")), right)


_LEVELS = {
    "rsi": (20, 70), "change": (-4, 4), "zscore": (-2, 2), "stochastic_k": (15, 85),
    "stochastic_d": (20, 80), "williams": (-85, -15), "cci": (-100, 100), "mfi": (20, 80),
    "adx": (15, 35), "bollinger_percent": (0, 1), "range_position": (10, 90), "gap": (-1, 1),
    "macd": (0, 0), "macd_histogram": (0, 0), "supertrend_direction": (0, 0),
    "bollinger_bandwidth": (5, 15), "volatility": (1, 3), "plus_di": (15, 30),
    "minus_di": (15, 30), "range": (0.5, 2), "obv": (0, 0), "stdev": (0.5, 2),
    "aroon_up": (30, 70), "aroon_down": (30, 70),
}  # fmt: skip
_PRICES = ("sma", "ema", "wma", "bollinger_upper", "bollinger_lower", "supertrend",
           "keltner_upper", "keltner_lower", "highest", "lowest")  # fmt: skip


def indicator(rng: random.Random, name: str, *, nested: bool = True) -> m.Indicator:
    entry = CATALOGUE[name]
    settings = []
    for setting in entry.settings:
        if setting.whole:
            short = setting.name in {"smooth", "signal"}
            settings.append(max(int(setting.least), rng.randint(1, 5 if short else 30)))
        else:
            settings.append(float(rng.choice((1, 1.5, 2, 3))))
    source: m.Operand | None = None
    if "source" in entry.inputs:
        source = CLOSE
        if name in {"highest", "lowest"}:
            source = m.Field(rng.choice(("high", "low", "close")))
        if nested and name in {"sma", "highest", "lowest"} and rng.random() < 0.3:
            inner = rng.choice(("rsi", "atr", "bollinger_bandwidth", "volatility", "range"))
            source = indicator(rng, inner, nested=False)
    return m.Indicator(name, tuple(settings), source)


def _pair(rng: random.Random) -> tuple[m.Operand, m.Operand]:
    kind = rng.random()
    if kind < 0.4:
        name = rng.choice(tuple(_LEVELS))
        low, high = _LEVELS[name]
        return indicator(rng, name), m.Number(float(rng.choice((low, high, (low + high) / 2))))
    if kind < 0.5:
        volume = m.Field("volume")
        average: m.Operand = m.Indicator("sma", (rng.randint(5, 50),), volume)
        if rng.random() < 0.5:
            average = m.Ago(average, 1)
        return volume, m.Multiple(float(rng.choice((0.5, 1.5, 2))), average)
    if kind < 0.6:
        name = rng.choice(("rsi", "atr", "volatility", "bollinger_bandwidth"))
        inner = indicator(rng, name, nested=False)
        return inner, m.Indicator(
            rng.choice(("sma", "highest", "lowest")), (rng.randint(2, 40),), inner
        )
    left = m.Field(rng.choice(_FIELDS[:4])) if rng.random() < 0.6 else _price(rng)
    right = _price(rng)
    wrap = rng.random()
    if wrap < 0.15:
        right = m.Ago(right, rng.randint(1, 5))
    elif wrap < 0.25:
        right = m.Away(right, float(rng.choice((-5, -2, 1, 3))))
    elif wrap < 0.35:
        right = m.Apart(right, float(rng.choice((-2, -1, 0.5, 1))), m.Indicator("atr", (14,)))
    return left, right


def _price(rng: random.Random) -> m.Operand:
    if rng.random() < 0.3:
        return m.Field(rng.choice(_FIELDS[:4]))
    return indicator(rng, rng.choice(_PRICES), nested=False)


def made_bars(seed: int, count: int) -> list[dict[str, Any]]:
    """Daily bars of weekdays with flat stretches, gaps and bars without a range."""
    rng = random.Random(seed)
    bars: list[dict[str, Any]] = []
    close = 100.0
    day = np.datetime64("2014-12-01")
    for _ in range(count):
        day += 1
        while (int(day.astype("datetime64[D]").astype(int)) + 3) % 7 > 4:
            day += 1
        kind = rng.random()
        if kind < 0.03 and bars:
            opened = high = low = close
        else:
            opened = round(close * (1 + rng.gauss(0, 0.02 if kind < 0.1 else 0.004)), 2)
            close = round(opened * (1 + rng.gauss(0, 0.02)), 2)
            high = round(max(opened, close) * (1 + abs(rng.gauss(0, 0.006))), 2)
            low = round(min(opened, close) * (1 - abs(rng.gauss(0, 0.006))), 2)
        volume = float(0 if kind < 0.01 else rng.randint(1000, 90000))
        bars.append({"time": f"{day}T00:00:00Z", "open": opened, "high": high, "low": low,
                     "close": close, "volume": volume})  # fmt: skip
    return bars


def columns(bars: list[dict[str, Any]]) -> Columns:
    times = np.array([bar["time"].removesuffix("Z") for bar in bars], dtype="datetime64[s]")
    return Columns.of(times, *(np.array([bar[name] for bar in bars]) for name in _FIELDS))


def program(source: str) -> Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]:
    """A strategy's function, with the prelude around it."""
    module = ModuleType("strategy")
    module.__dict__.update(vars(prelude_functions))
    exec(compile(source, "strategy", "exec"), module.__dict__)  # noqa: S102
    found: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]
    found = module.execute_strategy
    return found

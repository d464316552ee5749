"""Bars, answers and an executor that strategies are tested with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from trackrecord.outcomes import Bar
from trackrecord.strategies.contract import FLAT, BarRow, Decision, Fault, Position, Side
from trackrecord.strategies.history import History, Series
from trackrecord.times import DAY

START = 15_000


def series_of(
    bars: Sequence[Bar],
    symbol: str = "AAA",
    days: Sequence[int] | None = None,
    volume: Sequence[float] | None = None,
) -> Series:
    """Daily bars, by default one on each day; each is known a day after it opened."""
    at = np.array([START + place for place in range(len(bars))] if days is None else days, np.int64)
    texts = [[format(bar[place], "f") for bar in bars] for place in range(4)]
    ratios = tuple(bar.split_ratio for bar in bars)
    return Series(
        symbol,
        at * DAY,
        at * DAY + DAY,
        *(np.array(column, np.float64) for column in texts),
        np.array(volume if volume is not None else [1000.0] * len(bars)),
        None if all(ratio == 1 for ratio in ratios) else ratios,
        (texts[0], texts[1], texts[2], texts[3]),
    )


def history_of(*series: Series) -> History:
    return History({each.symbol: each for each in series})


def bar(open_: Any, high: Any, low: Any, close: Any, split: Any = 1) -> Bar:
    return Bar(*(Decimal(str(price)) for price in (open_, high, low, close, split)))


def flat_bars(*prices: Any) -> list[Bar]:
    """Bars that stand still at a price."""
    return [bar(price, price, price, price) for price in prices]


def walk_bars(count: int, seed: int, *, drift: float = 0.0, volatility: float = 0.015) -> list[Bar]:
    """Bars of a random walk of small steps, in cents."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(drift / 8, volatility / math.sqrt(8), (count, 8))
    path = 100 * np.exp(np.cumsum(steps.ravel())).reshape(count, 8)
    found = []
    before = 100.0
    for prices in path:
        every = [before, *prices.tolist()]
        found.append(
            bar(*(f"{price:.2f}" for price in (before, max(every), min(every), float(prices[-1]))))
        )
        before = float(prices[-1])
    return found


@dataclass
class Given:
    """Answers that are given, as a rule's would be; a trail leaves with the best close."""

    enter_long: Any
    enter_short: Any
    leave_long: Any
    leave_short: Any
    stop_long: Any
    stop_short: Any
    target_long: Any
    target_short: Any
    close: Any
    horizon_bars: int | None = None
    trail: float | None = None

    def leaves(self, side: Side, row: int, entry_row: int) -> bool:
        flags = self.leave_long if side == "LONG" else self.leave_short
        if flags[row]:
            return True
        if self.trail is None:
            return False
        since = self.close[entry_row : row + 1]
        if side == "LONG":
            return bool(self.close[row] <= since.max() * (1 - self.trail))
        return bool(self.close[row] >= since.min() * (1 + self.trail))

    def leaves_at(self, side: Side, entry_row: int) -> int:
        count = len(self.close)
        return next(
            (row for row in range(entry_row, count) if self.leaves(side, row, entry_row)), count
        )


def given(series: Series, **columns: Any) -> Given:
    """Answers of which only some are named: rows that are true, or whole arrays."""
    count = len(series)
    found: dict[str, Any] = {}
    for name in ("enter_long", "enter_short", "leave_long", "leave_short"):
        flags = np.zeros(count, np.bool_)
        flags[[row for row in columns.pop(name, []) if row < count]] = True
        found[name] = flags
    for name in ("stop_long", "stop_short", "target_long", "target_short"):
        found[name] = np.full(count, columns.pop(name, np.nan), np.float64)
    return Given(**found, close=series.close, **columns)


@dataclass
class PlainSession:
    """Runs a strategy in this process: the real code, and no sandbox around it."""

    decide: Any
    lookback: int
    parameters: dict[str, Any]
    timeframe: str
    kept: dict[str, list[BarRow]] = field(default_factory=dict)

    def step(
        self, bars: Mapping[str, BarRow], positions: Mapping[str, Position]
    ) -> dict[str, Decision | Fault | None]:
        found: dict[str, Decision | Fault | None] = {}
        for symbol, row in bars.items():
            rows = self.kept.setdefault(symbol, [])
            rows.append(row)
            found[symbol] = None
            if len(rows) >= self.lookback:
                held = positions.get(symbol, FLAT)
                found[symbol] = call(
                    self.decide,
                    {
                        "symbol": symbol,
                        "timeframe": self.timeframe,
                        "bars": [each._asdict() for each in rows[-self.lookback :]],
                        "position": held._asdict(),
                    },
                    self.parameters,
                )
        return found

    def close(self) -> None:
        self.kept.clear()


def call(decide: Any, data: dict[str, Any], parameters: dict[str, Any]) -> Decision | Fault:
    try:
        answer = decide(data, parameters)
    except Exception as error:  # noqa: BLE001 - whatever a strategy does
        return Fault("error", f"{type(error).__name__}: {error}")
    metadata = answer.get("metadata") or {}
    return Decision(
        answer["action"],
        answer.get("confidence"),
        answer.get("reason", ""),
        metadata.get("stop_loss"),
        metadata.get("target_price"),
        metadata.get("horizon_bars"),
        metadata,
    )


class PlainExecutor:
    """Opens sessions of :class:`PlainSession`, and counts them."""

    def __init__(self) -> None:
        self.opened = 0

    def open(
        self,
        source: str,
        parameters: Mapping[str, Any],
        *,
        timeframe: str,
        history: Mapping[str, Sequence[BarRow]] | None = None,
    ) -> PlainSession:
        self.opened += 1
        space = _run(source)
        kept = {symbol: list(rows) for symbol, rows in (history or {}).items()}
        defaults = {name: each["default"] for name, each in space.get("PARAMETERS", {}).items()}
        return PlainSession(
            space["execute_strategy"],
            space.get("LOOKBACK", 260),
            defaults | dict(parameters),
            timeframe,
            kept,
        )

    def call(
        self, source: str, market_data: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> Decision | Fault:
        return call(_run(source)["execute_strategy"], dict(market_data), dict(parameters))


def _run(source: str) -> dict[str, Any]:
    space: dict[str, Any] = {}
    exec(source, space)  # noqa: S102 - the tests' own strategies
    return space

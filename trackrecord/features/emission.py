"""All features of signals at the moment of their emission."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trackrecord.features.catalogue import NAMES
from trackrecord.features.market import History, market_features
from trackrecord.features.regime import Regime, regime_of
from trackrecord.features.strategy_record import Resolved, record_features
from trackrecord.features.windows import Floats, Rows, Timeline, ages
from trackrecord.performance.measure import above_zero
from trackrecord.times import DAY

_EPOCH_WEEKDAY = 3
"""1 January 1970 was a Thursday."""


class Emitted(NamedTuple):
    """Signals; each array has one entry per signal."""

    symbol: NDArray[np.int64]
    """The number of the symbol in the history's ``starts``; -1 where it has no bars."""
    strategy: NDArray[np.int64]
    """A number for each strategy."""
    emitted_at: Rows
    """Microseconds since 1970 UTC."""
    direction: NDArray[np.int8]
    """+1 long, -1 short."""
    price: Floats
    target: Floats
    """NaN where there is none, as for the next two."""
    stop: Floats
    confidence: Floats
    horizon: Rows
    """Bars."""


class Market:
    """Bars, and what they say, ready to be asked about any moment."""

    def __init__(self, bars: History, regime: Regime | None = None) -> None:
        """Work out the features of every bar.

        Args:
            bars: Bars of all symbols.
            regime: The market as a whole; by default the universe's own index.
        """
        self.bars = bars
        self.age = ages(bars.starts, len(bars.close))
        self.features = market_features(bars, self.age)
        self.regime = regime or regime_of(bars, self.age, self.features["average_gap_20"])
        self._timeline = Timeline(bars.starts, bars.closed_at)

    def last_known(self, symbol: NDArray[np.int64], moment: Rows) -> Rows:
        """Row of the last bar of each symbol that had closed by a moment; -1 if none had."""
        if not len(self.bars.starts):
            return np.full(len(symbol), -1, np.int64)
        asked = np.maximum(symbol, 0)
        row = self._timeline.row(asked, moment, "right") - 1
        return np.where((symbol >= 0) & (row >= self.bars.starts[asked]), row, -1)


def features_at_emission(market: Market, signals: Emitted, resolved: Resolved) -> dict[str, Floats]:
    """Work out every feature of the catalogue for signals.

    Args:
        market: Bars; those that close after an emission do not count for it.
        signals: (n,) arrays.
        resolved: Outcomes of earlier signals; those not yet known do not count.

    Returns:
        (n,) arrays by name, in the order of ``NAMES``; NaN where something is not known.
    """
    row = market.last_known(signals.symbol, signals.emitted_at)
    found = {name: _at(values, row) for name, values in market.features.items()}
    moment = np.searchsorted(market.regime.closed_at, signals.emitted_at, "right") - 1
    found |= {name: _at(values, moment) for name, values in market.regime.features.items()}
    found["relative_return_20"] = found["return_20"] - found["market_return_20"]
    found |= _geometry(signals, found, _at(market.bars.close, row))
    found |= record_features(resolved, signals.strategy, signals.emitted_at)
    found |= _calendar(signals.emitted_at)
    return {name: found[name] for name in NAMES}


def _at(values: Floats, rows: Rows) -> Floats:
    """Values at rows; NaN at -1."""
    if not len(values):
        return np.full(len(rows), np.nan)
    return np.where(rows >= 0, values[rows], np.nan)


def _geometry(signals: Emitted, known: dict[str, Floats], last_close: Floats) -> dict[str, Floats]:
    price, last_close = above_zero(signals.price), above_zero(last_close)
    with np.errstate(divide="ignore", invalid="ignore"):
        target = np.abs(signals.target - price) / price
        stop = np.abs(price - signals.stop) / price
        found = {
            "direction": signals.direction.astype(np.float64),
            "target_distance": target,
            "stop_distance": stop,
            "reward_to_risk": target / stop,
            "target_in_ranges": target / known["true_range_14"],
            "stop_in_ranges": stop / known["true_range_14"],
            "horizon": signals.horizon.astype(np.float64),
            "confidence": signals.confidence.astype(np.float64),
            "price_gap": price / last_close - 1,
            "trend_with": signals.direction * known["return_20"],
        }
    for values in found.values():
        values[~np.isfinite(values)] = np.nan
    return found


def _calendar(emitted_at: Rows) -> dict[str, Floats]:
    days = emitted_at // DAY
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    return {
        "weekday": ((days + _EPOCH_WEEKDAY) % 7).astype(np.float64),
        "month": (months.astype(np.int64) % 12 + 1).astype(np.float64),
        "day_of_month": (dates - months).astype(np.int64).astype(np.float64) + 1,
    }

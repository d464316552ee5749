"""Bars that nobody has traded at, to try a strategy on where there are no real ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from trackrecord.strategies.contract import BarRow

_DAYS: Final = 1_300


def made_up() -> dict[str, list[BarRow]]:
    """Random walks with gaps of three symbols, by symbol, oldest first; the same each time."""
    found = {}
    for number, symbol in enumerate(("AAA", "BBB", "CCC")):
        dice = np.random.default_rng(number)
        price, rows = 100.0, []
        for day in range(_DAYS):
            opened = price * float(np.exp(dice.normal(0, 0.005)))
            price = opened * float(np.exp(dice.normal(0.0002, 0.02)))
            high = max(opened, price) * float(np.exp(abs(dice.normal(0, 0.005))))
            low = min(opened, price) * float(np.exp(-abs(dice.normal(0, 0.005))))
            at = datetime(2006, 1, 2, tzinfo=UTC) + timedelta(days=day)
            time = at.isoformat().replace("+00:00", "Z")
            volume = float(dice.integers(100_000, 10_000_000))
            rows.append(BarRow(time, opened, high, low, price, volume))
        found[symbol] = rows
    return found

"""Bars to try a strategy on before it is kept: real ones where there are enough, else made-up ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from trackrecord.catalogue.bars import read_history
from trackrecord.runtime.database import Cursor, rows
from trackrecord.strategies.contract import MOST_LOOKBACK, BarRow
from trackrecord.strategies.history import BadBarsError

Bars = Mapping[str, Sequence[BarRow]]
"""By symbol, the oldest first."""

_SYMBOLS: Final = 4
_LOOKED_AT: Final = 16
"""Symbols that are looked at for enough bars."""
_MOST: Final = 1_300
_LEAST: Final = MOST_LOOKBACK + 100
"""Bars of a symbol with which every strategy can be tried."""


def trial_bars(cursor: Cursor) -> Bars:
    """Daily bars of up to four symbols from the database; made-up ones where it has too few."""
    found = rows(
        cursor,
        "SELECT symbol FROM watched_symbols WHERE timeframe = '1d' AND last_opened_at IS NOT NULL"
        " ORDER BY symbol LIMIT %s",
        (_LOOKED_AT,),
    )
    try:
        history = read_history(cursor, [symbol for (symbol,) in found], "1d", latest=_MOST)
    except BadBarsError:
        return made_up()
    enough = [each for each in history.series.values() if len(each) >= _LEAST][:_SYMBOLS]
    if not enough:
        return made_up()
    return {each.symbol: [each.row(row) for row in range(len(each))] for each in enough}


def made_up() -> dict[str, list[BarRow]]:
    """Random walks with gaps of three symbols, the same each time."""
    found = {}
    for number, symbol in enumerate(("AAA", "BBB", "CCC")):
        dice = np.random.default_rng(number)
        price, made = 100.0, []
        for day in range(_MOST):
            opened = price * float(np.exp(dice.normal(0, 0.005)))
            price = opened * float(np.exp(dice.normal(0.0002, 0.02)))
            high = max(opened, price) * float(np.exp(abs(dice.normal(0, 0.005))))
            low = min(opened, price) * float(np.exp(-abs(dice.normal(0, 0.005))))
            at = datetime(2006, 1, 2, tzinfo=UTC) + timedelta(days=day)
            time = at.isoformat().replace("+00:00", "Z")
            volume = float(dice.integers(100_000, 10_000_000))
            made.append(BarRow(time, opened, high, low, price, volume))
        found[symbol] = made
    return found

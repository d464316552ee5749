"""Bars to try a strategy on before it is kept: real ones, or made-up ones where these are few."""

from __future__ import annotations

from typing import Final

from trackrecord.catalogue.bars import read_history
from trackrecord.catalogue.laboratory import Bars
from trackrecord.runtime.database import Cursor, rows
from trackrecord.strategies.contract import MOST_LOOKBACK
from trackrecord.strategies.history import BadBarsError
from trackrecord.strategies.made_up_bars import made_up

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

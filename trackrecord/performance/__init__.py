"""Numbers: what a trade earned, and what a record of trades amounts to.

Pure functions of their arguments. Money is ``Decimal`` and exact; a number that is not defined is
``None``, with a reason beside it. Definitions: docs/numbers.md.

By what one holds:

=====================  ==================================================================
one trade              ``trades.one_trade``: ``gross_pnl``, ``trade_return``, ``outcome``
a list of trades       :func:`close`, :func:`summarise`, :func:`summarise_days` (by session)
a series of returns    :func:`summarise_returns`, :func:`rolling`
sums per day           :func:`records` of many strategies, :func:`numbers_of_sums` of one
=====================  ==================================================================

Where it lies:

- ``trades/``: one trade, many in columns, their summary, and their sums per day.
- ``returns/``: growth and tails (``statistics``), return for risk (``sharpe``), falls and
  recoveries (``drawdown``), windows (``rolling``), against a benchmark; ``summary`` has them all.
- ``confidence/``: intervals of rates, and of series by the bootstrap; many series at once.
- ``sums/``: what consumers add up, and every number that follows without the trades; ``written``
  is how a report shows them.
- ``measure``: a number or its reason. ``exact``, ``exact_columns``: decimals, one and many.
- ``trend``: whether what a script prints gets better; ``script_results``: lately and before.

What is named here is loaded when it is first asked for, so that who needs a trade loads no arrays.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from trackrecord.performance.measure import Measure as Measure
    from trackrecord.performance.measure import Numbers as Numbers
    from trackrecord.performance.returns.rolling import rolling as rolling
    from trackrecord.performance.returns.summary import summarise_returns as summarise_returns
    from trackrecord.performance.sums.days import Day as Day
    from trackrecord.performance.sums.days import DayTable as DayTable
    from trackrecord.performance.sums.records import records as records
    from trackrecord.performance.sums.sums import Sums as Sums
    from trackrecord.performance.sums.sums import numbers_of_sums as numbers_of_sums
    from trackrecord.performance.trades.by_day import summarise_days as summarise_days
    from trackrecord.performance.trades.many_trades import Trade as Trade
    from trackrecord.performance.trades.many_trades import Trades as Trades
    from trackrecord.performance.trades.many_trades import close as close
    from trackrecord.performance.trades.summary import summarise as summarise

_LIES_IN: Final = {
    "Measure": "measure",
    "Numbers": "measure",
    "Trade": "trades.many_trades",
    "Trades": "trades.many_trades",
    "close": "trades.many_trades",
    "summarise": "trades.summary",
    "summarise_days": "trades.by_day",
    "rolling": "returns.rolling",
    "summarise_returns": "returns.summary",
    "Day": "sums.days",
    "DayTable": "sums.days",
    "records": "sums.records",
    "Sums": "sums.sums",
    "numbers_of_sums": "sums.sums",
}

__all__ = sorted(_LIES_IN)  # noqa: PLE0605 - each is in the table above


def __getattr__(name: str) -> Any:
    if name not in _LIES_IN:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"{__name__}.{_LIES_IN[name]}"), name)

"""The tables of the strategy_runner; nobody else writes them.

====================  =========================================================================
:mod:`.bars`          ``strategy_bars`` and ``strategy_sessions``
:mod:`.symbols`       ``strategy_symbols``: locks, versions, who has ceased to trade
:mod:`.positions`     ``strategy_positions``
:mod:`.decisions`     ``strategy_decisions``, ``strategy_counts`` and ``strategy_failures``
:mod:`.strategies`    which strategies are active, and their suspension, in ``strategies``
====================  =========================================================================
"""

from __future__ import annotations

from typing import Final

from services.strategy_runner.store import bars, decisions, positions, strategies, symbols

__all__ = ["TEMPORARY", "bars", "decisions", "positions", "strategies", "symbols"]

TEMPORARY: Final = "".join(part.TEMPORARY for part in (bars, symbols, positions, decisions))
"""The temporary tables that a batch is loaded into, made when a session opens."""

"""The tables of the outcome_scorer; nobody else writes them.

========================  =====================================================================
:mod:`.symbols`           ``watched_symbols``: locks, versions, who has ceased to trade
:mod:`.bars`              ``bars``
:mod:`.sessions`          ``sessions``: the market as a whole
:mod:`.signals`           ``watched_signals``, and the exits of others in ``closings``
:mod:`.outcomes`          ``outcomes``, and the exits of ours in ``closings``
:mod:`.assessments`       ``assessments`` and ``feature_sets``
:mod:`.totals`            ``outcome_totals`` and ``verdict_totals``
:mod:`.asked`             which symbols' history a statement is to read
========================  =====================================================================
"""

from __future__ import annotations

from typing import Final

from services.outcome_scorer.store import (
    asked,
    assessments,
    bars,
    outcomes,
    sessions,
    signals,
    symbols,
    totals,
)

__all__ = [
    "TEMPORARY",
    "assessments",
    "bars",
    "outcomes",
    "sessions",
    "signals",
    "symbols",
    "totals",
]

TEMPORARY: Final = "".join(
    part.TEMPORARY
    for part in (bars, signals, asked, sessions, assessments, outcomes, totals, symbols)
)
"""The temporary tables that a batch is loaded into, made when a session opens."""

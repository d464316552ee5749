"""The outcome_scorer as a stage: its topics, handler, tables and metrics."""

from __future__ import annotations

from services.outcome_scorer.handler.scorer import OutcomeScorer
from services.outcome_scorer.tables import TABLES
from trackrecord.events import (
    MarketBar,
    SignalAssessed,
    SignalClosed,
    SignalEmitted,
    SignalScored,
)
from trackrecord.runtime.stage import Stage

STAGE = Stage(
    name="outcome_scorer",
    consumes=(MarketBar, SignalEmitted, SignalClosed),
    produces=(SignalAssessed, SignalScored, SignalClosed),
    handler=OutcomeScorer,
    tables=TABLES,
)

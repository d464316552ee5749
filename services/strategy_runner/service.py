"""The strategy_runner as a stage: its topics, handler, tables and metrics."""

from __future__ import annotations

from services.strategy_runner.handler.runner import StrategyRunner
from services.strategy_runner.tables import TABLES
from trackrecord.events import MarketBar, SignalClosed, SignalEmitted
from trackrecord.runtime.stage import Stage

STAGE = Stage(
    name="strategy_runner",
    consumes=(MarketBar,),
    produces=(SignalEmitted, SignalClosed),
    handler=StrategyRunner,
    tables=TABLES,
)

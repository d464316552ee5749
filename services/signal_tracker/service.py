"""The signal_tracker as a stage: its topics, handler, tables and metrics."""

from __future__ import annotations

from services.signal_tracker.handler import SignalTracker
from services.signal_tracker.tables import TABLES
from trackrecord.events import SignalClosed, SignalEmitted
from trackrecord.runtime.stage import Stage

STAGE = Stage(
    name="signal_tracker",
    consumes=(SignalEmitted, SignalClosed),
    produces=(),
    handler=SignalTracker,
    tables=TABLES,
)

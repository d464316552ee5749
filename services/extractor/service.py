"""The extractor as a stage: its topics, handler, tables and metrics."""

from __future__ import annotations

from services.extractor.handler import Extractor
from services.extractor.tables import TABLES
from trackrecord.events import ScriptExecuted, SignalClosed, SignalEmitted
from trackrecord.runtime.stage import Stage

STAGE = Stage(
    name="extractor",
    consumes=(ScriptExecuted,),
    produces=(SignalEmitted, SignalClosed),
    handler=Extractor,
    tables=TABLES,
)

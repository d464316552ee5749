"""All event types by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from trackrecord.events.base import Event
from trackrecord.events.learning import ModelTrained
from trackrecord.events.market import MarketBar
from trackrecord.events.scripts import ScriptExecuted
from trackrecord.events.signals import SignalAssessed, SignalClosed, SignalEmitted, SignalScored
from trackrecord.events.strategies import StrategyGenerated, StrategyRequested

EVENTS: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {
        model.event_type: model
        for model in (
            ScriptExecuted,
            SignalEmitted,
            SignalClosed,
            MarketBar,
            SignalAssessed,
            SignalScored,
            ModelTrained,
            StrategyRequested,
            StrategyGenerated,
        )
    }
)
"""The current version of each event type, by the name that is also its topic's."""

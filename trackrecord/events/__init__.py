"""The typed events that the services exchange: the contract, and nothing else.

``from trackrecord.events import SignalEmitted`` gives the model;
:mod:`trackrecord.events.codec` goes between a model and a Kafka message.
"""

from trackrecord.events.base import Event, derived_id
from trackrecord.events.codec import InvalidEventError
from trackrecord.events.learning import ModelTrained
from trackrecord.events.market import MarketBar
from trackrecord.events.registry import EVENTS
from trackrecord.events.scripts import ScriptExecuted
from trackrecord.events.signals import SignalAssessed, SignalClosed, SignalEmitted, SignalScored
from trackrecord.events.strategies import StrategyGenerated, StrategyRequested

__all__ = [
    "EVENTS",
    "Event",
    "InvalidEventError",
    "MarketBar",
    "ModelTrained",
    "ScriptExecuted",
    "SignalAssessed",
    "SignalClosed",
    "SignalEmitted",
    "SignalScored",
    "StrategyGenerated",
    "StrategyRequested",
    "derived_id",
]

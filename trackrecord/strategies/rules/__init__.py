"""Rules: a strategy as a tree of conditions, which text, code and decisions are made from."""

from trackrecord.strategies.rules.evaluate import Columns, Series, Signals, evaluate
from trackrecord.strategies.rules.model import Rule

__all__ = ["Columns", "Rule", "Series", "Signals", "evaluate"]

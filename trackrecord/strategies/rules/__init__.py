"""Rules: a strategy as a tree of conditions, which text, code and decisions are made from."""

from trackrecord.strategies.rules.evaluate import Signals, evaluate
from trackrecord.strategies.rules.model import Rule
from trackrecord.strategies.rules.series import Columns, Series

__all__ = ["Columns", "Rule", "Series", "Signals", "evaluate"]

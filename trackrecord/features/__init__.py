"""What was known of a signal when it was emitted, as numbers.

:mod:`trackrecord.features.catalogue` lists them all; :func:`features_at_emission` works them out
for any number of signals.
"""

from trackrecord.features.catalogue import BARS_NEEDED, FEATURES, NAMES, Feature
from trackrecord.features.emission import Emitted, Market, features_at_emission
from trackrecord.features.market import History
from trackrecord.features.regime import Regime, regime_of
from trackrecord.features.strategy_record import Resolved

__all__ = [
    "BARS_NEEDED",
    "FEATURES",
    "NAMES",
    "Emitted",
    "Feature",
    "History",
    "Market",
    "Regime",
    "Resolved",
    "features_at_emission",
    "regime_of",
]

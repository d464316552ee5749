"""Sentences over the features that mattered to a trained model, for the rules at hand to read.

A model that judges signals does not say when to buy. That a feature mattered is only a reason to
try a rule about it; whether that earns anything, its record has to show.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from trackrecord.events import StrategyRequested
from trackrecord.events.base import derived_id
from trackrecord.providers.choice import OFFLINE

PROPOSER: Final = "strategy_gen"
"""The owner of what was proposed."""
MOST: Final = 3
"""Proposals for one version of a model."""

SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "return_5": "Buy when the close is down more than 5% over the last 5 days, hold 5 days",
        "return_20": "Buy when the close is up more than 5% over the last 20 days, hold 20 days",
        "return_60": "Buy when the close is up more than 10% over the last 60 days, hold 20 days",
        "average_gap_20": "Buy when the close crosses above the 20 day average, sell when it "
        "crosses below",
        "average_gap_50": "Buy when the close crosses above the 50 day average, sell when it "
        "crosses below",
        "averages_20_50": "Buy when the 20 day average crosses above the 50 day average, sell when "
        "it crosses below",
        "rsi_14": "Buy when RSI(14) crosses below 30, sell when RSI(14) is above 50",
        "stochastic_14": "Buy when stochastic %K(14) is below 20, sell when it is above 80",
        "volatility_5_20": "Buy when the 5 day volatility is less than half of the 20 day "
        "volatility and the close is above the 20 day average, hold 10 days",
        "volume_1_20": "Buy when volume is more than double its 20 day average and the close is "
        "above the open, hold 5 days",
        "gap_1": "Buy when it gaps down more than 2%, hold 1 day",
        "close_in_bar": "Buy when the close is in the top 10% of the day's range, hold 1 day",
        "range_position_20": "Buy when the close is above the highest high of the last 20 days, "
        "sell when the close is below the lowest low of the last 10 days",
        "below_high_250": "Buy new 52 week highs, trailing stop 3 ATR",
        "above_low_250": "Buy when the close is 10% below the 50 day high and above the 200 day "
        "average, hold 20 days",
    }
)
"""By feature of :mod:`trackrecord.features.catalogue`; of others no rule can be made from bars."""


def proposals(version: str, importances: Mapping[str, float]) -> list[StrategyRequested]:
    """What to ask the rules at hand for, because of what a model learnt.

    Args:
        version: Of the model.
        importances: How much each feature mattered, by name.

    Returns:
        Requests with ids of their own, the same each time.
    """
    ranked = sorted(importances.items(), key=lambda each: (-each[1], each[0]))
    chosen = [name for name, weight in ranked if weight > 0 and name in SENTENCES][:MOST]
    return [
        StrategyRequested(
            request_id=derived_id("proposal", version, name),
            owner=PROPOSER,
            prompt=SENTENCES[name],
            provider=OFFLINE,
            model_version=version,
            name=f"{name}-{version}"[:128],
        )
        for name in chosen
    ]

"""Strategies ready to take: sentences of the documents that are understood whole.

Each is made anew by the rules at hand, so it is what the sentence says today; a copy is its taker's
own, and as it was when it was taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from trackrecord.catalogue.life import NoStrategyError
from trackrecord.strategies.generate import Generated, generate


@dataclass(frozen=True)
class Template:
    """A strategy ready to take.

    Attributes:
        name: By which it is taken.
        sentence: What it is made from.
        description: What it is about, and what it bets on.
    """

    name: str
    sentence: str
    description: str


_ALL: Final = (
    Template(
        "average-cross",
        "Buy when the 20 day moving average crosses above the 50 day moving average, sell when it "
        "crosses back below, stop loss 5%",
        "Follows a trend once the short average of prices has overtaken the long one.",
    ),
    Template(
        "golden-cross",
        "Golden cross strategy: 50/200 SMA, long only",
        "Holds in long trends: the 50 day average above the 200 day one.",
    ),
    Template(
        "rsi-dip-in-uptrend",
        "Go long if RSI(14) drops under 30, exit once RSI is over 70; only trade when price is "
        "above the 200 day SMA",
        "Buys what has fallen quickly, in a market that rises in the long run.",
    ),
    Template(
        "macd-cross",
        "Buy when the MACD line crosses above its signal line (12, 26, 9), close the position when "
        "it crosses below",
        "Follows a change of momentum.",
    ),
    Template(
        "bollinger-return",
        "Buy if the close falls below the lower Bollinger band (20, 2) and take profit at the "
        "middle band",
        "Bets that a price far below its average comes back to it.",
    ),
    Template(
        "bollinger-short",
        "Short when price closes above the upper Bollinger band, cover at the 20 day average, 3% "
        "stop",
        "Bets that a price far above its average comes back to it.",
    ),
    Template(
        "channel-breakout",
        "Buy a close above the highest high of the last 55 days, exit on a close below the 20 day "
        "low",
        "Follows a price out of the range that it kept to for a quarter of a year.",
    ),
    Template(
        "year-high-on-volume",
        "Buy new 52 week highs with volume at least 1.5 times the 50 day average volume, trailing "
        "stop 3 ATR",
        "Follows a new high that many take part in, for as long as it goes on.",
    ),
    Template(
        "three-red-days",
        "Buy the dip: after three red days in a row buy and hold for 5 days",
        "Bets that a short fall is followed by a recovery.",
    ),
    Template(
        "z-score-return",
        "Mean reversion: buy when the z-score of the close over 20 days is below -2, exit when it "
        "is back above 0",
        "Bets that an unusual price becomes a usual one again.",
    ),
    Template(
        "trend-with-strength",
        "Buy when EMA 9 crosses above EMA 21 and ADX is above 25, sell when EMA 9 crosses below "
        "EMA 21",
        "Follows a trend where it is a strong one.",
    ),
    Template(
        "supertrend",
        "Supertrend (10, 3): buy when it turns bullish, sell when it turns bearish",
        "Holds while the price stays on the upper side of a band that follows it.",
    ),
    Template(
        "donchian-both-ways",
        "Donchian 20 breakout both directions with a 2 x ATR(14) stop",
        "Long above the range of a month, short below it.",
    ),
    Template(
        "squeeze-breakout",
        "Buy when Bollinger bandwidth is the lowest in 120 days and the close breaks above the "
        "upper band",
        "Follows the first large step after a quiet time.",
    ),
)

TEMPLATES: Final[Mapping[str, Template]] = MappingProxyType({each.name: each for each in _ALL})
"""Every template by name."""


def template(name: str) -> Template:
    """A template.

    Raises:
        NoStrategyError: There is none of that name.
    """
    found = TEMPLATES.get(name)
    if found is None:
        raise NoStrategyError(f"there is no template {name!r}: choose from {', '.join(TEMPLATES)}")
    return found


@lru_cache(maxsize=len(_ALL))
def read_template(name: str) -> Generated:
    """What a template comes to: its rule, in words too, without the code being validated.

    Raises:
        NoStrategyError: There is none of that name.
    """
    return generate(template(name).sentence)

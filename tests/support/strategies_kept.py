"""Versions of strategies to keep, and bars in the database to judge them on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np

from trackrecord.catalogue.making import version_of_rule
from trackrecord.catalogue.store.rows import Made
from trackrecord.events import StrategyRequested
from trackrecord.runtime.database import Cursor
from trackrecord.strategies.generate import generate

NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
CROSS = (
    "Buy when the 20 day moving average crosses above the 50 day moving average, sell when it "
    "crosses back below, stop loss 5%"
)
DIP = "Buy the dip: after three red days in a row buy and hold for 5 days"
HALF = "Buy when the close crosses above the 20 day average and fear is low"
"""A sentence with words that nothing is made of: a draft with code."""


def by_rule(sentence: str = CROSS, name: str = "cross") -> Made:
    """What a sentence makes, taken as valid where it is understood."""
    return version_of_rule(generate(sentence, lambda _: []), name=name, prompt=sentence)


def by_hand(action: str = "hold", name: str = "by-hand", *, is_valid: bool = True) -> Made:
    """Code that nobody's words made."""
    code = (
        'PARAMETERS = {"days": {"type": "int", "default": 5, "min": 2, "max": 50}}\n'
        "LOOKBACK = 60\n\n"
        "def execute_strategy(market_data, strategy_params):\n"
        f'    return {{"action": "{action}"}}\n'
    )
    return Made(
        kind="code",
        name=name,
        code=code,
        is_valid=is_valid,
        declared={"days": {"type": "int", "default": 5, "min": 2, "max": 50}},
    )


def requested(prompt: str = CROSS, **more: Any) -> StrategyRequested:
    """A request with an id of its own, unless one is given."""
    given = {"request_id": str(uuid4()), "owner": "ada", "prompt": prompt, **more}
    return StrategyRequested(**given)


def fill_bars(
    cursor: Cursor, symbols: tuple[str, ...] = ("AAA", "BBB"), days: int = 900, source: str = "feed"
) -> None:
    """Daily random walks, as the stage that scores signals stores them."""
    for number, symbol in enumerate(symbols):
        dice = np.random.default_rng(number)
        closes = 100 * np.exp(np.cumsum(dice.normal(0.0003, 0.015, days)))
        opens = closes * np.exp(dice.normal(0, 0.004, days))
        highs = np.maximum(opens, closes) * 1.004
        lows = np.minimum(opens, closes) * 0.996
        for day in range(days):
            at = datetime(2022, 1, 3, tzinfo=UTC) + timedelta(days=day + 2 * (day // 5))
            cursor.execute(
                "INSERT INTO bars (symbol, timeframe, opened_at, source, closed_at, open, high,"
                " low, close, volume, revision, appended_at)"
                " VALUES (%s, '1d', %s, %s, %s, %s, %s, %s, %s, 1000, 0, %s)",
                (
                    symbol, at, source, at + timedelta(hours=20),
                    *(f"{each[day]:.2f}" for each in (opens, highs, lows, closes)), at,
                ),
            )  # fmt: skip
        cursor.execute(
            "INSERT INTO watched_symbols (symbol, timeframe, version, last_opened_at)"
            " VALUES (%s, '1d', 1, %s) ON CONFLICT DO NOTHING",
            (symbol, at),
        )

"""Strategies of users, made over HTTP as they would make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx

PATH: Final = "/api/strategies"

CROSS: Final = (
    "Buy when the 20 day moving average crosses above the 50 day moving average, "
    "sell when it crosses back below, stop loss 5%"
)
DRAFT: Final = "Buy when RSI < 30, risk 1% of equity per trade with a 2 ATR stop"
"""Not all of this is understood."""

REFUSED: Final = "Make me rich with no risk"

HOLDS: Final = '''"""Hold, whatever comes."""
PARAMETERS = {"level": {"type": "float", "default": 1.0, "min": 0.0, "max": 9.0}}
LOOKBACK = 2


def execute_strategy(market_data, strategy_params):
    close = market_data["bars"][-1]["close"]
    if close < strategy_params["level"]:
        return {"action": "buy", "reason": "cheap"}
    return {"action": "hold"}
'''
"""Code that is valid."""

BROKEN: Final = "def execute_strategy(market_data, strategy_params):\n    return close\n"

Json = dict[str, Any]


def made(client: httpx.Client, name: str, prompt: str = CROSS, **more: Any) -> Json:
    """What a user has made of a sentence; see that it was made."""
    answer = client.post(f"{PATH}/generate/", json={"prompt": prompt, "name": name, **more})
    assert answer.status_code == 201, (answer.status_code, answer.text[:2000])
    found: Json = answer.json()
    return found


def at(found: Mapping[str, Any], *more: str) -> str:
    """The path of a strategy that was made."""
    return "/".join((PATH, str(found["strategy"]["strategy_id"]), *more)) + "/"

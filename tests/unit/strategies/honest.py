"""Strategies that decide from their bars and their position alone, and must pass."""

from __future__ import annotations

SMA_CROSS = '''
"""Two averages that cross."""

LOOKBACK = 51
PARAMETERS = {
    "fast": {"type": "int", "default": 20, "min": 2, "max": 50, "description": "bars"},
    "slow": {"type": "int", "default": 50, "min": 2, "max": 50, "description": "bars"},
}


def average(values, n):
    return sum(values[-n:]) / n


def execute_strategy(market_data, strategy_params):
    closes = [bar["close"] for bar in market_data["bars"]]
    fast, slow = strategy_params["fast"], strategy_params["slow"]
    now = average(closes, fast) - average(closes, slow)
    before = average(closes[:-1], fast) - average(closes[:-1], slow)
    if now > 0 and before <= 0:
        return {
            "action": "buy",
            "confidence": 0.6,
            "reason": "crossed above",
            "metadata": {"stop_loss": closes[-1] * 0.95},
        }
    if now < 0 and before >= 0:
        return {"action": "sell", "reason": "crossed below"}
    return {"action": "hold"}
'''

RSI_WINDOW = """
import math


def wilder(closes, n):
    gain = loss = 0.0
    for i in range(1, len(closes)):
        change = closes[i] - closes[i - 1]
        up, down = max(change, 0.0), max(-change, 0.0)
        if i <= n:
            gain += up / n
            loss += down / n
        else:
            gain = (gain * (n - 1) + up) / n
            loss = (loss * (n - 1) + down) / n
    return 100.0 if loss == 0 else 100 - 100 / (1 + gain / loss)


def execute_strategy(market_data, strategy_params):
    value = wilder([bar["close"] for bar in market_data["bars"]], 14)
    if math.isnan(value):
        return {"action": "hold"}
    if value < 35:
        return {"action": "buy", "reason": f"RSI {value:.1f}"}
    if value > 65:
        return {"action": "sell", "reason": f"RSI {value:.1f}"}
    return {"action": "hold"}
"""

TRAILING = '''
"""Buys above an average whenever flat; leaves 7 % below the highest close since it entered."""

LOOKBACK = 60


def execute_strategy(market_data, strategy_params):
    bars = market_data["bars"]
    position = market_data["position"]
    closes = [bar["close"] for bar in bars]
    if position["side"] is None:
        if closes[-1] > sum(closes[-30:]) / 30:
            return {"action": "buy", "metadata": {"horizon_bars": 40}}
        return {"action": "hold"}
    highest = position["entry_price"]
    for close in closes[-20:]:
        if close > highest:
            highest = close
    if closes[-1] < highest * 0.93:
        return {"action": "sell", "reason": "trail"}
    return {"action": "hold"}
'''

BOTH_SIDES = '''
"""Bollinger bands, both ways, with state that ends with each call."""

import datetime
from collections import deque
from dataclasses import dataclass

SIDES = "both"
LOOKBACK = 30
WEIGHTS = [1.0, 0.5]


@dataclass
class Band:
    middle: float
    width: float


def band(closes):
    middle = sum(closes) / len(closes)
    variance = sum((close - middle) ** 2 for close in closes) / len(closes)
    return Band(middle, variance ** 0.5)


def execute_strategy(market_data, strategy_params):
    bars = market_data["bars"]
    recent = deque(maxlen=20)
    for bar in bars:
        recent.append(bar["close"])
    found = band(list(recent))
    last = recent[-1]
    opened = datetime.datetime.fromisoformat(bars[-1]["time"])
    if opened.weekday() == 4:
        return {"action": "hold", "reason": "no new positions on Fridays"}
    if last < found.middle - 2 * WEIGHTS[0] * found.width:
        return {"action": "buy", "metadata": {"target_price": last * 1.1, "stop_loss": last * 0.9}}
    if last > found.middle + 2 * found.width:
        return {"action": "sell", "metadata": {"target_price": last * 0.9, "stop_loss": last * 1.1}}
    return {"action": "hold"}
'''

SEEDED = '''
"""Random numbers are allowed where a call begins them itself."""

import random

LOOKBACK = 5


def execute_strategy(market_data, strategy_params):
    dice = random.Random(int(market_data["bars"][-1]["close"] * 100))
    return {"action": "buy" if dice.random() < 0.2 else "sell" if dice.random() < 0.2 else "hold"}
'''

WITHIN_ONE_CALL = '''
"""Closures and lists that end with the call are no state."""

LOOKBACK = 10
SIGNS = {"up": max, "down": min}
by_close = lambda bar: bar["close"]


def doubled(function):
    def inside(value):
        return 2 * function(value)

    return inside


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def execute_strategy(market_data, strategy_params):
    count = 0
    seen = []

    def note(value):
        nonlocal count
        count += 1
        seen.append(value)

    for bar in market_data["bars"]:
        if bar["close"] > bar["open"]:
            note(bar["close"])
    highest = SIGNS["up"](market_data["bars"], key=by_close)
    enough = count > doubled(fibonacci)(4) and highest["close"] > 0
    return {"action": "buy" if enough else "hold", "metadata": {"seen": seen}}
'''

HONEST = {
    "sma_cross": SMA_CROSS,
    "rsi_window": RSI_WINDOW,
    "trailing": TRAILING,
    "both_sides": BOTH_SIDES,
    "seeded": SEEDED,
    "within_one_call": WITHIN_ONE_CALL,
}

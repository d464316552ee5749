"""Long above the highest high of the last bars, short below the lowest low, and turns around.

With SIDES = "both" a sell while long closes it and opens a short. Stops are two average true
ranges away; a stop lies below the last close for a long and above it for a short.
"""

SIDES = "both"
LOOKBACK = 120
PARAMETERS = {
    "channel": {"type": "int", "default": 20, "min": 5, "max": 100, "description": "bars"},
    "ranges": {"type": "float", "default": 2.0, "min": 0.5, "max": 10.0},
}


def execute_strategy(market_data, strategy_params):
    bars = market_data["bars"]
    highs = [bar["high"] for bar in bars]
    lows = [bar["low"] for bar in bars]
    closes = [bar["close"] for bar in bars]
    channel = strategy_params["channel"]
    # Without the bar decided on: its own high is never below its close.
    ceiling = highest(highs[:-1], channel)
    floor = lowest(lows[:-1], channel)
    distance = strategy_params["ranges"] * atr(highs, lows, closes)
    if distance <= 0:
        return {"action": "hold", "reason": "bars without any range"}
    if closes[-1] > ceiling:
        return {"action": "buy", "metadata": {"stop_loss": closes[-1] - distance}}
    if closes[-1] < floor:
        return {"action": "sell", "metadata": {"stop_loss": closes[-1] + distance}}
    return {"action": "hold"}

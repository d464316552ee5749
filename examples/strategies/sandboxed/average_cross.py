"""Two averages that cross: long while the fast one is above the slow one.

The classic to begin with. It acts only on the bar of the cross, so it is flat until the first one.
"""

LOOKBACK = 201
PARAMETERS = {
    "fast": {"type": "int", "default": 20, "min": 2, "max": 100, "description": "bars"},
    "slow": {"type": "int", "default": 50, "min": 5, "max": 200, "description": "bars"},
    "stop_percent": {
        "type": "float",
        "default": 5.0,
        "min": 0.5,
        "max": 50.0,
        "description": "below the close of the bar decided on",
    },
}


def execute_strategy(market_data, strategy_params):
    closes = [bar["close"] for bar in market_data["bars"]]
    # The last two values of each: before this bar, and with it.
    fast = sma_series(closes, strategy_params["fast"], 2)
    slow = sma_series(closes, strategy_params["slow"], 2)
    if crossed_above(fast, slow):
        stop = closes[-1] * (1 - strategy_params["stop_percent"] / 100)
        return {
            "action": "buy",
            "reason": f"{fast[-1]:.2f} crossed above {slow[-1]:.2f}",
            "metadata": {"stop_loss": stop},
        }
    if crossed_below(fast, slow):
        return {"action": "sell", "reason": f"{fast[-1]:.2f} crossed below {slow[-1]:.2f}"}
    return {"action": "hold"}

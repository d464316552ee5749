"""In while the close is above its average; out when it has given back a part of its best.

It remembers nothing: what was highest since the entry follows from the bars and from the position,
so the same call on the same bars always answers the same.
"""

LOOKBACK = 200
PARAMETERS = {
    "average": {"type": "int", "default": 100, "min": 10, "max": 200, "description": "bars"},
    "give_back": {
        "type": "float",
        "default": 8.0,
        "min": 1.0,
        "max": 50.0,
        "description": "percent below the highest close since the entry",
    },
}


def execute_strategy(market_data, strategy_params):
    bars = market_data["bars"]
    position = market_data["position"]
    closes = [bar["close"] for bar in bars]
    middle = sma(closes, strategy_params["average"])
    if position["side"] is None:
        rising = closes[-1] > middle and closes[-2] > middle
        return {"action": "buy" if rising else "hold"}
    best = position["entry_price"]
    since = position["entry_time"]
    for bar in bars:
        if since is not None and bar["time"] >= since and bar["close"] > best:
            best = bar["close"]
    if closes[-1] < best * (1 - strategy_params["give_back"] / 100):
        return {"action": "sell", "reason": f"{closes[-1]:.2f} after {best:.2f}"}
    return {"action": "hold"}

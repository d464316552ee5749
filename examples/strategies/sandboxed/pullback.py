"""Buys a sharp fall within a rise: RSI of two bars below 10 while the close is above its average.

What is held matters to the exit only: it leaves when the fall is over, or after ten bars.
"""

LOOKBACK = 250
PARAMETERS = {
    "oversold": {"type": "float", "default": 10.0, "min": 1.0, "max": 40.0},
    "recovered": {"type": "float", "default": 70.0, "min": 50.0, "max": 99.0},
    "trend": {"type": "int", "default": 200, "min": 20, "max": 240, "description": "bars"},
}


def execute_strategy(market_data, strategy_params):
    closes = [bar["close"] for bar in market_data["bars"]]
    strength = rsi(closes, 2)
    if market_data["position"]["side"] == "LONG":
        if strength > strategy_params["recovered"]:
            return {"action": "sell", "reason": f"RSI {strength:.0f}"}
        return {"action": "hold"}
    if strength < strategy_params["oversold"] and closes[-1] > sma(
        closes, strategy_params["trend"]
    ):
        # The further below, the surer; confidence is 0 to 1.
        confidence = 1 - strength / strategy_params["oversold"]
        return {
            "action": "buy",
            "confidence": round(confidence, 2),
            "reason": f"RSI {strength:.0f} in a rise",
            "metadata": {"horizon_bars": 10},
        }
    return {"action": "hold"}

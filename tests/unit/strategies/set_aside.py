"""Strategies that nothing was developed on: written afterwards, as people write them."""

# ruff: noqa: E501 - they are as long as they are

from __future__ import annotations

HONEST = {
    "typed_and_documented": '''
"""Dual thrust."""
from __future__ import annotations
from typing import Any, Dict, List, Optional

LOOKBACK: int = 40
PARAMETERS: Dict[str, Any] = {
    "k": {"type": "float", "default": 0.5, "min": 0.1, "max": 2.0, "description": "factor"},
}

def _extract(bars: List[Dict[str, Any]], key: str) -> List[float]:
    return [float(b[key]) for b in bars]

def _range(bars: List[Dict[str, Any]]) -> Optional[float]:
    if not bars:
        return None
    hh, ll = max(_extract(bars, "high")), min(_extract(bars, "low"))
    hc, lc = max(_extract(bars, "close")), min(_extract(bars, "close"))
    return max(hh - lc, hc - ll)

def execute_strategy(market_data: Dict[str, Any], strategy_params: Dict[str, Any]) -> Dict[str, Any]:
    bars = market_data["bars"]
    k = float(strategy_params.get("k", 0.5))
    spread = _range(bars[-5:-1])
    if spread is None or spread <= 0:
        return {"action": "hold", "confidence": 0.0, "reason": "no range", "metadata": {}}
    last = bars[-1]
    if last["close"] > last["open"] + k * spread:
        return {"action": "buy", "confidence": 0.7, "reason": "breakout", "metadata": {"spread": spread}}
    if last["close"] < last["open"] - k * spread:
        return {"action": "sell", "confidence": 0.7, "reason": "breakdown", "metadata": {"spread": spread}}
    return {"action": "hold", "confidence": 0.0, "reason": "", "metadata": {}}
''',
    "class_without_base": """
class Indicators:
    def __init__(self, bars):
        self.close = [b["close"] for b in bars]
        self.volume = [b["volume"] for b in bars]

    def obv(self):
        total = 0.0
        out = []
        for i in range(len(self.close)):
            if i and self.close[i] > self.close[i - 1]:
                total += self.volume[i]
            elif i and self.close[i] < self.close[i - 1]:
                total -= self.volume[i]
            out.append(total)
        return out

LOOKBACK = 60

def execute_strategy(market_data, strategy_params):
    ind = Indicators(market_data["bars"])
    obv = ind.obv()
    if obv[-1] > max(obv[-21:-1]) and ind.close[-1] > ind.close[-2]:
        return {"action": "buy"}
    if obv[-1] < min(obv[-21:-1]):
        return {"action": "sell"}
    return {"action": "hold"}
""",
    "try_and_default": """
PARAMETERS = {"period": {"type": "int", "default": 14, "min": 2, "max": 50}}
LOOKBACK = 100

def safe_div(a, b, default=0.0):
    try:
        return a / b
    except ZeroDivisionError:
        return default

def execute_strategy(market_data, strategy_params):
    try:
        n = strategy_params["period"]
        bars = market_data["bars"][-n:]
        highest_high = max(b["high"] for b in bars)
        lowest_low = min(b["low"] for b in bars)
        k = 100 * safe_div(bars[-1]["close"] - lowest_low, highest_high - lowest_low, 0.5)
    except (KeyError, IndexError) as e:
        return {"action": "hold", "reason": f"error: {e}"}
    if k < 20:
        return {"action": "buy", "confidence": round(1 - k / 20, 3)}
    if k > 80:
        return {"action": "sell", "confidence": round((k - 80) / 20, 3)}
    return {"action": "hold"}
""",
    "prelude_names_of_its_own": """
LOOKBACK = 120

def ema(values, n):
    k = 2 / (n + 1)
    result = [values[0]]
    for v in values[1:]:
        result.append(v * k + result[-1] * (1 - k))
    return result

def execute_strategy(market_data, strategy_params):
    closes = [b["close"] for b in market_data["bars"]]
    macd_line = [a - b for a, b in zip(ema(closes, 12), ema(closes, 26))]
    signal = ema(macd_line, 9)
    hist = [m - s for m, s in zip(macd_line, signal)]
    if hist[-2] <= 0 < hist[-1]:
        return {"action": "buy", "reason": "MACD up"}
    if hist[-2] >= 0 > hist[-1]:
        return {"action": "sell", "reason": "MACD down"}
    return {"action": "hold"}
""",
    "calendar_and_sets": """
import datetime as dt
import math

LOOKBACK = 30
SIDES = "both"
QUIET = {4, 0}
LEVELS = {"low": 0.8, "high": 1.2}

def execute_strategy(market_data, strategy_params):
    bars = market_data["bars"]
    day = dt.datetime.fromisoformat(bars[-1]["time"].replace("Z", "+00:00"))
    if day.weekday() in QUIET:
        return {"action": "hold"}
    logs = [math.log(b["close"] / a["close"]) for a, b in zip(bars, bars[1:])]
    short = math.sqrt(sum(x * x for x in logs[-5:]) / 5)
    long = math.sqrt(sum(x * x for x in logs) / len(logs))
    ratio = short / long if long else 1.0
    close = bars[-1]["close"]
    if ratio < LEVELS["low"] and logs[-1] > 0:
        return {"action": "buy", "metadata": {"stop_loss": close * 0.97, "horizon_bars": 5}}
    if ratio > LEVELS["high"] and logs[-1] < 0:
        return {"action": "sell", "metadata": {"stop_loss": close * 1.03, "horizon_bars": 5}}
    return {"action": "hold"}
""",
    "pattern_matching": """
LOOKBACK = 10

def colour(bar):
    return "green" if bar["close"] > bar["open"] else "red" if bar["close"] < bar["open"] else "doji"

def execute_strategy(market_data, strategy_params):
    last = [colour(b) for b in market_data["bars"][-3:]]
    match last:
        case ["red", "red", "red"]:
            return {"action": "buy", "reason": "three red", "metadata": {"pattern": last, "horizon_bars": 3}}
        case ["green", "green", "green"]:
            return {"action": "sell", "reason": "three green", "metadata": {"pattern": last}}
        case _:
            return {"action": "hold"}
""",
    "sorted_and_ranks": """
from bisect import bisect_left
from itertools import pairwise

LOOKBACK = 252

def rank(values, x):
    ordered = sorted(values)
    return bisect_left(ordered, x) / len(ordered)

def execute_strategy(market_data, strategy_params):
    closes = [b["close"] for b in market_data["bars"]]
    moves = [b / a - 1 for a, b in pairwise(closes)]
    r = rank(moves, moves[-1])
    held = market_data["position"]["side"]
    if held is None and r < 0.05:
        return {"action": "buy", "confidence": 1 - r}
    if held == "LONG" and r > 0.5:
        return {"action": "sell"}
    return {"action": "hold"}
""",
    "working_lists": """
LOOKBACK = 50

def execute_strategy(market_data, strategy_params):
    bars = market_data["bars"]
    swings = []
    for i in range(2, len(bars) - 2):
        window = bars[i - 2 : i + 3]
        if bars[i]["high"] == max(b["high"] for b in window):
            swings.append(("high", bars[i]["high"]))
        if bars[i]["low"] == min(b["low"] for b in window):
            swings.append(("low", bars[i]["low"]))
    highs = [p for kind, p in swings if kind == "high"][-2:]
    lows = [p for kind, p in swings if kind == "low"][-2:]
    if len(highs) < 2 or len(lows) < 2:
        return {"action": "hold"}
    up = highs[1] > highs[0] and lows[1] > lows[0]
    down = highs[1] < highs[0] and lows[1] < lows[0]
    if up:
        return {"action": "buy", "metadata": {"levels": {"highs": highs, "lows": lows}}}
    return {"action": "sell" if down else "hold"}
""",
    "decimals": """
from decimal import Decimal, localcontext, ROUND_HALF_UP

LOOKBACK = 20

def execute_strategy(market_data, strategy_params):
    with localcontext() as context:
        context.prec = 12
        closes = [Decimal(str(b["close"])) for b in market_data["bars"]]
        middle = sum(closes, Decimal(0)) / len(closes)
        level = (middle * Decimal("1.02")).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    if closes[-1] > level:
        return {"action": "buy", "reason": f"above {level}"}
    return {"action": "sell" if closes[-1] < middle else "hold"}
""",
    "while_and_walrus": """
LOOKBACK = 80

def execute_strategy(market_data, strategy_params):
    bars = list(market_data["bars"])
    streak = 0
    while len(bars) > 1 and (last := bars.pop())["close"] > bars[-1]["close"]:
        streak += 1
    if streak >= 4:
        return {"action": "sell", "reason": f"{streak} up"}
    if streak == 0 and last["close"] < last["open"]:
        return {"action": "buy"}
    return {"action": "hold"}
""",
}
"""Must be valid."""

_HEAD = "LOOKBACK = 4\n"
CHEATS = {
    "an_object_in_a_dict": _HEAD
    + """
class Memory:
    def __init__(self):
        self.trades = []
    def note(self, x):
        self.trades.append(x)
STORE = {"memory": Memory()}
def execute_strategy(market_data, strategy_params):
    STORE["memory"].note(market_data["bars"][-1]["close"])
    return {"action": "buy" if len(STORE["memory"].trades) > 40 else "hold"}
""",
    "a_default_object": _HEAD
    + """
class Box:
    n = 0
def bump(box=Box()):
    box.n = box.n + 1
    return box.n
def execute_strategy(market_data, strategy_params):
    return {"action": "buy" if bump() % 5 == 0 else "hold"}
""",
    "a_set_through_a_helper": _HEAD
    + """
SEEN = set()
def remember(where, what):
    where.add(what)
def execute_strategy(market_data, strategy_params):
    remember(SEEN, market_data["bars"][-1]["time"])
    return {"action": "sell" if len(SEEN) > 55 else "hold"}
""",
    "a_class_variable": _HEAD
    + """
class Engine:
    log = []
    def step(self, x):
        self.log.append(x)
        return len(self.log)
def execute_strategy(market_data, strategy_params):
    return {"action": "buy" if Engine().step(1) == 47 else "hold"}
""",
    "a_class_variable_rebound": _HEAD
    + """
class Engine:
    last = None
def execute_strategy(market_data, strategy_params):
    e = Engine
    before = e.last
    e.last = market_data["bars"][-1]["close"]
    return {"action": "buy" if before and before > e.last else "hold"}
""",
    "a_deque": _HEAD
    + """
from collections import deque
window = deque(maxlen=3)
def execute_strategy(market_data, strategy_params):
    w = window
    w.append(market_data["bars"][-1]["close"])
    return {"action": "buy" if sum(w) / len(w) > 100 else "hold"}
""",
    "a_closure_through_a_call": _HEAD
    + """
def make():
    box = [0]
    def inner():
        box[0] += 1
        return box[0]
    return {"tick": inner}
TOOLS = make()
def execute_strategy(market_data, strategy_params):
    return {"action": "buy" if TOOLS["tick"]() > 30 else "hold"}
""",
    "a_lambda_with_a_list": _HEAD
    + """
note = (lambda store: lambda x: (store.append(x), len(store))[1])([])
def execute_strategy(market_data, strategy_params):
    return {"action": "buy" if note(1) > 30 else "hold"}
""",
    "a_mark_on_older_bars": _HEAD
    + """
def execute_strategy(market_data, strategy_params):
    for bar in market_data["bars"]:
        bar["count"] = bar.get("count", 0) + 1
    return {"action": "buy" if market_data["bars"][0]["count"] > 3 else "hold"}
""",
    "smoothing_in_place": _HEAD
    + """
def execute_strategy(market_data, strategy_params):
    bars = market_data["bars"]
    last = bars[-1]
    last.update(close=(bars[-2]["close"] + last["close"]) / 2)
    return {"action": "buy" if last["close"] > last["open"] else "hold"}
""",
    "the_random_module": _HEAD
    + """
from random import gauss
def execute_strategy(market_data, strategy_params):
    return {"action": "buy" if gauss(0, 1) > 1 else "hold"}
""",
    "a_random_object": _HEAD
    + """
import random
dice = random.Random(7)
def execute_strategy(market_data, strategy_params):
    return {"action": "buy" if dice.random() > 0.9 else "hold"}
""",
    "global_by_exec": _HEAD
    + """
def execute_strategy(market_data, strategy_params):
    exec("global n\\ntry:\\n    n += 1\\nexcept NameError:\\n    n = 0")
    return {"action": "buy" if n % 5 == 0 else "hold"}
""",
    "an_iterator_in_a_list": _HEAD
    + """
SOURCES = [iter(range(10**6))]
def execute_strategy(market_data, strategy_params):
    n = next(SOURCES[0])
    return {"action": "buy" if n == 50 else "hold"}
""",
    "renames_itself": _HEAD
    + """
def later(market_data, strategy_params):
    return {"action": "sell"}
def execute_strategy(market_data, strategy_params):
    global execute_strategy
    execute_strategy = later
    return {"action": "buy"}
""",
    "parameters_as_memory": _HEAD
    + """
PARAMETERS = {"n": {"type": "int", "default": 5}}
def execute_strategy(market_data, strategy_params):
    PARAMETERS["n"]["default"] += 1
    return {"action": "buy" if PARAMETERS["n"]["default"] > 40 else "hold"}
""",
    "a_cached_function": _HEAD
    + """
import functools
@functools.cache
def box():
    return []
def execute_strategy(market_data, strategy_params):
    box().append(1)
    return {"action": "buy" if len(box()) == 60 else "hold"}
""",
    "an_exception_kept": _HEAD
    + """
class Note:
    def __init__(self):
        self.args = []
KEPT = ValueError([])
def execute_strategy(market_data, strategy_params):
    store = KEPT.args[0]
    store.append(1)
    return {"action": "buy" if len(store) > 50 else "hold"}
""",
    "a_partial": _HEAD
    + """
import functools
def add(store, x):
    store.append(x)
    return len(store)
tally = functools.partial(add, [])
def execute_strategy(market_data, strategy_params):
    return {"action": "buy" if tally(1) > 50 else "hold"}
""",
    "a_pattern_as_a_flag": _HEAD
    + """
state = {"open": False}
def flip(s):
    s["open"] = not s["open"]
def execute_strategy(market_data, strategy_params):
    if market_data["bars"][-1]["close"] > market_data["bars"][-2]["close"]:
        flip(state)
    return {"action": "buy" if state["open"] else "hold"}
""",
}
"""Must be refused, as ``state`` or for a construct."""

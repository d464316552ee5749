"""Strategies whose decisions follow from something else than their bars; each must be refused."""

from __future__ import annotations

_HEAD = "LOOKBACK = 5\n"

COUNTS_BY_GLOBAL = (
    _HEAD
    + """
calls = 0

def execute_strategy(market_data, strategy_params):
    global calls
    calls += 1
    return {"action": "buy" if calls % 7 == 0 else "hold"}
"""
)

COUNTS_IN_A_LIST = (
    _HEAD
    + """
seen = []

def execute_strategy(market_data, strategy_params):
    seen.append(1)
    return {"action": "buy" if len(seen) % 7 == 0 else "hold"}
"""
)

COUNTS_BY_ANOTHER_NAME = (
    _HEAD
    + """
seen = [0]

def tick(box):
    box[0] = box[0] + 1
    return box[0]

def execute_strategy(market_data, strategy_params):
    return {"action": "buy" if tick(seen) % 7 == 0 else "hold"}
"""
)

COUNTS_IN_A_DEFAULT = (
    _HEAD
    + """
def execute_strategy(market_data, strategy_params):
    return {"action": "buy" if count() % 7 == 0 else "hold"}

def count(box=[]):
    box.append(1)
    return len(box)
"""
)

COUNTS_IN_A_CLOSURE = (
    _HEAD
    + """
def counter():
    n = 0
    def step():
        nonlocal n
        n += 1
        return n
    return step

tick = counter()

def execute_strategy(market_data, strategy_params):
    return {"action": "buy" if tick() % 7 == 0 else "hold"}
"""
)

COUNTS_ON_A_CLASS = (
    _HEAD
    + """
class Box:
    n = 0

def execute_strategy(market_data, strategy_params):
    Box.n += 1
    return {"action": "buy" if Box.n % 7 == 0 else "hold"}
"""
)

COUNTS_IN_AN_OBJECT = (
    _HEAD
    + """
class Box:
    def __init__(self):
        self.n = 0
    def step(self):
        self.n += 1
        return self.n

box = Box()

def execute_strategy(market_data, strategy_params):
    return {"action": "buy" if box.step() % 7 == 0 else "hold"}
"""
)

COUNTS_BY_ITERATOR = (
    _HEAD
    + """
import itertools

numbers = itertools.count()

def execute_strategy(market_data, strategy_params):
    mine = numbers
    return {"action": "buy" if next(mine) % 7 == 0 else "hold"}
"""
)

WRITES_INTO_BARS = (
    _HEAD
    + """
def execute_strategy(market_data, strategy_params):
    bars = market_data["bars"]
    before = bars[-2].get("mark", 0)
    bars[-1]["mark"] = before + 1
    return {"action": "buy" if before % 7 == 6 else "hold"}
"""
)

CHANGES_A_PAST_CLOSE = (
    _HEAD
    + """
def execute_strategy(market_data, strategy_params):
    bars = market_data["bars"]
    bars[-1]["close"] = bars[-1]["close"] * 1.01
    return {"action": "hold"}
"""
)

DRAWS_ON = (
    _HEAD
    + """
import random

def execute_strategy(market_data, strategy_params):
    return {"action": "buy" if random.random() < 0.2 else "hold"}
"""
)

RARE_STATE = (
    _HEAD
    + """
class Box:
    def __init__(self):
        self.items = {}
    def keep(self, key):
        self.items[key] = True
        return len(self.items)

box = Box()

def execute_strategy(market_data, strategy_params):
    n = box.keep(market_data["bars"][-1]["time"])
    return {"action": "buy" if n == 171 else "hold"}
"""
)

DECIMAL_CONTEXT = (
    _HEAD
    + """
import decimal

def execute_strategy(market_data, strategy_params):
    context = decimal.getcontext()
    context.prec = context.prec + 1
    return {"action": "buy" if context.prec % 7 == 0 else "hold"}
"""
)

READS_THE_DRIVER = (
    _HEAD
    + """
def execute_strategy(market_data, strategy_params):
    rows = _tr_input
    return {"action": "buy" if len(rows) > 1 else "hold"}
"""
)

STATE = {
    "counts_by_global": COUNTS_BY_GLOBAL,
    "counts_in_a_list": COUNTS_IN_A_LIST,
    "counts_by_another_name": COUNTS_BY_ANOTHER_NAME,
    "counts_in_a_default": COUNTS_IN_A_DEFAULT,
    "counts_in_a_closure": COUNTS_IN_A_CLOSURE,
    "counts_on_a_class": COUNTS_ON_A_CLASS,
    "counts_in_an_object": COUNTS_IN_AN_OBJECT,
    "counts_by_iterator": COUNTS_BY_ITERATOR,
    "writes_into_bars": WRITES_INTO_BARS,
    "changes_a_past_close": CHANGES_A_PAST_CLOSE,
    "draws_on": DRAWS_ON,
    "rare_state": RARE_STATE,
    "decimal_context": DECIMAL_CONTEXT,
}
"""Keep something between bars."""

"""What programs are mutated from: strategies, and attempts to escape."""

from __future__ import annotations

import ast
import hashlib
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

_ROOT: Final = Path(__file__).parents[2]
ESCAPES: Final = _ROOT / "tests" / "unit" / "sandbox" / "escapes.txt"


class Attempt(NamedTuple):
    """An attempt to escape, as it is written out in ``escapes.txt``."""

    kind: str
    number: int
    source: str


@lru_cache(maxsize=1)
def attempts() -> tuple[Attempt, ...]:
    """All attempts: ``#### kind``, and ``---`` between one and the next."""
    found = []
    for part in ESCAPES.read_text(encoding="utf-8").split("#### ")[1:]:
        kind, _, rest = part.partition("\n")
        for number, source in enumerate(rest.rstrip("\n").split("\n---\n"), start=1):
            found.append(Attempt(kind, number, source))
    return tuple(found)


CROSS: Final = """
import math
LOOKBACK = 30
PARAMETERS = {"fast": {"type": "int", "default": 3, "min": 2, "max": 20}}
def average(values, n):
    return sum(values[-n:]) / n
def execute_strategy(market_data, strategy_params):
    closes = [bar["close"] for bar in market_data["bars"]]
    fast, slow = strategy_params["fast"], strategy_params["slow"]
    now = average(closes, fast) - average(closes, slow)
    before = average(closes[:-1], fast) - average(closes[:-1], slow)
    if now > 0 and before <= 0:
        return {"action": "buy", "confidence": 0.6, "metadata": {"stop_loss": closes[-1] * 0.95}}
    if now < 0 and before >= 0:
        return {"action": "sell", "reason": f"{now:.2f} {math.floor(before)}"}
    return {"action": "hold"}
"""

BANDS: Final = """
import datetime, json, re, random
from collections import deque, defaultdict, Counter
from dataclasses import dataclass
@dataclass
class Band:
    middle: float
    width: float
    def upper(self, k=2):
        return self.middle + k * self.width
def execute_strategy(market_data, strategy_params):
    bars = market_data["bars"]
    recent = deque(maxlen=20)
    days = defaultdict(list)
    for i, bar in enumerate(bars):
        recent.append(bar["close"])
        days[datetime.datetime.fromisoformat(bar["time"]).weekday()].append(i)
    middle = sum(recent) / len(recent)
    band = Band(middle, (sum((c - middle) ** 2 for c in recent) / len(recent)) ** 0.5)
    counts = Counter("up" if b["close"] > b["open"] else "down" for b in bars)
    text = re.sub(r"[^a-z]+", "-", json.dumps(dict(counts)))
    try:
        level = band.upper(k=1 / counts["flat"])
    except ZeroDivisionError as error:
        level, text = band.upper(), str(error)
    finally:
        random.seed(1)
    match market_data["position"]:
        case {"side": None}:
            action = "buy" if recent[-1] > level else "hold"
        case {"side": side, **rest}:
            action = "sell" if side else "hold"
    return {"action": action, "reason": text[:200], "metadata": {"days": dict(days)}}
"""

WALK: Final = """
import itertools, functools, bisect, copy, decimal
class Box:
    total = 0
    def __init__(self, items):
        self.items = list(items)
    def __add__(self, other):
        return Box(self.items + [other])
    def __iter__(self):
        return iter(self.items)
    def __eq__(self, other):
        return self.items == other
def fold(f, xs, start=None):
    for x in xs:
        start = x if start is None else f(start, x)
    return start
def execute_strategy(market_data, strategy_params):
    box = Box(bar["close"] for bar in market_data["bars"])
    box = box + 5.0
    ordered = sorted(box, key=lambda x: -x)
    place = bisect.bisect_left(sorted(ordered), 101.5)
    groups = {k: list(g) for k, g in itertools.groupby(ordered, key=lambda x: int(x) % 3)}
    deep = copy.deepcopy({"a": [ordered, groups]})
    exact = sum((decimal.Decimal(str(x)) for x in box), decimal.Decimal(0))
    i = 0
    while i < len(ordered):
        i += 1
        if ordered[i - 1] < 100:
            continue
        if i > 20:
            break
    else:
        i = -1
    head, *tail = ordered
    total = functools.reduce(lambda a, b: a + b, tail, head)
    return {"action": "hold", "metadata": {"n": place, "i": i, "total": total, "exact": str(exact)}}
"""


@lru_cache(maxsize=1)
def strategies() -> tuple[str, ...]:
    """Whole strategies."""
    return (CROSS, BANDS, WALK)


def digest() -> str:
    """Of all seeds: with it, a seed and a number a program can be made again."""
    texts = "\0".join((*strategies(), *(each.source for each in attempts())))
    return hashlib.sha256(texts.encode()).hexdigest()[:16]


def parsed(source: str) -> ast.Module | None:
    """The tree of a source, or None where it is no Python of the version that this runs on."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None

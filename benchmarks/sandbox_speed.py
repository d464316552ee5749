"""Decisions a second in the sandbox: in steps of several symbols, and one fresh call a bar.

Four programs on the bars of the five demo symbols: two averages, RSI over the whole window,
Bollinger bands, and sixty lines of everything. Seconds are of processor time, of this process and
of the worker together, so that a busy machine does not change them; the wall clock is beside it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import MissingDataError, result
from benchmarks.sandbox_programs.canaries import descendants
from trackrecord.events.types import wire_time
from trackrecord.local.demo_data import SYMBOLS, daily_bars
from trackrecord.sandbox.monty import MontyExecutor
from trackrecord.strategies.contract import BarRow, Decision
from trackrecord.strategies.market_data import MarketData

_RUNS: Final = 3
_FRESH_CALLS: Final = 300
_WINDOWED: Final = 8_000
_FULL: Final = 1_800
_OVER_CALLS: Final = 5
_TICKS: Final = os.sysconf("SC_CLK_TCK")

_SMA: Final = """
LOOKBACK = 260
def execute_strategy(market_data, strategy_params):
    closes = [bar["close"] for bar in market_data["bars"][-51:]]
    fast, slow = sum(closes[-20:]) / 20, sum(closes[-50:]) / 50
    fast_before, slow_before = sum(closes[-21:-1]) / 20, sum(closes[-51:-1]) / 50
    if fast > slow and fast_before <= slow_before:
        return {"action": "buy", "metadata": {"stop_loss": closes[-1] * 0.95}}
    if fast < slow and fast_before >= slow_before:
        return {"action": "sell"}
    return {"action": "hold"}
"""
_RSI: Final = """
LOOKBACK = 260
def execute_strategy(market_data, strategy_params):
    bars = market_data["bars"]
    gain = loss = 0.0
    n = 14
    last = bars[0]["close"]
    for i in range(1, len(bars)):
        close = bars[i]["close"]
        change = close - last
        last = close
        up = change if change > 0 else 0.0
        down = -change if change < 0 else 0.0
        if i <= n:
            gain += up / n
            loss += down / n
        else:
            gain = (gain * (n - 1) + up) / n
            loss = (loss * (n - 1) + down) / n
    value = 100.0 if loss == 0 else 100 - 100 / (1 + gain / loss)
    if value < 30:
        return {"action": "buy", "reason": f"RSI {value:.1f}"}
    if value > 70:
        return {"action": "sell", "reason": f"RSI {value:.1f}"}
    return {"action": "hold"}
"""
_BANDS: Final = """
LOOKBACK = 260
def execute_strategy(market_data, strategy_params):
    closes = [bar["close"] for bar in market_data["bars"][-20:]]
    middle = sum(closes) / 20
    width = (sum((close - middle) ** 2 for close in closes) / 20) ** 0.5
    if closes[-1] < middle - 2 * width:
        return {"action": "buy", "metadata": {"target_price": middle}}
    if market_data["position"]["side"] == "LONG" and closes[-1] >= middle:
        return {"action": "sell"}
    return {"action": "hold"}
"""
_SIXTY: Final = '''
import math
LOOKBACK = 260
PARAMETERS = {"risk": {"type": "float", "default": 2.0, "min": 0.5, "max": 5.0}}

def last_ema(values, n):
    """The exponential average over all values, begun at the first."""
    weight = 2 / (n + 1)
    found = values[0]
    for value in values:
        found += weight * (value - found)
    return found

def strength(closes, n):
    gain = loss = 0.0
    for before, after in zip(closes[-n - 1 : -1], closes[-n:]):
        if after > before:
            gain += after - before
        else:
            loss += before - after
    return 100.0 if loss == 0 else 100 - 100 / (1 + gain / loss)

def true_range(bars, n):
    total = 0.0
    for before, bar in zip(bars[-n - 1 : -1], bars[-n:]):
        total += max(
            bar["high"] - bar["low"],
            abs(bar["high"] - before["close"]),
            abs(bar["low"] - before["close"]),
        )
    return total / n

def execute_strategy(market_data, strategy_params):
    bars = market_data["bars"]
    closes = [bar["close"] for bar in bars]
    position = market_data["position"]
    trend = sum(closes[-200:]) / 200
    recent = closes[-60:]
    macd = last_ema(recent, 12) - last_ema(recent, 26)
    power = strength(closes, 14)
    average = true_range(bars, 14)
    volume = sum(bar["volume"] for bar in bars[-20:]) / 20
    if position["side"] == "LONG":
        highest = max(closes[-20:])
        if closes[-1] < highest - strategy_params["risk"] * average:
            return {"action": "sell", "reason": "trail"}
        if macd < 0 and power < 40:
            return {"action": "sell", "reason": "momentum"}
        return {"action": "hold"}
    if closes[-1] <= trend:
        return {"action": "hold", "reason": "below the trend"}
    if macd <= 0 or power < 50 or power > 75:
        return {"action": "hold"}
    if bars[-1]["volume"] < 0.8 * volume:
        return {"action": "hold"}
    confidence = min(1.0, max(0.0, (power - 50) / 25))
    stop = closes[-1] - strategy_params["risk"] * average
    if math.isnan(stop) or stop >= closes[-1]:
        return {"action": "hold"}
    return {
        "action": "buy",
        "confidence": round(confidence, 3),
        "metadata": {"stop_loss": stop, "horizon_bars": 60},
    }
'''
PROGRAMS: Final = {"sma": _SMA, "rsi": _RSI, "bands": _BANDS, "sixty_lines": _SIXTY}


def _bars() -> dict[str, list[BarRow]]:
    try:
        found: dict[str, list[BarRow]] = {symbol: [] for symbol in SYMBOLS}
        for bar in daily_bars(date(2000, 1, 1), date(2013, 12, 31)):
            prices = (float(bar.open), float(bar.high), float(bar.low), float(bar.close))
            found[bar.symbol].append(BarRow(wire_time(bar.opened_at), *prices, float(bar.volume)))
    except ModuleNotFoundError as error:
        raise MissingDataError(f"the demo's bars: {error}") from None
    return found


def _instants(bars: dict[str, list[BarRow]]) -> Iterator[dict[str, BarRow]]:
    by_time: dict[str, dict[str, BarRow]] = {}
    for symbol, rows in bars.items():
        for row in rows:
            by_time.setdefault(row.time, {})[symbol] = row
    for instant in sorted(by_time):
        yield by_time[instant]


def _used() -> float:
    """Seconds of processor time of this process and of its workers, those that ended included."""
    ended = os.times()
    total = time.process_time() + ended.children_user + ended.children_system
    for pid in descendants():
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / _TICKS
    return total


def _timed(work: Callable[[], tuple[int, int]], way: str) -> dict[str, Any]:
    used, wall = _used(), time.perf_counter()
    decisions, asked = work()
    used, wall = _used() - used, time.perf_counter() - wall
    return {
        "way": way,
        "bars": asked,
        "decisions": decisions,
        "cpu_seconds": round(used, 3),
        "wall_seconds": round(wall, 3),
        "decisions_per_cpu_second": round(decisions / used, 1),
        "cpu_microseconds_per_decision": round(1e6 * used / decisions, 1),
    }


def _steps(
    executor: MontyExecutor, source: str, instants: list[dict[str, BarRow]]
) -> Callable[[], tuple[int, int]]:
    def work() -> tuple[int, int]:
        session = executor.open(source, {}, timeframe="1d")
        decisions = asked = 0
        try:
            for instant in instants:
                answers = session.step(instant, {})
                asked += len(instant)
                decisions += sum(isinstance(each, Decision) for each in answers.values())
        finally:
            session.close()
        return decisions, asked

    return work


def _calls(
    executor: MontyExecutor, source: str, rows: list[BarRow]
) -> Callable[[], tuple[int, int]]:
    def work() -> tuple[int, int]:
        decisions = 0
        for last in range(len(rows) - _FRESH_CALLS, len(rows)):
            given = MarketData("AAPL", "1d", rows[last - 260 : last])
            decisions += isinstance(executor.decide(source, given, {}), Decision)
        return decisions, _FRESH_CALLS

    return work


def run() -> dict[str, Any]:
    """Measure both ways of each program, in turn."""
    bars = _bars()
    instants = list(_instants(bars))
    runs = []
    with MontyExecutor() as executor:
        executor.isolation()
        for _ in range(_RUNS):
            for name, source in PROGRAMS.items():
                runs.append(_timed(_steps(executor, source, instants), f"{name}_steps"))
                runs.append(_timed(_calls(executor, source, bars["AAPL"]), f"{name}_calls"))
    found = result("sandbox_speed", 0, runs, "sma_steps", "decisions_per_cpu_second")
    speed = {way: each["decisions_per_cpu_second"] for way, each in found["median"].items()}
    found["ratios"] = {
        name: round(speed[f"{name}_steps"] / speed[f"{name}_calls"], 2) for name in PROGRAMS
    }
    found["versions"]["pydantic-monty"] = version("pydantic-monty")
    targets = {
        "sma_decisions_per_second": (_WINDOWED, speed["sma_steps"]),
        "bands_decisions_per_second": (_WINDOWED, speed["bands_steps"]),
        "rsi_decisions_per_second": (_FULL, speed["rsi_steps"]),
        "sixty_lines_decisions_per_second": (_FULL, speed["sixty_lines_steps"]),
        "sma_steps_over_calls": (_OVER_CALLS, found["ratios"]["sma"]),
    }
    found["targets"] = {
        name: {"target": target, "value": value, "met": value >= target}
        for name, (target, value) in targets.items()
    }
    return found

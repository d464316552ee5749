"""How fast numbers are computed: of a million trades, of 10,000 strategies, and of return series.

``report of trades``: every number of a list of 1,000,000 trades, which is held as columns of exact
decimals. ``records from day sums``: every number that ``trackrecord report --json`` writes for
10,000 strategies with 100 sessions each, bootstrap intervals included, from 1,000,000 rows in the
order of the table's key; the time to read the rows is not included. The limit of both is one
second on one core, so everything runs in a process with one thread. ``series``: the same nine
numbers of the same 200 series of 2,520 returns by trackrecord, by empyrical and by quantstats,
the last two only if they are installed.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from benchmarks.harness import result
from trackrecord.performance.exact_columns import Column
from trackrecord.performance.returns import drawdown, sharpe, statistics
from trackrecord.performance.sums.days import COUNTS, DayTable
from trackrecord.performance.sums.records import records
from trackrecord.performance.sums.written import written
from trackrecord.performance.trades.many_trades import Trades
from trackrecord.performance.trades.summary import summarise
from trackrecord.times import day_number

SEED = 7
ROUNDS = 5
TRADES = 1_000_000
STRATEGIES = 10_000
SESSIONS = 100
SERIES = 200
DAYS = 2_520
LIMIT = 1.0
"""Seconds for the two reports."""

_START = date(2026, 1, 1)


def run() -> dict[str, Any]:
    """Measure each way in turn, in a process whose numpy has one thread."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.performance"],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        check=True,
        stdout=subprocess.PIPE,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _measure() -> dict[str, Any]:
    draws = np.random.default_rng(SEED)
    trades = _trades(draws)
    table = _days(draws)
    series = [draws.normal(0.0005, 0.01, DAYS) for _ in range(SERIES)]
    ways: dict[str, Callable[[], object]] = {
        "report of trades": lambda: summarise(trades, starting_equity=Decimal(10**9)),
        "records from day sums": lambda: _report(table),
        "series": lambda: [_ours(values) for values in series],
    } | _peers(series)
    runs = []
    for number in range(ROUNDS):
        for way, work in ways.items():
            # One slow peer is measured once: its time does not decide anything.
            if number and way == "series by quantstats":
                continue
            started, cpu = time.perf_counter(), time.process_time()
            work()
            runs.append(
                {
                    "way": way,
                    "seconds": time.perf_counter() - started,
                    "cpu_seconds": time.process_time() - cpu,
                }
            )
    found = result("performance", SEED, runs, "series", "cpu_seconds", more_is_better=False)
    median = found["median"]
    found["ratios"] = {
        way: round(value, 3) for way, value in found["ratios"].items() if way.startswith("series ")
    } | {
        way: round(LIMIT / median[way]["cpu_seconds"], 3)
        for way in ("report of trades", "records from day sums")
    }
    return found


def _trades(draws: np.random.Generator) -> Trades:
    exit_time = draws.integers(0, 10**15, TRADES)
    rate = Column(np.full(TRADES, 1), 3)
    return Trades(
        direction=draws.choice(np.array([-1, 1]), TRADES),
        quantity=Column(draws.integers(1, 1000, TRADES), 0),
        entry_price=Column(draws.integers(9000, 11_000, TRADES), 2),
        exit_price=Column(draws.integers(9000, 11_000, TRADES), 2),
        entry_fee_rate=rate,
        exit_fee_rate=rate,
        entry_time=exit_time - draws.integers(1, 10**12, TRADES),
        exit_time=exit_time,
    )


def _days(draws: np.random.Generator) -> DayTable:
    rows = STRATEGIES * SESSIONS
    pnl = draws.integers(-(10**6), 10**6, rows)
    wins = draws.integers(0, 4, rows)
    losses = draws.integers(0, 4, rows)
    counts = dict.fromkeys(COUNTS, wins + losses) | {"wins": wins, "losses": losses}
    money = {
        "total_pnl": Column(pnl, 4),
        "gross_profit": Column(np.maximum(pnl, 0), 4),
        "gross_loss": Column(np.minimum(pnl, 0), 4),
        "realised_pnl": Column(pnl, 4),
        "fees": Column(np.abs(pnl) // 1000, 4),
        "carry": Column(np.zeros(rows, dtype=np.int64), 0),
        "sum_return": Column(pnl * 10**9, 18),
        "pnl_squares": Column(pnl * pnl, 8),
    }
    return DayTable(
        strategy=np.repeat(np.arange(STRATEGIES), SESSIONS),
        day=np.tile(np.arange(SESSIONS), STRATEGIES) + day_number(_START),
        counts=counts | dict.fromkeys(("breakevens", "without_return"), np.zeros(rows, np.int64)),
        money=money,
    )


def _report(table: DayTable) -> object:
    found = records(
        table,
        STRATEGIES,
        _START + timedelta(days=SESSIONS - 1),
        capital=[Decimal(100_000)] * STRATEGIES,
        sessions="every_day",
    )
    return [written({"USD": numbers}) for numbers in found]


def _ours(values: Any) -> list[object]:
    return [
        sharpe.sharpe(values),
        sharpe.sortino(values),
        drawdown.max_drawdown(values),
        statistics.cagr(values),
        drawdown.calmar(values),
        statistics.volatility(values),
        statistics.total_return(values),
        statistics.value_at_risk(values),
        statistics.conditional_value_at_risk(values),
    ]


def _peers(series: list[Any]) -> dict[str, Callable[[], object]]:
    found: dict[str, Callable[[], object]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            e = importlib.import_module("empyrical")
            names = (
                "sharpe_ratio", "sortino_ratio", "max_drawdown", "cagr", "calmar_ratio",
                "annual_volatility", "cum_returns_final", "value_at_risk",
                "conditional_value_at_risk",
            )  # fmt: skip
            found["series by empyrical"] = lambda: [
                [getattr(e, name)(values) for name in names] for values in series
            ]
        except ModuleNotFoundError:
            pass
        try:
            q = importlib.import_module("quantstats").stats
            pandas = importlib.import_module("pandas")
        except ModuleNotFoundError:
            return found
    index = pandas.date_range("2015-01-01", periods=DAYS)
    framed = [pandas.Series(values, index=index) for values in series]
    same = (
        "sharpe", "sortino", "max_drawdown", "cagr", "calmar", "volatility", "comp",
        "value_at_risk", "conditional_value_at_risk",
    )  # fmt: skip

    def by_quantstats() -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [[getattr(q, name)(values) for name in same] for values in framed]

    found["series by quantstats"] = by_quantstats
    return found


if __name__ == "__main__":
    json.dump(_measure(), sys.stdout)

"""The same backtest by backtesting.py and by vectorbt; run inside an environment of each.

    python strategy_peers.py backtesting|vectorbt BARS.csv RUNS

Averages of 20 and 50 closes that cross, a stop of 5 %, costs of 0.1 % a fill; prints a line of JSON
for each run, with the processor's seconds. It imports nothing of this project.
"""

from __future__ import annotations

import csv
import json
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

FAST, SLOW, STOP, COST = 20, 50, 0.05, 0.001


def columns(path: str) -> dict[str, dict[str, list[Any]]]:
    """By symbol, times and prices as lists."""
    found: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    with Path(path).open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for name in ("open", "high", "low", "close", "volume"):
                found[row["symbol"]][name].append(float(row[name]))
            found[row["symbol"]]["at"].append(row["opened_at"])
    return found


def by_backtesting(path: str) -> Callable[[], int]:
    """One run over every symbol, its indicators worked out up front, as its documents advise."""
    pd: Any = import_module("pandas")
    peer: Any = import_module("backtesting")
    crossover: Any = import_module("backtesting.lib").crossover
    base: Any = peer.Strategy

    def average(values: Any, days: int) -> Any:
        return pd.Series(values).rolling(days).mean()

    class Cross(base):  # type: ignore[misc] # of another environment
        def init(self) -> None:
            self.fast = self.I(average, self.data.Close, FAST)
            self.slow = self.I(average, self.data.Close, SLOW)

        def next(self) -> None:
            if crossover(self.fast, self.slow) and not self.position:
                self.buy(sl=self.data.Close[-1] * (1 - STOP))
            elif crossover(self.slow, self.fast) and self.position:
                self.position.close()

    frames = [
        pd.DataFrame(
            {name.capitalize(): each[name] for name in ("open", "high", "low", "close", "volume")},
            index=pd.to_datetime(each["at"]).tz_localize(None),
        )
        for each in columns(path).values()
    ]

    def once() -> int:
        trades = 0
        for frame in frames:
            stats = peer.Backtest(
                frame, Cross, cash=1e7, commission=COST, finalize_trades=True
            ).run()
            trades += int(stats["# Trades"])
        return trades

    return once


def by_vectorbt(path: str) -> Callable[[], int]:
    """One run over all symbols as columns."""
    np: Any = import_module("numpy")
    pd: Any = import_module("pandas")
    vbt: Any = import_module("vectorbt")

    series = {
        name: pd.DataFrame(
            {
                symbol: pd.Series(each[name], index=pd.to_datetime(each["at"]).tz_localize(None))
                for symbol, each in columns(path).items()
            }
        )
        for name in ("open", "high", "low", "close")
    }
    close = series["close"]

    def once() -> int:
        fast, slow = close.rolling(FAST).mean(), close.rolling(SLOW).mean()
        above = (fast > slow).to_numpy()
        before = np.vstack((np.zeros((1, above.shape[1]), bool), above[:-1]))
        known = (slow.notna() & slow.shift().notna()).to_numpy()
        portfolio = vbt.Portfolio.from_signals(
            close,
            pd.DataFrame(above & ~before & known, close.index, close.columns).shift(
                fill_value=False
            ),
            pd.DataFrame(~above & before & known, close.index, close.columns).shift(
                fill_value=False
            ),
            price=series["open"],
            open=series["open"],
            high=series["high"],
            low=series["low"],
            sl_stop=STOP,
            fees=COST,
            freq="1D",
        )
        portfolio.total_return()
        portfolio.sharpe_ratio()
        return int(portfolio.trades.count().sum())

    return once


def main(which: str, path: str, runs: str) -> None:
    """Run it once to warm up, and then as often as is asked for."""
    warnings.simplefilter("ignore")
    began = time.process_time()
    once = {"backtesting": by_backtesting, "vectorbt": by_vectorbt}[which](path)
    once()
    first = time.process_time() - began
    for _ in range(int(runs)):
        began, wall = time.process_time(), time.perf_counter()
        trades = once()
        seconds = time.process_time() - began
        print(
            json.dumps(
                {
                    "cpu_seconds": seconds,
                    "wall_seconds": time.perf_counter() - wall,
                    "first_cpu_seconds": first,
                    "trades": trades,
                }
            )
        )


if __name__ == "__main__":
    main(*sys.argv[1:4])

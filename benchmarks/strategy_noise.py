"""How often a backtest says ``worth trying`` where nothing can be known, and where something can.

1,000 markets of random walks, with and without a drift: parameters searched before each window
(200 sets in all), and, in every fourth of them, the best of 200 sets shown after the fact. And 200
markets with a planted edge whose true Sharpe ratio is two, net of costs, over ten years: the
strategy with 200 sets searched from defaults that are right, from defaults that are drawn at
random, and with its parameters known after 200 tries.
"""

from __future__ import annotations

import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import repeat
from typing import Any, Final

from benchmarks.harness import machine, versions
from benchmarks.strategy_worlds import (
    NOISE,
    PLANTED,
    Family,
    drawn,
    planted,
    strength_of,
    walk,
)
from trackrecord.performance.returns.sharpe import period_sharpe
from trackrecord.strategies.backtest import Backtest, Settings, backtest
from trackrecord.strategies.drive import Stretch
from trackrecord.strategies.history import History
from trackrecord.strategies.record import Curve
from trackrecord.strategies.trades import by_session, earned_by_bar
from trackrecord.strategies.walk import Declared, Search, windows_of

SEED: Final = 20_261_129
WORLDS: Final = 1_000
PLANTED_WORLDS: Final = 200
TRIALS: Final = 200
SHOWN_EVERY: Final = 4
WINDOWS: Final = 5
COST: Final = 0.001
DRIFTS: Final = (0.0, 0.0, 0.07, 0.15)
"""A year, by turns."""
MOST_FALSE: Final = 0.05
LEAST_FOUND: Final = 0.80
SHARPE: Final = 2.0
SEARCHED: Final = "planted, searched"
ELSEWHERE: Final = "planted, searched from elsewhere"
KNOWN: Final = "planted, fixed"


def run(worlds: int = WORLDS, edges: int = PLANTED_WORLDS) -> dict[str, Any]:
    """Judge in each market, and count the verdicts."""
    began = time.perf_counter()
    runs: list[dict[str, Any]] = []
    with ProcessPoolExecutor(max_workers=2) as pool:
        for done, rows in enumerate(pool.map(noise, range(worlds), chunksize=4), start=1):
            runs += rows
            if done % 50 == 0:
                _told("noise", done, worlds, runs)
        strengths = dict(zip(PLANTED, pool.map(calibrated, PLANTED), strict=True))
        for kind in PLANTED:
            histories = planted(kind, SEED + 1, edges // len(PLANTED), strengths[kind])
            numbered = range(len(histories))
            for rows in pool.map(edge, repeat(kind), numbered, histories, chunksize=4):
                runs += rows
            _told(f"planted, {kind}", len(histories), len(histories), runs)
    return summary(runs, strengths, time.perf_counter() - began)


def calibrated(kind: str) -> float:
    """How strong an edge has the Sharpe ratio."""
    return strength_of(kind, SHARPE, COST, seed=SEED)


def noise(number: int) -> list[dict[str, Any]]:
    """One market in which nothing can be known."""
    family = NOISE[number % len(NOISE)]
    drift = DRIFTS[number // len(NOISE) % len(DRIFTS)]
    history = walk(SEED + number, drift=drift)
    searched = judged(family, history, SEED + number)
    told = {"family": family.name, "drift": drift}
    rows = [_row("noise, searched", searched, told)]
    if number % SHOWN_EVERY == 0:
        shown = best_shown(family, history, SEED + number)
        rows.append(_row("noise, best of all shown", shown, told))
    return rows


def edge(kind: str, number: int, history: History) -> list[dict[str, Any]]:
    """One market with an edge: found by the search, and known after as many tries."""
    family, _ = PLANTED[kind]
    told = {"family": family.name, "drift": 0.0}
    elsewhere = drawn(family, 2, SEED + number)[1]
    misled = {
        name: replace(each, default=elsewhere[name]) for name, each in family.declared.items()
    }
    known = backtest(
        family.strategy(), history, family.declared, {}, lambda _tried: TRIALS,
        Settings(resamples=0),
    )  # fmt: skip
    return [
        _row(SEARCHED, judged(family, history, SEED + number), told),
        _row(ELSEWHERE, judged(family, history, SEED + number, misled), told),
        _row(KNOWN, known, told),
    ]


def judged(
    family: Family, history: History, seed: int, declared: Declared | None = None
) -> Backtest:
    """With 200 sets searched; every distinct one counts as a try."""
    declared = family.declared if declared is None else declared
    search = Search(trials=TRIALS // WINDOWS, seed=seed)
    return backtest(
        family.strategy(), history, declared, {}, len,
        Settings(search=search, windows=WINDOWS, resamples=0),
    )  # fmt: skip


def best_shown(family: Family, history: History, seed: int) -> Backtest:
    """The set of 200 that did best where it is judged, with all of them counted."""
    strategy = family.strategy()
    first = windows_of(history, WINDOWS)[0]

    def sharpe(parameters: dict[str, Any]) -> float:
        trips = strategy.trips(history, Stretch(first, parameters))
        earned = {
            name: earned_by_bar(history.series[name], each, COST) for name, each in trips.items()
        }
        curve = Curve.of(history.sessions, by_session(history, earned, first))
        ratio = None if curve.is_gone else period_sharpe(curve.returns).value
        return float("-inf") if ratio is None else float(ratio)

    best = max(drawn(family, TRIALS, seed), key=sharpe)
    return backtest(
        strategy, history, family.declared, best, lambda _tried: TRIALS, Settings(resamples=0)
    )


def _row(way: str, found: Backtest, told: dict[str, Any]) -> dict[str, Any]:
    return {
        "way": way,
        **told,
        "verdict": found.verdict,
        "closed": found.judged.closed,
        "tries": found.judged.tries,
        "sharpe": found.judged.sharpe,
        "deflated": found.judged.deflated,
    }


def summary(
    runs: list[dict[str, Any]], strengths: dict[str, float], seconds: float
) -> dict[str, Any]:
    """Shares of verdicts by way, and whether they are what is asked for."""
    median: dict[str, dict[str, float]] = {}
    for way in dict.fromkeys(each["way"] for each in runs):
        mine = [each for each in runs if each["way"] == way]
        median[way] = {
            "worlds": float(len(mine)),
            "worth trying": _share(mine, "worth trying"),
            "no evidence": _share(mine, "no evidence"),
            "worse than holding": _share(mine, "worse than holding"),
            "too few to tell": _share(mine, "too few to tell"),
            "closed": float(statistics.median(each["closed"] for each in mine)),
            "tries": float(statistics.median(each["tries"] for each in mine)),
            "equity gone": sum(each["sharpe"] is None for each in mine) / len(mine),
            "sharpe": statistics.median(
                each["sharpe"] for each in mine if each["sharpe"] is not None
            ),
        }
    targets = {
        f"{way}: worth trying": {
            "target": MOST_FALSE if way.startswith("noise") else LEAST_FOUND,
            "value": numbers["worth trying"],
            "met": numbers["worth trying"] <= MOST_FALSE
            if way.startswith("noise")
            else numbers["worth trying"] >= LEAST_FOUND,
        }
        for way, numbers in median.items()
        if way != ELSEWHERE
    }
    return {
        "name": "strategy_noise",
        "machine": machine(),
        "versions": versions(),
        "seed": SEED,
        "seconds": round(seconds, 1),
        "strengths": strengths,
        "runs": runs,
        "median": median,
        "ratios": {},
        "targets": targets,
    }


def _share(rows: list[dict[str, Any]], verdict: str) -> float:
    return len([each for each in rows if each["verdict"] == verdict]) / len(rows)


def _told(what: str, done: int, total: int, runs: list[dict[str, Any]]) -> None:
    worth = sum(each["verdict"] == "worth trying" for each in runs)
    print(f"{what}: {done} of {total}, {worth} worth trying", file=sys.stderr, flush=True)

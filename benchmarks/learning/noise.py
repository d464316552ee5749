"""How often a model is promoted where nothing can be learnt: 100 markets of random walks.

Half of the markets are independent walks; in the other half all symbols share a market and labels
overlap, so a test that takes signals as independent would go wrong. The search is short and
counted in trials, not seconds, so that the same seed gives the same verdicts.
"""

from __future__ import annotations

import statistics
import sys
from typing import Any, Final

from benchmarks.learning.common import outcome, target
from benchmarks.learning.worlds import learnable, random_walks
from trackrecord.learning.search import Budget
from trackrecord.learning.train import train

SEED: Final = 1_000
WORLDS: Final = 100
ALLOWED: Final = 5
"""Promotions among so many worlds."""
TRIALS: Final = 3


def run(worlds: int = WORLDS) -> dict[str, Any]:
    """Train in each world and count the promotions."""
    runs = []
    for number in range(worlds):
        runs.append(one(SEED + number, shared=number % 2 == 1))
        done, promoted = len(runs), sum(each["promoted"] for each in runs)
        print(f"{done} of {worlds} worlds, {promoted} promoted", file=sys.stderr, flush=True)
    median = {}
    for way in sorted({each["way"] for each in runs}):
        mine = [each for each in runs if each["way"] == way]
        median[way] = {
            "worlds": float(len(mine)),
            "promoted": float(sum(each["promoted"] for each in mine)),
            **{
                name: statistics.median(each[name] for each in mine)
                for name in ("signals", "blocks", "gain", "bound", "auc")
            },
        }
    promoted = sum(each["promoted"] for each in runs)
    found = outcome("noise", SEED, runs, median, {"promoted": target(ALLOWED, promoted, most=True)})
    return found | {"promoted": promoted, "worlds": worlds, "trials": TRIALS}


def one(seed: int, *, shared: bool, trials: int = TRIALS) -> dict[str, Any]:
    """Train in one world.

    Args:
        seed: Of the world and the training.
        shared: Of the world, see :func:`benchmarks.learning.worlds.random_walks`.
        trials: Settings that the search tries.
    """
    data, _ = learnable(random_walks(seed, shared=shared))
    trained = train(data, budget=Budget(None, trials), seed=seed)
    gain = trained.verdict.gain
    return {
        "way": "shared market, overlapping labels" if shared else "independent walks",
        "seed": seed,
        "signals": len(data.success),
        "base_rate": float(data.success.mean()),
        "promoted": trained.verdict.promoted,
        "gain": gain.mean,
        "bound": gain.lower,
        "blocks": gain.blocks,
        "auc": trained.report["metrics"]["auc"],
    }

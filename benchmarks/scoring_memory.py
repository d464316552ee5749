"""How much memory a million waiting signals need: ``python -m benchmarks.scoring_memory``.

It loads the modules of the stage and fills its arrays to the largest size: 10,000 symbols with
all the bars that are kept, a million signals that wait for more, each judged once. Prints JSON.
"""

from __future__ import annotations

import json
import resource
import sys

import numpy as np

import services.outcome_scorer.service  # noqa: F401 - its modules take room too
from trackrecord.outcomes.waiting import BarColumns, Known, Waiting
from trackrecord.outcomes.watch import KEPT, Watch
from trackrecord.times import DAY

SYMBOLS = 10_000
SIGNALS = 1_000_000
_PARTS = 10
_WAITED = 20
_SESSION = 23_400_000_000


def filled(symbols: int, signals: int) -> Watch:
    """All symbols, and signals that no bar has reached."""
    watch = Watch()
    opened = 10**15 + np.arange(KEPT, dtype=np.int64) * DAY
    rng = np.random.default_rng(0)
    for number in range(symbols):
        close = 100 + rng.standard_normal(KEPT).cumsum() / 10
        volume = np.full(KEPT, 1e6)
        bars = BarColumns(
            opened, opened + _SESSION, close, close + 1, close - 1, close, volume, np.ones(KEPT)
        )
        watch.put_bars(watch.slot((f"S{number}", "1d")), bars, whole=True)
    count = signals // _PARTS
    for part in range(_PARTS):
        watch.put_signals(
            Waiting(
                np.array([f"signal-{part}-{number}" for number in range(count)], np.object_),
                np.arange(count, dtype=np.int64) % symbols,
                np.ones(count, np.int8),
                np.full(count, 100.0),
                np.full(count, 1e4),
                np.full(count, 1e-4),
                np.full(count, KEPT, np.int64),
                np.zeros(count, np.bool_),
                np.full(count, opened[-_WAITED]),
                Known.nothing(count),
            )
        )
    return watch


def main() -> None:
    """Fill, judge in batches of symbols, and tell."""
    watch = filled(SYMBOLS, SIGNALS)
    for first in range(0, SYMBOLS, SYMBOLS // _PARTS):
        watch.judge(range(first, first + SYMBOLS // _PARTS), "stop_first")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    told = {"symbols": SYMBOLS, "waiting_signals": len(watch.signals.slot), "peak_mb": peak}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()

"""How fast labels, inference and training are, each compared with another way of doing it.

``label``: signals on daily bars by trackrecord, and by the row-by-row triple barrier in pandas as
it is usually published (López de Prado, Advances in Financial Machine Learning, 2018, snippet 3.2:
for each event a slice of closes, compared with its levels), on fewer signals, reported per signal.
``inference``: one signal with its features from its symbol's last bars, and many in one batch.
``train``: a whole training with one try of the search, and the bare fits of its three models with
the same settings on the rows that it learns from. Each part runs in a process of its own with one
thread, so that its peak memory is its own.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from benchmarks.learning.common import outcome, target
from benchmarks.learning.worlds import START, learnable, random_walks
from trackrecord.features import (
    BARS_NEEDED,
    Emitted,
    History,
    Market,
    Resolved,
    features_at_emission,
)
from trackrecord.features.windows import Floats
from trackrecord.learning.data import Data
from trackrecord.learning.ensemble import fit_models
from trackrecord.learning.members import KINDS, Settings, sigmoid
from trackrecord.learning.search import Budget
from trackrecord.learning.splits import Span
from trackrecord.learning.train import train
from trackrecord.learning.uniqueness import uniqueness
from trackrecord.outcomes import Bars, Signals, label_many
from trackrecord.times import DAY

SEED: Final = 5
SIZE: Final = 1_000_000
"""Signals that are labelled, and rows that are learnt from."""
FEATURES: Final = 27
ROUNDS: Final = 3

_BY_ROW: Final = 2_000
"""Signals that the row-by-row way labels."""
_ONE_BY_ONE: Final = 2_000
_BATCH: Final = 100_000
_HORIZON: Final = 20
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run(size: int = SIZE) -> dict[str, Any]:
    """Measure all parts in turn.

    Args:
        size: Signals and rows; smaller ones only show that it works.
    """
    runs = [each for part in _PARTS for each in _apart(part, size)]
    names = ("seconds", "per_second", "p99_ms", "peak_mb")
    median: dict[str, dict[str, float]] = {}
    for way in dict.fromkeys(each["way"] for each in runs):
        mine = [each for each in runs if each["way"] == way]
        median[way] = {name: statistics.median(each[name] for each in mine) for name in names}
    ours = median["label"]
    label = ours["per_second"] / median["label row by row (pandas)"]["per_second"]
    fit = median["train"]["seconds"] / median["bare fits"]["seconds"]
    return outcome(
        "learning_speed",
        SEED,
        runs,
        median,
        {
            "label, seconds for all": target(10, ours["seconds"], most=True),
            "label, times row by row": target(100, label),
            "inference of one with its features, p99 ms": target(
                5, median["inference, one"]["p99_ms"], most=True
            ),
            "inference in batches, signals a second": target(
                20_000, median["inference, batch"]["per_second"]
            ),
            "train, times the bare fits": target(2, fit, most=True),
            "train, peak MB": target(2_048, median["train"]["peak_mb"], most=True),
        },
        {"label row by row (pandas)": round(label, 1), "bare fits": round(1 / fit, 3)},
    ) | {"size": size}


def _apart(part: str, size: int) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.learning.speed", part, str(size)],
        env={**os.environ, **dict.fromkeys(_THREADS, "1")},
        check=True,
        stdout=subprocess.PIPE,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def _told(way: str, seconds: float, count: int, p99: float | None = None) -> dict[str, Any]:
    return {
        "way": way,
        "seconds": seconds,
        "per_second": count / seconds,
        "p99_ms": 1_000 * (seconds / count if p99 is None else p99),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _label(size: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(SEED)
    length = 2_000
    symbols = max(size // length, 1)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.015, (symbols, length)), axis=1)).ravel()
    opened = close * np.exp(rng.normal(0, 0.005, len(close)))
    edge = np.exp(np.abs(rng.normal(0, 0.007, (2, len(close)))))
    high, low = np.maximum(opened, close) * edge[0], np.minimum(opened, close) / edge[1]
    symbol = rng.integers(0, symbols, size)
    first = symbol * length + rng.integers(1, length - _HORIZON, size)
    direction = rng.choice(np.array([-1, 1], np.int8), size)
    price = opened[first]
    signals = Signals(
        direction,
        price,
        price * (1 + 0.05 * direction),
        price * (1 - 0.04 * direction),
        np.full(size, _HORIZON, np.int64),
        first,
        (symbol + 1) * length,
    )
    bars = Bars(opened, high, low, close)
    runs = [_told("label", _timed(lambda: label_many(bars, signals)), size) for _ in range(ROUNDS)]
    fewer = min(_BY_ROW, size)
    work = _by_row(close, length, signals, fewer)
    runs += [_told("label row by row (pandas)", _timed(work), fewer) for _ in range(ROUNDS)]
    return runs


def _by_row(close: Floats, length: int, signals: Signals, count: int) -> Callable[[], object]:
    """The usual way, event by event on a series of closes; levels as fractions of the entry."""
    pandas = importlib.import_module("pandas")
    days = pandas.date_range("2000-01-03", periods=length)
    series = [
        pandas.Series(close[start : start + length], days) for start in range(0, len(close), length)
    ]
    symbol, place = np.divmod(signals.first[:count], length)
    events = pandas.DataFrame(
        {
            "symbol": symbol,
            "start": days[place],
            "end": days[np.minimum(place + _HORIZON - 1, length - 1)],
            "side": signals.direction[:count],
            "target": 0.05,
            "stop": -0.04,
        }
    )

    def work() -> object:
        out = events[["end"]].copy()
        out["target"] = out["stop"] = pandas.NaT
        for row, event in events.iterrows():
            own = series[event["symbol"]]
            path = own[event["start"] : event["end"]]
            path = (path / own[event["start"]] - 1) * event["side"]
            out.loc[row, "target"] = path[path >= event["target"]].index.min()
            out.loc[row, "stop"] = path[path <= event["stop"]].index.min()
        return out.min(axis=1)

    return work


def _inference(size: int) -> list[dict[str, Any]]:
    world = random_walks(SEED, shared=True)
    data, _ = learnable(world)
    # Noise gives an ensemble that ignores its models; for time that makes no difference.
    ensemble = train(data, budget=Budget(None, 1), seed=SEED).ensemble
    whole = Market(world.bars)
    emitted = world.sent.signals
    none = Resolved(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    late = np.flatnonzero(
        whole.last_known(emitted.symbol, emitted.emitted_at) % 1_000 > BARS_NEEDED
    )
    rng = np.random.default_rng(SEED)
    ends = np.append(world.bars.starts[1:], len(world.bars.close))

    def one(place: int) -> None:
        alone: list[Any] = [column[place : place + 1] for column in emitted]
        signal = Emitted(*alone)
        number = int(signal.symbol[0])
        start = int(world.bars.starts[number])
        own = world.bars.closed_at[start : ends[number]]
        last = start + int(np.searchsorted(own, signal.emitted_at[0], "right"))
        rows = slice(last - BARS_NEEDED - 1, last)
        columns: list[Any] = [column[rows] for column in world.bars[:-1]]
        columns.append(np.zeros(1, np.int64))
        # The regime is worked out once a bar for all signals of a moment.
        market = Market(History(*columns), whole.regime)
        asked = signal._replace(symbol=np.zeros(1, np.int64))
        found = features_at_emission(market, asked, none)
        ensemble.predict(np.column_stack(list(found.values())))

    runs = []
    for _ in range(ROUNDS):
        chosen = rng.choice(late, min(_ONE_BY_ONE, size))
        times = np.array([_timed(partial(one, int(place))) for place in chosen])
        p99 = float(np.quantile(times, 0.99))
        runs.append(_told("inference, one", float(times.sum()), len(times), p99))
    many = data.features[rng.integers(0, len(data.features), min(_BATCH, size))]
    runs += [
        _told("inference, batch", _timed(lambda: ensemble.predict(many)), len(many))
        for _ in range(ROUNDS)
    ]
    return runs


def _rows(size: int) -> Data:
    rng = np.random.default_rng(SEED)
    features = rng.normal(size=(size, FEATURES))
    odds = features[:, 0] - 0.7 * features[:, 1] + 0.5 * features[:, 2] * features[:, 3]
    success = (rng.random(size) < sigmoid(odds)).astype(np.float64)
    emitted_at = START + np.sort(rng.integers(0, 2_500, size)) * DAY
    returned = np.where(success > 0, 0.03, -0.03)
    return Data(
        features,
        tuple(f"feature_{number}" for number in range(FEATURES)),
        success,
        returned,
        rng.integers(0, 5_000, size),
        Span(emitted_at, emitted_at + _HORIZON * DAY),
    )


def _train(size: int) -> list[dict[str, Any]]:
    data = _rows(size)
    seconds = _timed(lambda: train(data, budget=Budget(None, 1), seed=SEED))
    return [_told("train", seconds, size)]


def _bare(size: int) -> list[dict[str, Any]]:
    data = _rows(size)
    # What a training learns from: all but the unseen quarter and the embargo before it.
    begin = data.span.emitted_at[int(0.75 * size)]
    learn = data.take(data.span.ends_at < begin)
    weights = uniqueness(learn.symbol, learn.span)
    seconds = _timed(lambda: fit_models(learn.features, learn.success, weights, Settings(), SEED))
    return [_told("bare fits", seconds, len(KINDS) * len(learn.success))]


_PARTS: Final[dict[str, Callable[[int], list[dict[str, Any]]]]] = {
    "label": _label,
    "inference": _inference,
    "train": _train,
    "bare": _bare,
}


if __name__ == "__main__":
    json.dump(_PARTS[sys.argv[1]](int(sys.argv[2])), sys.stdout)

"""A whole training on real daily bars with the signals of three published rules.

Signals of all 7,000 symbols are judged by the same barriers, features hold what was known at each
emission, the last quarter is unseen, and the model is compared with the share of successes in its
training data. The result is written down, good or bad. The true probabilities are not known here;
``planted`` and ``noise`` show that a pattern is found if there is one, and none if there is none.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score

from benchmarks.learning import rules, us_daily
from benchmarks.learning.common import outcome
from trackrecord.features import Market
from trackrecord.features.windows import Floats
from trackrecord.learning.dataset import Outcomes, Sent, features_of, outcomes_of, rows_of
from trackrecord.learning.search import Budget
from trackrecord.learning.train import Trained, train
from trackrecord.outcomes.label_many import OUTCOMES

SEED: Final = 7
TRIALS: Final = 3
HORIZON: Final = 10
"""Bars; 20 would leave fewer than the seven blocks of time that a verdict needs."""
RANGES: Final = 2.0
LEAST_PRICE: Final = 5.0
LEAST_TURNOVER: Final = 1e6


def run() -> dict[str, Any]:
    """Read, signal, judge, train.

    Raises:
        MissingDataError: The bars are not on this machine.
    """
    started = time.perf_counter()
    daily = us_daily.read(us_daily.place())
    _say("bars read", started)
    market = Market(daily.bars)
    _say("features of bars", started)
    sent = rules.signals_of(
        daily.bars,
        daily.traded_at,
        market.features["true_range_14"],
        least_price=LEAST_PRICE,
        least_turnover=LEAST_TURNOVER,
        ranges=RANGES,
        horizon=HORIZON,
    )
    outcomes = outcomes_of(daily.bars, daily.opened_at, sent)
    features = features_of(market, sent, outcomes)
    del market
    data = rows_of(features, sent, outcomes)
    _say(f"{len(data.success):,} outcomes of {len(sent.next_open):,} signals", started)
    trained = train(
        data,
        budget=Budget(None, TRIALS),
        seed=SEED,
        progress=lambda words: _say(words, started),
    )
    report = trained.report
    found = {
        "way": "ensemble",
        **daily.counts,
        "signals": len(sent.next_open),
        "outcomes": _counts(outcomes),
        "delisted": int(outcomes.delisted.sum()),
        "ambiguous": int(outcomes.labels.ambiguous.sum()),
        "rules": _by_rule(sent, outcomes, features, trained),
        **{name: value for name, value in report.items() if name != "targets"},
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    names = ("auc", "log_loss", "brier", "accuracy")
    median = {
        "ensemble": {name: report["metrics"][name] for name in names},
        "base rate": {name: report["baseline"][name] for name in names},
    }
    ratios = {
        "base rate": round(median["base rate"]["log_loss"] / median["ensemble"]["log_loss"], 4)
    }
    measured = {name: told for name, told in report["targets"].items() if told["value"] is not None}
    result = outcome("real_bars", SEED, [found], median, measured, ratios)
    return result | {
        "settings": {
            "horizon_bars": HORIZON,
            "barriers_in_true_ranges": RANGES,
            "least_price": LEAST_PRICE,
            "least_turnover": LEAST_TURNOVER,
            "trials": TRIALS,
        }
    }


def _say(words: str, started: float) -> None:
    print(f"{time.perf_counter() - started:6.1f} s  {words}", file=sys.stderr, flush=True)


def _counts(outcomes: Outcomes) -> dict[str, int]:
    count = np.bincount(outcomes.labels.outcome, minlength=len(OUTCOMES))
    return {name: int(number) for name, number in zip(OUTCOMES, count, strict=True)}


def _by_rule(
    sent: Sent, outcomes: Outcomes, features: Floats, trained: Trained
) -> dict[str, dict[str, Any]]:
    """How each rule did over all, and on the unseen part what the model knew of its signals."""
    settled = np.flatnonzero(outcomes.settled)
    order = settled[np.argsort(sent.signals.emitted_at[settled], kind="stable")]
    unseen = np.zeros(len(features), np.bool_)
    unseen[order[-trained.report["judged_on"] :]] = True
    success = outcomes.labels.returned > 0
    told: dict[str, dict[str, Any]] = {}
    for number, name in enumerate(rules.NAMES):
        mine = outcomes.settled & (sent.signals.strategy == number)
        last = mine & unseen
        probability = trained.ensemble.predict(features[last])
        taken = probability >= trained.ensemble.thresholds.buy
        returned = outcomes.labels.returned[last]
        told[name] = {
            "signals": int(mine.sum()),
            "base_rate": float(success[mine].mean()),
            "mean_return": float(outcomes.labels.returned[mine].mean()),
            "unseen": int(last.sum()),
            "unseen_base_rate": float(success[last].mean()),
            "unseen_mean_return": float(returned.mean()),
            "unseen_auc": float(roc_auc_score(success[last], probability)),
            "unseen_bought": int(taken.sum()),
            "unseen_mean_return_of_bought": float(returned[taken].mean()) if taken.any() else None,
        }
    return told


def draw(outcome_: dict[str, Any], folder: Path) -> None:
    """Draw the reliability curve: what was predicted against what happened, unseen tenths.

    Args:
        outcome_: As :func:`run` returns it.
        folder: Where ``real_bars.svg`` goes.
    """
    found = outcome_["runs"][0]
    curve = found["reliability"]
    # The same numbers give the same file: ids from a fixed salt, no date.
    with mpl.rc_context({"svg.hashsalt": "trackrecord", "svg.fonttype": "none"}):
        figure = Figure(figsize=(5.5, 5), layout="constrained")
        axes = figure.add_subplot()
        predicted = [row["predicted"] for row in curve]
        happened = [row["happened"] for row in curve]
        low, high = min(*predicted, *happened) - 0.02, max(*predicted, *happened) + 0.02
        axes.plot([low, high], [low, high], color="#8a8f98", linewidth=1, label="perfect")
        rate = found["metrics"]["base_rate"]
        axes.axhline(rate, color="#c9b458", linewidth=1, label="rate of successes, unseen")
        axes.plot(predicted, happened, "o-", color="#1b7f4b", label="ensemble, tenths")
        axes.set_xlabel("probability of success as predicted")
        axes.set_ylabel("share of successes that happened")
        axes.set_title(
            f"{found['judged_on']:,} unseen signals in {found['blocks']} blocks of time",
            fontsize=10,
        )
        axes.legend(frameon=False, fontsize=9)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        figure.savefig(folder / "real_bars.svg", format="svg", metadata={"Date": None})

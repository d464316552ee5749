"""Every metric of the strategy_runner, with what to do about it."""

from __future__ import annotations

from typing import Final

from trackrecord.runtime.metrics import Counter, Gauge, Histogram, Metric

DECISIONS: Final = Counter(
    "trackrecord_strategy_decisions_total",
    "Decisions that strategies were asked for, by answer: `buy`, `sell`, `hold`, or `fault` where "
    "there was none.",
    "Many faults: `strategy_decisions` has the reason of each.",
    ("answer",),
)

MISSED: Final = Counter(
    "trackrecord_strategy_missed_total",
    "Decisions that were not made: the bar came `late`, there was no `time` left for the batch, or "
    "no `sandbox` to run code in.",
    "`late`: look at the feed. `time`: raise TRACKRECORD_STRATEGY_BATCH_SECONDS or find the slow "
    "strategy. `sandbox`: `trackrecord strategy sandbox` says what is missing.",
    ("why",),
)

CORRECTED: Final = Counter(
    "trackrecord_strategy_corrected_total",
    "Bars that were corrected after strategies had decided on them.",
    "Nothing is decided again. Many: the feed publishes bars before they are final.",
)

SIGNALS: Final = Counter(
    "trackrecord_strategy_signals_total",
    "Signals and exits of strategies: `emitted` and `closed`.",
    "None while strategies are active and bars come: look at the decisions.",
    ("kind",),
)

SUSPENDED: Final = Counter(
    "trackrecord_strategies_suspended_total",
    "Strategies that were suspended, as they failed too often in a row.",
    "`trackrecord strategy show` tells why; its owner mends it, then it is resumed.",
)

ACTIVE: Final = Gauge(
    "trackrecord_strategies_active",
    "Strategies that are active, of the timeframes of the last batch.",
    "None: activate one, if strategies are meant to run.",
)

POSITIONS: Final = Gauge(
    "trackrecord_strategy_positions",
    "Positions of strategies in memory, those included that wait for the next open.",
    "Memory grows with it: about 1 KB for each.",
)

DECIDING_SECONDS: Final = Histogram(
    "trackrecord_strategy_deciding_seconds",
    "Seconds to decide on the bars of one batch.",
    "Near TRACKRECORD_STRATEGY_BATCH_SECONDS: too many strategies with code for one process; start "
    "another.",
    buckets=(0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0),
)

METRICS: Final[tuple[Metric, ...]] = (
    DECISIONS,
    MISSED,
    CORRECTED,
    SIGNALS,
    SUSPENDED,
    ACTIVE,
    POSITIONS,
    DECIDING_SECONDS,
)

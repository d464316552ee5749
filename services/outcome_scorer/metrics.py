"""Every metric of the outcome_scorer, with what to do about it."""

from __future__ import annotations

from typing import Final

from trackrecord.runtime.metrics import Counter, Gauge, Histogram, Metric

BARS: Final = Counter(
    "trackrecord_bars_total",
    "Bars read: new ones, corrections, and those that changed nothing.",
    "No new ones while markets are open: look at the feed that publishes market_bar.",
    ("kind",),
)

OUTCOMES: Final = Counter(
    "trackrecord_outcomes_total",
    "Outcomes of signals, corrected ones included.",
    "Many void: prices jump unexplained; publish bars adjusted for splits.",
    ("outcome",),
)

ASSESSMENTS: Final = Counter(
    "trackrecord_assessments_total",
    "Signals judged when they were emitted, by verdict; `none` while no model is live.",
    "Only none: train a model with `trackrecord train`, or see `trackrecord models list`.",
    ("verdict",),
)

WAITING_SIGNALS: Final = Gauge(
    "trackrecord_waiting_signals",
    "Signals in memory whose horizon has not elapsed.",
    "Memory grows with it: about 200 bytes for each signal.",
)

MODELS_REFUSED: Final = Gauge(
    "trackrecord_models_refused",
    "Champions that were not loaded because their files were changed.",
    "Restore the model's files or roll back: `trackrecord models rollback`.",
)

JUDGING_SECONDS: Final = Histogram(
    "trackrecord_judging_seconds",
    "Seconds to judge the signals of one batch of bars.",
    "Seconds for small batches: very long horizons, or many late bars.",
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0),
)

METRICS: Final[tuple[Metric, ...]] = (
    BARS,
    OUTCOMES,
    ASSESSMENTS,
    WAITING_SIGNALS,
    MODELS_REFUSED,
    JUDGING_SECONDS,
)

"""Every metric of the outcome_scorer, with what to do about it."""

from __future__ import annotations

from trackrecord.runtime.metrics import Metric

METRICS = (
    Metric(
        "trackrecord_bars_total",
        "counter",
        "Bars read: new ones, corrections, and those that changed nothing.",
        "No new ones while markets are open: look at the feed that publishes market_bar.",
        ("kind",),
    ),
    Metric(
        "trackrecord_outcomes_total",
        "counter",
        "Outcomes of signals on bars, corrected ones too.",
        "Many void: prices jump unexplained; publish bars adjusted for splits.",
        ("outcome",),
    ),
    Metric(
        "trackrecord_assessments_total",
        "counter",
        "Signals judged at their emission, by verdict; `none` where no model is live.",
        "Only none: train a model with `trackrecord train`, or see `trackrecord models list`.",
        ("verdict",),
    ),
    Metric(
        "trackrecord_waiting_signals",
        "gauge",
        "Signals in memory whose horizon has not elapsed.",
        "It bounds memory: about 200 bytes each.",
    ),
    Metric(
        "trackrecord_models_refused",
        "gauge",
        "Champions that were not loaded, as their files are not those that were written.",
        "Restore the model's files or roll back: `trackrecord models rollback`.",
    ),
    Metric(
        "trackrecord_judging_seconds",
        "histogram",
        "Judging the signals of one batch of bars.",
        "Seconds for small batches: very long horizons, or many late bars.",
        buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0),
    ),
)

"""Every metric of the trainer, with what to do about it."""

from __future__ import annotations

from typing import Final

from trackrecord.runtime.metrics import Counter, Gauge, Histogram, Metric

TRAINING_RUNS: Final = Counter(
    "trackrecord_training_runs_total",
    "Training runs that ended, by outcome (completed, refused, failed) and trigger.",
    "failed: ml_training_log holds the error. refused: ml_training_log says what was missing.",
    ("outcome", "trigger"),
)

RETRAINING_SUCCESS_RATIO: Final = Gauge(
    "trackrecord_retraining_success_ratio",
    "Share of all logged runs of the model that did not fail (completed or refused); absent before "
    "the first run.",
    "The target is 0.95; ml_training_log holds the error of each run that failed.",
    ("model",),
)

FAILED_RUNS_IN_A_ROW: Final = Gauge(
    "trackrecord_failed_runs_in_a_row",
    "How many of the latest runs of the model failed, one after the other.",
    "Above 0: the champion goes on serving; ml_training_log holds the error.",
)

PROMOTIONS: Final = Counter(
    "trackrecord_promotions_total",
    "Runs whose model became the champion.",
    "0 for long is no fault: a model takes over only if it is better by more than noise.",
)

TRAINING_SECONDS: Final = Histogram(
    "trackrecord_training_seconds",
    "Seconds from the start of a run to its end, attempts that were killed included.",
    "Far above TRACKRECORD_TRAINER_BUDGET_SECONDS: the machine is busy, or runs are killed.",
    buckets=(1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0),
)

TRAINING_RUNNING: Final = Gauge(
    "trackrecord_training_running",
    "1 while this process trains, else 0.",
    "1 for hours: read its log. If the process hangs, another takes the run over after "
    "TRACKRECORD_TRAINER_STALE_SECONDS.",
)

TRAINING_KILLED: Final = Counter(
    "trackrecord_training_killed_total",
    "Runs whose process was killed in the middle; they are started again.",
    "More than one: most often too little memory; give the container more.",
)

NEW_OUTCOMES: Final = Gauge(
    "trackrecord_new_outcomes",
    "Outcomes to learn from that came after the last run.",
    "0 for long while signals come: their horizons have not elapsed, or no bars arrive.",
)

CHAMPION_BRIER: Final = Gauge(
    "trackrecord_champion_brier",
    "Brier score of the champion, by `when`: judged (at its training) and live (since then).",
    "Live far above judged: a training starts by itself; `trackrecord models rollback` helps "
    "until then.",
    ("when",),
)

DRIFTED_FEATURES: Final = Gauge(
    "trackrecord_drifted_features",
    "Features whose population stability index is above TRACKRECORD_TRAINER_DRIFT.",
    "Many at once: a feed of bars has changed; the log names the features.",
)

METRICS: Final[tuple[Metric, ...]] = (
    TRAINING_RUNS,
    RETRAINING_SUCCESS_RATIO,
    FAILED_RUNS_IN_A_ROW,
    PROMOTIONS,
    TRAINING_SECONDS,
    TRAINING_RUNNING,
    TRAINING_KILLED,
    NEW_OUTCOMES,
    CHAMPION_BRIER,
    DRIFTED_FEATURES,
)

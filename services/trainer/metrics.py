"""Every metric of the trainer, with what to do about it."""

from __future__ import annotations

from typing import Final

from trackrecord.runtime.metrics import Counter, Gauge, Histogram, Metric

TRAINING_RUNS: Final = Counter(
    "trackrecord_training_runs_total",
    "Training runs that ended, by outcome (completed, refused, failed) and trigger.",
    "failed: ml_training_log holds the error. refused: it says what there is too little of.",
    ("outcome", "trigger"),
)

RETRAINING_SUCCESS_RATIO: Final = Gauge(
    "trackrecord_retraining_success_ratio",
    "Of all logged runs of the model, the share that was completed or refused; none before "
    "the first.",
    "Asked for are 0.95: ml_training_log holds the error of each that failed.",
    ("model",),
)

FAILED_RUNS_IN_A_ROW: Final = Gauge(
    "trackrecord_failed_runs_in_a_row",
    "Logged runs of the model that failed since the last that did not.",
    "Above 0: who served before goes on serving; ml_training_log holds the error.",
)

PROMOTIONS: Final = Counter(
    "trackrecord_promotions_total",
    "Runs whose model serves from then on.",
    "None for long is no fault: a model takes over only if it is better beyond noise.",
)

TRAINING_SECONDS: Final = Histogram(
    "trackrecord_training_seconds",
    "From the start of a run to its end, attempts that were killed included.",
    "Far above TRACKRECORD_TRAINER_BUDGET_SECONDS: the machine is busy, or runs are killed.",
    buckets=(1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0),
)

TRAINING_RUNNING: Final = Gauge(
    "trackrecord_training_running",
    "1 while this process trains, else 0.",
    "1 for hours: read its log; after TRACKRECORD_TRAINER_STALE_SECONDS without life another "
    "takes over.",
)

TRAINING_KILLED: Final = Counter(
    "trackrecord_training_killed_total",
    "Runs whose process ended in the middle; they are begun again.",
    "More than one: most often memory; give the container more.",
)

NEW_OUTCOMES: Final = Gauge(
    "trackrecord_new_outcomes",
    "Outcomes since the last run that can be learnt from.",
    "0 for long while signals come: their horizons have not elapsed, or no bars arrive.",
)

CHAMPION_BRIER: Final = Gauge(
    "trackrecord_champion_brier",
    "Brier score of the champion: when it was judged, and live, by `when`.",
    "Live far above judged: a training begins by itself; until then `trackrecord models "
    "rollback` helps at once.",
    ("when",),
)

DRIFTED_FEATURES: Final = Gauge(
    "trackrecord_drifted_features",
    "Features whose stability index is above TRACKRECORD_TRAINER_DRIFT.",
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

"""Which models serve, how they were trained, and whether they were right."""

from __future__ import annotations

from tools.generate.record_boards.panels import Board, Choice, Panel

_OF_MODEL = "model = ${model:sqlstring}"

BOARD = Board(
    name="models",
    choices=(
        Choice("model", "Model", "SELECT DISTINCT model FROM ml_training_log ORDER BY model"),
    ),
    rows={
        "Which serve": (
            Panel(
                "Champions",
                "Which version served when; one without an end serves now.",
                sql=f"""
                SELECT live_from AS "From", live_until AS "Until", version AS "Version",
                       reason AS "Reason"
                FROM champions WHERE {_OF_MODEL} ORDER BY live_from DESC LIMIT 50
                """,
                width=12,
            ),
            Panel(
                "Expected calibration error",
                "The mean distance of the probability said from what happened; 0 is right.",
                kind="timeseries",
                expr="max by (model_version) (trackrecord_model_calibration_error_ratio)",
                legend="{{model_version}}",
                unit="percentunit",
                width=12,
            ),
        ),
        "How they were trained": (
            Panel(
                "Training runs",
                "A model serves only if it was better on outcomes that it had not seen.",
                sql=f"""
                SELECT finished_at AS "Ended", outcome AS "Outcome", promoted AS "Promoted",
                       version AS "Version", data_points AS "Outcomes learnt from",
                       duration_seconds AS "Took", metrics ->> 'auc' AS "AUC",
                       metrics ->> 'brier' AS "Brier", coalesce(reason, error) AS "Why"
                FROM ml_training_log WHERE {_OF_MODEL} ORDER BY finished_at DESC LIMIT 100
                """,
                units={"Took": "s"},
            ),
            Panel(
                "Outcomes learnt from",
                "In each training run.",
                kind="timeseries",
                sql=f"""
                SELECT finished_at AS time, model AS metric, data_points AS value
                FROM ml_training_log WHERE {_OF_MODEL} AND $__timeFilter(finished_at)
                ORDER BY finished_at
                """,
                width=12,
                stepped=True,
            ),
            Panel(
                "Seconds of training",
                "From start to end of each run.",
                kind="timeseries",
                sql=f"""
                SELECT finished_at AS time, model AS metric, duration_seconds AS value
                FROM ml_training_log WHERE {_OF_MODEL} AND $__timeFilter(finished_at)
                ORDER BY finished_at
                """,
                unit="s",
                width=12,
                stepped=True,
            ),
        ),
        "What happened": (
            Panel(
                "Outcomes",
                "What the bars after a signal did, by policy and strategy.",
                sql="""
                SELECT policy AS "Policy", strategy AS "Strategy", sum(target) AS "Target",
                       sum(stop) AS "Stop", sum(expired) AS "Expired", sum(void) AS "Void",
                       sum(ambiguous) AS "Ambiguous",
                       sum(sum_return) / nullif(sum(returns), 0) AS "Average return"
                FROM outcome_totals GROUP BY policy, strategy
                ORDER BY sum(target + stop + expired) DESC, policy, strategy LIMIT 200
                """,
                width=12,
                units={"Average return": "percentunit"},
            ),
            Panel(
                "Verdicts",
                "How many signals each version assessed, and how.",
                sql="""
                SELECT nullif(model_version, '') AS "Version", verdict AS "Verdict",
                       sum(assessed) AS "Signals"
                FROM verdict_totals GROUP BY model_version, verdict
                ORDER BY model_version DESC, verdict LIMIT 200
                """,
                width=12,
            ),
            Panel(
                "Probability less what happened",
                "By strategy, of the version that serves: above 0 the model expects too much.",
                kind="timeseries",
                expr="max by (strategy) (trackrecord_strategy_calibration_error_ratio)",
                legend="{{strategy}}",
                unit="percentunit",
            ),
        ),
    },
)

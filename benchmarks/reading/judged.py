"""What lies beside the signals of a long history: outcomes, scripts, models, dead letters."""

from __future__ import annotations

from typing import Final

from benchmarks.pipeline.common import connect
from trackrecord.runtime.settings import Settings

SCRIPTS: Final = 200
VERSION: Final = "m202512"
"""The version that serves: one for each month, of what was judged in it."""

_REPORT: Final = """{"judged_on": 5000, "blocks": 40, "metrics": {"auc": 0.6, "brier": 0.24},
"baseline": {"brier": 0.25}, "gain": {"mean": 0.01, "lower": 0.0, "upper": 0.02, "blocks": 40},
"reliability": [{"predicted": 0.6, "happened": 0.6, "count": 5000}]}"""

_BESIDE: Final = f"""
INSERT INTO outcomes (signal_id, policy, revision, strategy, symbol, emitted_at, outcome, label,
    "return", mae, mfe, bars_held, exit_price, how, ambiguous, delisted, known_at, ends_at,
    scored_at)
SELECT signal_id, 'stop_first', 0, strategy, symbol, emitted_at,
       CASE WHEN h %% 2 = 0 THEN 'target' ELSE 'stop' END, CASE WHEN h %% 2 = 0 THEN 1 ELSE -1 END,
       CASE WHEN h %% 2 = 0 THEN 0.01 ELSE -0.008 END, -0.004, 0.012, 3, price, 'intrabar', false,
       false, emitted_at, emitted_at + interval '3 days', emitted_at
FROM (SELECT *, hashtext(signal_id) AS h FROM signals) AS signals;

INSERT INTO models (version, model, training_id, created_at, learnt_until, manifest, metrics,
    report)
SELECT DISTINCT 'm' || to_char(emitted_at, 'YYYYMM'), %(model)s,
       't' || to_char(emitted_at, 'YYYYMM'), date_trunc('month', emitted_at),
       date_trunc('month', emitted_at) - interval '1 month', '{{}}'::jsonb,
       '{{"auc": 0.6}}'::jsonb, %(report)s::jsonb
FROM signals;
INSERT INTO ml_training_log (training_id, model, outcome, trigger, version, promoted, started_at,
    finished_at, duration_seconds, data_points, metrics)
SELECT training_id, model, 'completed', 'schedule', version, true, created_at, created_at, 60,
       100000, metrics FROM models;
INSERT INTO champions (model, live_from, version, reason)
SELECT model, created_at, version, 'the best' FROM models WHERE version = '{VERSION}';

INSERT INTO assessments (signal_id, strategy, symbol, timeframe, emitted_at, feature_set, features,
    probability, verdict, quality, model_version, assessed_at)
SELECT signal_id, strategy, symbol, '1d', emitted_at, 'default', '{{0.1,0.2,0.3}}',
       0.35 + 0.3 * (hashtext(signal_id) & 1023) / 1024, 'SELECTIVE', 'GOOD',
       'm' || to_char(emitted_at, 'YYYYMM'), emitted_at FROM signals;

INSERT INTO outcome_totals SELECT policy, strategy, 0, count(*) FILTER (WHERE outcome = 'target'),
    count(*) FILTER (WHERE outcome = 'stop'), 0, 0, 0, count(*),
    sum(round("return"::numeric, 12)) FROM outcomes GROUP BY 1, 2;
INSERT INTO verdict_totals SELECT model_version, strategy, verdict, 0, count(*) FROM assessments
    GROUP BY 1, 2, 3;

INSERT INTO executions (execution_id, script, started_at, finished_at, exit_code, output_bytes,
    digest, final_action, return_pct, outcome, extractor_version, appended_at)
SELECT 'run-' || n, 'script-' || lpad((n %% {SCRIPTS})::text, 3, '0') || '.py', at, at, 0, 1000, '',
       CASE n %% 3 WHEN 0 THEN 'BUY' WHEN 1 THEN 'SELL' END,
       round((hashint4(n) %% 500)::numeric / 100, 2),
       CASE WHEN hashint4(n) %% 500 > 0 THEN 'profit' ELSE 'loss' END, '1', at
FROM (SELECT n, timestamptz '2022-01-01' + n * interval '10 minutes' AS at
      FROM generate_series(1, 200000) AS n) AS runs;
INSERT INTO script_totals
SELECT script, coalesce(final_action, 'NONE'), 0, count(*), 0,
       count(*) FILTER (WHERE outcome = 'profit'), count(*) FILTER (WHERE outcome = 'loss'), 0,
       count(*), sum(return_pct), max(finished_at) FROM executions GROUP BY 1, 2;

INSERT INTO dead_letters (id, stage, topic, partition, log_offset, appended_at, value, headers,
    error_class, reason, first_seen, attempt)
SELECT 'letter-' || n, 'signal_tracker', 'signal_emitted', 0, n, now(), '?', '[]', 'unreadable',
       'no JSON', now(), 1 FROM generate_series(1, 500) AS n;
ANALYZE outcomes, assessments, executions, models
"""


def add(settings: Settings) -> list[str]:
    """Add all of it; gives the ids of some signals."""
    connection = connect(settings.database_url, settings.database_schema)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute(_BESIDE, {"model": settings.model, "report": _REPORT})
        cursor.execute("SELECT signal_id FROM signals ORDER BY md5(signal_id) LIMIT 2000")
        ids = [name for (name,) in cursor.fetchall()]
    connection.close()
    return ids

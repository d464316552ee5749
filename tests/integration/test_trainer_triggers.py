"""What is in the tables makes the trainer begin: decay of what serves, and drift."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from services.trainer.handler.trainer import Trainer
from services.trainer.rows import Ended, Job
from services.trainer.store import endings, runs
from tests.support import judged
from tests.support.compare import fetch, session
from trackrecord.runtime.jobs import METRICS
from trackrecord.runtime.metrics import Metrics
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context

pytestmark = pytest.mark.kafka


def due(settings: Settings) -> tuple[Job | None, str]:
    """What a look begins, and why."""
    registry = CollectorRegistry()
    trainer = Trainer(Context(settings, registry), Metrics(registry, "trainer", METRICS))
    with session(settings) as cursor:
        job = trainer.next_job(cursor)
    found = fetch(settings, "SELECT reason FROM training_jobs ORDER BY requested_at DESC LIMIT 1")
    return job, found[0][0]


def said(settings: Settings, probability: str) -> None:
    """Have the champion have said something of the later signals."""
    fetch(
        settings,
        "UPDATE assessments a SET model_version = c.version,"
        # Profit is not what is asked here.
        " verdict = CASE WHEN o.outcome = 'target' THEN 'BUY' ELSE 'SKIP' END, probability ="
        f" CASE WHEN o.outcome = 'target' THEN {probability} ELSE 1 - {probability} END"
        " FROM champions c, outcomes o WHERE o.signal_id = a.signal_id"
        " AND a.signal_id LIKE 's6-%%' RETURNING 1",
    )


def test_decay_and_drift_start_a_run_and_a_model_as_good_as_ever_does_not(
    settings: Settings,
) -> None:
    quick = settings.model_copy(update={"trainer_budget_seconds": 0.0, "trainer_trials": 1})
    judged.fill(quick, 1, 1_500, 1.5)
    with session(quick) as cursor:
        runs.request(cursor, quick.model, "request", "a test", {})
        job = runs.claim(cursor, quick.model, "test", stale_seconds=60, outcomes=1_500)
    assert job is not None
    judged.run(quick, job)
    judged.fill(quick, 6, 400, 1.5, after=judged.YEARS)
    # Its symbol was halted for years; that must not hide what became of the others.
    fetch(
        quick,
        "UPDATE outcomes SET ends_at = emitted_at + interval '900 days' WHERE signal_id ="
        " (SELECT signal_id FROM outcomes WHERE signal_id LIKE 's6-%%' ORDER BY emitted_at LIMIT 1)"
        " RETURNING 1",
    )
    said(quick, "0.8")
    assert due(quick)[0] is None
    said(quick, "0.1")
    again, why = due(quick)
    assert again is not None
    assert again.trigger == "decay_brier"
    assert "the live Brier score is 0.8" in why
    with session(quick) as cursor:
        endings.finish(cursor, quick, again, Ended("refused", 0, reason="a test"))
    said(quick, "0.8")
    fetch(quick, "UPDATE training_jobs SET outcomes = 1500 RETURNING 1")
    fetch(
        quick,
        "UPDATE assessments SET features[2] = features[2] + 2 WHERE signal_id LIKE 's6-%%'"
        " RETURNING 1",
    )
    drifted, why = due(quick)
    assert drifted is not None
    assert drifted.trigger == "drift"
    assert "feature_1 (" in why
    assert "feature_0" not in why

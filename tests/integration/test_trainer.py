"""One run after the other on a real database: what is promoted, refused, and never seen twice."""

from __future__ import annotations

import json
import sys

import pytest
from prometheus_client import CollectorRegistry

from services.trainer.handler.champion_changes import RefusedError, history, roll_back
from services.trainer.handler.trainer import Trainer
from services.trainer.handler.training import run
from services.trainer.rows import Ended
from services.trainer.store import champions, endings, runs, training_log
from tests.support import judged
from tests.support.compare import fetch, session
from tests.support.dask_workers import dask_workers
from trackrecord.events import ModelTrained
from trackrecord.learning.files import unpack, version_of
from trackrecord.runtime import champion, dask_cluster
from trackrecord.runtime.jobs import METRICS
from trackrecord.runtime.metrics import Metrics
from trackrecord.runtime.settings import Settings
from trackrecord.runtime.stage import Context

pytestmark = pytest.mark.kafka


@pytest.fixture
def quick(settings: Settings) -> Settings:
    """Trainings that try the standard settings and no others."""
    return settings.model_copy(update={"trainer_budget_seconds": 0.0, "trainer_trials": 1})


def serving(settings: Settings) -> str | None:
    with session(settings) as cursor:
        return champion.champion(cursor, settings.model)


def events(settings: Settings) -> list[ModelTrained]:
    found = fetch(settings, "SELECT value FROM outbox WHERE stage = 'trainer' ORDER BY id")
    return [ModelTrained.model_validate_json(bytes(value)) for (value,) in found]


def state(settings: Settings, columns: str) -> list[tuple[object, ...]]:
    return fetch(settings, f"SELECT {columns} FROM training_jobs ORDER BY requested_at")


def test_what_is_planted_is_promoted_with_its_log_its_files_and_its_event(quick: Settings) -> None:
    judged.fill(quick, 1, 1_500, 1.5)
    ended = judged.train(quick)
    assert ended.outcome == "completed"
    assert ended.made
    version = ended.made.version
    assert serving(quick) == version
    with session(quick) as cursor:
        files = champion.model_files(cursor, version)
    ensemble, manifest = unpack(files)
    assert version_of(files) == version
    assert ensemble.features == tuple(f"feature_{number}" for number in range(8))
    [(stored, learnt_until, metrics)] = fetch(
        quick, "SELECT manifest, learnt_until, metrics FROM models"
    )
    assert stored == manifest
    assert metrics["auc"] > 0.7
    [row] = fetch(
        quick,
        "SELECT outcome, trigger, version, promoted, champion_version, data_points, error"
        " FROM ml_training_log",
    )
    assert row == ("completed", "request", version, True, version, 1_500, None)
    [event] = events(quick)
    assert (event.status, event.promoted, event.champion_version) == ("completed", True, version)
    assert set(list(event.feature_importances)[:3]) == {"feature_0", "feature_1", "feature_2"}
    [(unseen_from, decided_until)] = state(quick, "unseen_from, decided_until")
    assert learnt_until < unseen_from < decided_until


def test_noise_is_logged_and_not_promoted(quick: Settings) -> None:
    judged.fill(quick, 2, 1_500, 0.0)
    assert judged.train(quick).outcome == "completed"
    assert serving(quick) is None
    assert fetch(quick, "SELECT promoted, champion_version FROM ml_training_log") == [(False, None)]
    assert fetch(quick, "SELECT count(*) FROM models") == [(1,)]


def test_on_a_cluster_it_ends_as_it_does_here(quick: Settings) -> None:
    judged.fill(quick, 1, 3_000, 1.5)
    with dask_workers() as cluster:
        ended = judged.train(quick.model_copy(update={"trainer_dask": cluster.scheduler_address}))
    assert ended.made
    assert ended.made.promoted
    assert ended.made.report["metrics"]["auc"] > 0.8
    assert serving(quick) == ended.made.version
    with session(quick) as cursor:
        files = champion.model_files(cursor, ended.made.version)
    assert b"[tree_learner: data]" in files["boosting.txt"]
    assert version_of(files) == unpack(files)[1]["version"]


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (False, "no Dask scheduler answers at tcp://127.0.0.1:1"),
        (True, "pip install 'trackrecord[learning,dask]'"),
    ],
)
def test_without_its_cluster_a_run_fails_in_words_and_the_champion_stays(
    quick: Settings, monkeypatch: pytest.MonkeyPatch, missing: bool, words: str
) -> None:
    monkeypatch.setattr(dask_cluster, "REACHED_WITHIN", 1.0)
    if missing:
        monkeypatch.setitem(sys.modules, "distributed", None)
    judged.fill(quick, 1, 600, 1.5)
    away = quick.model_copy(update={"trainer_dask": "tcp://127.0.0.1:1"})
    assert judged.train(away).outcome == "failed"
    assert state(quick, "status") == [("failed",)]
    [(error, points)] = fetch(quick, "SELECT error, data_points FROM ml_training_log")
    assert words in error
    assert points == 600
    assert [event.status for event in events(quick)] == ["failed"]
    assert serving(quick) is None


@pytest.mark.parametrize(
    ("rows", "only", "words"),
    [
        (0, None, "0 outcomes to learn from, and at least 200 are needed"),
        (150, None, "150 outcomes to learn from, and at least 200 are needed"),
        (600, 1, "only successes among"),
        (600, 0, "only failures among"),
    ],
)
def test_too_little_is_refused_in_words_and_nothing_was_looked_at(
    quick: Settings, rows: int, only: int | None, words: str
) -> None:
    if rows:
        judged.fill(quick, 3, rows, 1.0, only=only)
    assert judged.train(quick).outcome == "refused"
    [(outcome, error)] = fetch(quick, "SELECT outcome, error FROM ml_training_log")
    assert outcome == "refused"
    assert words in error
    [event] = events(quick)
    assert (event.status, event.promoted, event.error) == ("failed", False, error)
    assert state(quick, "status, decided_until") == [("refused", None)]


def test_a_signal_counts_only_when_its_whole_horizon_has_elapsed(quick: Settings) -> None:
    judged.fill(quick, 4, 300, 1.0)
    judged.fill(quick, 5, 300, 1.0, elapsed=False)
    fetch(
        quick,
        "UPDATE outcomes SET ends_at = now() + interval '1 hour' WHERE signal_id LIKE 's4-1%%'"
        " RETURNING 1",
    )
    [(waiting,)] = fetch(quick, "SELECT count(*) FROM outcomes WHERE ends_at > now()")
    assert waiting > 50
    assert judged.train(quick).data_points == 300 - waiting


def test_outcomes_that_a_decision_has_looked_at_decide_nothing_again(quick: Settings) -> None:
    judged.fill(quick, 1, 1_500, 1.5)
    judged.train(quick)
    first = serving(quick)
    again = judged.train(quick)
    assert again.outcome == "refused"
    assert "0 outcomes that nothing has seen since the last decision" in str(again.reason)
    judged.fill(quick, 6, 600, 1.5, after=judged.YEARS)
    assert judged.train(quick).outcome == "completed"
    [one, refused, two] = state(quick, "unseen_from, decided_until, judged_against")
    assert refused == (None, None, None)
    assert one[1] < two[0] < two[1]  # type: ignore[operator]
    assert two[2] == first
    [(learnt_until,)] = fetch(quick, "SELECT learnt_until FROM models WHERE version = %s", (first,))
    assert two[0] > learnt_until  # type: ignore[operator]


def test_what_a_process_brings_that_was_thought_dead_is_dropped(quick: Settings) -> None:
    judged.fill(quick, 1, 600, 1.5)
    late = judged.claim(quick)
    fetch(quick, "UPDATE training_jobs SET heartbeat_at = now() - interval '2 hours' RETURNING 1")
    with session(quick) as cursor:
        heir = runs.claim(cursor, quick.model, "heir", stale_seconds=60, outcomes=0)
    assert heir is not None
    assert (heir.training_id, heir.cut_off) == (late.training_id, late.cut_off)
    assert (heir.epoch, heir.attempts) == (2, 2)
    with pytest.raises(runs.SupersededError):
        run(quick, late)
    assert fetch(quick, "SELECT count(*) FROM models") == [(0,)]
    assert events(quick) == []
    run(quick, heir)
    assert len(events(quick)) == 1
    with pytest.raises(runs.SupersededError):
        run(quick, heir)
    assert fetch(quick, "SELECT count(*) FROM ml_training_log") == [(1,)]


def test_one_run_at_a_time(quick: Settings) -> None:
    judged.claim(quick)
    with session(quick) as cursor:
        assert runs.request(cursor, quick.model, "request", "another", {}) is None
        assert runs.claim(cursor, quick.model, "x", stale_seconds=60, outcomes=0) is None
        assert runs.request(cursor, "another", "request", "of another model", {})


def test_a_tampered_champion_is_refused_and_stays_in_its_place(quick: Settings) -> None:
    judged.fill(quick, 1, 1_500, 1.5)
    judged.train(quick)
    judged.fill(quick, 6, 600, 1.5, after=judged.YEARS)
    before = serving(quick)
    fetch(
        quick,
        "UPDATE model_files SET content = content || '\\x20'::bytea WHERE name = 'boosting.txt'"
        " RETURNING 1",
    )
    ended = judged.train(quick)
    assert ended.outcome == "failed"
    assert "boosting.txt was changed after it was written" in str(ended.error)
    assert serving(quick) == before
    [_, event] = events(quick)
    assert (event.status, event.champion_version) == ("failed", before)


def test_the_share_of_runs_that_ended_well_is_in_the_report_and_exported(quick: Settings) -> None:
    with session(quick) as cursor:
        assert training_log.ended(cursor, quick.model).success is None
    judged.train(quick)
    for _ in range(2):
        job = judged.claim(quick)
        with session(quick) as cursor:
            endings.finish(cursor, quick, job, Ended("failed", 0, error="a test"))
    with session(quick) as cursor:
        found = training_log.ended(cursor, quick.model)
        assert found == (0, 1, 2, 2)
        assert training_log.ended(cursor, "another") == (0, 0, 0, 0)
    assert exported(quick) == (1 / 3, 2)
    judged.fill(quick, 1, 600, 1.5)
    assert judged.train(quick).outcome == "completed"
    [(told,)] = fetch(quick, "SELECT report -> 'targets' -> 'retraining_success' FROM models")
    assert told == {"target": 0.95, "value": 0.5, "met": False}
    with session(quick) as cursor:
        assert training_log.ended(cursor, quick.model) == (1, 1, 2, 0)
    assert exported(quick) == (0.5, 0)


def exported(settings: Settings) -> tuple[float | None, float | None]:
    """What a look of the trainer shows of the log."""
    patient = {"trainer_new_outcomes": 10_000, "trainer_decay": False, "trainer_drift": 0.0}
    settings = settings.model_copy(update=patient)
    registry = CollectorRegistry()
    trainer = Trainer(Context(settings, registry), Metrics(registry, "trainer", METRICS))
    with session(settings) as cursor:
        assert trainer.next_job(cursor) is None
    found = registry.get_sample_value
    labels = {"stage": "trainer"}
    model = {**labels, "model": settings.model}
    return (
        found("trackrecord_retraining_success_ratio", model),
        found("trackrecord_failed_runs_in_a_row", labels),
    )


def test_rolling_back_goes_to_what_served_before_and_the_history_is_kept(quick: Settings) -> None:
    judged.fill(quick, 1, 1_500, 1.5)
    judged.train(quick)
    first = serving(quick)
    with session(quick) as cursor:
        champions.lock(cursor, quick.model)
        # As if it had been promoted: which of two good models wins is not the point here.
        fetch(
            quick,
            "INSERT INTO models SELECT 'second', model, 'other', created_at, learnt_until,"
            " manifest, metrics, report FROM models RETURNING 1",
        )
        champions.change(cursor, quick.model, "second", "better", "other")
    with session(quick) as cursor:
        assert roll_back(cursor, quick.model, None) == first
    with session(quick) as cursor:
        assert roll_back(cursor, quick.model, None) is None
    with session(quick) as cursor, pytest.raises(RefusedError, match="no version of default"):
        roll_back(cursor, quick.model, None)
    with session(quick) as cursor, pytest.raises(RefusedError, match=r"there is no manifest.json"):
        roll_back(cursor, quick.model, "second")
    with session(quick) as cursor, pytest.raises(RefusedError, match="has no version nonsense"):
        roll_back(cursor, quick.model, "nonsense")
    with session(quick) as cursor:
        assert roll_back(cursor, quick.model, first) == first
    with session(quick) as cursor:
        told = history(cursor, quick.model)
    assert [each["version"] for each in told] == [first, None, first, "second", first]
    assert [each["live_until"] for each in told][1:] == [each["live_from"] for each in told][:-1]


def test_a_champion_that_was_changed_meanwhile_is_not_replaced(quick: Settings) -> None:
    judged.fill(quick, 1, 1_500, 1.5)
    job = judged.claim(quick)
    fetch(
        quick,
        "INSERT INTO models VALUES ('other', 'default', 'x', now(), now(), '{}', '{}', '{}')"
        " RETURNING 1",
    )
    with session(quick) as cursor:
        champions.lock(cursor, quick.model)

    def change(_words: str) -> None:
        with session(quick) as cursor:
            if champion.champion(cursor, quick.model) is None:
                champions.change(cursor, quick.model, "other", "by hand", None)

    run(quick, job, change)
    assert serving(quick) == "other"
    [(promoted, reason)] = fetch(quick, "SELECT promoted, reason FROM ml_training_log")
    assert (promoted, reason) == (
        False,
        "another model serves than the one it was judged against",
    )
    assert json.loads(events(quick)[0].to_json())["champion_version"] == "other"

"""Trainings by trainers that are processes, and what must be there when one has ended."""

from __future__ import annotations

import psutil

from tests.support import wire
from tests.support.compare import fetch
from tests.support.pipeline import Pipeline, StageProcess, until
from trackrecord.events import ModelTrained

QUICK = {
    "TRACKRECORD_TRAINER_BUDGET_SECONDS": "0",
    "TRACKRECORD_TRAINER_TRIALS": "1",
    "TRACKRECORD_TRAINER_LOOK_SECONDS": "0.5",
    "TRACKRECORD_TRAINER_STALE_SECONDS": "4",
}
SLOW = {
    **QUICK,
    "TRACKRECORD_TRAINER_BUDGET_SECONDS": "300",
    "TRACKRECORD_TRAINER_TRIALS": "0",
}


def jobs(pipeline: Pipeline, columns: str = "status") -> list[tuple[object, ...]]:
    """Columns of the runs, in the order in which they were asked for."""
    return fetch(pipeline.settings, f"SELECT {columns} FROM training_jobs ORDER BY requested_at")


def child_of(process: StageProcess) -> psutil.Process:
    """The process that trains, once it says that it has begun."""
    until(lambda: any("searching" in str(each.get("doing")) for each in process.lines("training")),
          "it trains", 60)  # fmt: skip
    [child] = psutil.Process(process.pid).children()
    return child


def is_gone(child: psutil.Process) -> bool:
    """Whether a process has ended."""
    return not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def trained(pipeline: Pipeline) -> list[ModelTrained]:
    """What was told of runs."""
    found = wire.read(pipeline.settings, pipeline.settings.topic("model_trained"))
    return [ModelTrained.model_validate_json(each.value or b"") for each in found]


def check_one_run(pipeline: Pipeline, process: StageProcess) -> ModelTrained:
    """Wait for the end of the only run; exactly one of everything has come of it."""
    until(lambda: jobs(pipeline) == [("completed",)], "the run is completed", 120)
    until(lambda: process.lines("trained"), "it says so")
    until(lambda: fetch(pipeline.settings, "SELECT count(*) FROM outbox") == [(0,)], "it is sent")
    return one_of_everything(pipeline)


def one_of_everything(pipeline: Pipeline) -> ModelTrained:
    """One row wherever one run leaves one, and one event."""
    [event] = trained(pipeline)
    for table in ("ml_training_log", "models", "champions"):
        assert fetch(pipeline.settings, f"SELECT count(*) FROM {table}") == [(1,)], table
    assert event.promoted
    assert event.champion_version == event.version
    return event

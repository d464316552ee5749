"""The trainer as a stage: its topics, handler, tables and metrics."""

from __future__ import annotations

from services.trainer.tables import RECORDED
from trackrecord.events import ModelTrained, SignalScored
from trackrecord.runtime.jobs import Jobs, JobStage
from trackrecord.runtime.metrics import Metrics
from trackrecord.runtime.stage import Context


def _jobs(context: Context, metrics: Metrics) -> Jobs:
    # Whoever only asks what the stage reads and writes need not have what it learns with.
    from services.trainer.handler.trainer import Trainer  # noqa: PLC0415

    return Trainer(context, metrics)


STAGE = JobStage(
    name="trainer",
    consumes=(SignalScored,),
    produces=(ModelTrained,),
    jobs=_jobs,
    tables=RECORDED,
    look_every=lambda settings: settings.trainer_look_seconds,
)

"""strategy_gen as a stage: its topics, handler, tables and metrics."""

from __future__ import annotations

from services.strategy_gen.store import OUTBOX, keep
from services.strategy_gen.store import STAGE as NAME
from services.strategy_gen.tables import RECORDED
from trackrecord.events import ModelTrained, StrategyGenerated, StrategyRequested
from trackrecord.runtime.jobs import Jobs, JobStage
from trackrecord.runtime.keeping import Kept
from trackrecord.runtime.metrics import Metrics
from trackrecord.runtime.stage import Context


def _jobs(context: Context, metrics: Metrics) -> Jobs:
    # Whoever only asks what the stage reads and writes need not have the sandbox.
    from services.strategy_gen.handler.generator import Generator  # noqa: PLC0415

    return Generator(context, metrics)


STAGE = JobStage(
    name=NAME,
    consumes=(StrategyRequested, ModelTrained),
    produces=(StrategyGenerated,),
    jobs=_jobs,
    tables=RECORDED,
    look_every=lambda settings: settings.strategy_look_seconds,
    kept=Kept(OUTBOX, {StrategyRequested: keep}),
    others_write="the HTTP API and `trackrecord strategy`",
)

"""Strategies asked for over Kafka, and what came of it in tables and topics."""

from __future__ import annotations

from typing import Any

from tests.support import wire
from tests.support.compare import fetch
from tests.support.pipeline import Pipeline, StageProcess, until
from trackrecord.events import StrategyGenerated

STAGE = "strategy_gen"


def states(pipeline: Pipeline) -> dict[str, str]:
    """Where each request stands, by its id."""
    return dict(fetch(pipeline.settings, "SELECT request_id, status FROM strategy_requests"))  # type: ignore[arg-type]


def told(pipeline: Pipeline) -> list[StrategyGenerated]:
    """What was told of requests, in no order."""
    found = wire.read(pipeline.settings, pipeline.settings.topic("strategy_generated"))
    return [StrategyGenerated.model_validate_json(each.value or b"") for each in found]


def answer(pipeline: Pipeline, request_id: str, seconds: float = 60) -> StrategyGenerated:
    """The one answer to a request, once it is published."""

    def answers() -> list[StrategyGenerated]:
        return [each for each in told(pipeline) if each.request_id == request_id]

    [found] = until(answers, f"{request_id} is answered", seconds)
    return found  # type: ignore[no-any-return]


def log(pipeline: Pipeline, columns: str = "status, error") -> list[tuple[Any, ...]]:
    """Columns of every attempt, in the order in which they were asked."""
    return fetch(pipeline.settings, f"SELECT {columns} FROM generation_log ORDER BY asked_at")


def ready(pipeline: Pipeline, **more: str) -> StageProcess:
    """A process of the stage, once it hears what is asked for."""
    process = pipeline.start(STAGE, **more)
    until(lambda: process.is_ready, "strategy_gen is ready", 90)
    return process

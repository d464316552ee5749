"""What monitoring asks of the process itself: the pages that every stage has."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from trackrecord.api.answers import JSON, as_json
from trackrecord.api.who import Operator

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz(request: Request) -> Response:
    """Whether its loop turns."""
    alive = request.app.state.health.alive
    return Response(as_json({"alive": alive}), 200 if alive else 503, media_type=JSON)


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """Whether it reaches its database."""
    health = request.app.state.health
    reason = health.why_not
    content = as_json({"ready": reason is None, "reason": reason})
    return Response(content, 200 if reason is None else 503, media_type=JSON)


@router.get("/metrics")
def metrics(request: Request, who: Operator) -> Response:
    """What it counts, and what strategies came to, private ones included."""
    del who
    text = generate_latest(request.app.state.registry)
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})


@router.get("/status")
def status(request: Request, who: Operator) -> Response:
    """What it knows of itself, for people and programs that scrape nothing."""
    del who
    health, registry = request.app.state.health, request.app.state.registry
    return Response(as_json(health.report(registry)), media_type=JSON)

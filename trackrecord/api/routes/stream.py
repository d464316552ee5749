"""Server-sent events: that something has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from trackrecord.api.parts import parts_of
from trackrecord.api.routes.asking import VERSION_ONE, Asked
from trackrecord.api.who import Who

router = APIRouter(prefix=VERSION_ONE, tags=["stream"])


async def _place(request: Request) -> None:
    """Before the answer begins, while it can still be a refusal."""
    parts_of(request).changes.require_place()


@router.get(
    "/stream",
    response_class=EventSourceResponse,
    operation_id="stream",
    dependencies=[Depends(_place)],
)
async def stream(
    request: Request,
    who: Who,
    asked: Annotated[Asked, Query()],
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Tell of every change of signals, outcomes, scripts and models within a second.

    The first event, `here`, or `change` where something has since the `Last-Event-ID`, is told at
    once. Read again what you show of the kinds that `changed` names.
    """
    del who, asked
    async for event in parts_of(request).changes.follow(last_event_id):
        yield event

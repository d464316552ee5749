"""Server-sent events: that something has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from trackrecord.api.changes import Versions
from trackrecord.api.cursors import Cursors
from trackrecord.api.parts import parts_of
from trackrecord.api.routes.asking import VERSION_ONE, Asked
from trackrecord.api.who import Reader, Who

router = APIRouter(prefix=VERSION_ONE, tags=["stream"])

_SECONDS: Final = 900.0


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
    once. Read again what you show of the kinds that `changed` names. Where users log in, a stream
    ends after a quarter of an hour: come back with its last id.
    """
    del asked
    parts = parts_of(request)
    if who.identity is None:
        following = parts.changes.follow(last_event_id)
    else:
        # How much is published is not told to everybody, and who is let in may change.
        shown = partial(_blurred, parts.cursors.of(who.whose), who)
        following = parts.changes.follow(last_event_id, shown, _SECONDS)
    async for event in following:
        yield event


def _blurred(cursors: Cursors, who: Reader, versions: Versions) -> Versions:
    if "read_all" in who.permissions:
        return versions
    return {name: cursors.number(f"{name}.{at}") for name, at in versions.items()}

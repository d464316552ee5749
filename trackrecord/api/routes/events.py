"""The way in: events of each type, one at a time or many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Query, Request, Response

from trackrecord.api.answers import answer
from trackrecord.api.parts import parts_of
from trackrecord.api.problems import ProblemError
from trackrecord.api.publishing_rights import require_publishable, with_account
from trackrecord.api.routes.asking import VERSION_ONE, Asked
from trackrecord.api.shapes import Published
from trackrecord.api.who import Publisher, Reader
from trackrecord.events import EVENTS, Event
from trackrecord.events.documents import event_schema
from trackrecord.events.types import DECIMAL_PATTERNS, Identifier
from trackrecord.publishing.posted import MOST_EVENTS, UnreadableError, check_posted

router = APIRouter(prefix=VERSION_ONE, tags=["events"])

_NAMED = 50
"""Refused events of a request that are told one by one."""

_JSON = "application/json"
_LINES = "application/x-ndjson"
_AS_LINES = frozenset({_LINES, "application/jsonl", "application/jsonlines"})


def _body(model: type[Event]) -> dict[str, Any]:
    """The body of a request, for the OpenAPI document."""
    schema = {
        name: value for name, value in event_schema(model).items() if not name.startswith("$")
    }
    schema["properties"] = {
        **_with_whole_numbers(schema["properties"]),
        "id": {
            "anyOf": [{"type": "string", "minLength": 1, "maxLength": 128}, {"type": "null"}],
            "description": "Of the event; by default derived from what it is about.",
        },
    }
    batch = {"type": "array", "minItems": 1, "maxItems": MOST_EVENTS, "items": schema}
    return {
        "required": True,
        "content": {
            _JSON: {"schema": {"anyOf": [schema, batch]}},
            _LINES: {"schema": {"type": "string", "description": "One object to a line."}},
        },
    }


def _with_whole_numbers(schema: Any) -> Any:
    """A schema in which a decimal may be a whole JSON number too, as it is read exactly."""
    if isinstance(schema, list):
        return [_with_whole_numbers(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("pattern") in DECIMAL_PATTERNS:
        about = {name: schema[name] for name in ("title", "description") if name in schema}
        text = {name: value for name, value in schema.items() if name not in about}
        return {**about, "anyOf": [text, {"type": "integer"}]}
    return {name: _with_whole_numbers(value) for name, value in schema.items()}


async def _publish(
    request: Request, who: Reader, event_type: str, event_id: str | None
) -> Response:
    parts = parts_of(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    lines = kind in _AS_LINES
    if kind != _JSON and not lines:
        raise ProblemError(
            415,
            f"the body is of type {kind[:100] or 'nothing'!r}: send {_JSON} (one object, or a "
            f"list of them) or {_LINES} (one object to a line)",
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ProblemError(415, "the body is compressed: send it as it is")
    body = await request.body()
    now = parts.clock.now()
    try:
        checked = await asyncio.to_thread(
            check_posted, event_type, body, now, lines=lines, event_id=event_id
        )
    except UnreadableError as error:
        raise ProblemError(400, str(error)) from None
    if event_id is not None and not checked.is_one:
        reason = "names one event, and the body is a batch: give each its own `id`"
        raise ProblemError(422, reason, errors=[{"field": "ce-id", "reason": reason}])
    if checked.refused:
        count = len(checked.refused)
        first = checked.refused[0]["reason"]
        field = checked.refused[0].get("field")
        named = f"{field}: {first}" if field and not first.startswith(field) else first
        raise ProblemError(
            422,
            f"{count:,} event(s) break a rule, and nothing was sent; the first: {named}",
            errors=checked.refused[:_NAMED],
        )
    if not checked.messages:
        raise ProblemError(422, "there is no event in the body")
    messages = checked.messages
    if parts.access is not None:
        await run_sync(require_publishable, parts.access.writes, who, messages, parts.clock)
        messages = with_account(messages, who)
    await parts.ingest.publish(messages)
    content: dict[str, Any] = {"published": len(checked.messages), "warnings": checked.warnings}
    if checked.is_one:
        content["id"] = checked.messages[0][2]
    return answer(content, as_of=now, status=202)


def _route(event_type: str) -> Callable[..., Coroutine[Any, Any, Response]]:
    async def publish(
        request: Request,
        who: Publisher,
        asked: Annotated[Asked, Query()],
        ce_id: Annotated[Identifier | None, Header(alias="ce-id")] = None,
    ) -> Response:
        del asked
        return await _publish(request, who, event_type, ce_id)

    publish.__doc__ = (
        f"Publish `{event_type}`: answered once the broker has acknowledged all.\n\n"
        "All events of a request are checked before the first is sent. What has the id of an "
        "event that came before counts once."
    )
    return publish


for _name, _model in EVENTS.items():
    router.add_api_route(
        f"/events/{_name}",
        _route(_name),
        methods=["POST"],
        status_code=202,
        response_model=Published,
        operation_id=f"publish_{_name}",
        openapi_extra={"requestBody": _body(_model)},
    )


@router.post("/events/{event_type}", include_in_schema=False)
async def publish_unknown(event_type: str) -> Response:
    """There is no such type."""
    raise ProblemError(
        404, f"there is no event type {event_type[:64]!r}; the types are {', '.join(EVENTS)}"
    )

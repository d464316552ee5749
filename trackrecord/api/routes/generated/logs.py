"""What was asked for, and every attempt at it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from trackrecord.api.answers import answer
from trackrecord.api.cursors import time_of
from trackrecord.api.parts import parts_of
from trackrecord.api.problems import not_found
from trackrecord.api.routes.asking import Asked, PathId
from trackrecord.api.routes.generated.asking import LoggedAttempts
from trackrecord.api.routes.generated.common import PATH, reading, require_may_filter, route
from trackrecord.api.strategy_shapes import Attempts, Generation, OneAttempt
from trackrecord.api.who import Who
from trackrecord.catalogue.store import attempts, requests
from trackrecord.catalogue.store.attempts import Logged

router = APIRouter(prefix=PATH, tags=["made strategies"])

_LONG = ("instructions", "request", "raw_answer", "code")
"""What only the answer about one attempt has: an answer of a model may have a megabyte."""


@route(router, "GET", "/generation-logs/", operation_id="list_attempts", answers=Attempts)
def list_attempts(
    request: Request, who: Who, asked: Annotated[LoggedAttempts, Query()]
) -> Response:
    """Every attempt at a strategy of yours, the latest first; for admins everybody's."""
    parts = parts_of(request)
    require_may_filter(who, asked.owner)
    cursors, after = parts.cursors.of(who.whose), None
    if asked.cursor is not None:
        at, last = cursors.read("attempts", asked.filters(), asked.cursor, 2)
        after = (time_of(at), str(last))
    with reading(parts, who) as cursor:
        as_of = parts.clock.now()
        found = attempts.logged(
            cursor,
            request_id=asked.request_id,
            owner=asked.owner,
            provider=asked.provider,
            status=asked.status,
            after=after,
            limit=asked.limit + 1,
        )
    following = None
    if len(found) > asked.limit:
        question = found[asked.limit - 1].attempt.question
        keys = (question.asked_at, question.attempt_id)
        following = cursors.written("attempts", asked.filters(), keys)
    shown = [_shown(each) for each in found[: asked.limit]]
    for each in shown:
        for name in _LONG:
            del each[name]
    return answer({"attempts": shown, "next": following}, as_of=as_of)


@route(
    router, "GET", "/generation-logs/{attempt_id}/", operation_id="show_attempt",
    answers=OneAttempt,
)  # fmt: skip
def show_attempt(
    request: Request, who: Who, attempt_id: PathId, asked: Annotated[Asked, Query()]
) -> Response:
    """One attempt: what was sent, and what came back, word for word."""
    del asked
    parts = parts_of(request)
    with reading(parts, who) as cursor:
        as_of = parts.clock.now()
        found = attempts.logged(cursor, attempt_id=attempt_id, limit=1)
    if not found:
        raise not_found(f"there is no attempt {attempt_id!r}")
    return answer(_shown(found[0]), as_of=as_of)


@route(router, "GET", "/requests/{request_id}/", operation_id="show_request", answers=Generation)
def show_request(
    request: Request, who: Who, request_id: PathId, asked: Annotated[Asked, Query()]
) -> Response:
    """What has become of a request: ask again while it is `waiting` or `working`."""
    del asked
    parts = parts_of(request)
    with reading(parts, who) as cursor:
        as_of = parts.clock.now()
        found = requests.of(cursor, request_id)
    if found is None:
        raise not_found(f"there is no request {request_id!r}")
    return answer(request_shown(found, parts.settings.strategy_provider), as_of=as_of)


def request_shown(found: requests.Request, standard: str) -> dict[str, Any]:
    """What has become of a request.

    Args:
        found: The request.
        standard: The provider of those that name none.
    """
    return {
        "request_id": found.request_id,
        "status": found.status,
        "error": found.error,
        "provider": found.content.get("provider") or standard,
        "strategy_id": found.strategy_id,
        "answer": found.answer,
        "requested_at": found.requested_at,
        "ended_at": found.ended_at,
    }


def _shown(found: Logged) -> dict[str, Any]:
    asked, told = found.attempt.question, found.attempt.result
    return {
        "attempt_id": asked.attempt_id,
        "request_id": found.request_id,
        "number": asked.number,
        "owner": asked.owner,
        "prompt": asked.sentence,
        "provider": asked.provider,
        "model": asked.model,
        "status": told.status,
        "ending": told.ending,
        "error": told.error,
        "problems": [dict(each) for each in told.problems],
        "answered_by": told.answered_by,
        "input_tokens": told.input_tokens,
        "output_tokens": told.output_tokens,
        "seconds": told.seconds,
        "asked_at": asked.asked_at,
        "ended_at": told.ended_at,
        "instructions": asked.instructions,
        "request": asked.request,
        "raw_answer": told.answer,
        "code": told.code,
    }

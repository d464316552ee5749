"""What an operator asks: where the stages are, and what had no effect."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from trackrecord.access.store.audit import note
from trackrecord.access.store.session import act_for
from trackrecord.api.answers import answer
from trackrecord.api.cursors import time_of
from trackrecord.api.parts import parts_of
from trackrecord.api.problems import ProblemError, not_found
from trackrecord.api.routes.asking import VERSION_ONE, Asked, Paged, PathId
from trackrecord.api.shapes import DeadLetter, DeadLetters, Requeued, Status
from trackrecord.api.who import Operator
from trackrecord.runtime.admin.dead_letter_queue import (
    letter_of,
    read_letters_after,
    replay_letters,
)
from trackrecord.runtime.database import rows

router = APIRouter(prefix=VERSION_ONE, tags=["operations"])

_OFFSETS = "SELECT stage, topic, partition, next_offset, updated_at FROM consumer_offsets"


class _Letters(Paged):
    all: bool = False
    """Whether those that were sent again or dismissed are told as well."""


@router.get("/dead-letters", response_model=DeadLetters, operation_id="list_dead_letters")
def list_dead_letters(
    request: Request, who: Operator, asked: Annotated[_Letters, Query()]
) -> Response:
    """Messages that had no effect, and why, the oldest first."""
    parts = parts_of(request)
    after = None
    if asked.cursor is not None:
        at, letter_id = parts.cursors.of(who.whose).read(
            "dead-letters", asked.filters(), asked.cursor, 2
        )
        after = (time_of(at), str(letter_id))
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        found = read_letters_after(cursor, after, asked.limit + 1, replayed=asked.all)
    following = None
    if len(found) > asked.limit:
        last = found[asked.limit - 1]
        keys = (last["first_seen"], last["id"])
        following = parts.cursors.of(who.whose).written("dead-letters", asked.filters(), keys)
    return answer({"letters": found[: asked.limit], "next": following}, as_of=as_of)


@router.get("/dead-letters/{letter_id}", response_model=DeadLetter, operation_id="show_dead_letter")
def show_dead_letter(
    request: Request, who: Operator, letter_id: PathId, asked: Annotated[Asked, Query()]
) -> Response:
    """One message that had no effect, with its bytes: as text where they are, else in base64."""
    del who, asked
    parts = parts_of(request)
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        found = letter_of(cursor, letter_id)
    if found is None:
        raise not_found(f"there is no dead letter {letter_id!r}")
    for name in ("key", "value"):
        found[name] = _bytes(found[name])
    found["headers"] = [{"name": name, **_bytes(value)} for name, value in found["headers"]]
    return answer({"letter": found}, as_of=as_of)


@router.post("/dead-letters/{letter_id}/requeue", response_model=Requeued, operation_id="requeue")
def requeue(
    request: Request, who: Operator, letter_id: PathId, asked: Annotated[Asked, Query()]
) -> Response:
    """Send a message again to the topic that it came from, its bytes and id unchanged."""
    del asked
    parts = parts_of(request)
    with parts.pool.reading() as cursor:
        if letter_of(cursor, letter_id) is None:
            raise not_found(f"there is no dead letter {letter_id!r}")
    if (absent := parts.ends.known.problem) is not None:
        # Else it would be waited for half a minute, with a thread.
        raise ProblemError(503, f"the broker does not answer ({absent}): nothing was sent")
    done = replay_letters(parts.settings, [letter_id])
    if parts.access is not None:
        with parts.access.writes.writing() as cursor:
            act_for(cursor, who.known.user_id)
            note(cursor, who.actor, "letter sent again", letter_id, letters=done.letters)
    content = {"letters": done.letters, "messages": done.messages, "failed": done.failed}
    return answer(content, as_of=parts.clock.now())


@router.get("/status", response_model=Status, operation_id="status")
def status(request: Request, who: Operator, asked: Annotated[Asked, Query()]) -> Response:
    """Where each stage is in each partition, and how much is left to read as last heard."""
    del who, asked
    parts = parts_of(request)
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        offsets = rows(cursor, f"{_OFFSETS} ORDER BY stage, topic, partition")
        versions = parts.reading.versions(cursor)
    known = parts.ends.known
    stages: dict[str, Any] = {}
    for stage, topic, partition, offset, updated_at in offsets:
        end = known.ends.get((topic, partition))
        lag = None if end is None else max(end - offset, 0)
        found = stages.setdefault(stage, {"lag": 0, "moved_at": updated_at, "partitions": []})
        found["lag"] = None if lag is None or found["lag"] is None else found["lag"] + lag
        found["moved_at"] = max(found["moved_at"], updated_at)
        found["partitions"].append(
            {"topic": topic, "partition": partition, "next_offset": offset, "end": end, "lag": lag}
        )
    content = {
        "broker": {
            "reachable": known.problem is None,
            "problem": known.problem,
            "as_of": known.at,
        },
        "stages": stages,
        "version": "-".join(f"{name}.{at}" for name, at in sorted(versions.items())),
    }
    return answer(content, as_of=as_of)


def _bytes(value: bytes | None) -> dict[str, str | None]:
    if value is None:
        return {"text": None}
    try:
        return {"text": value.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}

"""Strategies that were made here, changed: properties, activation, archive, copies, the end."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from trackrecord.api.answers import answer
from trackrecord.api.parts import Parts, parts_of
from trackrecord.api.problems import ProblemError
from trackrecord.api.routes.asking import Asked
from trackrecord.api.routes.generated.asking import Changed, Copied, Several
from trackrecord.api.routes.generated.common import (
    PATH,
    StrategyId,
    found_own,
    require_key_for,
    route,
    writing,
)
from trackrecord.api.routes.generated.shown import whole
from trackrecord.api.strategy_shapes import Archived, ChangedStrategy
from trackrecord.api.who import Admin, Publisher, Reader
from trackrecord.catalogue.life import NoStrategyError, StrategyRefusedError
from trackrecord.catalogue.store import strategies
from trackrecord.catalogue.store.strategies import Changes, Strategy
from trackrecord.runtime.database import Cursor

fixed = APIRouter(prefix=PATH, tags=["made strategies"])
router = APIRouter(prefix=PATH, tags=["made strategies"])

_NAMED = 10
"""Symbols without bars that are told one by one."""


@route(fixed, "POST", "/archive/", operation_id="archive_strategies", answers=Archived)
def archive_strategies(
    request: Request, who: Admin, asked: Annotated[Asked, Query()], body: Several
) -> Response:
    """Archive many strategies, whosever they are; for admins."""
    del asked
    parts = parts_of(request)
    now = parts.clock.now()
    archived: list[UUID] = []
    refused: list[dict[str, Any]] = []
    with writing(parts, who) as cursor:
        # In one order, so that two admins do not wait for each other.
        for each in sorted(set(body.ids)):
            try:
                strategies.archive(cursor, who.actor, each, now)
            except (NoStrategyError, StrategyRefusedError) as error:
                refused.append({"strategy_id": each, "reason": str(error)})
            else:
                archived.append(each)
    return answer({"archived": archived, "refused": refused}, as_of=now)


@route(
    router, "DELETE", "/{strategy_id:uuid}/", operation_id="delete_strategy", answers=None,
    status=204,
)  # fmt: skip
def delete_strategy(
    request: Request, who: Publisher, strategy_id: StrategyId, asked: Annotated[Asked, Query()]
) -> Response:
    """Take a strategy out of every list.

    What it holds runs to its end, and its record and the count of its tries stay.
    """
    del asked
    parts = parts_of(request)
    with writing(parts, who) as cursor:
        found_own(cursor, strategy_id, who, admins=True)
        strategies.delete(cursor, who.actor, strategy_id, parts.clock.now())
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@route(
    router, "POST", "/{strategy_id:uuid}/activate/", operation_id="activate_strategy",
    answers=ChangedStrategy,
)  # fmt: skip
def activate_strategy(
    request: Request, who: Publisher, strategy_id: StrategyId, asked: Annotated[Asked, Query()]
) -> Response:
    """Have a strategy decide on each bar that closes from now on, and publish its signals.

    Its name becomes that of its record, as if it had published under it with a key of yours.
    """
    del asked
    parts = parts_of(request)
    now = parts.clock.now()
    with writing(parts, who) as cursor:
        found_own(cursor, strategy_id, who)
        found = strategies.activate(cursor, who.actor, strategy_id, now)
        notes = _of_bars(strategies.symbols_without_bars(cursor, found), found)
        return changed(cursor, parts, found, who, notes)


@route(
    router, "POST", "/{strategy_id:uuid}/archive/", operation_id="archive_strategy",
    answers=ChangedStrategy,
)  # fmt: skip
def archive_strategy(
    request: Request, who: Publisher, strategy_id: StrategyId, asked: Annotated[Asked, Query()]
) -> Response:
    """Have a strategy decide no more; what it holds runs to its end, and its record stays."""
    del asked
    parts = parts_of(request)
    with writing(parts, who) as cursor:
        found_own(cursor, strategy_id, who, admins=True)
        found = strategies.archive(cursor, who.actor, strategy_id, parts.clock.now())
        return changed(cursor, parts, found, who)


@route(
    router, "POST", "/{strategy_id:uuid}/resume/", operation_id="resume_strategy",
    answers=ChangedStrategy,
)  # fmt: skip
def resume_strategy(
    request: Request, who: Publisher, strategy_id: StrategyId, asked: Annotated[Asked, Query()]
) -> Response:
    """Ask a strategy again that was suspended for its faults."""
    del asked
    parts = parts_of(request)
    with writing(parts, who) as cursor:
        found_own(cursor, strategy_id, who, admins=True)
        found = strategies.resume(cursor, who.actor, strategy_id, parts.clock.now())
        return changed(cursor, parts, found, who)


@route(
    router, "POST", "/{strategy_id:uuid}/copy/", operation_id="copy_strategy",
    answers=ChangedStrategy, status=201,
)  # fmt: skip
def copy_strategy(
    request: Request,
    who: Publisher,
    strategy_id: StrategyId,
    asked: Annotated[Asked, Query()],
    body: Copied,
) -> Response:
    """Make a strategy of yours from a public one, or from another of yours.

    It keeps its origin, and what was tried of that counts as tried by you.
    """
    del asked
    parts = parts_of(request)
    require_key_for(who, body.name)
    with writing(parts, who) as cursor:
        found = strategies.copy(
            cursor,
            who.actor,
            strategy_id,
            owner=who.owner,
            user_id=who.user_id,
            name=body.name,
            now=parts.clock.now(),
        )
        return changed(cursor, parts, found, who, status=201)


def changes_of(body: Changed) -> Changes:
    """What a body wants to be another, without its code."""
    wanted = {
        name: getattr(body, name)
        for name in body.model_fields_set - {"code"}
        # Only the source of bars can be none.
        if name == "source" or getattr(body, name) is not None
    }
    return cast("Changes", wanted)


def changed(
    cursor: Cursor,
    parts: Parts,
    found: Strategy,
    who: Reader,
    notes: list[str] | None = None,
    *,
    status: int = 200,
) -> Response:
    """A strategy as it is now."""
    current = strategies.version(cursor, found.strategy_id, found.version)
    content = {**whole(found, current, who), "notes": notes or []}
    response = answer(content, as_of=parts.clock.now(), status=status)
    if status == HTTPStatus.CREATED:
        response.headers["Location"] = f"{PATH}/{found.strategy_id}/"
    return response


def require_nothing_of_others(found: Strategy, who: Reader, body: Changed) -> None:
    """See that an admin hides and stops what is somebody else's, and writes nothing of it.

    Raises:
        ProblemError: Something else was asked for (403).
    """
    if found.user_id != who.user_id and who.identity is not None:
        others = sorted(body.model_fields_set - {"public"})
        if body.public:
            others.append("public")
        if others:
            raise ProblemError(
                403, f"{found.name!r} is somebody else's: its {', '.join(others)} are theirs"
            )


def _of_bars(missing: list[str], found: Strategy) -> list[str]:
    if not missing:
        return []
    if missing == ["*"]:
        return [f"there are no bars of {found.timeframe} yet: it decides once there are"]
    named = ", ".join(missing[:_NAMED])
    more = len(missing) - _NAMED
    return [
        f"there are no bars of {found.timeframe} yet of {named}"
        + (f" and {more:,} more" if more > 0 else "")
        + ": it decides on those once there are"
    ]

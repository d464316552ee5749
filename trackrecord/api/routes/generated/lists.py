"""Strategies that were made here, to look at: lists, single ones, versions, templates."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from trackrecord.api.cursors import time_of
from trackrecord.api.parts import parts_of
from trackrecord.api.routes.asking import Asked
from trackrecord.api.routes.generated.asking import Listed
from trackrecord.api.routes.generated.common import (
    PATH,
    StrategyId,
    reading,
    require_may_filter,
    route,
    told,
)
from trackrecord.api.routes.generated.shown import strategy_shown, version_shown, whole
from trackrecord.api.strategy_shapes import (
    MadeStrategies,
    OneMadeStrategy,
    OneVersion,
    Templates,
    Versions,
)
from trackrecord.api.who import Who
from trackrecord.catalogue.store import strategies
from trackrecord.catalogue.templates import TEMPLATES, read_template

fixed = APIRouter(prefix=PATH, tags=["made strategies"])
router = APIRouter(prefix=PATH, tags=["made strategies"])


@route(fixed, "GET", "/", operation_id="list_made_strategies", answers=MadeStrategies)
def list_made_strategies(request: Request, who: Who, asked: Annotated[Listed, Query()]) -> Response:
    """Strategies that were made here, the newest first: yours, public ones, or all you may see."""
    parts = parts_of(request)
    require_may_filter(who, asked.owner)
    cursors, after = parts.cursors.of(who.whose), None
    if asked.cursor is not None:
        at, last = cursors.read("made-strategies", asked.filters(), asked.cursor, 2)
        after = (time_of(at), UUID(last))
    with reading(parts, who) as cursor:
        as_of = parts.clock.now()
        found = strategies.listed(
            cursor,
            owner=asked.owner,
            user_id=who.user_id if asked.whose == "mine" else None,
            status=asked.status,
            search=asked.search,
            public=True if asked.whose == "public" else None,
            after=after,
            limit=asked.limit + 1,
        )
    following = None
    if len(found) > asked.limit:
        last_shown = found[asked.limit - 1]
        keys = (last_shown.created_at, str(last_shown.strategy_id))
        following = cursors.written("made-strategies", asked.filters(), keys)
    shown = [strategy_shown(each, who) for each in found[: asked.limit]]
    return told(request, {"strategies": shown, "next": following}, as_of)


@route(fixed, "GET", "/templates/", operation_id="list_templates", answers=Templates)
def list_templates(request: Request, who: Who, asked: Annotated[Asked, Query()]) -> Response:
    """Strategies ready to take: generate one from its prompt, by the rules at hand."""
    del who, asked
    shown = [
        {
            "name": each.name,
            "prompt": each.sentence,
            "description": each.description,
            "reads_as": read_template(each.name).reads_as,
        }
        for each in TEMPLATES.values()
    ]
    return told(request, {"templates": shown}, parts_of(request).clock.now())


@route(
    router, "GET", "/{strategy_id:uuid}/", operation_id="show_made_strategy",
    answers=OneMadeStrategy,
)  # fmt: skip
def show_made_strategy(
    request: Request, who: Who, strategy_id: StrategyId, asked: Annotated[Asked, Query()]
) -> Response:
    """One strategy, with its code and what its last backtest came to."""
    del asked
    parts = parts_of(request)
    with reading(parts, who) as cursor:
        as_of = parts.clock.now()
        found = strategies.find(cursor, strategy_id)
        current = strategies.version(cursor, strategy_id, found.version)
    return told(request, whole(found, current, who), as_of)


@route(
    router, "GET", "/{strategy_id:uuid}/versions/", operation_id="list_versions", answers=Versions
)
def list_versions(
    request: Request, who: Who, strategy_id: StrategyId, asked: Annotated[Asked, Query()]
) -> Response:
    """What a strategy was, the latest first."""
    del asked
    parts = parts_of(request)
    with reading(parts, who) as cursor:
        as_of = parts.clock.now()
        strategies.find(cursor, strategy_id)
        found = strategies.versions(cursor, strategy_id)
    return told(request, {"versions": [version_shown(each) for each in found]}, as_of)


@route(
    router, "GET", "/{strategy_id:uuid}/versions/{version:int}/", operation_id="show_version",
    answers=OneVersion,
)  # fmt: skip
def show_version(
    request: Request,
    who: Who,
    strategy_id: StrategyId,
    version: Annotated[int, Path(ge=1, le=2**31 - 1, description="Its number, from 1.")],
    asked: Annotated[Asked, Query()],
) -> Response:
    """One version of a strategy."""
    del asked
    parts = parts_of(request)
    with reading(parts, who) as cursor:
        as_of = parts.clock.now()
        strategies.find(cursor, strategy_id)
        found = strategies.version(cursor, strategy_id, version)
    content = {"strategy_id": strategy_id, "content": version_shown(found)}
    return told(request, content, as_of)

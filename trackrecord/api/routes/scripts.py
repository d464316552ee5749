"""Scripts, and what their outputs reported."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from trackrecord.api.answers import answer, unchanged
from trackrecord.api.parts import parts_of
from trackrecord.api.problems import not_found
from trackrecord.api.routes.asking import VERSION_ONE, Asked, Paged, PathName
from trackrecord.api.shapes import Script, Scripts
from trackrecord.api.standing import standing_of, with_standing
from trackrecord.api.who import Who

router = APIRouter(prefix=VERSION_ONE, tags=["scripts"])


@router.get("/scripts", response_model=Scripts, operation_id="list_scripts")
def list_scripts(request: Request, who: Who, asked: Annotated[Paged, Query()]) -> Response:
    """Scripts by name, each with its runs, success rate, average return and last run."""
    parts = parts_of(request)
    after = ""
    if asked.cursor is not None:
        after = str(
            parts.cursors.of(who.whose).read("scripts", asked.filters(), asked.cursor, 1)[0]
        )
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        version = parts.reading.version(cursor, "scripts", view=who.view)
        if same := unchanged(request, version):
            return same
        found = parts.reading.scripts(cursor, who.hidden)
        names = [name for name in sorted(found) if name > after]
        shown = [{"script": name, **found[name]} for name in names[: asked.limit]]
        shown = with_standing(cursor, who, shown, "script")
    following = None
    if len(names) > asked.limit:
        keys = (names[asked.limit - 1],)
        following = parts.cursors.of(who.whose).written("scripts", asked.filters(), keys)
    return answer({"scripts": shown, "next": following}, as_of=as_of, version=version)


@router.get("/scripts/{name}", response_model=Script, operation_id="show_script")
def show_script(
    request: Request, who: Who, name: PathName, asked: Annotated[Asked, Query()]
) -> Response:
    """One script: its results, how they are distributed, and the latest against earlier ones."""
    del asked
    parts = parts_of(request)
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        version = parts.reading.version(cursor, "scripts", view=who.view)
        if same := unchanged(request, version):
            return same
        found = parts.reading.script_analytics(cursor, name, who.hidden)
        standing = standing_of(cursor, who, name)
    if found is None:
        raise not_found(f"no script {name!r} has run")
    return answer({**found, "standing": standing}, as_of=as_of, version=version)

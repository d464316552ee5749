"""Scripts, and what their outputs reported."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from trackrecord.api.answers import answer, unchanged
from trackrecord.api.parts import parts_of
from trackrecord.api.problems import not_found
from trackrecord.api.routes.asking import VERSION_ONE, Asked, Paged, PathName
from trackrecord.api.shapes import Script, Scripts
from trackrecord.api.who import Who

router = APIRouter(prefix=VERSION_ONE, tags=["scripts"])


@router.get("/scripts", response_model=Scripts, operation_id="list_scripts")
def list_scripts(request: Request, who: Who, asked: Annotated[Paged, Query()]) -> Response:
    """Scripts by name, each with its runs, success rate, average return and last run."""
    del who
    parts = parts_of(request)
    after = ""
    if asked.cursor is not None:
        after = str(parts.cursors.read("scripts", asked.filters(), asked.cursor, 1)[0])
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        version = parts.reading.version(cursor, "scripts")
        if same := unchanged(request, version):
            return same
        found = parts.reading.scripts(cursor)
    names = [name for name in sorted(found) if name > after]
    following = None
    if len(names) > asked.limit:
        keys = (names[asked.limit - 1],)
        following = parts.cursors.written("scripts", asked.filters(), keys)
    content = {
        "scripts": [{"script": name, **found[name]} for name in names[: asked.limit]],
        "next": following,
    }
    return answer(content, as_of=as_of, version=version)


@router.get("/scripts/{name}", response_model=Script, operation_id="show_script")
def show_script(
    request: Request, who: Who, name: PathName, asked: Annotated[Asked, Query()]
) -> Response:
    """One script: its results, how they are distributed, and the latest against earlier ones."""
    del who, asked
    parts = parts_of(request)
    with parts.pool.reading() as cursor:
        as_of = parts.clock.now()
        version = parts.reading.version(cursor, "scripts")
        if same := unchanged(request, version):
            return same
        found = parts.reading.script_analytics(cursor, name)
    if found is None:
        raise not_found(f"no script {name!r} has run")
    return answer(found, as_of=as_of, version=version)

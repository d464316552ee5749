"""Claims: whose the names of strategies and scripts are, and who may see them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from trackrecord.access.names import USER_NAME
from trackrecord.access.store import claims, users
from trackrecord.access.store.claims import Claim, ClaimRefusedError
from trackrecord.access.store.session import act_for
from trackrecord.access.store.users import UserRefusedError
from trackrecord.api.access_shapes import Claims, OneClaim
from trackrecord.api.answers import answer
from trackrecord.api.parts import parts_of
from trackrecord.api.problems import ProblemError, not_found
from trackrecord.api.routes.asking import VERSION_ONE, Asked, Paged, PathName
from trackrecord.api.routes.auth import access_of
from trackrecord.api.routes.me import Body
from trackrecord.api.who import Admin, Manager, Reader, Who

router = APIRouter(prefix=f"{VERSION_ONE}/claims", tags=["access"])


class _Changed(Body):
    public: bool
    """Whether all may see what is published under the name."""


class _Given(Body):
    user: Annotated[str, Field(pattern=f"^{USER_NAME}$")]
    """To whom."""


@router.get("", response_model=Claims, operation_id="list_claims")
def list_claims(request: Request, who: Who, asked: Annotated[Paged, Query()]) -> Response:
    """Names that are somebody's, those that you may see; all others are nobody's."""
    access, parts = access_of(request), parts_of(request)
    after = ""
    if asked.cursor is not None:
        cursors = parts.cursors.of(who.whose)
        after = str(cursors.read("claims", asked.filters(), asked.cursor, 1)[0])
    with access.pool.reading() as cursor:
        act_for(cursor, who.known.user_id)
        found = claims.listed(cursor, after=after, limit=asked.limit + 1)
    following = None
    if len(found) > asked.limit:
        keys = (found[asked.limit - 1].name,)
        following = parts.cursors.of(who.whose).written("claims", asked.filters(), keys)
    shown = [_shown(each, who) for each in found[: asked.limit]]
    return answer({"claims": shown, "next": following}, as_of=access.clock.now())


@router.patch("/{name}", response_model=OneClaim, operation_id="show_or_hide_name")
def change(
    request: Request,
    who: Manager,
    name: PathName,
    asked: Annotated[Asked, Query()],
    body: _Changed,
) -> Response:
    """Let all see what is published under a name of yours, or you alone."""
    del asked
    access = access_of(request)
    with access.writes.writing() as cursor:
        act_for(cursor, who.known.user_id)
        found = claims.listed(cursor, names=[name])
        if not found:
            raise not_found(f"{name!r} is no name of yours")
        if found[0].user_id != who.known.user_id and "administer" not in who.permissions:
            raise ProblemError(403, f"{name!r} is somebody else's")
        claim = claims.set_public(cursor, who.actor, name, public=body.public)
    return answer(_shown(claim, who), as_of=access.clock.now())


@router.put("/{name}", response_model=OneClaim, operation_id="give_name")
def give(
    request: Request,
    who: Admin,
    name: PathName,
    asked: Annotated[Asked, Query()],
    body: _Given,
) -> Response:
    """Give a name to a user, whosever it was; who may see it stays as it was."""
    del asked
    access = access_of(request)
    now = access.clock.now()
    try:
        with access.writes.writing() as cursor:
            act_for(cursor, who.known.user_id)
            user = users.find(cursor, body.user)
            claim = claims.give(cursor, who.actor, name, user.user_id, now)
    except UserRefusedError as error:
        raise not_found(str(error)) from None
    return answer(_shown(claim, who), as_of=now)


@router.delete("/{name}", status_code=204, response_class=Response, operation_id="release_name")
def release(
    request: Request, who: Admin, name: PathName, asked: Annotated[Asked, Query()]
) -> Response:
    """Make a name nobody's: all may see it, and whoever publishes next with a key claims it."""
    del asked
    access = access_of(request)
    try:
        with access.writes.writing() as cursor:
            act_for(cursor, who.known.user_id)
            claims.release(cursor, who.actor, name)
    except ClaimRefusedError as error:
        raise not_found(str(error)) from None
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


def _shown(claim: Claim, who: Reader) -> dict[str, Any]:
    found = asdict(claim)
    # Who else there is, is not everybody's to know.
    mine = found.pop("user_id") == who.known.user_id
    return {**found, "yours": mine}

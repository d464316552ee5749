"""Users and the audit log, for admins."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from trackrecord.access import passwords
from trackrecord.access.names import USER_NAME
from trackrecord.access.passwords import PasswordRefusedError
from trackrecord.access.roles import Role
from trackrecord.access.store import audit, users
from trackrecord.access.store.session import act_for
from trackrecord.access.store.users import User, UserRefusedError
from trackrecord.api.access_shapes import Audit, OneUser, Users
from trackrecord.api.answers import answer
from trackrecord.api.parts import parts_of
from trackrecord.api.problems import ProblemError, invalid, not_found
from trackrecord.api.routes.asking import VERSION_ONE, Asked, Paged, PathName
from trackrecord.api.routes.auth import access_of
from trackrecord.api.routes.me import Body
from trackrecord.api.who import Admin

router = APIRouter(prefix=VERSION_ONE, tags=["access"])

_Password = Annotated[str, Field(min_length=passwords.SHORTEST, max_length=passwords.LONGEST)]


class _New(Body):
    name: Annotated[str, Field(pattern=f"^{USER_NAME}$")]
    role: Role = "viewer"
    password: _Password


class _Changed(Body):
    role: Role | None = None
    """Left out: as it is."""
    password: _Password | None = None
    """Left out: as it is; another one ends all logins of the user."""
    disabled: bool | None = None
    """Whether the user may do nothing; left out: as it is."""


@router.get("/users", response_model=Users, operation_id="list_users")
def list_users(request: Request, who: Admin, asked: Annotated[Paged, Query()]) -> Response:
    """Users by name."""
    access, parts = access_of(request), parts_of(request)
    cursors, after = parts.cursors.of(who.whose), ""
    if asked.cursor is not None:
        after = str(cursors.read("users", asked.filters(), asked.cursor, 1)[0])
    with access.pool.reading() as cursor:
        act_for(cursor, who.known.user_id)
        found = users.everyone(cursor, after, asked.limit + 1)
    following = None
    if len(found) > asked.limit:
        keys = (found[asked.limit - 1].name,)
        following = cursors.written("users", asked.filters(), keys)
    content = {"users": [_shown(each) for each in found[: asked.limit]], "next": following}
    return answer(content, as_of=access.clock.now())


@router.post("/users", status_code=201, response_model=OneUser, operation_id="add_user")
def add_user(
    request: Request, who: Admin, asked: Annotated[Asked, Query()], body: _New
) -> Response:
    """Add a user."""
    del asked
    access = access_of(request)
    now = access.clock.now()
    kept = _kept(body.password, body.name)
    try:
        with access.writes.writing() as cursor:
            act_for(cursor, who.known.user_id)
            user = users.add(cursor, who.actor, body.name, body.role, kept, now)
    except UserRefusedError as error:
        raise invalid("name", str(error)) from None
    return answer(_shown(user), as_of=now, status=201)


@router.patch("/users/{name}", response_model=OneUser, operation_id="change_user")
def change_user(
    request: Request,
    who: Admin,
    name: PathName,
    asked: Annotated[Asked, Query()],
    body: _Changed,
) -> Response:
    """Give a user another role or password, or take everything from them."""
    del asked
    access = access_of(request)
    now = access.clock.now()
    kept = None if body.password is None else _kept(body.password, name)
    with access.writes.writing() as cursor:
        act_for(cursor, who.known.user_id)
        try:
            user = users.find(cursor, name)
        except UserRefusedError as error:
            raise not_found(str(error)) from None
        try:
            if body.role is not None and body.role != user.role:
                user = users.set_role(cursor, who.actor, name, body.role)
            if kept is not None:
                user = users.set_password(cursor, who.actor, name, kept, now)
            if body.disabled is not None and body.disabled != (user.disabled_at is not None):
                user = users.set_disabled(cursor, who.actor, name, disabled=body.disabled, now=now)
        except UserRefusedError as error:
            raise ProblemError(422, str(error)) from None
    return answer(_shown(user), as_of=now)


@router.get("/audit", response_model=Audit, operation_id="audit")
def read_audit(request: Request, who: Admin, asked: Annotated[Paged, Query()]) -> Response:
    """What was changed of users, keys and claims, and who logged in; the latest first."""
    access, parts = access_of(request), parts_of(request)
    cursors, before = parts.cursors.of(who.whose), None
    if asked.cursor is not None:
        before = cast("int", cursors.read("audit", asked.filters(), asked.cursor, 1)[0])
    with access.pool.reading() as cursor:
        act_for(cursor, who.known.user_id)
        found = audit.read(cursor, before, asked.limit + 1)
    following = None
    if len(found) > asked.limit:
        keys = (found[asked.limit - 1]["audit_id"],)
        following = cursors.written("audit", asked.filters(), keys)
    return answer({"entries": found[: asked.limit], "next": following}, as_of=access.clock.now())


def _kept(password: str, user: str) -> str:
    try:
        return passwords.kept(password, user)
    except PasswordRefusedError as error:
        raise invalid("password", str(error)) from None


def _shown(user: User) -> dict[str, Any]:
    return asdict(user)

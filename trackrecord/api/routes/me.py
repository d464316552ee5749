"""Whoever asks: who they are here, their keys and their password."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from trackrecord.access import passwords
from trackrecord.access.keys import MOST_NAMES, KeyRefusedError
from trackrecord.access.names import NameRefusedError
from trackrecord.access.passwords import PasswordRefusedError
from trackrecord.access.roles import Scope, of_key
from trackrecord.access.store import keys, users
from trackrecord.access.store.session import act_for
from trackrecord.api.access_shapes import Keys, Me, NewKey, OneKey
from trackrecord.api.answers import answer
from trackrecord.api.problems import ProblemError, invalid, not_found
from trackrecord.api.routes.asking import VERSION_ONE, Asked
from trackrecord.api.routes.auth import access_of, proven
from trackrecord.api.who import Anyone, Manager
from trackrecord.events.types import Account, Name, UtcTime

router = APIRouter(prefix=f"{VERSION_ONE}/me", tags=["access"])


class Body(BaseModel):
    """A body: what it does not name is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


class _NewKey(Body):
    name: Annotated[str, Field(min_length=1, max_length=64)]
    """What it is called."""
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)]
    """What it may be used for."""
    names: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES)] | None = None
    """The strategies and scripts that it may publish; left out: whatever is its user's."""
    account: Account | None = None
    """Where the trades of its signals are made, where they do not say."""
    expires_at: UtcTime | None = None
    """Until when it is good; left out: until it is revoked."""


class _Password(Body):
    old: Annotated[str, Field(min_length=1, max_length=256)]
    new: Annotated[str, Field(min_length=passwords.SHORTEST, max_length=passwords.LONGEST)]


@router.get("", response_model=Me, operation_id="me")
def me(request: Request, who: Anyone, asked: Annotated[Asked, Query()]) -> Response:
    """Who asks, as what, and what this request may."""
    del asked
    access, user = access_of(request), who.known
    key = user.key
    content = {
        "name": user.name,
        "role": user.role,
        "permissions": sorted(user.permissions),
        "key": None
        if key is None
        else {
            "key_id": key.key_id,
            "names": None if key.names is None else sorted(key.names),
            "account": key.account,
        },
    }
    return answer(content, as_of=access.clock.now())


@router.get("/keys", response_model=Keys, operation_id="list_keys")
def list_keys(request: Request, who: Manager, asked: Annotated[Asked, Query()]) -> Response:
    """Your keys that are good, the newest first; a key itself is shown only when it is made."""
    del asked
    access, user = access_of(request), who.known
    with access.pool.reading() as cursor:
        act_for(cursor, user.user_id)
        found = keys.listed(cursor, user_id=user.user_id)
    return answer({"keys": [_shown(each) for each in found]}, as_of=access.clock.now())


@router.post("/keys", status_code=201, response_model=NewKey, operation_id="make_key")
def make_key(
    request: Request, who: Manager, asked: Annotated[Asked, Query()], body: _NewKey
) -> Response:
    """Make a key that acts for you. The answer shows it, this once."""
    del asked
    access, user = access_of(request), who.known
    if user.key is not None and not of_key(user.role, body.scopes) <= user.permissions:
        raise ProblemError(403, "a key makes no key that may more than itself")
    if user.key is not None and user.key.names is not None:
        raise ProblemError(403, "a key that is limited to names makes no other")
    now = access.clock.now()
    try:
        with access.writes.writing() as cursor:
            act_for(cursor, user.user_id)
            key, new = keys.make(
                cursor,
                who.actor,
                user.user_id,
                body.name,
                body.scopes,
                now,
                names=body.names,
                account=body.account,
                expires_at=body.expires_at,
            )
    except NameRefusedError as error:
        raise invalid("name", str(error)) from None
    except KeyRefusedError as error:
        raise invalid("scopes", str(error)) from None
    return answer({**_shown(key), "key": new.text}, as_of=now, status=201)


@router.delete("/keys/{key_id}", response_model=OneKey, operation_id="revoke_key")
def revoke_key(
    request: Request, who: Manager, key_id: UUID, asked: Annotated[Asked, Query()]
) -> Response:
    """Make one of your keys good for nothing."""
    del asked
    access, user = access_of(request), who.known
    now = access.clock.now()
    with access.writes.writing() as cursor:
        act_for(cursor, user.user_id)
        own = {each.key_id for each in keys.listed(cursor, user_id=user.user_id, revoked=True)}
        # An admin's session would see others' as well; those are revoked at the command line.
        key = keys.revoke(cursor, who.actor, key_id, now) if key_id in own else None
    if key is None:
        raise not_found(f"you have no key {str(key_id)!r}")
    return answer(_shown(key), as_of=now)


@router.post("/password", status_code=204, response_class=Response, operation_id="change_password")
async def change_password(
    request: Request, who: Manager, asked: Annotated[Asked, Query()], body: _Password
) -> Response:
    """Change your password; all your logins end, this one included, and keys stay."""
    del asked
    access, user = access_of(request), who.known
    if user.key is not None:
        raise ProblemError(403, "a key changes no password: log in with the one that there is")
    await proven(access, who, user.name, body.old)
    now = access.clock.now()

    def change() -> None:
        kept = passwords.kept(body.new, user.name)
        with access.writes.writing() as cursor:
            act_for(cursor, user.user_id)
            users.set_password(cursor, who.actor, user.name, kept, now)

    try:
        await run_sync(change)
    except PasswordRefusedError as error:
        raise invalid("new", str(error)) from None
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


def _shown(key: keys.Key) -> dict[str, Any]:
    found = asdict(key)
    found.pop("user")
    return found
